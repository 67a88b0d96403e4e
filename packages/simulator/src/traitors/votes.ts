import type { Commit, Prepare } from "@credlink/consensus-pbft";
import { type Digest, digest } from "@credlink/primitives";
import { type Behaviour, lie, type Outgoing, viewNear } from "./traitor.ts";

/** T(v) of a replica that has not adapted, up to what a run has time for; milliseconds. */
const FIRST_VIEW_MS = 2_000;
const VIEW_GROWTH = 1.5;
const LONGEST_DELAY_MS = 5_000;

function isVote(message: { readonly type: string }): message is Prepare | Commit {
  return message.type === "prepare" || message.type === "commit";
}

/** Sends no consensus message at all. */
export const silent: Behaviour = () => [];

/** Votes for the block and for another one, to everybody. */
export const voteForBoth: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (!isVote(message)) return [out];
  const other = message.digest.slice() as Digest;
  other[0] = (other[0] ?? 0) ^ 0xff;
  const second = await lie(out, { ...message, digest: other }, traitor);
  return traitor.random.chance(0.5) ? [out, second] : [second, out];
};

/** COMMIT at once, without PREPARE and without a certificate. */
export const commitEarly: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type !== "prepare") return [out];
  return [await lie(out, { ...message, type: "commit" as const }, traitor)];
};

/** Votes reach some only. */
export const voteToSome: Behaviour = (out, { conspiracy }) =>
  isVote(out.message) && conspiracy.deceived.has(out.peer) ? [] : [out];

/** PREPARE but never COMMIT: blocks are prepared, and their views run out. */
export const neverCommit: Behaviour = (out) => (out.message.type === "commit" ? [] : [out]);

/** Everything comes just before the others would give up. */
export const slow: Behaviour = (out, { random }) => [
  { ...out, delayMs: out.delayMs + random.between(200, 480) },
];

/** Everything comes in the last moment of its view, as the others' timers start. */
export const lastMoment: Behaviour = (out, { random }) => {
  const view = "view" in out.message ? out.message.view : 0;
  const viewMs = Math.min(FIRST_VIEW_MS * VIEW_GROWTH ** view, LONGEST_DELAY_MS);
  return [{ ...out, delayMs: out.delayMs + viewMs - random.between(1, 50) }];
};

/** Votes for random digests and views ahead. */
export const wildVotes: Behaviour = async (out, traitor) => {
  const { message } = out;
  const { random } = traitor;
  if (!isVote(message)) return [out];
  const wild: Outgoing = random.chance(0.5)
    ? await lie(out, { ...message, digest: digest(random.bytes(32)) }, traitor)
    : await lie(out, { ...message, view: viewNear(message.view, 1 + random.integer(3)) }, traitor);
  return random.chance(0.5) ? [wild] : [out, wild];
};
