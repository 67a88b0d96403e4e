import type { AdmittedPeer, Network, PeerId } from "@credlink/primitives";
import { TestkitError } from "./errors.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** How one direction between two nodes behaves. */
export interface LinkOptions {
  /** Least and most delay of a message, milliseconds; drawn per message, so they overtake. */
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Share of messages that vanish, 0 to 1. */
  readonly loss: number;
  /** Share of messages that arrive twice, 0 to 1. */
  readonly duplication: number;
  /** Share of messages that take five seconds longer: a route that flaps, a resend by TCP. */
  readonly spikes: number;
}

/** One message as it was put on the wire. */
export interface WireMessage {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly protocol: string;
  readonly kind: "message" | "request" | "reply";
  readonly bytes: Uint8Array;
}

/** A node's own end; `close` is what a crash does to it. */
export interface NetworkEndpoint extends Network {
  close(): void;
}

/** All links between all nodes of a simulation. */
export interface SimulatedNetwork {
  /** Connects a node that was admitted as `peer`; all others see it join. */
  attach(peer: AdmittedPeer): NetworkEndpoint;
  /** Changes one direction; what is not named stays. */
  setLink(from: PeerId, to: PeerId, options: Partial<LinkOptions>): void;
  /** Changes all links, those of later nodes included, and forgets single settings. */
  setDefaults(options: Partial<LinkOptions>): void;
  /** Cuts one direction, or joins it again. */
  setCut(from: PeerId, to: PeerId, cut: boolean): void;
  /** Only nodes of one group reach one another; a node named nowhere stands alone. */
  partition(groups: readonly (readonly PeerId[])[]): void;
  /** Ends all cuts and partitions. */
  heal(): void;
  /** Sees every message as it is sent, before loss. Returns how to stop. */
  tap(observe: (message: WireMessage) => void): () => void;
  readonly counts: Readonly<
    Record<"sent" | "lost" | "cut" | "duplicated" | "delivered" | "spikes", number>
  >;
}

interface Receiver {
  readonly maxBytes: number;
  readonly receive: (from: AdmittedPeer, message: Uint8Array) => void;
}

interface Responder {
  readonly maxBytes: number;
  readonly respond: (from: AdmittedPeer, request: Uint8Array) => Promise<Uint8Array>;
}

type PeerListener = (peer: AdmittedPeer, event: "joined" | "promoted" | "left") => void;

/** How much longer a message takes that meets a spike, milliseconds. */
export const SPIKE_MS = 5_000;

/** How long `disconnect` keeps two nodes apart, milliseconds. */
const BAN_MS = 5_000;

const DEFAULT_LINK: LinkOptions = {
  minLatencyMs: 0.2,
  maxLatencyMs: 1,
  loss: 0,
  duplication: 0,
  spikes: 0,
};

class Fabric implements SimulatedNetwork {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly nodes = new Map<PeerId, Endpoint>();
  readonly counts = { sent: 0, lost: 0, cut: 0, duplicated: 0, delivered: 0, spikes: 0 };
  readonly #links = new Map<string, LinkOptions>();
  readonly #cuts = new Set<string>();
  readonly #bans = new Map<string, number>();
  readonly #taps = new Set<(message: WireMessage) => void>();
  #groups: readonly ReadonlySet<PeerId>[] | null = null;
  #defaults: LinkOptions;

  constructor(clock: SimulatedClock, random: SeededRandom, defaults: Partial<LinkOptions>) {
    this.clock = clock;
    this.random = random;
    this.#defaults = { ...DEFAULT_LINK, ...defaults };
  }

  attach(peer: AdmittedPeer): NetworkEndpoint {
    this.nodes.get(peer.id)?.close();
    const endpoint = new Endpoint(this, peer);
    this.nodes.set(peer.id, endpoint);
    for (const other of this.nodes.values()) {
      if (other === endpoint || this.isBanned(other.self, peer.id)) continue;
      this.clock.schedule(0, () => {
        if (!endpoint.closed && !other.closed) {
          other.announce(peer, "joined");
          endpoint.announce(other.peer, "joined");
        }
      });
    }
    return endpoint;
  }

