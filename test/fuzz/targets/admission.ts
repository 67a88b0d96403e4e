import { parseCertificate, sm2Verify } from "@credlink/crypto";
import {
  type Clock,
  concatBytes,
  digest,
  encode,
  equalBytes,
  type Random,
  tryDecode,
  utf8,
} from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import { type AdmissionContext, runAdmission } from "../../../packages/node/src/p2p/admission.ts";
import {
  type AdmissionBinding,
  type AdmissionHello,
  type AdmissionMessage,
  admissionMessageCodec,
  admissionSigningMessage,
} from "../../../packages/node/src/p2p/admission-messages.ts";
import { AdmissionError, admissionErrors } from "../../../packages/node/src/p2p/errors.ts";
import { encodeFrame, FrameDecoder } from "../../../packages/node/src/p2p/frames.ts";
import { HandshakeChannel } from "../../../packages/node/src/p2p/handshake-channel.ts";
import { createIdentityJudge } from "../../../packages/node/src/p2p/identity.ts";
import { NonceMemory } from "../../../packages/node/src/p2p/nonce-memory.ts";
import { mutateBytes } from "../der-mutations.ts";
import { type PackValue, writePack } from "../msgpack-tree.ts";
import { createMutator } from "../signed-samples.ts";
import { ACCEPTED, type Outcome, refused, type Target } from "../target.ts";
import { DAY_MS, NOW_MS, type World } from "../world.ts";

const codes: ReadonlySet<string> = new Set(Object.keys(admissionErrors));
const GENESIS = digest(new Uint8Array(32).fill(7));
const OWN_NONCE = new Uint8Array(32).fill(1);
const PEER_NONCE = new Uint8Array(32).fill(2);
const SESSION = new Uint8Array(32).fill(3);
const SELF = "12D3KooWSelf";
const PEER = "12D3KooWPeer";
const CHAIN = "fuzz-chain";

/** What a secured stream is to a channel: it takes bytes, and brings those of the input. */
function createStream() {
  const target = new EventTarget();
  const stream = Object.assign(target, {
    send: () => true,
    unshift: () => undefined,
    abort: () => void target.dispatchEvent(new Event("close")),
  }) as unknown as ConstructorParameters<typeof HandshakeChannel>[0];
  const give = (data: Uint8Array): void =>
    void target.dispatchEvent(Object.assign(new Event("message"), { data }));
  const end = (): void => void target.dispatchEvent(new Event("close"));
  return { stream, give, end };
}

const never = new AbortController().signal;
const clock: Clock = {
  nowMs: () => NOW_MS,
  monotonicMs: () => 0,
  schedule: () => () => undefined,
};
const ownRandom: Random = { bytes: () => OWN_NONCE, integer: () => 0 };

function createContext(world: World): () => AdmissionContext {
  const { root, alpha, validator } = world;
  const judge = createIdentityJudge({
    anchors: {
      roots: [root.certificate],
      authorities: [alpha.certificate],
      revocationLists: () => [],
    },
    registry: {
      memberOfKey: (key) =>
        equalBytes(key, validator.certificate.subjectKey)
          ? {
              address: validator.address,
              organization: "alpha",
              role: "validator",
              status: "active",
              keys: [],
              certificateDigest: validator.certificate.fingerprint,
              enrolledBy: null,
              validFromMs: 0,
              validToMs: NOW_MS + DAY_MS,
            }
          : null,
      validatorPeerId: () => null,
      validatorKeys: () => [],
      isHeadProven: () => true,
      headHeight: () => 0,
      headTimestampMs: () => NOW_MS,
    },
    clock,
  });
  return () => ({
    chainId: CHAIN,
    genesisDigest: GENESIS,
    certificates: [world.admin.certificate.der],
    signer: world.admin.signer,
    judge,
    nonces: new NonceMemory(8),
    random: ownRandom,
    clock,
    announcedAddresses: () => [],
    bannedForMs: () => 0,
  });
}

const helloOf = (certificates: readonly Uint8Array[]): AdmissionHello => ({
  type: "hello",
  version: 2,
  chainId: CHAIN,
  genesisDigest: GENESIS,
  peerId: PEER,
  nonce: PEER_NONCE,
  certificates,
  addresses: ["/ip4/10.0.0.1/tcp/9645"],
});

