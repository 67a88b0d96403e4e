import type { AdmittedPeer, PeerId } from "@credlink/primitives";
import type { Connection } from "@libp2p/interface";
import { RecentMap } from "../engine/recent-map.ts";
import type { Admitted } from "./admission.ts";
import type { PeerIdentity, Standing } from "./identity.ts";

/** A peer as the network shows it. */
export interface ConnectedPeer extends AdmittedPeer {
  /** Common name of its certificate. */
  readonly nodeId: string;
}

interface Entry {
  identity: PeerIdentity;
  peer: ConnectedPeer;
  addresses: readonly string[];
  readonly connections: Set<Connection>;
}

function toPeer(identity: PeerIdentity, standing: Standing): ConnectedPeer {
  return {
    id: identity.peerId,
    nodeId: identity.nodeId,
    organization: identity.organization,
    role: identity.role,
    provisional: standing === "provisional",
  };
}

/** A connection that breaks right after its handshake is never announced: so many are remembered. */
export const MAX_UNANNOUNCED = 1_024;

/** Admitted peers with at least one open connection. */
export class PeerTable {
  readonly #entries = new Map<PeerId, Entry>();
  /** Handshakes that ended well whose connection libp2p has not announced yet. */
  readonly #admitted = new RecentMap<PeerId, Admitted>(MAX_UNANNOUNCED);

  /** Handshakes that wait for their connection. */
  get unannounced(): number {
    return this.#admitted.size;
  }

  get(peer: PeerId): ConnectedPeer | undefined {
    return this.#entries.get(peer)?.peer;
  }

  all(): readonly ConnectedPeer[] {
    return [...this.#entries.values()].map((entry) => entry.peer);
  }

  identities(): readonly PeerIdentity[] {
    return [...this.#entries.values()].map((entry) => entry.identity);
  }

  addressesOf(peer: PeerId): readonly string[] {
    return this.#entries.get(peer)?.addresses ?? [];
  }

  /** A connection to use, the oldest first. */
  connection(peer: PeerId): Connection | undefined {
    for (const connection of this.#entries.get(peer)?.connections ?? []) {
      if (connection.status === "open") return connection;
    }
    return undefined;
  }

  connections(peer: PeerId): readonly Connection[] {
    return [...(this.#entries.get(peer)?.connections ?? [])];
  }

  onAdmitted(admitted: Admitted): void {
    this.#admitted.set(admitted.identity.peerId, admitted);
  }

  /**
   * Takes in a connection that libp2p opened.
   * @returns the peer and whether it just joined; undefined when no handshake belongs to it.
   */
  open(
    connection: Connection,
  ): { readonly peer: ConnectedPeer; readonly joined: boolean } | undefined {
    const id = connection.remotePeer.toString();
    const admitted = this.#admitted.get(id);
    const known = this.#entries.get(id);
    this.#admitted.delete(id);
    if (admitted === undefined && known === undefined) return undefined;
    const entry = known ?? this.#create(admitted);
    if (entry === undefined) return undefined;
    if (admitted !== undefined) {
      entry.identity = admitted.identity;
      entry.addresses = admitted.addresses;
      entry.peer = toPeer(admitted.identity, admitted.standing);
    }
    entry.connections.add(connection);
    return { peer: entry.peer, joined: known === undefined };
  }

  /** @returns the peer when its last connection closed. */
  close(connection: Connection): ConnectedPeer | undefined {
    const id = connection.remotePeer.toString();
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.connections.delete(connection)) return undefined;
    if (entry.connections.size > 0) return undefined;
    this.#entries.delete(id);
    return entry.peer;
  }

  /** Changes a peer's standing. @returns the new record when it changed. */
  setStanding(peer: PeerId, standing: Standing): ConnectedPeer | undefined {
    const entry = this.#entries.get(peer);
    const isProvisional = standing === "provisional";
    if (entry === undefined || entry.peer.provisional === isProvisional) return undefined;
    entry.peer = toPeer(entry.identity, standing);
    return entry.peer;
  }

  #create(admitted: Admitted | undefined): Entry | undefined {
    if (admitted === undefined) return undefined;
    const entry: Entry = {
      identity: admitted.identity,
      peer: toPeer(admitted.identity, admitted.standing),
      addresses: admitted.addresses,
      connections: new Set(),
    };
    this.#entries.set(admitted.identity.peerId, entry);
    return entry;
  }
}
