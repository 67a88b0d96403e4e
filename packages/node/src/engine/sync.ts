import type { Message } from "@credlink/consensus-pbft";
import type { ConsensusLedger } from "@credlink/ledger";
import {
  type AdmittedPeer,
  type Clock,
  decode,
  encode,
  type Logger,
  type Network,
  type PeerId,
  height as toHeight,
  tryDecode,
} from "@credlink/primitives";
import { type ImportComponents, importBlock, serveBlocks } from "./block-import.ts";
import { decodeSeenVote, judgeStatus, ownStatus } from "./certified-status.ts";
import { EngineError } from "./errors.ts";
import { keepMembers } from "./height-claims.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  BLOCKS_PROTOCOL,
  blockRangeReplyCodec,
  blockRangeRequestCodec,
  HEAD_PROTOCOL,
  MAX_BLOCK_RANGE,
  MAX_BLOCKS_FRAME_BYTES,
  MAX_STATUS_BYTES,
  STATUS_PROTOCOL,
  type Status,
  statusCodec,
  type TransferredBlock,
} from "./protocols.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";

/** What sync works with. */
export interface SyncComponents extends ImportComponents {
  readonly ledger: ConsensusLedger;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly signatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly requestTimeoutMs: number;
  /** The highest signed vote seen from a peer, as bytes. */
  readonly seenVoteOf: (peer: PeerId) => Uint8Array | null;
  /** Whether a peer is a validator of the head's height: votes have told it of that block. */
  readonly votedOnHead: (peer: PeerId) => boolean;
  /** Whether a replica of ours runs and hears the votes of the others. */
  readonly hearsVotes: () => boolean;
  /** A peer's status was judged good; `vote` is what it saw of us, not verified yet. */
  readonly onStatus: (peer: PeerId, height: number, vote: Message | null) => void;
}

/** Exchange of certified heads, and fetching what we lack. */
export interface Sync {
  start(): void;
  stop(): void;
  /**
   * A height that we do not have and others do, or will in a moment: fetch up to it now, and ask
   * who has it if nobody is known to.
   */
  require(height: number): void;
  /** Asks one peer for its status, at most once in a while. */
  ask(peer: PeerId): void;
  /** Asks every peer for its status now. */
  askAll(): void;
  /**
   * Tells of a new head who got no votes that would have told it: observers, and who becomes a
   * validator with the next height and may be its primary.
   */
  announceHead(): void;
  readonly isSyncing: boolean;
  /** Highest certified head that peers told of; null before most of those connected told theirs. */
  readonly toldHeight: number | null;
  /** Peers about whom something is kept; once a second those that left are forgotten. */
  readonly size: number;
}

/** How often statuses are exchanged, milliseconds. */
const STATUS_INTERVAL_MS = 1_000;
/** A peer that failed us is left alone for this long, doubled for every failure in a row. */
const FAILURE_PAUSE_MS = 1_000;
const MAX_FAILURE_PAUSE_MS = 60_000;
/** A single peer is asked for its status at most this often, milliseconds. */
const ASK_INTERVAL_MS = 200;

interface PeerState {
  height: number;
  /** Whether it told its head since it is connected. */
  hasTold: boolean;
  pausedUntilMs: number;
  /** Failures in a row. */
  failures: number;
  askedAtMs: number;
}

class BlockSync implements Sync {
  readonly #parts: SyncComponents;
  readonly #peers = new Map<PeerId, PeerState>();
  #target = 0;
  /** Up to this height every certified status is followed, even of one block above the head. */
  #wanted = 0;
  #isRunning = false;
  #isStopped = false;
  #stopTimer: (() => void) | null = null;
  #stopAgain: (() => void) | null = null;
  #headAtLastTick = 0;

  constructor(parts: SyncComponents) {
    this.#parts = parts;
  }

  get isSyncing(): boolean {
    return this.#isRunning;
  }

  get toldHeight(): number | null {
    const told = [...this.#peers.values()].filter(({ hasTold }) => hasTold).length;
    return told * 2 > this.#parts.network.peers().length ? this.#highestClaim() : null;
  }

  get size(): number {
    return this.#peers.size;
  }

  get #head(): number {
    return this.#parts.ledger.head.header.height;
  }

