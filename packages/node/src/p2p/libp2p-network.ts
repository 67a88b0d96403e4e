import {
  type AdmittedPeer,
  type Clock,
  type Counter,
  invariant,
  type Logger,
  type Metrics,
  type Network,
  type PeerId,
  type Random,
} from "@credlink/primitives";
import type { Connection, Libp2p, PrivateKey, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import {
  BLOCKS_PROTOCOL,
  HEAD_PROTOCOL,
  INSTANCE_PROTOCOL,
  STATUS_PROTOCOL,
} from "../engine/protocols.ts";
import type { AdmissionContext } from "./admission.ts";
import { Dialer, type DialSchedule } from "./dialer.ts";
import { NetworkError } from "./errors.ts";
import { FailureLimiter } from "./failure-limiter.ts";
import { FrameDecoder } from "./frames.ts";
import type { Gatekeeper, GatekeeperOptions } from "./gatekeeper.ts";
import { networkMetrics } from "./metrics.ts";
import { OutboundQueue, type QueueLimits } from "./outbound-queue.ts";
import type { ConnectedPeer, PeerTable } from "./peer-table.ts";
import { exchangeFrames, serveFrame } from "./request-stream.ts";

/** Request and reply are empty: whether the peer still answers at all. */
export const PING_PROTOCOL = "/credlink/ping/1";

/** Protocols that a provisional peer may use: those that bring a node up to date. */
export const PROVISIONAL_PROTOCOLS: ReadonlySet<string> = new Set([
  PING_PROTOCOL,
  STATUS_PROTOCOL,
  HEAD_PROTOCOL,
  BLOCKS_PROTOCOL,
  INSTANCE_PROTOCOL,
]);

export interface NetworkOptions {
  /** Multiaddresses to listen on, such as `/ip4/127.0.0.1/tcp/0`. */
  readonly listen: readonly string[];
  /** Addresses told to peers instead of those that we listen on. */
  readonly announce: readonly string[];
  /** Full multiaddresses (`…/p2p/<peer id>`) of peers to keep connected to. */
  readonly peers: readonly string[];
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
}

type Receiver = (from: AdmittedPeer, message: Uint8Array) => void;
type Responder = (from: AdmittedPeer, request: Uint8Array) => Promise<Uint8Array>;
type PeerListener = Parameters<Network["onPeerChange"]>[0];

/** Streams of one protocol that a peer may have open at once. */
const MAX_MESSAGE_STREAMS = 4;
const MAX_REQUEST_STREAMS = 64;
/** Frames beyond their protocol's cap that a peer may send before it is cut. */
const OVERSIZED_FRAMES = { maxFailures: 10, windowMs: 10_000 };
/** How long a peer that refused us is left alone, at least. */
const REFUSED_RETRY_MS = 10_000;

/** Frames over libp2p streams, opened only to and by admitted peers. */
export class NodeNetwork implements Libp2pNetwork {
  readonly #options: NetworkOptions;
  readonly #components: NetworkComponents;
  readonly #libp2p: Libp2p;
  readonly #table: PeerTable;
  readonly #gatekeeper: Gatekeeper;
  readonly #dialer: Dialer;
  /** Validators that are dialled at addresses they announced; none of them is configured. */
  readonly #learned = new Set<PeerId>();
  readonly #queues = new Map<string, OutboundQueue>();
  readonly #listeners: PeerListener[] = [];
  /** A frame that is too long costs its sender one stream, and us another one's opening. */
  readonly #oversized: FailureLimiter;
  readonly #counters: Readonly<Record<keyof typeof networkMetrics, Counter>>;
  #cancelPings: () => void = () => undefined;

  constructor(
    options: NetworkOptions,
    components: NetworkComponents,
    libp2p: Libp2p,
    gatekeeper: Gatekeeper,
    table: PeerTable,
  ) {
    this.#options = options;
    this.#components = components;
    this.#libp2p = libp2p;
    this.#gatekeeper = gatekeeper;
    this.#table = table;
    this.#counters = createCounters(components.metrics);
    const { misbehaviourBanMs: banMs } = options;
    this.#oversized = new FailureLimiter({ ...OVERSIZED_FRAMES, banMs }, components.clock);
    this.#dialer = new Dialer({
      self: this.self,
      clock: components.clock,
      random: components.random,
      schedule: options.dialSchedule,
      isConnected: (peer) => this.#table.get(peer) !== undefined,
      dial: (peer, addresses) => this.#dial(peer, addresses),
    });
    this.onRequest(PING_PROTOCOL, { maxBytes: 0 }, async () => new Uint8Array(0));
    libp2p.addEventListener("connection:open", (event) => this.#onOpen(event.detail));
    libp2p.addEventListener("connection:close", (event) => this.#onClose(event.detail));
  }

  get self(): PeerId {
    return this.#libp2p.peerId.toString();
  }

  async start(): Promise<void> {
    try {
      await this.#libp2p.start();
    } catch (cause) {
      const where = this.#options.listen.join(", ");
      throw new NetworkError("NODE_NETWORK_LISTEN_FAILED", where, { cause });
    }
    for (const [peer, addresses] of groupByPeer(this.#options.peers)) {
      this.#dialer.setTarget(peer, addresses);
    }
    this.#dialer.start();
    this.#pingLater();
  }

  async stop(): Promise<void> {
    this.#cancelPings();
    this.#dialer.stop();
    for (const queue of this.#queues.values()) queue.close();
    this.#queues.clear();
    await this.#libp2p.stop();
  }

  addresses(): readonly string[] {
    return this.#libp2p.getMultiaddrs().map(String);
  }

  peers(): readonly ConnectedPeer[] {
    return this.#table.all();
  }

  send(peer: PeerId, protocol: string, message: Uint8Array): void {
    const to = this.#table.get(peer);
    if (to === undefined || !isOpenTo(to, protocol)) {
      const reason = to === undefined ? "not-connected" : "provisional";
      this.#counters.messagesDropped.add(1, { protocol, reason });
      return;
    }
    this.#queueOf(peer, protocol).push(message);
  }

  async request(
    peer: PeerId,
    protocol: string,
    request: Uint8Array,
    options: { readonly timeoutMs: number; readonly maxReplyBytes: number },
  ): Promise<Uint8Array> {
    const to = this.#table.get(peer);
    const connection = this.#table.connection(peer);
    if (to === undefined || connection === undefined || !isOpenTo(to, protocol)) {
      throw new NetworkError("NODE_NETWORK_NOT_CONNECTED", `no admitted connection to ${peer}`);
    }
    const open = (signal: AbortSignal): Promise<Stream> =>
      connection.newStream(protocol, {
        signal,
        negotiateFully: false,
        maxOutboundStreams: MAX_REQUEST_STREAMS,
      });
    const reply = await exchangeFrames(open, request, options);
    this.#counters.messagesSent.add(1, { protocol });
    this.#counters.bytesSent.add(request.length, { protocol });
    return reply;
  }

  onMessage(protocol: string, options: { readonly maxBytes: number }, receive: Receiver): void {
    const handle = (stream: Stream, connection: Connection): void => {
      if (this.#hear(stream, connection, protocol) === undefined) return;
      const frames = new FrameDecoder(options.maxBytes);
      stream.addEventListener("message", (event) => {
        frames.push(event.data.subarray());
        try {
          this.#receiveFrames(frames, stream, connection, protocol, receive);
        } catch (error) {
          this.#onFrameError(stream, connection, protocol, error);
        }
      });
      // The peer sends and we never do: our end is closed from the start.
      void stream.close().catch(() => undefined);
    };
    void this.#libp2p.handle(protocol, handle, { maxInboundStreams: MAX_MESSAGE_STREAMS });
  }

  onRequest(protocol: string, options: { readonly maxBytes: number }, respond: Responder): void {
    const handle = (stream: Stream, connection: Connection): void => {
      const from = this.#hear(stream, connection, protocol);
      if (from === undefined) return;
      const answer = async (request: Uint8Array): Promise<Uint8Array> => {
        this.#counters.messagesReceived.add(1, { protocol });
        this.#counters.bytesReceived.add(request.length, { protocol });
        return respond(from, request);
      };
      serveFrame(stream, options.maxBytes, answer).catch((error: unknown) =>
        this.#onFrameError(stream, connection, protocol, error),
      );
    };
    void this.#libp2p.handle(protocol, handle, { maxInboundStreams: MAX_REQUEST_STREAMS });
  }

  onPeerChange(listener: PeerListener): void {
    this.#listeners.push(listener);
  }

  disconnect(peer: PeerId, reasonCode: string): void {
    const banMs = this.#options.misbehaviourBanMs;
    this.#components.logger.warn("peer disconnected", { peerId: peer, code: reasonCode, banMs });
    this.#gatekeeper.ban(peer, banMs);
    this.#dialer.postpone(peer, banMs);
    this.#drop(peer, reasonCode);
  }

  /** Keeps the announced addresses of a validator; configured ones stay, they are the operator's. */
  #learn(peer: PeerId): void {
    const isConfigured = this.#dialer.isTarget(peer) && !this.#learned.has(peer);
    const addresses = this.#table.addressesOf(peer).map((each) => `${each}/p2p/${peer}`);
    if (isConfigured || addresses.length === 0) return;
    this.#learned.add(peer);
    this.#dialer.setTarget(peer, addresses);
  }

  /** Who has become a validator is dialled when it is lost from now on; who is none any more, not. */
  #followValidators(): void {
    const { isValidator } = this.#components;
    for (const { id } of this.#table.all())
      if (!this.#learned.has(id) && isValidator(id)) this.#learn(id);
    for (const peer of this.#learned) {
      if (isValidator(peer)) continue;
      this.#learned.delete(peer);
      this.#dialer.removeTarget(peer);
    }
  }

  judgeAgain(): void {
    this.#followValidators();
    for (const identity of this.#table.identities()) {
      const standing = this.#components.admission.judge.judgeAgain(identity);
      if (!standing.ok) {
        this.#gatekeeper.cut(identity.peerId, standing.code, standing.detail ?? "");
        this.#dialer.postpone(identity.peerId, REFUSED_RETRY_MS);
        this.#drop(identity.peerId, standing.code);
        continue;
      }
      const changed = this.#table.setStanding(identity.peerId, standing.value);
      if (changed !== undefined && !changed.provisional) this.#tell(changed, "promoted");
    }
  }

  /** TCP alone notices a machine that lost its power only after a quarter of an hour. */
  #pingLater(): void {
    const { silenceMs } = this.#options;
    this.#cancelPings = this.#components.clock.schedule(silenceMs, () => {
      for (const { id } of this.#table.all()) {
        this.request(id, PING_PROTOCOL, new Uint8Array(0), {
          timeoutMs: silenceMs,
          maxReplyBytes: 0,
        }).catch((error: unknown) => this.#onSilence(id, error));
      }
      this.#pingLater();
    });
  }

  #onSilence(peer: PeerId, error: unknown): void {
    if (!(error instanceof NetworkError) || error.code !== "NODE_NETWORK_TIMEOUT") return;
    this.#components.logger.warn("peer does not answer", { peerId: peer, code: error.code });
    this.#drop(peer, error.code);
  }

  /** The peer behind a stream, or undefined after closing a stream that must not be heard. */
  #hear(stream: Stream, connection: Connection, protocol: string): ConnectedPeer | undefined {
    const from = this.#table.get(connection.remotePeer.toString());
    if (from !== undefined && isOpenTo(from, protocol)) return from;
    const reason = from === undefined ? "not-admitted" : "provisional";
    this.#counters.streamsRefused.add(1, { reason });
    stream.abort(new Error(reason));
    return undefined;
  }

  #receiveFrames(
    frames: FrameDecoder,
    stream: Stream,
    connection: Connection,
    protocol: string,
    receive: Receiver,
  ): void {
    for (;;) {
      const message = frames.next();
      if (message === undefined) return;
      // The peer's standing may have changed since the stream was opened.
      const from = this.#hear(stream, connection, protocol);
      if (from === undefined) return;
      this.#counters.messagesReceived.add(1, { protocol });
      this.#counters.bytesReceived.add(message.length, { protocol });
      receive(from, message);
    }
  }

  #onFrameError(stream: Stream, connection: Connection, protocol: string, error: unknown): void {
    const peerId = connection.remotePeer.toString();
    const isTooLarge =
      error instanceof NetworkError && error.code === "NODE_NETWORK_FRAME_TOO_LARGE";
    if (isTooLarge) {
      this.#counters.framesRefused.add(1, { protocol });
      this.#components.logger.warn("frame refused", { peerId, protocol, code: error.code });
      if (this.#oversized.fail(peerId)) this.disconnect(peerId, error.code);
    } else {
      const detail = String(error);
      this.#components.logger.debug("stream failed", { peerId, protocol, detail });
    }
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  }

  #queueOf(peer: PeerId, protocol: string): OutboundQueue {
    const key = `${peer} ${protocol}`;
    const known = this.#queues.get(key);
    if (known !== undefined) return known;
    const open = async (): Promise<Stream> => {
      const connection = this.#table.connection(peer);
      if (connection === undefined) throw new NetworkError("NODE_NETWORK_NOT_CONNECTED", peer);
      return connection.newStream(protocol, { maxOutboundStreams: MAX_MESSAGE_STREAMS });
    };
    const queue = new OutboundQueue(open, this.#options.queue, {
      onSent: (messages, bytes) => {
        this.#counters.messagesSent.add(messages, { protocol });
        this.#counters.bytesSent.add(bytes, { protocol });
      },
      onDropped: (messages, reason) =>
        this.#counters.messagesDropped.add(messages, { protocol, reason }),
    });
    this.#queues.set(key, queue);
    return queue;
  }

  async #dial(peer: PeerId, addresses: readonly string[]): Promise<void> {
    try {
      const signal = AbortSignal.timeout(this.#options.dialTimeoutMs);
      await this.#libp2p.dial(
        addresses.map((address) => multiaddr(address)),
        { signal },
      );
      this.#counters.dials.add(1, { outcome: "connected" });
    } catch (error) {
      this.#counters.dials.add(1, { outcome: "failed" });
      this.#components.logger.debug("dial failed", { peerId: peer, detail: String(error) });
      throw error;
    }
  }

  #onOpen(connection: Connection): void {
    const opened = this.#table.open(connection);
    if (opened === undefined) {
      connection.abort(new Error("no handshake"));
      return;
    }
    const { peer, joined, replaced, superseded } = opened;
    if (replaced !== undefined) this.#leave(replaced);
    for (const old of superseded) {
      const detail = "a newer connection took its place";
      this.#gatekeeper.cut(old.remotePeer.toString(), "NODE_ADMISSION_SUPERSEDED", detail);
      old.abort(new Error(detail));
    }
    if (!joined) return;
    if (this.#components.isValidator(peer.id)) this.#learn(peer.id);
    this.#components.logger.info("peer joined", {
      peerId: peer.id,
      nodeId: peer.nodeId,
      role: peer.role,
      provisional: peer.provisional,
      direction: connection.direction,
    });
    this.#tell(peer, "joined");
  }

  #onClose(connection: Connection): void {
    const left = this.#table.close(connection);
    if (left !== undefined) this.#leave(left);
  }

  #leave(left: ConnectedPeer): void {
    for (const [key, queue] of this.#queues) {
      if (!key.startsWith(`${left.id} `)) continue;
      queue.close();
      this.#queues.delete(key);
    }
    this.#dialer.onLeft(left.id);
    this.#components.logger.info("peer left", { peerId: left.id, nodeId: left.nodeId });
    this.#tell(left, "left");
  }

  #drop(peer: PeerId, reason: string): void {
    for (const connection of this.#table.connections(peer)) connection.abort(new Error(reason));
  }

  #tell(peer: ConnectedPeer, event: "joined" | "promoted" | "left"): void {
    const gauge = this.#components.metrics.gauge(networkMetrics.peers);
    const provisional = this.#table.all().filter((each) => each.provisional).length;
    gauge.set(provisional, { standing: "provisional" });
    gauge.set(this.#table.all().length - provisional, { standing: "full" });
    for (const listener of this.#listeners) listener(peer, event);
  }
}

function isOpenTo(peer: AdmittedPeer, protocol: string): boolean {
  return !peer.provisional || PROVISIONAL_PROTOCOLS.has(protocol);
}

function createCounters(metrics: Metrics): Readonly<Record<keyof typeof networkMetrics, Counter>> {
  const entries = Object.entries(networkMetrics)
    .filter(([, definition]) => definition.kind === "counter")
    .map(([name, definition]) => [name, metrics.counter(definition)]);
  return Object.fromEntries(entries) as Record<keyof typeof networkMetrics, Counter>;
}

/** Full multiaddresses by the peer id at their end. */
function groupByPeer(addresses: readonly string[]): ReadonlyMap<PeerId, readonly string[]> {
  const groups = new Map<PeerId, string[]>();
  for (const address of addresses) {
    const peer = address.split("/p2p/")[1];
    invariant(peer !== undefined, "configuration accepts only addresses with a peer id");
    groups.set(peer, [...(groups.get(peer) ?? []), address]);
  }
  return groups;
}
