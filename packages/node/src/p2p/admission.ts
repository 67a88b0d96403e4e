import { sm2Verify } from "@credlink/crypto";
import {
  type Clock,
  type Digest,
  equalBytes,
  type PeerId,
  type Random,
  type Result,
  type Signer,
} from "@credlink/primitives";
import {
  ADMISSION_VERSION,
  type AdmissionHello,
  type AdmissionMessage,
  type AdmissionProof,
  type AdmissionRole,
  admissionSigningMessage,
  NONCE_BYTES,
} from "./admission-messages.ts";
import { AdmissionError, type AdmissionErrorCode, admissionErrors } from "./errors.ts";
import { type HandshakeChannel, refusedByUs } from "./handshake-channel.ts";
import type { IdentityJudge, PeerIdentity, Standing } from "./identity.ts";
import type { NonceMemory } from "./nonce-memory.ts";

/** What a node brings to every handshake. */
export interface AdmissionContext {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** DER, the node's own certificate first. */
  readonly certificates: readonly Uint8Array[];
  /** The key of the first certificate. */
  readonly signer: Signer;
  readonly judge: IdentityJudge;
  readonly nonces: NonceMemory;
  readonly random: Random;
  readonly clock: Clock;
  /** Addresses at which peers can dial us, told to admitted peers. */
  readonly announcedAddresses: () => readonly string[];
  /** Milliseconds until a ban of the peer ends; 0 when it may try. */
  readonly bannedForMs: (peerId: PeerId) => number;
}

/** The session of the secure channel that a handshake runs in. */
export interface AdmissionSession {
  readonly role: AdmissionRole;
  /** Both as the channel proved them. */
  readonly selfPeerId: PeerId;
  readonly remotePeerId: PeerId;
  /** What only the two ends of this session compute, 32 bytes. */
  readonly sessionHash: Uint8Array;
}

/** A handshake that both sides ended well. */
export interface Admitted {
  readonly identity: PeerIdentity;
  readonly standing: Standing;
  /** Where the peer says it can be dialled. */
  readonly addresses: readonly string[];
}

function isAdmissionCode(code: string): code is AdmissionErrorCode {
  return Object.hasOwn(admissionErrors, code);
}

function unwrap<T>(result: Result<T, AdmissionErrorCode>): T {
  if (result.ok) return result.value;
  throw refusedByUs(result.code, result.detail ?? result.code);
}

function refusedByPeer(code: string): AdmissionError {
  const known = isAdmissionCode(code) ? code : "NODE_ADMISSION_UNKNOWN_CODE";
  return new AdmissionError({ code: known, by: "peer" }, `the peer refused us: ${known}`);
}

/** @throws AdmissionError when the message is a refusal or another one than was due. */
function expectMessage<T extends AdmissionMessage["type"]>(
  message: AdmissionMessage,
  type: T,
): Extract<AdmissionMessage, { readonly type: T }> {
  if (message.type === "verdict" && message.code !== "") throw refusedByPeer(message.code);
  if (message.type !== type) throw refusedByUs("NODE_ADMISSION_MALFORMED", `not a ${type}`);
  return message as Extract<AdmissionMessage, { readonly type: T }>;
}

function createHello(context: AdmissionContext, session: AdmissionSession): AdmissionHello {
  return {
    type: "hello",
    version: ADMISSION_VERSION,
    chainId: context.chainId,
    genesisDigest: context.genesisDigest,
    peerId: session.selfPeerId,
    nonce: context.random.bytes(NONCE_BYTES),
    certificates: context.certificates,
    addresses: context.announcedAddresses(),
  };
}

/** Judges all of a hello that needs no signature of its sender. */
function judgeHello(
  context: AdmissionContext,
  session: AdmissionSession,
  hello: AdmissionHello,
  own: AdmissionHello,
): Admitted {
  if (hello.version !== ADMISSION_VERSION) {
    throw refusedByUs("NODE_ADMISSION_MALFORMED", `version ${hello.version}`);
  }
  const isOurChain =
    hello.chainId === context.chainId && equalBytes(hello.genesisDigest, context.genesisDigest);
  if (!isOurChain) throw refusedByUs("NODE_ADMISSION_WRONG_CHAIN", "another genesis");
  if (hello.peerId !== session.remotePeerId) {
    throw refusedByUs("NODE_ADMISSION_WRONG_PEER", "the hello is of another connection");
  }
  if (equalBytes(hello.nonce, own.nonce) || !context.nonces.admit(hello.nonce)) {
    throw refusedByUs("NODE_ADMISSION_REPLAYED_NONCE", "nonce seen before");
  }
  const identity = unwrap(
    context.judge.judgeCertificates(session.remotePeerId, hello.certificates),
  );
  const standing = unwrap(context.judge.judgeStanding(identity));
  return { identity, standing, addresses: hello.addresses };
}