/** What the peer has to sign; `isDialer`: the node that is fuzzed dialled. */
function bindingOf(isDialer: boolean): AdmissionBinding {
  return {
    chainId: CHAIN,
    genesisDigest: GENESIS,
    signerRole: isDialer ? "listener" : "dialer",
    signerPeerId: PEER,
    otherPeerId: SELF,
    dialerNonce: isDialer ? OWN_NONCE : PEER_NONCE,
    listenerNonce: isDialer ? PEER_NONCE : OWN_NONCE,
    sessionHash: SESSION,
  };
}

const EXTREMES: readonly PackValue[] = [
  ...[null, true, 0, 1, 3, 127, 128, 2 ** 32 - 1, -1, 0.5],
  ...[0n, 2n ** 63n, 2n ** 64n - 1n],
  ...["", "\u0000", "x".repeat(64), "x".repeat(65), "中".repeat(22), CHAIN, SELF, PEER],
  ...[new Uint8Array(0), OWN_NONCE, PEER_NONCE, new Uint8Array(31), new Uint8Array(65)],
  ...[new Uint8Array(4_096), new Uint8Array(4_097), new Uint8Array(33_000)],
  ...[[], [[]], [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]], new Array<PackValue>(9).fill("a")],
  { raw: Uint8Array.of(0x80) },
  { raw: Uint8Array.of(0x81, 0xa1, 0x61, 0x01) },
  { raw: Uint8Array.of(0xc1) },
  { raw: Uint8Array.of(0xd4, 1, 1) },
  { raw: Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff) },
  { raw: Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff) },
  { raw: Uint8Array.of(0xa1, 0xff) },
  { raw: Uint8Array.of(0xa3, 0xed, 0xa0, 0x80) },
];

function packOf(message: AdmissionMessage): PackValue[] {
  switch (message.type) {
    case "hello":
      return [
        ...[0, message.version, message.chainId, message.genesisDigest, message.peerId],
        ...[message.nonce, message.certificates, message.addresses],
      ];
    case "proof":
      return [1, message.sessionHash, message.signature];
    case "verdict":
      return [2, message.code];
  }
}

function mutatePack(fields: PackValue[], random: SeededRandom): PackValue {
  const at = random.integer(fields.length);
  switch (random.integer(5)) {
    case 0:
      fields.splice(at, 1);
      return fields;
    case 1:
      fields.splice(at, 0, fields[at] ?? null);
      return fields;
    case 2:
      return random.shuffle(fields);
    default:
      fields[at] = random.pick(EXTREMES);
      return fields;
  }
}

/** The frame of a message: mostly as it should be, else changed in codec, bytes or length. */
function frameOf(message: AdmissionMessage, random: SeededRandom, isChanged: boolean): Uint8Array {
  if (!isChanged) return encodeFrame(encode(admissionMessageCodec, message));
  const fields = packOf(message);
  const value = random.chance(0.6) ? mutatePack(fields, random) : fields;
  const isWide = random.chance(0.3);
  const payload = writePack(value, () => (isWide ? random.integer(3) : 0));
  const bytes = random.chance(0.2) ? mutateBytes(payload, random) : payload;
  const frame = encodeFrame(bytes);
  if (random.chance(0.05)) frame[random.integer(4)] = random.integer(256);
  return frame;
}

