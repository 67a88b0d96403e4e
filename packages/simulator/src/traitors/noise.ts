import type { Message } from "@credlink/consensus-pbft";
import { MAX_CONSENSUS_BYTES } from "@credlink/node/engine";
import { digest, height, validatorIndex } from "@credlink/primitives";
import {
  type Behaviour,
  instead,
  type Outgoing,
  type Signed,
  signAgain,
  type Traitor,
  viewNear,
} from "./traitor.ts";

const raw = (out: Outgoing, bytes: Uint8Array): Outgoing => ({ ...out, bytes, message: null });

/** Flipped bits, cut and stretched frames, and bytes that never were a message. */
export const garbage: Behaviour = (out, { random }) => {
  const { bytes } = out;
  switch (random.integer(6)) {
    case 0: {
      const broken = bytes.slice();
      const at = random.integer(broken.length);
      broken[at] = (broken[at] ?? 0) ^ (1 << random.integer(8));
      return [raw(out, broken)];
    }
    case 1:
      return [raw(out, random.bytes(random.integer(400)))];
    case 2:
      return [raw(out, bytes.slice(0, random.integer(bytes.length)))];
    case 3: {
      const long = new Uint8Array(bytes.length + 1 + random.integer(2_000));
      long.set(bytes);
      return [raw(out, long)];
    }
    default:
      return [out];
  }
};

/** Now and then a frame of as many bytes as a door lets in, or of one more. */
export const hugeFrames: Behaviour = (out, { random }) => {
  if (!random.chance(0.02)) return [out];
  const huge = new Uint8Array(MAX_CONSENSUS_BYTES + random.integer(2));
  huge.set(out.bytes);
  return [out, raw(out, huge)];
};

/** Sends to random subsets, and anything again that any traitor ever sent or heard. */
export const replay: Behaviour = (out, { random, conspiracy }) => {
  const messages: Outgoing[] = random.chance(0.7) ? [out] : [];
  if (random.chance(0.5) && conspiracy.heard.length > 0) {
    messages.push(instead(out, random.pick(conspiracy.heard)));
  }
  return messages;
};

/** Votes that are good on another chain, or under another validator list. */
export const otherChain: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type === "decided") return [out];
  const context = traitor.random.chance(0.5)
    ? { chainId: "another chain" }
    : { validatorsHash: digest(traitor.random.bytes(32)) };
  return [instead(out, await signAgain(message, traitor, context))];
};

/** One field a little off, or as it was in an earlier message; signed as if it were true. */
function mutate(message: Signed, { random, conspiracy }: Traitor): Signed {
  const step = random.chance(0.5) ? 1 : -1;
  switch (random.integer(5)) {
    case 0:
      return { ...message, height: height(Math.max(0, message.height + step)) };
    case 1:
      return { ...message, view: viewNear(message.view, step) };
    case 2:
      return { ...message, sender: validatorIndex(Math.max(0, message.sender + step)) };
    case 3: {
      const others = conspiracy.heard.flatMap((one) => ("digest" in one ? [one.digest] : []));
      if (!("digest" in message) || others.length === 0) return message;
      return { ...message, digest: random.pick(others) };
    }
    default: {
      const same = conspiracy.heard.filter((one): one is Signed => one.type === message.type);
      if (same.length === 0) return message;
      const { sender } = message;
      return { ...random.pick(same), sender } as Signed;
    }
  }
}

/** Small-scope mutations. @see Winter and others: Randomized testing of Byzantine fault tolerant algorithms, OOPSLA 2023 */
export const mutations: Behaviour = async (out, traitor) => {
  const { message } = out;
  if (message.type === "decided" || traitor.random.chance(0.6)) return [out];
  const changed: Message = await signAgain(mutate(message, traitor), traitor);
  return traitor.random.chance(0.5) ? [instead(out, changed)] : [out, instead(out, changed)];
};