interface Nonces {
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
}

function signingMessage(
  context: AdmissionContext,
  session: AdmissionSession,
  signerRole: AdmissionRole,
  nonces: Nonces,
): Uint8Array {
  const isOwn = signerRole === session.role;
  const isDialer = session.role === "dialer";
  return admissionSigningMessage({
    chainId: context.chainId,
    genesisDigest: context.genesisDigest,
    signerRole,
    signerPeerId: isOwn ? session.selfPeerId : session.remotePeerId,
    otherPeerId: isOwn ? session.remotePeerId : session.selfPeerId,
    dialerNonce: isDialer ? nonces.own : nonces.peer,
    listenerNonce: isDialer ? nonces.peer : nonces.own,
    sessionHash: session.sessionHash,
  });
}

/**
 * Judges a peer's proof. What it signs is tried with the session that the proof itself names: a
 * good signature for another session says that somebody stands between the two nodes.
 */
function judgeProof(
  context: AdmissionContext,
  session: AdmissionSession,
  nonces: Nonces,
  publicKey: Uint8Array,
  proof: AdmissionProof,
): void {
  const signer: AdmissionRole = session.role === "dialer" ? "listener" : "dialer";
  const { sessionHash, signature } = proof;
  const message = signingMessage(context, { ...session, sessionHash }, signer, nonces);
  if (!sm2Verify(publicKey, message, signature)) {
    throw refusedByUs("NODE_ADMISSION_BAD_SIGNATURE", "the proof does not bind this connection");
  }
  if (!equalBytes(sessionHash, session.sessionHash)) {
    throw refusedByUs("NODE_ADMISSION_RELAYED", "the proof is of another session");
  }
}

async function exchange(
  channel: HandshakeChannel,
  context: AdmissionContext,
  session: AdmissionSession,
): Promise<Admitted> {
  const own = createHello(context, session);
  const isDialer = session.role === "dialer";
  if (isDialer) channel.send(own);
  const hello = expectMessage(await channel.receive(), "hello");
  const admitted = judgeHello(context, session, hello, own);
  const nonces = { own: own.nonce, peer: hello.nonce };
  const prove = async (): Promise<void> => {
    const message = signingMessage(context, session, session.role, nonces);
    const { sessionHash } = session;
    channel.send({ type: "proof", sessionHash, signature: await context.signer.sign(message) });
  };
  const check = async (): Promise<void> => {
    const proof = expectMessage(await channel.receive(), "proof");
    judgeProof(context, session, nonces, admitted.identity.publicKey, proof);
  };
  if (isDialer) {
    await check();
    await prove();
    expectMessage(await channel.receive(), "verdict");
  } else {
    channel.send(own);
    await prove();
    await check();
    channel.send({ type: "verdict", code: "" });
  }
  return admitted;
}

/**
 * Runs one side of the handshake: hello → hello and proof → proof → verdict. The listener admits
 * when the dialer's proof holds, for the dialer proves itself only to a listener it accepted; the
 * dialer admits on the verdict. A refusal is told to the peer.
 *
 * @throws AdmissionError with the code of the first rule that is broken, on either side.
 */
export async function runAdmission(
  channel: HandshakeChannel,
  context: AdmissionContext,
  session: AdmissionSession,
): Promise<Admitted> {
  try {
    const bannedMs = context.bannedForMs(session.remotePeerId);
    if (bannedMs > 0) throw refusedByUs("NODE_ADMISSION_BANNED", `for ${bannedMs} ms`);
    return await exchange(channel, context, session);
  } catch (error) {
    if (error instanceof AdmissionError && error.details.by === "us") tell(channel, error.code);
    throw error;
  }
}

function tell(channel: HandshakeChannel, code: AdmissionErrorCode): void {
  try {
    channel.send({ type: "verdict", code });
  } catch {
    // The peer is gone: there is nobody left to be told.
  }
}
