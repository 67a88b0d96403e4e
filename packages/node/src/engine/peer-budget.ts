import type { Clock, Logger, Network, PeerId } from "@credlink/primitives";

/** Counts what peers do wrong; who does too much too fast is cut for a while, never for ever. */
export interface PeerBudget {
  /** One invalid message or signature of this peer. */
  blame(peer: PeerId): void;
  /** Something no honest node does even once: cut at once. */
  cut(peer: PeerId, code: string): void;
}

/** Faults that a peer may have within one window. */
const FAULTS_PER_WINDOW = 20;
const WINDOW_MS = 1_000;

/** Makes the budget of all peers of one node. */
export function createPeerBudget(network: Network, clock: Clock, logger: Logger): PeerBudget {
  const windows = new Map<PeerId, { startedMs: number; faults: number }>();
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
  };
}
