import type { Clock, Counter, Logger, Metrics, PeerId } from "@credlink/primitives";
import type { MessageStream, MultiaddrConnection } from "@libp2p/interface";
import type { AdmissionFailure, AdmissionObserver } from "./admission-encrypter.ts";
import type { AdmissionErrorCode } from "./errors.ts";
import { FailureLimiter, type FailureLimits } from "./failure-limiter.ts";
import { networkMetrics } from "./metrics.ts";
import { addressKey } from "./network-address.ts";
import type { PeerWatch } from "./peer-watch.ts";
import { PendingHandshakes, type PendingLimits } from "./pending-handshakes.ts";

/** Limits of handshakes, and of failed ones. */
export interface GatekeeperOptions {
  readonly perPeer: FailureLimits;
  /** Higher than `perPeer`: several nodes may stand behind one address. */
  readonly perAddress: FailureLimits;
  /** Of inbound handshakes that are under way. */
  readonly pending: PendingLimits;
  readonly handshakeTimeoutMs: number;
}

/** How many connections may be open, both counted anew at every connection that comes in. */
export interface ConnectionLimit {
  readonly max: () => number;
  /** Connections that we opened. */
  readonly outbound: () => number;
}

/** Refusals that say nothing about the peer's good will. */
const INNOCENT: ReadonlySet<AdmissionErrorCode> = new Set(["NODE_ADMISSION_BANNED"]);

/** What names the machine at the other end. */
function hostOf(connection: MessageStream): string {
  return "remoteAddr" in connection ? addressKey(String(connection.remoteAddr)) : "unknown";
}

/**
 * Sees every connection from its first byte: counts failures per peer and per network address,
 * bans for a while, and notices those that never say anything.
 */
export class Gatekeeper {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #peers: FailureLimiter;
  readonly #addresses: FailureLimiter;
  readonly #timeoutMs: number;
  readonly #refusals: Counter;
  readonly #bans: Counter;
  readonly #unheard: Counter;
  readonly #crowded: Counter;
  readonly #pending: PendingHandshakes;
  /** How a connection gives back its place among the handshakes under way. */
  readonly #places = new WeakMap<MessageStream, () => void>();
  readonly #overLimit: Counter;
  readonly #peerWatch: PeerWatch;
  readonly #limit: ConnectionLimit;
  /** Connections that came in and have not closed, in their handshake or admitted. */
  #inbound = 0;
  /** Connections whose handshake has begun, and reports its own end. */
  readonly #started = new WeakSet<MessageStream>();

  constructor(
    options: GatekeeperOptions,
    limit: ConnectionLimit,
    components: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly metrics: Metrics;
      readonly peerWatch: PeerWatch;
    },
  ) {
    this.#peerWatch = components.peerWatch;
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#peers = new FailureLimiter(options.perPeer, components.clock);
    this.#addresses = new FailureLimiter(options.perAddress, components.clock);
    this.#pending = new PendingHandshakes(options.pending);
    this.#timeoutMs = options.handshakeTimeoutMs;
    this.#refusals = components.metrics.counter(networkMetrics.admissionRefusals);
    this.#bans = components.metrics.counter(networkMetrics.bans);
    this.#limit = limit;
    this.#overLimit = components.metrics.counter(networkMetrics.refusedOverLimit);
    this.#unheard = components.metrics.counter(networkMetrics.refusedConnections);
    this.#crowded = components.metrics.counter(networkMetrics.crowdedConnections);
  }

  /** For libp2p's connection gater: whether to close an inbound connection unheard. */
  denyInbound(connection: MultiaddrConnection): boolean {
    const host = hostOf(connection);
    if (this.#addresses.bannedForMs(host) > 0) {
      this.#unheard.add();
      return true;
    }
    if (this.#inbound + this.#limit.outbound() >= this.#limit.max()) {
      this.#overLimit.add();
      return true;
    }
    const place = this.#pending.take(host);
    if (typeof place === "string") {
      this.#crowded.add(1, { limit: place });
      return true;
    }
    this.#places.set(connection, place);
    this.#inbound++;
    const since = this.#clock.monotonicMs();
    connection.addEventListener("close", () => {
      this.#inbound--;
      place();
      if (this.#started.has(connection)) return;
      const elapsedMs = this.#clock.monotonicMs() - since;
      // libp2p's own deadline may fire a moment before ours would.
      const code =
        elapsedMs >= this.#timeoutMs - 50 ? "NODE_ADMISSION_TIMEOUT" : "NODE_ADMISSION_ABORTED";
      const detail = "closed before noise";
      this.refused(connection, { role: "listener", peerId: undefined, code, by: "us", detail });
    });
    return false;
  }

  bannedForMs(peer: PeerId): number {
    return this.#peers.bannedForMs(peer);
  }

  /** Bans a peer that misbehaved after admission. */
  ban(peer: PeerId, banMs?: number): void {
    this.#bans.add(1, { subject: "peer" });
    this.#peers.ban(peer, banMs);
  }

  readonly started: AdmissionObserver["onStarted"] = (connection) => {
    this.#started.add(connection);
  };

  /** The handshake ended well: its place is free for another one. */
  admitted(connection: MessageStream): void {
    this.#places.get(connection)?.();
  }

  readonly refused: AdmissionObserver["onRefused"] = (connection, failure) => {
    const host = hostOf(connection);
    const { role, peerId, code, by, detail } = failure;
    this.#refusals.add(1, { code, by });
    const who = { peerId: peerId ?? null, host, role, code };
    if (by === "peer") {
      this.#logger.warn("peer refused us", { ...who, detail });
      this.#peerWatch.refusedUs(peerId ?? null, code);
    } else this.#logger.warn("peer refused", { ...who, detail });
    if (role === "listener" && by === "us") this.#punish(failure, host);
  };

  /** A peer that was connected is no longer acceptable. */
  cut(peerId: PeerId, code: AdmissionErrorCode, detail: string): void {
    this.#refusals.add(1, { code, by: "us" });
    this.#logger.warn("peer cut", { peerId, code, detail });
  }

  #punish(failure: AdmissionFailure, host: string): void {
    const { peerId, code } = failure;
    if (INNOCENT.has(code)) return;
    // A peer that merely hangs up is counted by address alone: it may just have stopped.
    if (peerId !== undefined && code !== "NODE_ADMISSION_ABORTED" && this.#peers.fail(peerId)) {
      this.#bans.add(1, { subject: "peer" });
      this.#logger.warn("peer banned", { peerId, banMs: this.#peers.bannedForMs(peerId) });
    }
    if (this.#addresses.fail(host)) {
      this.#bans.add(1, { subject: "address" });
      this.#logger.warn("address banned", { host, banMs: this.#addresses.bannedForMs(host) });
    }
  }
}
