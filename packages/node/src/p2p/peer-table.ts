import { type AdmittedPeer, equalBytes, type PeerId, toHex } from "@credlink/primitives";
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

/**
 * Connections that one member may have open, under however many peer ids. Two nodes that dial each
 * other at once have two, and a line that broke unseen leaves another one for a while.
 */
export const MAX_MEMBER_CONNECTIONS = 4;

/** A connection that was taken in. */
export interface Opened {
  readonly peer: ConnectedPeer;
  /** Whether it is the peer's first one under this certificate. */
  readonly joined: boolean;
  /** Who was connected under the same peer id with another key, and has left with this. */
  readonly replaced: ConnectedPeer | undefined;
  /** To be closed: opened under another certificate, or the member's oldest beyond the limit. */
  readonly superseded: readonly Connection[];
}

/**
 * Names a connection from its handshake on, before libp2p has made one of it (and has put the peer
 * id behind the address, where it was not).
 */
function nameOf(peer: PeerId, remoteAddress: unknown): string {
  return `${peer} ${String(remoteAddress).split("/p2p/")[0]}`;
}

/** Admitted peers with at least one open connection. */
export class PeerTable {
  readonly #entries = new Map<PeerId, Entry>();
  /** Handshakes that ended well whose connection libp2p has not announced yet. */
  readonly #admitted = new RecentMap<string, Admitted>(MAX_UNANNOUNCED);
  /** Address of a member -> its open connections, the oldest first. */
  readonly #byMember = new Map<string, Set<Connection>>();

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

  /** @param remoteAddress the multiaddress at the other end of the raw connection. */
  onAdmitted(remoteAddress: unknown, admitted: Admitted): void {
    this.#admitted.set(nameOf(admitted.identity.peerId, remoteAddress), admitted);
  }

  /**
   * Takes in a connection that libp2p opened.
   * @returns undefined when no handshake belongs to it.
   */
  open(connection: Connection): Opened | undefined {
    const id = connection.remotePeer.toString();
    const name = nameOf(id, connection.remoteAddr);
    const admitted = this.#admitted.get(name);
    if (admitted === undefined) return undefined;
    this.#admitted.delete(name);
    const known = this.#entries.get(id);
    const isSame =
      known !== undefined && equalBytes(known.identity.publicKey, admitted.identity.publicKey);
    const replaced = isSame ? undefined : known;
    const superseded = this.#supersede(replaced, admitted);
    const entry: Entry = {
      identity: admitted.identity,
      peer: toPeer(admitted.identity, admitted.standing),
      addresses: admitted.addresses,
      connections: isSame ? known.connections : new Set(),
    };
    entry.connections.add(connection);
    this.#entries.set(id, entry);
    this.#connectionsOf(admitted.identity).add(connection);
    return { peer: entry.peer, joined: !isSame, replaced: replaced?.peer, superseded };
  }

  /** @returns the peer when its last connection closed. */
  close(connection: Connection): ConnectedPeer | undefined {
    for (const [member, connections] of this.#byMember) {
      if (connections.delete(connection) && connections.size === 0) this.#byMember.delete(member);
    }
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

  /** Connections that must go for a new one to come. */
  #supersede(replaced: Entry | undefined, { identity }: Admitted): readonly Connection[] {
    const underOtherKey = [...(replaced?.connections ?? [])];
    const own = [...this.#connectionsOf(identity)];
    const beyond = own.slice(0, Math.max(0, own.length + 1 - MAX_MEMBER_CONNECTIONS));
    return [...underOtherKey, ...beyond];
  }

  #connectionsOf({ publicKey }: PeerIdentity): Set<Connection> {
    // A member has one key at a time that is admitted, two for a height in which it changes.
    const member = toHex(publicKey);
    const known = this.#byMember.get(member) ?? new Set();
    this.#byMember.set(member, known);
    return known;
  }
}
