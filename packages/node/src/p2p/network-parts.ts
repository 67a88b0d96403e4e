import type { TransportName } from "@credlink/ledger";
import type { Clock, Logger, Metrics, Network, PeerId, Random } from "@credlink/primitives";
import type { PrivateKey } from "@libp2p/interface";
import type { AdmissionContext } from "./admission.ts";
import type { DialSchedule } from "./dialer.ts";
import type { GatekeeperOptions } from "./gatekeeper.ts";
import type { QueueLimits } from "./outbound-queue.ts";
import type { ConnectedPeer } from "./peer-table.ts";
import type { PeerWatch } from "./peer-watch.ts";

export interface NetworkOptions {
  /** How connections are encrypted: as genesis says. */
  readonly transport: TransportName;
  /** Multiaddresses to listen on, such as `/ip4/127.0.0.1/tcp/0`. */
  readonly listen: readonly string[];
  /** Addresses told to peers instead of those that we listen on. */
  readonly announce: readonly string[];
  /** Full multiaddresses (`…/p2p/<peer id>`) of peers to keep connected to. */
  readonly peers: readonly string[];
  /** Read whenever it counts: it may change while the network runs. */
  readonly maxConnections: number;
  readonly admission: GatekeeperOptions;
  readonly dialSchedule: DialSchedule;
  readonly dialTimeoutMs: number;
  /** A peer that answers no ping for so long is cut: its machine is gone, milliseconds. */
  readonly silenceMs: number;
  /** How long a peer that the engine disconnected stays away, milliseconds. */
  readonly misbehaviourBanMs: number;
  readonly queue: QueueLimits;
}

export interface NetworkComponents {
  readonly peerKey: PrivateKey;
  /** Everything of the handshake that the network does not know itself. */
  readonly admission: Omit<AdmissionContext, "bannedForMs" | "announcedAddresses">;
  /** Keeps what is seen of peers. */
  readonly peerWatch: PeerWatch;
  /** Whether a peer stands in the on-chain validator set: it is found again after it left. */
  readonly isValidator: (peer: PeerId) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** `Network` over libp2p, and what the shell around it needs besides. */
export interface Libp2pNetwork extends Network {
  peers(): readonly ConnectedPeer[];
  /** Opens the port and starts dialling. Receivers should be registered before. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Full multiaddresses at which we can be dialled. */
  addresses(): readonly string[];
  /** Judges every connection again: called at every commit, and when revocation lists change. */
  judgeAgain(): void;
  /** Addresses under which connected, fully admitted peers are dialled, without peer ids. */
  knownAddresses(): ReadonlyMap<PeerId, readonly string[]>;
  /**
   * Dials a node that is not connected from now on, at addresses (without peer id) that another one told
   * beside those told before; whom the operator or the chain names stays as it is.
   */
  suggest(peer: PeerId, places: readonly string[]): void;
  /** Ends what `suggest` began. */
  forget(peer: PeerId): void;
}