  detach(endpoint: Endpoint): void {
    if (this.nodes.get(endpoint.self) === endpoint) this.nodes.delete(endpoint.self);
    for (const other of this.nodes.values()) other.announce(endpoint.peer, "left");
  }

  setLink(from: PeerId, to: PeerId, options: Partial<LinkOptions>): void {
    const key = `${from}>${to}`;
    this.#links.set(key, { ...(this.#links.get(key) ?? this.#defaults), ...options });
  }

  setDefaults(options: Partial<LinkOptions>): void {
    this.#defaults = { ...this.#defaults, ...options };
    this.#links.clear();
  }

  setCut(from: PeerId, to: PeerId, cut: boolean): void {
    if (cut) this.#cuts.add(`${from}>${to}`);
    else this.#cuts.delete(`${from}>${to}`);
  }

  partition(groups: readonly (readonly PeerId[])[]): void {
    this.#groups = groups.map((group) => new Set(group));
  }

  heal(): void {
    this.#groups = null;
    this.#cuts.clear();
    this.#bans.clear();
  }

  tap(observe: (message: WireMessage) => void): () => void {
    this.#taps.add(observe);
    return () => this.#taps.delete(observe);
  }

  isBanned(a: PeerId, b: PeerId): boolean {
    const end = this.#bans.get(a < b ? `${a}|${b}` : `${b}|${a}`);
    return end !== undefined && end > this.clock.monotonicMs();
  }

