import { checkAgreement } from "@credlink/crypto";
import { encode, struct, text } from "@credlink/primitives";
import type { MessageStream, PeerId, SecureConnectionOptions } from "@libp2p/interface";
import type {
  EncrypterComponents,
  SecureChannel,
  SecuredSession,
  TransportSuite,
} from "../secure-channel.ts";
import { gmPrimitives } from "./gm-primitives.ts";
import { HandshakeRecords } from "./handshake-records.ts";
import { createIdentityPayload, judgeIdentityPayload } from "./identity-payload.ts";
import { createRecordStream } from "./record-stream.ts";
import { type HandshakeInputs, Initiator, type NoiseSession, Responder } from "./xx-handshake.ts";

/** Name of the channel with its admission in multistream-select. */
export const GM_ADMISSION_PROTOCOL = "/credlink/admission-gm/2";

const prologueCodec = struct({ suite: text(64), chainId: text(64) });

/** What both ends of a channel take for granted. */
export function gmPrologue(chainId: string): Uint8Array {
  return encode(prologueCodec, { suite: GM_ADMISSION_PROTOCOL, chainId });
}

/** Who the payload proves for the static key; throws when it proves nobody, or another one. */
type Judge = (payload: Uint8Array, remoteStatic: Uint8Array) => Promise<PeerId>;

interface Established {
  readonly session: NoiseSession;
  readonly remotePeer: PeerId;
}

async function initiate(
  records: HandshakeRecords,
  inputs: HandshakeInputs,
  own: Uint8Array,
  judge: Judge,
): Promise<Established> {
  const side = new Initiator(inputs);
  records.send(side.writeFirst());
  const payload = side.readSecond(await records.receive());
  // Who answers is judged before he learns who asks.
  const remotePeer = await judge(payload, side.remoteStatic);
  records.send(side.writeThird(own));
  return { session: side.finish(), remotePeer };
}

async function respond(
  records: HandshakeRecords,
  inputs: HandshakeInputs,
  own: Uint8Array,
  judge: Judge,
): Promise<Established> {
  const side = new Responder(inputs);
  side.readFirst(await records.receive());
  records.send(side.writeSecond(own));
  const payload = side.readThird(await records.receive());
  const remotePeer = await judge(payload, side.remoteStatic);
  return { session: side.finish(), remotePeer };
}

function createChannel(
  components: EncrypterComponents,
  prologue: Uint8Array,
  onBroken: (error: unknown) => void,
): SecureChannel {
  const staticKey = gmPrimitives.generateKey();
  const inputs: HandshakeInputs = { primitives: gmPrimitives, prologue, staticKey };
  const payload = createIdentityPayload(components.privateKey, staticKey.publicKey);
  // Awaited in every handshake; a failure must not end the process before the first one.
  payload.catch(() => undefined);

  const secure = async (
    connection: MessageStream,
    options: SecureConnectionOptions | undefined,
    isInitiator: boolean,
  ): Promise<SecuredSession> => {
    const records = new HandshakeRecords(connection, options?.signal);
    try {
      const own = await payload;
      const judge: Judge = (theirs, key) => judgeIdentityPayload(theirs, key, options?.remotePeer);
      const run = isInitiator ? initiate : respond;
      const { session, remotePeer } = await run(records, inputs, own, judge);
      const secured = { connection: createRecordStream(connection, session, onBroken), remotePeer };
      return { secured, sessionHash: session.hash };
    } finally {
      records.release();
    }
  };
  return {
    secureInbound: (connection, options) => secure(connection, options, false),
    secureOutbound: (connection, options) => secure(connection, options, true),
  };
}

/**
 * Noise XX over SM2, SM4-GCM and SM3: our own profile, docs/protocol/transport.md.
 * @throws CryptoError CRYPTO_AGREEMENT_UNUSABLE
 */
export function createGmSuite(options: {
  readonly chainId: string;
  /** Told of records that do not decrypt after the handshake. */
  readonly onBroken: (error: unknown) => void;
}): TransportSuite {
  checkAgreement();
  const prologue = gmPrologue(options.chainId);
  return {
    protocol: GM_ADMISSION_PROTOCOL,
    create: (components) => createChannel(components, prologue, options.onBroken),
  };
}
