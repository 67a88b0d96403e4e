/** A libp2p peer id in its text form; opaque to the engine. */
export type PeerId = string;

/**
 * What admission established about a connected peer before any other protocol opened.
 * `provisional`: its certificate chain is good, but our own head is not yet proven, so only
 * status and block sync are open to it.
 */
export interface AdmittedPeer {
  readonly id: PeerId;
  readonly organization: string;
  /** Role in the certificate's OU: `validator`, `observer` or `regulator-node`. */
  readonly role: string;
  readonly provisional: boolean;
}

/**
 * Authenticated, bounded message exchange between admitted nodes.
 * Messages may be lost or reordered; a lost connection loses what was queued.
 */
export interface Network {
  readonly self: PeerId;
  /** Admitted and connected peers, provisional ones included. */
  peers(): readonly AdmittedPeer[];
  /** Queues one message; the oldest of the protocol is dropped when the peer's queue is full. */
  send(peer: PeerId, protocol: string, message: Uint8Array): void;
  /**
   * Sends one request and waits for its one reply.
   * Rejects with NetworkError when the peer is gone, refuses, or `timeoutMs` passes.
   */
  request(
    peer: PeerId,
    protocol: string,
    request: Uint8Array,
    options: { readonly timeoutMs: number; readonly maxReplyBytes: number },
  ): Promise<Uint8Array>;
  /** Registers the one receiver of a protocol. Frames over `maxBytes` never reach it. */
  onMessage(
    protocol: string,
    options: { readonly maxBytes: number },
    receive: (from: AdmittedPeer, message: Uint8Array) => void,
  ): void;
  /** Registers the one responder of a protocol; a rejection closes the stream without reply. */
  onRequest(
    protocol: string,
    options: { readonly maxBytes: number },
    respond: (from: AdmittedPeer, request: Uint8Array) => Promise<Uint8Array>,
  ): void;
  /** Called after a peer was admitted, promoted from provisional, or left. */
  onPeerChange(listener: (peer: AdmittedPeer, event: "joined" | "promoted" | "left") => void): void;
  /** Cuts a peer that misbehaved; it may come back after the ban's end. */
  disconnect(peer: PeerId, reasonCode: string): void;
}
