import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { openAgreementKey, publicKeyFromPrivate } from "@credlink/crypto";
import { concatBytes, encode, equalBytes, fromHex, toHex, utf8 } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import { AdmissionError, admissionErrors } from "../../../packages/node/src/p2p/errors.ts";
import { gmPrimitives } from "../../../packages/node/src/p2p/gm/gm-primitives.ts";
import { gmPrologue } from "../../../packages/node/src/p2p/gm/gm-suite.ts";
import { MAX_HANDSHAKE_MESSAGE_BYTES } from "../../../packages/node/src/p2p/gm/handshake-records.ts";
import {
  identityPayloadCodec,
  judgeIdentityPayload,
} from "../../../packages/node/src/p2p/gm/identity-payload.ts";
import { MAX_NOISE_MESSAGE_BYTES } from "../../../packages/node/src/p2p/gm/noise-primitives.ts";
import { prefixed, RecordSplitter } from "../../../packages/node/src/p2p/gm/record-splitter.ts";
import {
  type HandshakeInputs,
  Initiator,
  type NoiseSession,
  Responder,
} from "../../../packages/node/src/p2p/gm/xx-handshake.ts";
import { mutateBytes } from "../der-mutations.ts";
import { type PackValue, writePack } from "../msgpack-tree.ts";
import { ACCEPTED, type Outcome, refused, type Target } from "../target.ts";

const codes: ReadonlySet<string> = new Set(Object.keys(admissionErrors));
const NOTHING = new Uint8Array(0);
/** What the peer says after the handshake, in this order. */
const RECORDS = ["record 0", "record 1", "record 2"].map(utf8);

function keyOf(byte: number) {
  const privateKey = new Uint8Array(32).fill(byte);
  return openAgreementKey(privateKey, publicKeyFromPrivate(privateKey));
}

/** All keys are fixed, so that an input is replayed as it was made. */
function inputsOf(staticByte: number): HandshakeInputs {
  const keys = { staticKey: keyOf(staticByte), ephemeralKey: keyOf(staticByte + 1) };
  return { primitives: gmPrimitives, prologue: gmPrologue("fuzz-chain"), ...keys };
}

interface Identity {
  /** libp2p's protobuf of an Ed25519 key. */
  readonly identityKey: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** An Ed25519 key of a fixed seed. @see RFC 8410 §7 */
function identityOf(byte: number): Identity {
  const seed = new Uint8Array(32).fill(byte);
  const der = concatBytes(fromHex("302e020100300506032b657004220420"), seed);
  const key = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    identityKey: concatBytes(Uint8Array.of(8, 1, 18, 32), Uint8Array.from(spki.subarray(-32))),
    sign: (message) => Uint8Array.from(sign(null, message, key)),
  };
}

function payloadOf(identity: Identity, staticKey: Uint8Array): Uint8Array {
  const signed = concatBytes(utf8("credlink/noise/gm/1 static key"), staticKey);
  const { identityKey } = identity;
  return encode(identityPayloadCodec, { identityKey, signature: identity.sign(signed) });
}

/** Runs the node's side over what the peer sent; who the peer is, and the session. */
async function runNode(isDialer: boolean, node: HandshakeInputs, records: RecordSplitter) {
  const next = (): Uint8Array => {
    const message = records.next();
    if (message !== undefined) return message;
    throw new AdmissionError({ code: "NODE_ADMISSION_ABORTED", by: "us" }, "the peer hung up");
  };
  if (isDialer) {
    const side = new Initiator(node);
    side.writeFirst();
    const payload = side.readSecond(next());
    const peer = await judgeIdentityPayload(payload, side.remoteStatic, undefined);
    side.writeThird(NOTHING);
    return { peer: peer.toString(), session: side.finish() };
  }
  const side = new Responder(node);
  side.readFirst(next());
  side.writeSecond(NOTHING);
  const payload = side.readThird(next());
  const peer = await judgeIdentityPayload(payload, side.remoteStatic, undefined);
  return { peer: peer.toString(), session: side.finish() };
}