/** Cuts bytes into chunks, as a network would. */
function cut(bytes: Uint8Array, random: SeededRandom): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = random.pick([1, 3, 500, 10_000, 100_000]);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** Whether frames may be admitted, said once more and without the state machine. */
function mayBeAdmitted(frames: readonly Uint8Array[], isDialer: boolean): string | undefined {
  const decoder = new FrameDecoder(32 * 1024);
  for (const frame of frames) decoder.push(frame);
  const due = isDialer ? ["hello", "proof", "verdict"] : ["hello", "proof"];
  let key: Uint8Array | undefined;
  for (const type of due) {
    const payload = decoder.next();
    if (payload === undefined) return `no ${type}`;
    const read = tryDecode(admissionMessageCodec, payload);
    if (!read.ok || read.value.type !== type) return `no ${type} there`;
    if (!equalBytes(encode(admissionMessageCodec, read.value), payload)) return "not canonical";
    const message = read.value;
    if (message.type === "hello") {
      const [der] = message.certificates;
      const leaf = der === undefined ? undefined : parseCertificate(der);
      key = leaf?.ok ? leaf.value.subjectKey : undefined;
      const isMeant = message.version === 2 && message.chainId === CHAIN && message.peerId === PEER;
      if (!isMeant || !equalBytes(message.genesisDigest, GENESIS)) return "another hello";
      if (!equalBytes(message.nonce, PEER_NONCE)) return undefined;
    } else if (message.type === "proof") {
      const signed = admissionSigningMessage(bindingOf(isDialer));
      if (!equalBytes(message.sessionHash, SESSION)) return "another session";
      if (key === undefined || !sm2Verify(key, signed, message.signature)) return "no signature";
    } else if (message.code !== "") return "a refusal";
  }
  return undefined;
}

/** The admission's state machine, in either role, against whatever a peer says. */
export function admissionTarget(world: World): Target {
  const contextOf = createContext(world);
  const { alpha, validator, root } = world;
  const certificate = createMutator([
    { der: validator.certificate.der, signer: alpha.signer },
    { der: alpha.certificate.der, signer: root.signer },
  ]);

  async function scriptOf(isDialer: boolean, random: SeededRandom): Promise<AdmissionMessage[]> {
    const own = random.chance(0.25) ? await certificate(random) : validator.certificate.der;
    const chain = random.chance(0.3) ? [own, await certificate(random)] : [own];
    const binding = bindingOf(isDialer);
    const changed: AdmissionBinding = random.chance(0.3)
      ? {
          ...binding,
          ...random.pick<Partial<AdmissionBinding>>([
            { signerRole: isDialer ? "dialer" : "listener" },
            { signerPeerId: SELF },
            { otherPeerId: PEER },
            { chainId: "other" },
            { dialerNonce: binding.listenerNonce },
            { sessionHash: OWN_NONCE },
          ]),
        }
      : binding;
    const signature = await validator.signer.sign(admissionSigningMessage(changed));
    const sessionHash = random.chance(0.8) ? changed.sessionHash : OWN_NONCE;
    const hello = helloOf(chain.slice(0, 4).map((der) => der.subarray(0, 4_096)));
    const code = random.chance(0.8) ? "" : random.pick([...codes, "ODD", "中"]);
    return [hello, { type: "proof", sessionHash, signature }, { type: "verdict", code }];
  }

  async function judge(isDialer: boolean, chunks: readonly Uint8Array[]): Promise<Outcome> {
    const { stream, give, end } = createStream();
    const channel = new HandshakeChannel(stream, never);
    const session = {
      role: isDialer ? "dialer" : "listener",
      selfPeerId: SELF,
      remotePeerId: PEER,
      sessionHash: SESSION,
    } as const;
    const running = runAdmission(channel, contextOf(), session).then(
      ({ identity }) => identity,
      (error: unknown) => error,
    );
    for (const chunk of chunks) give(chunk);
    end();
    const ended = await running;
    channel.release();
    if (ended instanceof AdmissionError) return refused(ended.code, codes);
    if (ended instanceof Error) return { result: "throw", finding: ended.stack ?? String(ended) };
    const finding = mayBeAdmitted([concatBytes(...chunks)], isDialer);
    return finding === undefined
      ? { result: ACCEPTED }
      : { result: ACCEPTED, finding: `admitted: ${finding}` };
  }

  return {
    name: "admission",
    weight: 3,
    async make(random) {
      const isDialer = random.chance(0.5);
      const messages = await scriptOf(isDialer, random);
      const order = random.chance(0.85) ? messages : random.shuffle([...messages, ...messages]);
      const changed = random.integer(order.length * 2);
      const frames = order.map((each, at) => frameOf(each, random, at === changed));
      const kept = random.chance(0.05) ? frames.slice(0, random.integer(3)) : frames;
      return [utf8(isDialer ? "dialer" : "listener"), ...cut(concatBytes(...kept), random)];
    },
    judge: ([role = new Uint8Array(0), ...chunks]) =>
      judge(equalBytes(role, utf8("dialer")), chunks),
  };
}
