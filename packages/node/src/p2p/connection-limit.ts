import type { PeerId } from "@credlink/primitives";

/** What of a connection counts when one too many is open. */
export interface OpenConnection {
  readonly peer: PeerId;
  /** Milliseconds since 1970. */
  readonly openedMs: number;
}

/**
 * Peers to let go so that at most `limit` connections stay open: the youngest first, and none that
 * must stay, even where more than the limit must.
 */
export function peersOverLimit(
  open: readonly OpenConnection[],
  limit: number,
  mustStay: (peer: PeerId) => boolean,
): readonly PeerId[] {
  const over = Math.max(0, open.length - limit);
  return open
    .filter(({ peer }) => !mustStay(peer))
    .toSorted((a, b) => b.openedMs - a.openedMs)
    .slice(0, over)
    .map(({ peer }) => peer);
}
