import type { PeerId } from "@credlink/primitives";
import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
} from "@libp2p/interface";
import { type AdmissionContext, type Admitted, runAdmission } from "./admission.ts";
import type { AdmissionRole } from "./admission-messages.ts";
import { AdmissionError, type AdmissionErrorCode } from "./errors.ts";
import { HandshakeChannel } from "./handshake-channel.ts";
import type { EncrypterComponents, SecureChannel, TransportSuite } from "./secure-channel.ts";

/** How a handshake went wrong. */
export interface AdmissionFailure {
  readonly role: AdmissionRole;
  /** Absent when the channel did not get as far as proving one. */
  readonly peerId: PeerId | undefined;
  readonly code: AdmissionErrorCode;
  /** Which side refused. */
  readonly by: "us" | "peer";
  readonly detail: string;
}

/** Who is told how handshakes end; `connection` is the raw one. */
export interface AdmissionObserver {
  /** The secure channel begins: from here on this handshake reports its own end. */
  onStarted(connection: MessageStream): void;
  onAdmitted(connection: MessageStream, role: AdmissionRole, admitted: Admitted): void;
  onRefused(connection: MessageStream, failure: AdmissionFailure): void;
}

/** How long a refused connection stays open so that the refusal arrives. */
const REFUSAL_GRACE_MS = 500;

type Secure = SecureChannel["secureInbound"];

/**
 * A libp2p connection encrypter: a secure channel, then admission inside it. libp2p opens no
 * multiplexer before it is done, so no other protocol can even be named before both sides are
 * admitted; bytes that are not the handshake's end it.
 */
export function admissionEncrypter(options: {
  readonly suite: TransportSuite;
  readonly context: AdmissionContext;
  readonly observer: AdmissionObserver;
  /** Deadline of secure channel and admission together, milliseconds. */
  readonly handshakeTimeoutMs: number;
}): (components: EncrypterComponents) => ConnectionEncrypter {
  const { suite, context, observer, handshakeTimeoutMs } = options;
  return (components) => {
    const secureChannel = suite.create(components);
    const admit = async (
      role: AdmissionRole,
      connection: MessageStream,
      secure: Secure,
      secureOptions: SecureConnectionOptions | undefined,
    ): Promise<SecuredConnection> => {
      const signals = [AbortSignal.timeout(handshakeTimeoutMs), secureOptions?.signal];
      const signal = AbortSignal.any(signals.filter((each) => each !== undefined));
      let peerId: PeerId | undefined;
      let channel: HandshakeChannel | undefined;
      observer.onStarted(connection);
      try {
        const { secured, sessionHash } = await secure(connection, { ...secureOptions, signal });
        peerId = secured.remotePeer.toString();
        channel = new HandshakeChannel(secured.connection, signal);
        const selfPeerId = components.peerId.toString();
        const session = { role, selfPeerId, remotePeerId: peerId, sessionHash };
        const admitted = await runAdmission(channel, context, session);
        channel.release();
        observer.onAdmitted(connection, role, admitted);
        return secured;
      } catch (cause) {
        const error = toAdmissionError(cause, signal);
        const { code, by } = error.details;
        observer.onRefused(connection, { role, peerId, code, by, detail: error.message });
        const isTold = by === "us" && code !== "NODE_ADMISSION_ABORTED";
        if (isTold) await channel?.drain(REFUSAL_GRACE_MS);
        throw error;
      }
    };
    return {
      protocol: suite.protocol,
      secureInbound: (connection, secureOptions) =>
        admit("listener", connection, secureChannel.secureInbound, secureOptions),
      secureOutbound: (connection, secureOptions) =>
        admit("dialer", connection, secureChannel.secureOutbound, secureOptions),
    };
  };
}

/** Whatever the secure channel or the transport threw, as one of our codes. */
function toAdmissionError(cause: unknown, signal: AbortSignal): AdmissionError {
  if (cause instanceof AdmissionError) return cause;
  return new AdmissionError({ code: codeOf(cause, signal), by: "us" }, String(cause), { cause });
}

function codeOf(cause: unknown, signal: AbortSignal): AdmissionErrorCode {
  if (signal.aborted) return "NODE_ADMISSION_TIMEOUT";
  // The channel's own word for a peer key that is not the dialled one, or that does not sign.
  const isOtherPeer = cause instanceof Error && cause.name === "UnexpectedPeerError";
  return isOtherPeer ? "NODE_ADMISSION_WRONG_PEER" : "NODE_ADMISSION_ABORTED";
}
