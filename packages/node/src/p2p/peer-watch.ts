import type { Clock, Metrics, PeerId } from "@credlink/primitives";
import { RecentMap } from "../engine/recent-map.ts";
import { networkMetrics } from "./metrics.ts";
import type { ConnectedPeer } from "./peer-table.ts";

/** Events that are kept for those who ask later. */
export const MAX_EVENTS = 4_096;
/** Peers whose traffic is remembered, connected or not. */
const MAX_PEERS = 1_024;
/** Reasons of one peer that are told apart; what comes beyond counts as `other`. */
const MAX_REASONS = 16;
/** Share of a new round trip in the smoothed one. @see RFC 6298 §2 */
const SMOOTHING = 1 / 8;

/** What happened to a peer, or to the node itself. */
export interface PeerEvent {
  readonly sequence: number;
  readonly timeMs: number;
  readonly type: "joined" | "promoted" | "left" | "refused" | "mode";
  readonly peerId: PeerId | null;
  readonly nodeId: string | null;
  readonly organization: string | null;
  readonly role: string | null;
  readonly reason: string | null;
}

/** A peer's row of the matrix. */
export interface PeerRow {
  readonly peer: ConnectedPeer;
  readonly connected: boolean;
  readonly rttMs: number | null;
  readonly smoothedRttMs: number | null;
  readonly sinceMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly disconnects: readonly { readonly reason: string; readonly count: number }[];
  readonly lastReason: string | null;
}

interface PeerRecord {
  peer: ConnectedPeer;
  connected: boolean;
  rttMs: number | null;
  smoothedRttMs: number | null;
  changedMs: number;
  receivedBytes: number;
  sentBytes: number;
  readonly reasons: Map<string, number>;
  lastReason: string | null;
}

/** Keeps what a node saw of its peers: traffic, round trips, why they left, and each event. */
export class PeerWatch {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #isValidator: (peer: PeerId) => boolean;
  readonly #records = new RecentMap<PeerId, PeerRecord>(MAX_PEERS);
  readonly #events: PeerEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #sequence = 0;

  constructor(parts: {
    readonly clock: Clock;
    readonly metrics: Metrics;
    /** Peers with a label of their own in metrics: there are at most as many as validators. */
    readonly isValidator: (peer: PeerId) => boolean;
  }) {
    this.#clock = parts.clock;
    this.#metrics = parts.metrics;
    this.#isValidator = parts.isValidator;
  }

  joined(peer: ConnectedPeer): void {
    const record = this.#recordOf(peer);
    record.connected = true;
    record.changedMs = this.#clock.monotonicMs();
    record.rttMs = null;
    this.#showConnected(peer, true);
    this.#tell("joined", peer, null);
  }

  promoted(peer: ConnectedPeer): void {
    this.#recordOf(peer);
    this.#tell("promoted", peer, null);
  }

  /** @param reason a code, `closed` by the peer or the network, or `stopped` by ourselves */
  left(peer: ConnectedPeer, reason: string): void {
    const record = this.#recordOf(peer);
    record.connected = false;
    record.changedMs = this.#clock.monotonicMs();
    const isNew = !record.reasons.has(reason);
    const counted = isNew && record.reasons.size >= MAX_REASONS ? "other" : reason;
    record.reasons.set(counted, (record.reasons.get(counted) ?? 0) + 1);
    record.lastReason = reason;
    this.#showConnected(peer, false);
    this.#metrics.counter(networkMetrics.disconnects).add(1, { reason });
    this.#tell("left", peer, reason);
  }

  /** A peer did what it may not. */
  refused(peer: ConnectedPeer, reason: string): void {
    this.#tell("refused", peer, reason);
  }

  /** A node that we dialled did not admit us. */
  refusedUs(peerId: PeerId | null, code: string): void {
    this.#tell("refused", null, code, peerId);
  }

  /** The node itself began or ended to take part. */
  mode(mode: string): void {
    this.#tell("mode", null, mode);
  }

  roundTrip(peer: PeerId, rttMs: number): void {
    const record = this.#records.get(peer);
    if (record === undefined) return;
    record.rttMs = rttMs;
    const before = record.smoothedRttMs ?? rttMs;
    record.smoothedRttMs = before + (rttMs - before) * SMOOTHING;
    const label = this.#labelOf(record.peer);
    if (label === OTHER) return;
    this.#metrics.gauge(networkMetrics.peerRoundTrip).set(rttMs / 1_000, { peer: label });
  }