  start(): void {
    const { network, ledger, budget } = this.#parts;
    serveBlocks(network, ledger, budget);
    const limits = { maxBytes: MAX_STATUS_BYTES };
    network.onRequest(STATUS_PROTOCOL, limits, async (from, request) => {
      if (!this.#admits(from.id)) throw new EngineError("NODE_PEER_OVER_BUDGET", "statuses");
      const status = decode(statusCodec, request, limits);
      void this.#learn(from.id, status);
      return this.#statusFor(from.id);
    });
    network.onMessage(HEAD_PROTOCOL, limits, (from, message) => {
      if (!this.#admits(from.id)) return;
      const status = tryDecode(statusCodec, message, limits);
      if (status.ok) void this.#learn(from.id, status.value);
      else this.#parts.budget.blame(from.id);
    });
    network.onPeerChange((peer, event) => this.#onPeer(peer, event));
    for (const peer of network.peers()) this.ask(peer.id);
    this.#tick();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer?.();
    this.#stopAgain?.();
  }

  #admits(peer: PeerId): boolean {
    if (this.#parts.budget.spend(peer, "status")) return true;
    const labels = { protocol: "status", reason: "over_budget" };
    this.#parts.instruments.messagesDropped.add(1, labels);
    return false;
  }

  require(height: number): void {
    this.#target = Math.max(this.#target, height);
    this.#wake();
  }

  ask(peer: PeerId): void {
    const state = this.#stateOf(peer);
    const now = this.#parts.clock.monotonicMs();
    if (this.#isStopped || now - state.askedAtMs < ASK_INTERVAL_MS) return;
    state.askedAtMs = now;
    void this.#exchange(peer);
  }

  askAll(): void {
    for (const peer of this.#parts.network.peers()) this.ask(peer.id);
  }

  announceHead(): void {
    const { network, votedOnHead } = this.#parts;
    for (const peer of network.peers()) if (!votedOnHead(peer.id)) this.#tell(peer.id);
  }

  #onPeer(peer: AdmittedPeer, event: "joined" | "promoted" | "left"): void {
    if (event === "left") this.#peers.delete(peer.id);
    else this.ask(peer.id);
  }

  #tick(): void {
    if (this.#isStopped) return;
    const peers = this.#parts.network.peers().map(({ id }) => id);
    for (const peer of peers) this.#tell(peer);
    // What was asked before a peer left may be answered after it.
    keepMembers(this.#peers, peers);
    // One block behind is what consensus is about to cure, unless nothing moved for a while.
    if (this.#head === this.#headAtLastTick) this.require(this.#highestClaim());
    this.#headAtLastTick = this.#head;
    this.#stopTimer = this.#parts.clock.schedule(STATUS_INTERVAL_MS, () => this.#tick());
  }

  #highestClaim(): number {
    let highest = 0;
    for (const { height } of this.#peers.values()) highest = Math.max(highest, height);
    return highest;
  }

  /** Who was asked a moment ago is asked once that is over: what it said then is too old. */
  #askTwice(): void {
    this.askAll();
    this.#stopAgain?.();
    this.#stopAgain = this.#parts.clock.schedule(ASK_INTERVAL_MS, () => {
      if (this.#head < this.#wanted) this.askAll();
    });
  }

  #tell(peer: PeerId): void {
    this.#parts.network.send(peer, HEAD_PROTOCOL, this.#statusFor(peer));
  }

  #statusFor(peer: PeerId): Uint8Array {
    const { ledger, seenVoteOf } = this.#parts;
    return encode(statusCodec, ownStatus(ledger, seenVoteOf(peer)));
  }

  #stateOf(peer: PeerId): PeerState {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const fresh: PeerState = {
      height: 0,
      hasTold: false,
      pausedUntilMs: 0,
      failures: 0,
      askedAtMs: -ASK_INTERVAL_MS,
    };
    this.#peers.set(peer, fresh);
    return fresh;
  }

  async #exchange(peer: PeerId): Promise<void> {
    const { network, requestTimeoutMs: timeoutMs, logger } = this.#parts;
    try {
      const options = { timeoutMs, maxReplyBytes: MAX_STATUS_BYTES };
      const reply = await network.request(peer, STATUS_PROTOCOL, this.#statusFor(peer), options);
      const status = tryDecode(statusCodec, reply, { maxBytes: MAX_STATUS_BYTES });
      if (status.ok) await this.#learn(peer, status.value);
      else this.#parts.budget.blame(peer);
    } catch (error) {
      logger.debug("no status", { peer, error });
    }
  }

