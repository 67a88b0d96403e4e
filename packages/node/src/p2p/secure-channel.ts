import type {
  ComponentLogger,
  PeerId as Libp2pPeerId,
  MessageStream,
  Metrics,
  PrivateKey,
  SecureConnectionOptions,
  SecuredConnection,
  Upgrader,
} from "@libp2p/interface";

/** Components of a libp2p node that a secure channel needs. */
export interface EncrypterComponents {
  readonly peerId: Libp2pPeerId;
  readonly privateKey: PrivateKey;
  readonly logger: ComponentLogger;
  readonly upgrader: Upgrader;
  readonly metrics?: Metrics;
}

/** Bytes of a session hash. */
export const SESSION_HASH_BYTES = 32;

/** A connection under encryption, with what names the session. */
export interface SecuredSession {
  readonly secured: SecuredConnection;
  /**
   * 32 bytes that both ends of this session compute from its whole handshake, ephemeral keys
   * included: two sessions never have the same, whoever runs them and whatever keys he stole.
   * @see The Noise Protocol Framework, revision 34, §11.2 "Channel binding"
   */
  readonly sessionHash: Uint8Array;
}

/** Encrypts raw connections and proves both peer ids; one way of doing it. */
export interface SecureChannel {
  secureInbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredSession>;
  secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredSession>;
}

/** A suite of primitives for the channel between nodes; one for the whole chain. */
export interface TransportSuite {
  /** Name under which two nodes agree on it in multistream-select. */
  readonly protocol: string;
  readonly create: (components: EncrypterComponents) => SecureChannel;
}
