import type { Clock, Logger, Network, PeerId } from "@credlink/primitives";
import { RecentMap } from "./recent-map.ts";
import { type Rate, RateLimiter } from "./token-bucket.ts";

/**
 * What one peer may make us do, in the unit that it costs: an honest validator stays far below at
 * fifty blocks a second among thirty-two, and one that uses all of it costs a small part of a core.
 */
const allowances = {
  /** Consensus messages that are decoded. */
  consensus: { perSecond: 600, burst: 1_200 },
  /** Signatures of them that are verified, or looked up. */
  signatures: { perSecond: 300, burst: 1_200 },
  /** Heads and statuses. */
  status: { perSecond: 100, burst: 300 },
  /** Pushed transactions that brought us nothing: refused, or known already. */
  transactions: { perSecond: 2_000, burst: 20_000 },
  /** Requests; one for many things counts for several. */
  requests: { perSecond: 100, burst: 400 },
  /** Bytes of replies. */
  "reply-bytes": { perSecond: 16 * 1024 * 1024, burst: 64 * 1024 * 1024 },
} as const satisfies Record<string, Rate>;

export type Allowance = keyof typeof allowances;

/** What may go beyond these and be dropped; even dropping costs, and more of it is a flood. */
const EXCESS: Rate = { perSecond: 600, burst: 5_000 };

/**
 * What peers may cost us. What they do wrong is counted, and who does too much of it too fast is cut
 * for a while, never for ever; what they may do is bounded, and what goes beyond is dropped.
 */
export interface PeerBudget {
  /** One invalid message or signature of this peer. */
  blame(peer: PeerId): void;
  /** Something no honest node does even once: cut at once. */
  cut(peer: PeerId, code: string): void;
  /**
   * Takes from what a peer may cost; false when nothing is left of it. Who is refused far more than
   * an honest peer ever could be is cut: no drop is cheaper than what does not arrive.
   */
  spend(peer: PeerId, allowance: Allowance, amount?: number): boolean;
}

/** Faults that a peer may have within one window. */
const FAULTS_PER_WINDOW = 20;
const WINDOW_MS = 1_000;
/** Peers whose faults are remembered; a peer may come under any number of ids. */
export const MAX_BLAMED = 10_000;

/** Makes the budget of all peers of one node. */
export function createPeerBudget(network: Network, clock: Clock, logger: Logger): PeerBudget {
  const windows = new RecentMap<PeerId, { startedMs: number; faults: number }>(MAX_BLAMED);
  const limiters = new Map(
    Object.entries(allowances).map(([name, rate]) => [name, new RateLimiter(rate, clock)]),
  );
  const excess = new RateLimiter(EXCESS, clock);
  const floods = new RateLimiter({ perSecond: 1_000 / WINDOW_MS, burst: 1 }, clock);
  const cut = (peer: PeerId, code: string): void => {
    windows.delete(peer);
    logger.warn("peer cut", { peer, code });
    network.disconnect(peer, code);
  };
  return {
    cut,
    blame(peer) {
      const now = clock.monotonicMs();
      const known = windows.get(peer);
      const isFresh = known === undefined || now - known.startedMs > WINDOW_MS;
      const window = isFresh ? { startedMs: now, faults: 0 } : known;
      window.faults++;
      windows.set(peer, window);
      if (window.faults > FAULTS_PER_WINDOW) cut(peer, "NODE_PEER_INVALID_MESSAGES");
    },
    spend(peer, allowance, amount = 1) {
      if (limiters.get(allowance)?.spend(peer, amount)) return true;
      // Frames that had arrived before the connection ended still come: once a window is enough.
      const isFlood = !excess.spend(peer) && floods.take(peer) === 0;
      if (isFlood) cut(peer, "NODE_PEER_FLOOD");
      return false;
    },
  };
}
