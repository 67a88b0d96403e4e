/**
 * A certified validator that votes for nothing and floods the others: a process of its own over the
 * real transport and admission. `node hostile-node.ts CONFIG PEERS ATTACKS RATE`, where CONFIG is the
 * node's file, PEERS its peers' addresses with commas (none: those of the file), ATTACKS names with commas, and RATE how many of
 * each attack a second go to each peer. Behind a name, `dry` builds and signs everything and sends
 * nothing, so that a measurement can tell the flood from the work of making it.
 */

import { createIdentity, signTransaction } from "@credlink/client";
import {
  decodeMessage,
  encodeMessage,
  signedPayload,
  type UnsignedMessage,
} from "@credlink/consensus-pbft";
import { addressFromPublicKey, randomBytes, systemRandom } from "@credlink/crypto";
import { TRANSACTION_VERSION } from "@credlink/ledger";
import { loadConfig, systemClock } from "@credlink/node";
import {
  type Digest,
  digest,
  encode,
  type PeerId,
  height as toHeight,
  view as toView,
  validatorIndex,
} from "@credlink/primitives";
import { buildNetwork, layFoundation } from "../../packages/node/src/components.ts";
import {
  BLOCKS_PROTOCOL,
  blockRangeRequestCodec,
  CONSENSUS_PROTOCOL,
  FETCH_PROTOCOL,
  fetchRequestCodec,
  HEAD_PROTOCOL,
  MAX_BLOCKS_FRAME_BYTES,
  MAX_CONSENSUS_BYTES,
  MAX_FETCH_REPLY_BYTES,
  MAX_STATUS_BYTES,
  pushCodec,
  STATUS_PROTOCOL,
  statusCodec,
  TRANSACTIONS_PROTOCOL,
} from "../../packages/node/src/engine/protocols.ts";
import { createLogger } from "../../packages/node/src/logger.ts";
import { PeerWatch } from "../../packages/node/src/p2p/peer-watch.ts";
import { createStanding } from "../../packages/node/src/standing.ts";
import type { AttackName } from "./attacks.ts";

const [configFile = "", peers = "", attackNames = "", rateText = "0", mode = "send"] =
  process.argv.slice(2);
const TICK_MS = 20;
/** Transactions in one push of the flood. */
const PUSHED = 500;
/** Ids in one request for transactions. */
const WANTED = 2_000;

const flags = peers === "" ? [] : [`--p2p.peers=${peers}`];
const config = await loadConfig({ file: configFile, flags });
const logger = createLogger({ level: "info", file: null });
const foundation = await layFoundation(config, logger, systemRandom);
const { ledger, identity } = foundation;
const set = ledger.validatorsAt(toHeight(1));
if (set === null) throw new Error("genesis names validators");
// Admitted in full on both sides: to a provisional peer nothing but statuses and blocks would leave.
const standing = createStanding({
  ledger,
  selfPeerId: "",
  engine: () => undefined,
  peers: () => [],
  isPolluted: () => false,
});
const { isValidator } = standing;
const { network } = await buildNetwork(() => config, foundation, {
  peerWatch: new PeerWatch({ clock: systemClock, metrics: foundation.metrics, isValidator }),
  registry: standing.registry,
  isValidator: standing.isValidator,
  logger,
});
const self = set.validators.findIndex(({ peerId }) => peerId === network.self);
const sender = validatorIndex(self);
const context = {
  chainId: ledger.chainId,
  genesisDigest: ledger.genesisDigest,
  validatorsHash: set.hash,
};

/** The height that the others decide, as their messages say. */
let current = ledger.head.header.height + 1;
network.onMessage(CONSENSUS_PROTOCOL, { maxBytes: MAX_CONSENSUS_BYTES }, (_from, bytes) => {
  const decoded = decodeMessage(bytes);
  if (!decoded.ok || decoded.value.type === "decided") return;
  current = Math.max(current, decoded.value.height);
});
network.onMessage(HEAD_PROTOCOL, { maxBytes: MAX_STATUS_BYTES }, () => {});
network.onMessage(TRANSACTIONS_PROTOCOL, { maxBytes: 640 * 1024 }, () => {});

type Outgoing = { readonly protocol: string; readonly bytes: Uint8Array } & (
  | { readonly maxReplyBytes: number }
  | { readonly maxReplyBytes?: never }
);

const consensus = (bytes: Uint8Array): Outgoing => ({ protocol: CONSENSUS_PROTOCOL, bytes });
const some = (): Digest => digest(randomBytes(32));

async function signed(
  message: UnsignedMessage & { readonly type: "prepare" | "commit" | "wish" },
  under = context,
): Promise<Uint8Array> {
  const signature = await identity.signer.sign(signedPayload(under, message));
  return encodeMessage({ ...message, signature });
}

const prepare = (height: number, view: number) => ({
  type: "prepare" as const,
  height: toHeight(height),
  view: toView(view),
  digest: some(),
  sender,
});
/** Height -> two COMMITs of its first view for different blocks, each signed once. */
const twoFaces = new Map<number, readonly Uint8Array[]>();
async function oneOfTwo(height: number): Promise<Uint8Array> {
  const commit = () => signed({ ...prepare(height, 0), type: "commit" });
  const faces = twoFaces.get(height) ?? (await Promise.all([commit(), commit()]));
  twoFaces.set(height, faces);
  return faces[Math.floor(Math.random() * faces.length)] ?? new Uint8Array(0);
}