/** The peer's messages of a handshake that goes well, whatever its payload, and its session. */
function runPeer(isDialer: boolean, node: HandshakeInputs, peer: HandshakeInputs, own: Uint8Array) {
  if (isDialer) {
    const [initiator, responder] = [new Initiator(node), new Responder(peer)];
    responder.readFirst(initiator.writeFirst());
    const second = responder.writeSecond(own);
    initiator.readSecond(second);
    responder.readThird(initiator.writeThird(NOTHING));
    return { messages: [second], session: responder.finish() };
  }
  const [initiator, responder] = [new Initiator(peer), new Responder(node)];
  const first = initiator.writeFirst();
  responder.readFirst(first);
  initiator.readSecond(responder.writeSecond(NOTHING));
  return { messages: [first, initiator.writeThird(own)], session: initiator.finish() };
}

/** Opens what follows; a text when something else comes out than was sent, in another order. */
function openRecords(session: NoiseSession, rest: Uint8Array): string | undefined {
  const records = new RecordSplitter({ min: 17, max: MAX_NOISE_MESSAGE_BYTES });
  records.push(rest);
  for (let at = 0; ; at++) {
    const record = records.next();
    if (record === undefined) return undefined;
    const plain = session.receive.open(record);
    if (!equalBytes(plain, RECORDS[at] ?? NOTHING)) return `${toHex(plain)} as record ${at}`;
  }
}

/** The gm channel in either role: handshake, identity and records. */
export async function channelTarget(): Promise<Target> {
  const [node, peer] = [inputsOf(1), inputsOf(3)];
  const identity = identityOf(5);
  const good = payloadOf(identity, peer.staticKey.publicKey);
  const known = await judgeIdentityPayload(good, peer.staticKey.publicKey, undefined);

  function changedPayload(random: SeededRandom): Uint8Array {
    if (random.chance(0.6)) return good;
    if (random.chance(0.3)) return payloadOf(identity, node.staticKey.publicKey);
    if (random.chance(0.3)) return mutateBytes(good, random);
    const odd: readonly PackValue[] = [null, 7, "", NOTHING, new Uint8Array(257), [], good];
    const fields: PackValue[] = [identity.identityKey, random.bytes(64)];
    fields[random.integer(2)] = random.pick(odd);
    return writePack(fields, () => random.integer(3)).subarray(0, 700);
  }

  function changedWire(frames: readonly Uint8Array[], random: SeededRandom): Uint8Array {
    if (random.chance(0.3)) return concatBytes(...frames);
    if (random.chance(0.2)) return concatBytes(...random.shuffle([...frames, ...frames]));
    const at = random.integer(frames.length);
    return concatBytes(...frames.map((each, i) => (i === at ? mutateBytes(each, random) : each)));
  }

  async function judge(isDialer: boolean, wire: Uint8Array): Promise<Outcome> {
    try {
      const records = new RecordSplitter({ min: 1, max: MAX_HANDSHAKE_MESSAGE_BYTES });
      records.push(wire);
      const { peer: proven, session } = await runNode(isDialer, node, records);
      if (proven !== known.toString()) return { result: ACCEPTED, finding: `proved ${proven}` };
      const finding = openRecords(session, records.rest());
      return finding === undefined ? { result: ACCEPTED } : { result: ACCEPTED, finding };
    } catch (error) {
      if (error instanceof AdmissionError) return refused(error.code, codes);
      throw error;
    }
  }

  return {
    name: "channel",
    weight: 1,
    async make(random) {
      const isDialer = random.chance(0.5);
      const { messages, session } = runPeer(isDialer, node, peer, changedPayload(random));
      const sealed = RECORDS.map((record) => session.send.seal(record));
      const wire = changedWire([...messages, ...sealed].map(prefixed), random);
      return [utf8(isDialer ? "dialer" : "listener"), wire];
    },
    judge: ([role = NOTHING, wire = NOTHING]) => judge(equalBytes(role, utf8("dialer")), wire),
  };
}