  ban(a: PeerId, b: PeerId): void {
    this.#bans.set(a < b ? `${a}|${b}` : `${b}|${a}`, this.clock.monotonicMs() + BAN_MS);
    const [first, second] = [this.nodes.get(a), this.nodes.get(b)];
    if (first === undefined || second === undefined) return;
    first.announce(second.peer, "left");
    second.announce(first.peer, "left");
    this.clock.schedule(BAN_MS, () => {
      if (first.closed || second.closed || this.isBanned(a, b)) return;
      first.announce(second.peer, "joined");
      second.announce(first.peer, "joined");
    });
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    if (this.#cuts.has(`${from}>${to}`) || this.isBanned(from, to)) return true;
    if (this.#groups === null) return false;
    return !this.#groups.some((group) => group.has(from) && group.has(to));
  }

  /** Carries one message over the link; `deliver` runs once per arrival. */
  carry(message: WireMessage, deliver: (target: Endpoint) => void): void {
    this.counts.sent++;
    for (const observe of this.#taps) observe(message);
    if (this.#isCut(message.from, message.to)) {
      this.counts.cut++;
      return;
    }
    const link = this.#links.get(`${message.from}>${message.to}`) ?? this.#defaults;
    if (this.random.chance(link.loss)) {
      this.counts.lost++;
      return;
    }
    const copies = message.kind === "message" && this.random.chance(link.duplication) ? 2 : 1;
    this.counts.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const usualMs = this.random.between(link.minLatencyMs, link.maxLatencyMs);
      const isSpike = link.spikes > 0 && this.random.chance(link.spikes);
      this.counts.spikes += isSpike ? 1 : 0;
      const delayMs = usualMs + (isSpike ? SPIKE_MS : 0);
      this.clock.schedule(delayMs, () => {
        const target = this.nodes.get(message.to);
        if (target === undefined || this.#isCut(message.from, message.to)) return;
        this.counts.delivered++;
        deliver(target);
      });
    }
  }
}

class Endpoint implements NetworkEndpoint {
  readonly self: PeerId;
  readonly peer: AdmittedPeer;
  closed = false;
  readonly #fabric: Fabric;
  readonly #receivers = new Map<string, Receiver>();
  readonly #responders = new Map<string, Responder>();
  readonly #listeners = new Set<PeerListener>();

  constructor(fabric: Fabric, peer: AdmittedPeer) {
    this.#fabric = fabric;
    this.peer = peer;
    this.self = peer.id;
  }

  peers(): readonly AdmittedPeer[] {
    const others: AdmittedPeer[] = [];
    for (const node of this.#fabric.nodes.values()) {
      if (node !== this && !this.#fabric.isBanned(node.self, this.self)) others.push(node.peer);
    }
    return others;
  }

  send(peer: PeerId, protocol: string, message: Uint8Array): void {
    if (this.closed || peer === this.self) return;
    const wire = { from: this.self, to: peer, protocol, kind: "message", bytes: message } as const;
    this.#fabric.carry(wire, (target) => target.receive(this.peer, protocol, message));
  }

  receive(from: AdmittedPeer, protocol: string, message: Uint8Array): void {
    const receiver = this.#receivers.get(protocol);
    if (receiver === undefined || message.length > receiver.maxBytes) return;
    receiver.receive(from, message);
  }

  request(
    peer: PeerId,
    protocol: string,
    request: Uint8Array,
    options: { readonly timeoutMs: number; readonly maxReplyBytes: number },
  ): Promise<Uint8Array> {
    // A closed endpoint belongs to a dead process: nothing may go on there.
    if (this.closed) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      const fail = (code: "TESTKIT_NETWORK_TIMEOUT" | "TESTKIT_NETWORK_TOO_LARGE"): void => {
        if (!this.closed) reject(new TestkitError(code, `${protocol} at ${peer}`));
      };
      const stopTimer = this.#fabric.clock.schedule(options.timeoutMs, () =>
        fail("TESTKIT_NETWORK_TIMEOUT"),
      );
      const wire = {
        from: this.self,
        to: peer,
        protocol,
        kind: "request",
        bytes: request,
      } as const;
      this.#fabric.carry(wire, (target) => {
        target.answer(this.peer, protocol, request, (reply) => {
          stopTimer();
          if (this.closed) return;
          if (reply.length > options.maxReplyBytes) fail("TESTKIT_NETWORK_TOO_LARGE");
          else resolve(reply);
        });
      });
    });
  }

  answer(
    from: AdmittedPeer,
    protocol: string,
    request: Uint8Array,
    deliver: (reply: Uint8Array) => void,
  ): void {
    const responder = this.#responders.get(protocol);
    if (responder === undefined || request.length > responder.maxBytes) return;
    responder.respond(from, request).then(
      (bytes) => {
        if (this.closed) return;
        const wire = { from: this.self, to: from.id, protocol, kind: "reply", bytes } as const;
        this.#fabric.carry(wire, () => deliver(bytes));
      },
      // A rejection closes the stream without a reply: the asker runs into its timeout.
      () => {},
    );
  }

  onMessage(
    protocol: string,
    options: { readonly maxBytes: number },
    receive: (from: AdmittedPeer, message: Uint8Array) => void,
  ): void {
    this.#receivers.set(protocol, { maxBytes: options.maxBytes, receive });
  }

  onRequest(
    protocol: string,
    options: { readonly maxBytes: number },
    respond: (from: AdmittedPeer, request: Uint8Array) => Promise<Uint8Array>,
  ): void {
    this.#responders.set(protocol, { maxBytes: options.maxBytes, respond });
  }

  onPeerChange(listener: PeerListener): void {
    this.#listeners.add(listener);
  }

  announce(peer: AdmittedPeer, event: "joined" | "promoted" | "left"): void {
    for (const listener of this.#listeners) listener(peer, event);
  }

  disconnect(peer: PeerId): void {
    if (!this.closed) this.#fabric.ban(this.self, peer);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#receivers.clear();
    this.#responders.clear();
    this.#listeners.clear();
    this.#fabric.detach(this);
  }
}

/** Makes the links of one simulation; every draw comes from `random`. */
export function createSimulatedNetwork(options: {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
  readonly defaults?: Partial<LinkOptions>;
}): SimulatedNetwork {
  return new Fabric(options.clock, options.random, options.defaults ?? {});
}