  received(peer: PeerId, bytes: number): void {
    const record = this.#records.get(peer);
    if (record === undefined) return;
    record.receivedBytes += bytes;
    const peerLabel = { peer: this.#labelOf(record.peer) };
    this.#metrics.counter(networkMetrics.peerReceivedBytes).add(bytes, peerLabel);
  }

  sent(peer: PeerId, bytes: number): void {
    const record = this.#records.get(peer);
    if (record === undefined) return;
    record.sentBytes += bytes;
    const peerLabel = { peer: this.#labelOf(record.peer) };
    this.#metrics.counter(networkMetrics.peerSentBytes).add(bytes, peerLabel);
  }

  /** Every peer that is remembered, those connected first, each group by node id. */
  rows(): readonly PeerRow[] {
    const now = this.#clock.monotonicMs();
    const rows: PeerRow[] = [...this.#records.values()].map((record) => {
      const { changedMs, reasons, ...rest } = record;
      const disconnects = [...reasons].map(([reason, count]) => ({ reason, count }));
      return { ...rest, sinceMs: now - changedMs, disconnects };
    });
    const place = ({ connected, peer }: PeerRow): string => `${connected ? 0 : 1}${peer.nodeId}`;
    return rows.sort((a, b) => (place(a) < place(b) ? -1 : 1));
  }

  /** Events after a sequence, oldest first, and how many of those are not kept any more. */
  events(
    after: number,
    limit: number,
  ): { readonly events: readonly PeerEvent[]; readonly next: number; readonly missed: number } {
    const oldest = this.#events[0]?.sequence ?? this.#sequence + 1;
    // A cursor of an earlier process stands beyond all there is: begin anew.
    const from = after > this.#sequence ? 0 : after;
    const events = this.#events.filter(({ sequence }) => sequence > from).slice(0, limit);
    return {
      events,
      next: events.at(-1)?.sequence ?? this.#sequence,
      missed: Math.max(0, oldest - 1 - from),
    };
  }

  /** Resolves when there is an event after a sequence, or after `timeoutMs`. */
  waitFor(after: number, timeoutMs: number): Promise<void> {
    if (timeoutMs <= 0 || after !== this.#sequence) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        this.#waiting.delete(finish);
        resolve();
      };
      const cancel = this.#clock.schedule(timeoutMs, finish);
      this.#waiting.add(finish);
    });
  }

  /** Answers everybody who waits. */
  close(): void {
    for (const finish of [...this.#waiting]) finish();
  }

  #recordOf(peer: ConnectedPeer): PeerRecord {
    const known = this.#records.get(peer.id);
    const record = known ?? {
      ...{ peer, connected: false, rttMs: null, smoothedRttMs: null, lastReason: null },
      ...{ changedMs: this.#clock.monotonicMs(), receivedBytes: 0, sentBytes: 0 },
      reasons: new Map<string, number>(),
    };
    record.peer = peer;
    this.#records.set(peer.id, record);
    return record;
  }

  #labelOf(peer: ConnectedPeer): string {
    return this.#isValidator(peer.id) ? peer.nodeId : OTHER;
  }

  #showConnected(peer: ConnectedPeer, isConnected: boolean): void {
    const label = this.#labelOf(peer);
    if (label === OTHER) return;
    this.#metrics.gauge(networkMetrics.peerConnected).set(isConnected ? 1 : 0, { peer: label });
  }

  #tell(
    type: PeerEvent["type"],
    peer: ConnectedPeer | null,
    reason: string | null,
    peerId: PeerId | null = peer?.id ?? null,
  ): void {
    this.#sequence++;
    this.#events.push({
      sequence: this.#sequence,
      timeMs: this.#clock.nowMs(),
      type,
      peerId,
      nodeId: peer?.nodeId ?? null,
      organization: peer?.organization ?? null,
      role: peer?.role ?? null,
      reason,
    });
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    for (const finish of [...this.#waiting]) finish();
  }
}

/** Label of all peers that are no validators. */
const OTHER = "other";
