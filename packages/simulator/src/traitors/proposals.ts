import type { Message, PrePrepare } from "@credlink/consensus-pbft";
import { toHex } from "@credlink/primitives";
import { twinOf, withFalseBody, withFalseHeader } from "./forged-blocks.ts";
import { type Behaviour, instead, lie, type Outgoing, type Traitor } from "./traitor.ts";

/** Applies to proposals only; everything else leaves as it is. */
function onProposal(
  act: (
    out: Outgoing,
    message: PrePrepare,
    traitor: Traitor,
  ) => Promise<readonly Outgoing[]> | readonly Outgoing[],
): Behaviour {
  return (out, traitor) =>
    out.message.type === "pre-prepare" ? act(out, out.message, traitor) : [out];
}

function isDeceived({ peer }: Outgoing, { conspiracy }: Traitor): boolean {
  return conspiracy.deceived.has(peer);
}

/** Two blocks to two halves, and votes for both. */
export const equivocate: Behaviour = async (out, traitor) => {
  const { message } = out;
  const { twins } = traitor.conspiracy;
  if (!isDeceived(out, traitor)) return [out];
  if (message.type === "pre-prepare") {
    const twin = twinOf(message);
    twins.set(toHex(message.digest), twin.digest);
    return [await lie(out, twin, traitor)];
  }
  if (message.type !== "prepare" && message.type !== "commit") return [out];
  const digest = twins.get(toHex(message.digest));
  return digest === undefined ? [out] : [await lie(out, { ...message, digest }, traitor)];
};

/** One block, but half of the receivers get other transactions with it. */
export const otherBodies = onProposal((out, message, traitor) => {
  if (!isDeceived(out, traitor)) return [out];
  const transactions = message.transactions.map((bytes) => {
    const broken = bytes.slice();
    broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1;
    return broken;
  });
  return [instead(out, { ...message, transactions })];
});

/** Leaves its proposals unsent, but votes. */
export const silentPrimary = onProposal(() => []);

/** Sends its proposals to some only, without transactions. */
export const withhold = onProposal((out, message, traitor) =>
  isDeceived(out, traitor) ? [] : [instead(out, { ...message, transactions: [] })],
);

/** Names transactions that it hands out to nobody. */
export const withholdBodies = onProposal((out, message) => [
  instead(out, { ...message, transactions: [] }),
]);

/** A block with one false header field. */
export const falseHeader = onProposal(async (out, message, traitor) => [
  await lie(out, withFalseHeader(message, traitor.random), traitor),
]);

/** A block with a body that breaks a rule. */
export const falseBody = onProposal(async (out, message, traitor) => [
  await lie(out, withFalseBody(message, traitor.random), traitor),
]);

/** A block of an earlier height or view, proposed again without a reason to. */
export const staleProposal = onProposal(async (out, message, traitor) => {
  const old = traitor.conspiracy.heard.filter(
    (one): one is PrePrepare => one.type === "pre-prepare",
  );
  if (old.length === 0 || traitor.random.chance(0.3)) return [out];
  const { proposal, digest, transactions } = traitor.random.pick(old);
  const { height, view, sender, signature, justification, parentDigest } = message;
  const stale = { type: "pre-prepare", height, view, sender, signature } as const;
  const content = { digest, proposal, transactions, justification, parentDigest };
  return [await lie(out, { ...stale, ...content }, traitor)];
});

/** In a view above 0: a fresh block over what an earlier view prepared, with a thinned proof. */
export const overridePrepared = onProposal(async (out, message, traitor) => {
  const { justification } = message;
  if (justification === null) return [out];
  const fresh = twinOf(message);
  const kind = traitor.random.integer(3);
  const unproven = justification.viewChanges.filter((vote) => vote.preparedView === null);
  const thinned =
    kind === 0
      ? justification
      : { viewChanges: kind === 1 ? justification.viewChanges : unproven, prepared: null };
  return [await lie(out, { ...fresh, justification: thinned }, traitor)];
});

/** Proposes at the last moment at which the backups do not give up yet. */
export const slowPrimary = onProposal((out, _message, { random }) => [
  { ...out, delayMs: out.delayMs + random.between(300, 490) },
]);

/** Proposes twice to everybody: the block, and a moment later its twin. */
export const proposeTwice = onProposal(async (out, message, traitor) => [
  out,
  { ...(await lie(out, twinOf(message), traitor)), delayMs: out.delayMs + 1 },
]);

/** Proposes although another is primary. */
export const usurp: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type !== "prepare") return [out];
  const isProposal = (one: Message): one is PrePrepare =>
    one.type === "pre-prepare" && one.height === message.height && one.view === message.view;
  const heard = traitor.conspiracy.heard.find(isProposal);
  if (heard === undefined) return [out];
  return [out, await lie(out, { ...twinOf(heard), sender: message.sender }, traitor)];
};
