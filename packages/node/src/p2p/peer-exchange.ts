import {
  type Clock,
  type Codec,
  encode,
  type Logger,
  list,
  type PeerId,
  type Random,
  struct,
  text,
  tryDecode,
} from "@credlink/primitives";
import { PEERS_PROTOCOL } from "./access.ts";
import { isPeerId, isPlace } from "./addresses.ts";
import type { Libp2pNetwork } from "./network-parts.ts";

/** Nodes in one answer, and addresses of each. */
export const MAX_TOLD_PEERS = 128;
export const MAX_TOLD_ADDRESSES = 4;
/** An answer: so many of both. */
export const MAX_PEERS_REPLY_BYTES = 192 * 1024;
/** Nodes that are dialled on others' word at once; validators are learned beside them. */
export const MAX_SUGGESTED = 128;
/** A node that nobody told of for so long, and that is not connected, is dialled no more. */
const FORGET_MS = 10 * 60_000;
/** One peer, drawn anew each time, is asked so often, milliseconds. */
const ASK_MS = 30_000;

/** A node and where it is reached, as a peer tells of it. */
export interface ToldPeer {
  readonly peer: PeerId;
  /** Multiaddresses without peer id. */
  readonly addresses: readonly string[];
}

export const toldPeersCodec: Codec<readonly ToldPeer[]> = list(
  struct({ peer: text(128), addresses: list(text(256), MAX_TOLD_ADDRESSES) }),
  MAX_TOLD_PEERS,
);

/** Finds the other nodes of the chain, beginning with one. */
export interface PeerExchange {
  start(): void;
  stop(): void;
}

/** What the exchange works with. */
export interface PeerExchangeParts {
  readonly network: Libp2pNetwork;
  /** Whether to dial what peers tell of; telling them is done always. */
  readonly isOn: boolean;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

class Exchange implements PeerExchange {
  readonly #parts: PeerExchangeParts;
  /** Nodes that we were told of and dial, and when somebody last told of them. */
  readonly #suggested = new Map<PeerId, number>();
  #cancel = (): void => undefined;

  constructor(parts: PeerExchangeParts) {
    this.#parts = parts;
    const { network } = parts;
    network.onRequest(PEERS_PROTOCOL, { maxBytes: 0 }, async ({ id }) => this.#tell(id));
    network.onPeerChange((peer, event) => {
      // A joiner knows one node: it asks it, and then each that it finds.
      if (event !== "left" && !peer.provisional) void this.#ask(peer.id);
    });
  }

  start(): void {
    const { clock, network, random } = this.#parts;
    this.#cancel = clock.schedule(ASK_MS, () => {
      const peers = network.peers().filter(({ provisional }) => !provisional);
      const peer = peers.length === 0 ? undefined : peers[random.integer(peers.length)];
      if (peer !== undefined) void this.#ask(peer.id);
      this.#forgetOld();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  #tell(asker: PeerId): Uint8Array {
    const told: ToldPeer[] = [];
    for (const [peer, places] of this.#parts.network.knownAddresses()) {
      const addresses = places.filter(isPlace).slice(0, MAX_TOLD_ADDRESSES);
      if (peer === asker || addresses.length === 0) continue;
      if (told.length < MAX_TOLD_PEERS) told.push({ peer, addresses });
    }
    return encode(toldPeersCodec, told);
  }

  async #ask(peer: PeerId): Promise<void> {
    const { network, isOn, requestTimeoutMs: timeoutMs, logger } = this.#parts;
    if (!isOn) return;
    try {
      const options = { timeoutMs, maxReplyBytes: MAX_PEERS_REPLY_BYTES };
      const reply = await network.request(peer, PEERS_PROTOCOL, new Uint8Array(0), options);
      const told = tryDecode(toldPeersCodec, reply, { maxBytes: MAX_PEERS_REPLY_BYTES });
      if (!told.ok) network.disconnect(peer, "NODE_PEER_INVALID_MESSAGES");
      else for (const each of told.value) this.#hear(each);
    } catch (error) {
      logger.debug("peers not told", { peerId: peer, detail: String(error) });
    }
  }

  #hear({ peer, addresses }: ToldPeer): void {
    const { network, clock } = this.#parts;
    const places = addresses.filter(isPlace);
    if (peer === network.self || !isPeerId(peer) || places.length === 0) return;
    const isNew = !this.#suggested.has(peer);
    if (isNew && this.#suggested.size >= MAX_SUGGESTED) return;
    this.#suggested.set(peer, clock.monotonicMs());
    // Who answers there must prove that peer id and an admissible certificate, as everybody.
    network.suggest(peer, places);
  }

  #forgetOld(): void {
    const { network, clock } = this.#parts;
    const connected = new Set(network.peers().map(({ id }) => id));
    for (const [peer, toldMs] of this.#suggested) {
      if (connected.has(peer) || clock.monotonicMs() - toldMs < FORGET_MS) continue;
      this.#suggested.delete(peer);
      network.forget(peer);
    }
  }
}

/** Makes the exchange; it answers at once, and asks from `start` on. */
export function createPeerExchange(parts: PeerExchangeParts): PeerExchange {
  return new Exchange(parts);
}
