import type { AdmittedPeer, Counter, Metrics, Network, PeerId } from "@credlink/primitives";
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { isOpenTo, judgeAccess, PING_PROTOCOL } from "./access.ts";
import { groupByPeer } from "./addresses.ts";
import { peersOverLimit } from "./connection-limit.ts";
import { DialTargets } from "./dial-targets.ts";
import { Dialer } from "./dialer.ts";
import { NetworkError } from "./errors.ts";
import { FailureLimiter } from "./failure-limiter.ts";
import { createForbiddenStreams } from "./forbidden-streams.ts";
import { FrameDecoder } from "./frames.ts";
import type { Gatekeeper } from "./gatekeeper.ts";
import { networkMetrics } from "./metrics.ts";
import type { Libp2pNetwork, NetworkComponents, NetworkOptions } from "./network-parts.ts";
import { OutboundQueue } from "./outbound-queue.ts";
import type { ConnectedPeer, PeerTable } from "./peer-table.ts";
import { Pinger } from "./pinger.ts";
import { exchangeFrames, serveFrame } from "./request-stream.ts";

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
  readonly #targets: DialTargets;
  readonly #queues = new Map<string, OutboundQueue>();
  readonly #listeners: PeerListener[] = [];
  /** A frame that is too long costs its sender one stream, and us another one's opening. */
  readonly #oversized: FailureLimiter;
  readonly #onForbidden: ReturnType<typeof createForbiddenStreams>;
  readonly #pinger: Pinger;
  readonly #counters: Readonly<Record<keyof typeof networkMetrics, Counter>>;
  /** Why a peer is being dropped, until its connection has closed. */
  readonly #reasons = new Map<PeerId, string>();
  #isStopping = false;

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
    this.#onForbidden = createForbiddenStreams({
      ...components,
      banMs,
      report: (peer, reason) => components.peerWatch.refused(peer, reason),
      cut: ({ id }, code) => this.disconnect(id, code),
    });
    this.#pinger = this.#createPinger();
    this.#dialer = new Dialer({
      self: this.self,
      clock: components.clock,
      random: components.random,
      schedule: options.dialSchedule,
      isConnected: (peer) => this.#table.get(peer) !== undefined,
      dial: (peer, addresses) => this.#dial(peer, addresses),
    });
    this.#targets = new DialTargets(this.#dialer, groupByPeer(options.peers));
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
    this.#targets.start();
    this.#pinger.start();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#pinger.stop();
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
    this.#components.peerWatch.sent(peer, request.length);
    this.#components.peerWatch.received(peer, reply.length);
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
        const { peerWatch } = this.#components;
        peerWatch.received(from.id, request.length);
        const reply = await respond(from, request);
        peerWatch.sent(from.id, reply.length);
        return reply;
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

  /** Who has become a validator is dialled when it is lost from now on; who is none any more, not. */
  #followValidators(): void {
    const { isValidator } = this.#components;
    for (const { id } of this.#table.all()) {
      if (!this.#targets.isLearned(id) && isValidator(id)) this.#meet(id);
    }
    this.#targets.forgetValidators(isValidator);
  }

  /** Keeps the addresses that a connected peer announced of itself. */
  #meet(peer: PeerId): void {
    const { isValidator } = this.#components;
    this.#targets.met(peer, this.#table.addressesOf(peer), isValidator(peer));
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
      if (changed !== undefined && !changed.provisional) {
        this.#components.peerWatch.promoted(changed);
        this.#tell(changed, "promoted");
      }
    }
    this.#cutToLimit();
  }

  knownAddresses(): ReadonlyMap<PeerId, readonly string[]> {
    const full = this.#table.all().filter(({ provisional }) => !provisional);
    return new Map(full.map(({ id }) => [id, this.#table.addressesOf(id)]));
  }

  suggest(peer: PeerId, places: readonly string[]): void {
    if (this.#isStopping || this.#table.get(peer) !== undefined) return;
    this.#targets.suggest(peer, places);
  }

  forget(peer: PeerId): void {
    this.#targets.forget(peer);
  }

  /** After the limit was lowered the youngest connections go; validators and configured peers stay. */
  #cutToLimit(): void {
    const open = this.#libp2p.getConnections().map(({ remotePeer, timeline }) => {
      return { peer: remotePeer.toString(), openedMs: timeline.open };
    });
    const { maxConnections } = this.#options;
    if (open.length <= maxConnections) return;
    const mustStay = (peer: PeerId): boolean =>
      this.#targets.isConfigured(peer) || this.#components.isValidator(peer);
    for (const peer of peersOverLimit(open, maxConnections, mustStay)) {
      this.#counters.refusedOverLimit.add();
      this.#dialer.postpone(peer, REFUSED_RETRY_MS);
      this.#drop(peer, "NODE_NETWORK_CONNECTION_LIMIT");
    }
  }

  #createPinger(): Pinger {
    const { clock, peerWatch } = this.#components;
    return new Pinger({
      clock,
      silenceMs: this.#options.silenceMs,
      peers: () => this.#table.all(),
      ask: (peer, timeoutMs) =>
        this.request(peer, PING_PROTOCOL, new Uint8Array(0), { timeoutMs, maxReplyBytes: 0 }),
      onAnswer: (peer, roundTripMs) => peerWatch.roundTrip(peer, roundTripMs),
      onFailure: (peer, error) => this.#onSilence(peer, error),
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
    const reason = from === undefined ? "not-admitted" : judgeAccess(from, protocol);
    if (reason === null) return from;
    this.#counters.streamsRefused.add(1, { reason });
    stream.abort(new Error(reason));
    if (from !== undefined && reason === "role") this.#onForbidden(from, protocol);
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
      this.#components.peerWatch.received(from.id, message.length);
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
        this.#components.peerWatch.sent(peer, bytes);
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
    this.#meet(peer.id);
    this.#components.logger.info("peer joined", {
      peerId: peer.id,
      nodeId: peer.nodeId,
      role: peer.role,
      provisional: peer.provisional,
      direction: connection.direction,
    });
    this.#components.peerWatch.joined(peer);
    this.#tell(peer, "joined");
    this.#pinger.ping(peer.id);
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
    const reason = this.#reasons.get(left.id) ?? (this.#isStopping ? "stopped" : "closed");
    this.#reasons.delete(left.id);
    const { id: peerId, nodeId, role } = left;
    this.#components.logger.info("peer left", { peerId, nodeId, role, reason });
    this.#components.peerWatch.left(left, reason);
    this.#tell(left, "left");
  }

  #drop(peer: PeerId, reason: string): void {
    if (this.#table.get(peer) !== undefined) this.#reasons.set(peer, reason);
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

function createCounters(metrics: Metrics): Readonly<Record<keyof typeof networkMetrics, Counter>> {
  const entries = Object.entries(networkMetrics)
    .filter(([, definition]) => definition.kind === "counter")
    .map(([name, definition]) => [name, metrics.counter(definition)]);
  return Object.fromEntries(entries) as Record<keyof typeof networkMetrics, Counter>;
}