let farView = 1_000;
/** A view that no message named before. */
function nextView(): number {
  farView += 1;
  return farView;
}
const replayed = await signed(prepare(current, 0));

/** A push of transactions that are signed, canonical, and expired: nobody is to blame for those. */
async function expiredTransactions(): Promise<Uint8Array> {
  const member = createIdentity(identity.signer, addressFromPublicKey(identity.signer.publicKey));
  const one = await signTransaction(
    {
      version: TRANSACTION_VERSION,
      chainId: ledger.chainId,
      sender: member.address,
      nonce: randomBytes(16),
      expiryHeight: toHeight(0),
      contract: "members",
      contractVersion: "1.0.0",
      method: "enroll",
      args: randomBytes(64),
      gasLimit: 1_000_000,
    },
    ledger.genesisDigest,
    member,
  );
  return encode(
    pushCodec,
    Array.from({ length: PUSHED }, () => one.bytes),
  );
}
const expired = await expiredTransactions();
const wanted = encode(
  fetchRequestCodec,
  Array.from({ length: WANTED }, () => some()),
);
const range = encode(blockRangeRequestCodec, { from: toHeight(1), count: 8 });

/** A vote of the receiver's that it never cast: its signature must be looked at to know. */
function forgedVote(peer: PeerId): Uint8Array {
  const index = set?.validators.findIndex(({ peerId }) => peerId === peer) ?? 0;
  const vote = { ...prepare(current, 0), sender: validatorIndex(Math.max(0, index)) };
  return encodeMessage({ ...vote, signature: randomBytes(64) });
}

function status(seenVote: Uint8Array | null): Uint8Array {
  return encode(statusCodec, {
    genesisDigest: ledger.genesisDigest,
    height: toHeight(0),
    header: null,
    certificate: null,
    seenVote,
  });
}

const attacks: Readonly<Record<AttackName, (peer: PeerId) => Promise<Outgoing>>> = {
  silence: async () => consensus(new Uint8Array(0)),
  replay: async () => consensus(replayed),
  "stale-vote": async () => consensus(await signed(prepare(Math.max(1, current - 1), 0))),
  "future-view": async () => consensus(await signed(prepare(current, nextView()))),
  "next-height": async () => consensus(await signed(prepare(current + 1, nextView()))),
  "far-height": async () => consensus(await signed(prepare(current + 1_000, 0))),
  wish: async () =>
    consensus(
      await signed({
        type: "wish",
        height: toHeight(current),
        view: toView(nextView()),
        sender,
      }),
    ),
  "forged-status": async (peer) => ({ protocol: HEAD_PROTOCOL, bytes: status(forgedVote(peer)) }),
  "ask-status": async () => ({
    protocol: STATUS_PROTOCOL,
    bytes: status(null),
    maxReplyBytes: MAX_STATUS_BYTES,
  }),
  "ask-blocks": async () => ({
    protocol: BLOCKS_PROTOCOL,
    bytes: range,
    maxReplyBytes: MAX_BLOCKS_FRAME_BYTES,
  }),
  "ask-transactions": async () => ({
    protocol: FETCH_PROTOCOL,
    bytes: wanted,
    maxReplyBytes: MAX_FETCH_REPLY_BYTES,
  }),
  "expired-transactions": async () => ({ protocol: TRANSACTIONS_PROTOCOL, bytes: expired }),
  equivocate: async () => consensus(await oneOfTwo(current)),
  malformed: async () => consensus(randomBytes(200)),
  oversized: async () => consensus(new Uint8Array(MAX_CONSENSUS_BYTES + 1)),
  "foreign-chain": async () =>
    consensus(await signed(prepare(current, 0), { ...context, genesisDigest: some() })),
};

const chosen = attackNames.split(",") as AttackName[];
const perTick = (Number(rateText) * TICK_MS) / 1000;
const sent: Record<string, number> = {};

async function attack(name: AttackName, peer: PeerId): Promise<void> {
  const { protocol, bytes, maxReplyBytes } = await attacks[name](peer);
  if (mode === "dry" || name === "silence") return;
  sent[name] = (sent[name] ?? 0) + 1;
  if (maxReplyBytes === undefined) network.send(peer, protocol, bytes);
  else network.request(peer, protocol, bytes, { timeoutMs: 3_000, maxReplyBytes }).catch(() => {});
}

let due = 0;
async function tick(): Promise<void> {
  due += perTick;
  const times = Math.floor(due);
  due -= times;
  for (let time = 0; time < times; time += 1) {
    for (const name of chosen) {
      for (const peer of network.peers()) await attack(name, peer.id);
    }
  }
  systemClock.schedule(TICK_MS, () => void tick());
}

await network.start();
process.stdout.write(`${JSON.stringify({ msg: "hostile", self, chosen, rate: rateText, mode })}\n`);
void tick();
systemClock.schedule(1_000, function report() {
  const to = network.peers().length;
  process.stdout.write(`${JSON.stringify({ msg: "sent", to, current, ...sent })}\n`);
  systemClock.schedule(1_000, report);
});
process.stdin.once("end", () => process.exit(0));
process.stdin.resume();