  async #learn(peer: PeerId, status: Status): Promise<void> {
    const { ledger, signatures, budget, onStatus, hearsVotes, logger } = this.#parts;
    // The head that we have ourselves needs no second proof.
    const isOwnHead = status.height <= this.#head && status.height > 0;
    const verdict = isOwnHead ? null : await judgeStatus(status, ledger, signatures);
    if (verdict !== null && !verdict.ok) {
      logger.warn("status refused", { peer, detail: verdict.detail });
      return budget.cut(peer, verdict.code);
    }
    if (this.#isStopped) return;
    const state = this.#stateOf(peer);
    state.height = status.height;
    state.hasTold = true;
    // To know whether a vote is ours, its signature must be verified.
    const seenVote = decodeSeenVote(status.seenVote);
    const isAffordable = seenVote === null || budget.spend(peer, "signatures");
    onStatus(peer, status.height, isAffordable ? seenVote : null);
    // One block behind is what consensus is about to cure, where votes come and are enough.
    const isVoting = hearsVotes() && this.#head >= this.#wanted;
    if (status.height > this.#head + (isVoting ? 1 : 0)) this.require(status.height);
  }

  #wake(): void {
    if (this.#isRunning || this.#isStopped || this.#head >= this.#target) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  /** Fetches range after range until the target is reached or nobody is left to ask. */
  async #run(): Promise<void> {
    while (this.#head < this.#target && !this.#isStopped) {
      const peer = this.#nextPeer();
      if (peer === null) {
        // Claims that nobody can fill are forgotten; the next status sets the target anew.
        const wanted = this.#target;
        this.#target = this.#head;
        if (this.#highestClaim() > this.#head) return;
        this.#wanted = Math.max(this.#wanted, wanted);
        this.#askTwice();
        return;
      }
      await this.#fetchFrom(peer);
    }
  }

  /** The best of those that claim more than we have and did not fail us lately. */
  #nextPeer(): PeerId | null {
    const now = this.#parts.clock.monotonicMs();
    let best: PeerId | null = null;
    let bestHeight = this.#head;
    for (const { id } of this.#parts.network.peers()) {
      const state = this.#peers.get(id);
      if (state === undefined || state.pausedUntilMs > now || state.height <= bestHeight) continue;
      best = id;
      bestHeight = state.height;
    }
    return best;
  }

  async #fetchFrom(peer: PeerId): Promise<void> {
    const { instruments } = this.#parts;
    const before = this.#head;
    const blocks = await this.#askForBlocks(peer);
    for (const block of blocks ?? []) {
      const imported = await importBlock(this.#parts, block);
      if (this.#isStopped) return;
      if (imported.ok) continue;
      instruments.syncRequests.add(1, { outcome: "invalid" });
      this.#parts.logger.warn("synced block refused", { peer, detail: imported.detail });
      this.#pause(peer);
      return this.#parts.budget.cut(peer, imported.code);
    }
    const outcome = blocks === null ? "failed" : blocks.length > 0 ? "blocks" : "empty";
    instruments.syncRequests.add(1, { outcome });
    // Whoever brings us nothing, for whatever reason, lets the next one try.
    if (this.#head === before) this.#pause(peer);
    else this.#stateOf(peer).failures = 0;
  }

  #pause(peer: PeerId): void {
    const state = this.#stateOf(peer);
    const pauseMs = Math.min(FAILURE_PAUSE_MS * 2 ** state.failures, MAX_FAILURE_PAUSE_MS);
    state.failures++;
    state.pausedUntilMs = this.#parts.clock.monotonicMs() + pauseMs;
  }

  async #askForBlocks(peer: PeerId): Promise<readonly TransferredBlock[] | null> {
    const { network, requestTimeoutMs, budget, logger } = this.#parts;
    const from = toHeight(this.#head + 1);
    const count = Math.min(MAX_BLOCK_RANGE, this.#target - this.#head);
    const options = { timeoutMs: 2 * requestTimeoutMs, maxReplyBytes: MAX_BLOCKS_FRAME_BYTES };
    try {
      const request = encode(blockRangeRequestCodec, { from, count });
      const reply = await network.request(peer, BLOCKS_PROTOCOL, request, options);
      const decoded = tryDecode(blockRangeReplyCodec, reply, { maxBytes: MAX_BLOCKS_FRAME_BYTES });
      if (decoded.ok) return decoded.value;
      budget.blame(peer);
    } catch (error) {
      logger.debug("no blocks", { peer, error });
    }
    return null;
  }
}

/** Makes the sync of one node. */
export function createSync(parts: SyncComponents): Sync {
  return new BlockSync(parts);
}
