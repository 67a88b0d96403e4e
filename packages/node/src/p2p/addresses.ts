import { invariant, type PeerId } from "@credlink/primitives";

/** A place to dial, without the peer that is expected there. */
const PLACE = /^\/(?:ip4|ip6|dns4|dns6)\/[^/\s]{1,200}\/tcp\/\d{1,5}$/;
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/;

/** Full multiaddresses by the peer id at their end. */
export function groupByPeer(addresses: readonly string[]): ReadonlyMap<PeerId, readonly string[]> {
  const groups = new Map<PeerId, string[]>();
  for (const address of addresses) {
    const peer = address.split("/p2p/")[1];
    invariant(peer !== undefined, "configuration accepts only addresses with a peer id");
    groups.set(peer, [...(groups.get(peer) ?? []), address]);
  }
  return groups;
}

/** Whether a text that a peer sent names a place that we would dial. */
export function isPlace(text: string): boolean {
  return PLACE.test(text);
}

/** Whether a text that a peer sent has the form of a peer id. */
export function isPeerId(text: string): boolean {
  return PEER_ID.test(text);
}
