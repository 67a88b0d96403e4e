import { noise } from "@chainsafe/libp2p-noise";
import type { PeerId } from "@credlink/primitives";
import type {
  ComponentLogger,
  ConnectionEncrypter,
  PeerId as Libp2pPeerId,
  MessageStream,
  Metrics,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection,
  Upgrader,
} from "@libp2p/interface";
import { type AdmissionContext, type Admitted, runAdmission } from "./admission.ts";
import { ADMISSION_PROTOCOL, type AdmissionRole } from "./admission-messages.ts";
import { AdmissionError, type AdmissionErrorCode } from "./errors.ts";
import { HandshakeChannel } from "./handshake-channel.ts";

/** Components of a libp2p node that the encrypter needs. */
export interface EncrypterComponents {
  readonly peerId: Libp2pPeerId;
  readonly privateKey: PrivateKey;
  readonly logger: ComponentLogger;
  readonly upgrader: Upgrader;
  readonly metrics?: Metrics;
}

/** How a handshake went wrong. */
export interface AdmissionFailure {
  readonly role: AdmissionRole;
  /** Absent when noise did not get as far as proving one. */
  readonly peerId: PeerId | undefined;
  readonly code: AdmissionErrorCode;
  /** Which side refused. */
  readonly by: "us" | "peer";
  readonly detail: string;
}

/** Who is told how handshakes end; `connection` is the raw one, before noise. */
export interface AdmissionObserver {
  /** Noise begins: from here on this handshake reports its own end. */
  onStarted(connection: MessageStream): void;
  onAdmitted(connection: MessageStream, role: AdmissionRole, admitted: Admitted): void;
  onRefused(connection: MessageStream, failure: AdmissionFailure): void;
}

/** How long a refused connection stays open so that the refusal arrives. */
const REFUSAL_GRACE_MS = 500;

type Secure = (
  connection: MessageStream,
  options?: SecureConnectionOptions,
) => Promise<SecuredConnection>;

/**
 * A libp2p connection encrypter: noise, then admission inside the noise session. libp2p opens no
 * multiplexer before it is done, so no other protocol can even be named before both sides are
 * admitted; bytes that are not the handshake's end it.
 */
export function admissionEncrypter(options: {
  readonly context: AdmissionContext;
  readonly observer: AdmissionObserver;
  /** Deadline of noise and admission together, milliseconds. */
  readonly handshakeTimeoutMs: number;
}): (components: EncrypterComponents) => ConnectionEncrypter {
  const { context, observer, handshakeTimeoutMs } = options;
  return (components) => {
    const secureNoise = noise()(components);
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
        const secured = await secure(connection, { ...secureOptions, signal });
        peerId = secured.remotePeer.toString();
        channel = new HandshakeChannel(secured.connection, signal);
        const selfPeerId = components.peerId.toString();
        const session = { role, selfPeerId, remotePeerId: peerId };
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
      protocol: ADMISSION_PROTOCOL,
      secureInbound: (connection, secureOptions) =>
        admit("listener", connection, secureNoise.secureInbound.bind(secureNoise), secureOptions),
      secureOutbound: (connection, secureOptions) =>
        admit("dialer", connection, secureNoise.secureOutbound.bind(secureNoise), secureOptions),
    };
  };
}

/** Whatever noise or the transport threw, as one of our codes. */
function toAdmissionError(cause: unknown, signal: AbortSignal): AdmissionError {
  if (cause instanceof AdmissionError) return cause;
  const code = signal.aborted ? "NODE_ADMISSION_TIMEOUT" : "NODE_ADMISSION_ABORTED";
  return new AdmissionError({ code, by: "us" }, String(cause), { cause });
}
