import {
  decodeMessage,
  encodeMessage,
  type Message,
  type PrePrepare,
  signedPayload,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import { type Block, blockCodec, headerDigest } from "@credlink/ledger";
import {
  BLOCKS_PROTOCOL,
  CONSENSUS_PROTOCOL,
  FETCH_PROTOCOL,
  HEAD_PROTOCOL,
  STATUS_PROTOCOL,
} from "@credlink/node/engine";
import {
  type Digest,
  decode,
  encode,
  type Network,
  type PeerId,
  type Signer,
  toHex,
  view,
} from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import type { WrapNetwork } from "./simulated-node.ts";
import { falsifyBlocks, raiseStatus } from "./sync-lies.ts";

/** How a node breaks the rules. Each works on the messages that its otherwise honest engine sends. */
export const strategies = [
  /** Two blocks to two halves, and votes for both. */
  "equivocate",
  /** Sends no consensus message at all. */
  "silent",
  /** Leaves its proposals unsent, but votes. */
  "silent-primary",
  /** Sends its proposals to a bare quorum's worth of nodes, without transactions. */
  "withhold",
  /** Votes under broken signatures, false fields, and noise. */
  "corrupt",
  /** Sends everything late, again, and to random subsets. */
  "replay",
  /** Wishes for far views all the time. */
  "far-views",
  /** Honest in consensus, but answers those who sync with blocks that are not the chain's. */
  "false-blocks",
  /** Honest in consensus, but claims a head far above everybody's. */
  "false-status",
] as const;
export type Strategy = (typeof strategies)[number];

/** What colluding nodes share: the twin of each block they equivocate about. */
export interface Conspiracy {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** V(h); simulated lists never change. */
  readonly set: ValidatorSet;
  /** Peers that are shown the twin, or lied to. */
  readonly deceived: ReadonlySet<PeerId>;
  /** Digest in hexadecimal -> its twin. */
  readonly twins: Map<string, Digest>;
}

type Unsigned = Parameters<typeof signedPayload>[1];

async function signAgain<M extends Message & Unsigned>(
  message: M,
  { chainId, genesisDigest, set }: Conspiracy,
  signer: Signer,
): Promise<M> {
  const payload = signedPayload({ chainId, genesisDigest, validatorsHash: set.hash }, message);
  return { ...message, signature: await signer.sign(payload) };
}

/** The same block a millisecond later: valid wherever the first is, under another digest. */
function twinOf(message: PrePrepare): PrePrepare {
  const block: Block = decode(blockCodec, message.proposal.payload);
  const timestampMs = block.header.timestampMs + 1;
  const twin: Block = { ...block, header: { ...block.header, timestampMs } };
  const digest = headerDigest(twin.header);
  const payload = encode(blockCodec, twin);
  return { ...message, digest, proposal: { ...message.proposal, digest, timestampMs, payload } };
}

type Send = (peer: PeerId, bytes: Uint8Array) => void;

async function equivocate(
  peer: PeerId,
  message: Message,
  bytes: Uint8Array,
  conspiracy: Conspiracy,
  signer: Signer,
  send: Send,
): Promise<void> {
  if (!conspiracy.deceived.has(peer)) return send(peer, bytes);
  if (message.type === "pre-prepare") {
    const twin = await signAgain(twinOf(message), conspiracy, signer);
    conspiracy.twins.set(toHex(message.digest), twin.digest);
    return send(peer, encodeMessage(twin));
  }
  if (message.type === "prepare" || message.type === "commit") {
    const digest = conspiracy.twins.get(toHex(message.digest));
    if (digest === undefined) return send(peer, bytes);
    return send(peer, encodeMessage(await signAgain({ ...message, digest }, conspiracy, signer)));
  }
  send(peer, bytes);
}

async function corrupt(
  peer: PeerId,
  message: Message,
  bytes: Uint8Array,
  conspiracy: Conspiracy,
  signer: Signer,
  send: Send,
  random: SeededRandom,
): Promise<void> {
  const kind = random.integer(5);
  if (kind === 0) {
    const broken = bytes.slice();
    const at = random.integer(broken.length);
    broken[at] = (broken[at] ?? 0) ^ (1 << random.integer(8));
    return send(peer, broken);
  }
  if (kind === 1) return send(peer, random.bytes(random.integer(400)));
  const isVote = message.type === "prepare" || message.type === "commit";
  if (kind === 2 && isVote) {
    const digest = random.bytes(32) as Digest;
    return send(peer, encodeMessage(await signAgain({ ...message, digest }, conspiracy, signer)));
  }
  if (kind === 3 && isVote) {
    const ahead = { ...message, view: view(message.view + 1 + random.integer(3)) };
    return send(peer, encodeMessage(await signAgain(ahead, conspiracy, signer)));
  }
  send(peer, bytes);
}

async function wishFar(
  peer: PeerId,
  message: Message,
  conspiracy: Conspiracy,
  signer: Signer,
  send: Send,
  random: SeededRandom,
): Promise<void> {
  if (message.type === "decided") return;
  const { height, sender } = message;
  const far = view(random.chance(0.5) ? 2 ** 31 : random.integer(1_000));
  const wish = { type: "wish", height, view: far, sender, signature: new Uint8Array(64) } as const;
  send(peer, encodeMessage(await signAgain(wish, conspiracy, signer)));
}

/** Wraps the network of a node so that what leaves it follows `strategy`. */
export function createByzantineNetwork(
  strategy: Strategy,
  conspiracy: Conspiracy,
  random: SeededRandom,
): WrapNetwork {
  return (network: Network, signer: Signer): Network => {
    const old: Uint8Array[] = [];
    const send: Send = (peer, bytes) => network.send(peer, CONSENSUS_PROTOCOL, bytes);
    const act = async (peer: PeerId, bytes: Uint8Array): Promise<void> => {
      const decoded = decodeMessage(bytes);
      if (!decoded.ok) return;
      const message = decoded.value;
      switch (strategy) {
        case "equivocate":
          return equivocate(peer, message, bytes, conspiracy, signer, send);
        case "silent":
          return;
        case "silent-primary":
          if (message.type !== "pre-prepare") send(peer, bytes);
          return;
        case "withhold":
          if (message.type !== "pre-prepare") return send(peer, bytes);
          if (conspiracy.deceived.has(peer)) return;
          return send(peer, encodeMessage({ ...message, transactions: [] }));
        case "corrupt":
          return corrupt(peer, message, bytes, conspiracy, signer, send, random);
        case "replay":
          if (old.length < 200) old.push(bytes);
          if (random.chance(0.7)) send(peer, bytes);
          if (random.chance(0.5)) send(peer, random.pick(old));
          return;
        case "far-views":
          send(peer, bytes);
          return wishFar(peer, message, conspiracy, signer, send, random);
        case "false-blocks":
        case "false-status":
          return send(peer, bytes);
      }
    };
    return {
      self: network.self,
      peers: () => network.peers(),
      send(peer, protocol, message) {
        if (protocol === CONSENSUS_PROTOCOL) void act(peer, message);
        else if (protocol !== HEAD_PROTOCOL) network.send(peer, protocol, message);
        else if (strategy === "false-status" && conspiracy.deceived.has(peer)) {
          network.send(peer, protocol, raiseStatus(message));
        } else if (strategy !== "silent") network.send(peer, protocol, message);
      },
      request: (...args) => network.request(...args),
      onMessage: (...args) => network.onMessage(...args),
      onRequest(protocol, options, respond) {
        const refuses = strategy === "withhold" && protocol === FETCH_PROTOCOL;
        if (refuses) return;
        network.onRequest(protocol, options, async (from, request) => {
          const reply = await respond(from, request);
          if (!conspiracy.deceived.has(from.id)) return reply;
          if (strategy === "false-status" && protocol === STATUS_PROTOCOL)
            return raiseStatus(reply);
          const isFalse = strategy === "false-blocks" && protocol === BLOCKS_PROTOCOL;
          return isFalse ? falsifyBlocks(reply, random) : reply;
        });
      },
      onPeerChange: (listener) => network.onPeerChange(listener),
      // Cutting the honest is no attack on safety, and bans end by themselves.
      disconnect: () => {},
    };
  };
}
