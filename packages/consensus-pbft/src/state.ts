/** What a replica remembers, and the small questions that every rule asks of it. */
import {
  type Digest,
  equalBytes,
  type Height,
  height as toHeight,
  toHex,
  view as toView,
  type ValidatorIndex,
  type View,
} from "@credlink/primitives";
import type {
  Effect,
  ReplicaOptions,
  ReplicaStart,
  Successor,
  TimerKey,
  Timing,
} from "./effects.ts";
import type {
  Commit,
  CommitCertificate,
  Message,
  PrePrepare,
  Prepare,
  PreparedCertificate,
  Proposal,
  UnsignedMessage,
  ViewChange,
  ViewChangeVote,
  Wish,
} from "./messages.ts";
import { honestOne, quorum } from "./quorum.ts";
import { indexOfKey, primaryOf, type Roster } from "./validator-set.ts";

/** A proposal that we know of, and what our validation says about it. */
export interface Candidate {
  readonly proposal: Proposal;
  readonly transactions: readonly Uint8Array[];
  verdict: "unasked" | "asked" | "valid" | "refused";
  /** Invariant: set exactly when the verdict is `valid`. */
  successor: Successor | null;
}

/** The block we sent COMMIT for last, with the proof that it was prepared. */
export interface Lock {
  readonly certificate: PreparedCertificate;
  readonly proposal: Proposal;
}

/** What the vote log binds us to at one height: the mirror of its records. */
export interface Promises {
  /** Highest view entered. */
  view: View;
  /** (view, parent) -> digest proposed. */
  readonly proposed: Map<string, Digest>;
  readonly prepared: Map<View, Digest>;
  readonly committed: Map<View, Digest>;
  lock: Lock | null;
  /** The lock at the time `view` was entered: what our VIEW-CHANGE for it names. */
  entryLock: Lock | null;
}

/** The view changes that a primary justifies its proposal with, fixed once there are q. */
export interface Basis {
  readonly viewChanges: readonly ViewChangeVote[];
  readonly prepared: PreparedCertificate | null;
}

/**
 * View changes by which a signer denies COMMITs: `preparedView` < c < `view`. None denies all that
 * another one does. Ascending by view, without their certificates, which are not signed.
 */
export type Denials = Map<ValidatorIndex, readonly ViewChange[]>;

/** View changes of a signer, the first of each of its highest views, without their certificates. */
export type Claims = Map<ValidatorIndex, readonly ViewChange[]>;

/** Everything about the height being decided. */
export interface HeightState {
  readonly height: Height;
  readonly validators: Roster;
  readonly nextValidators: Roster;
  readonly timing: Timing;
  readonly self: ValidatorIndex | null;
  readonly quorum: number;
  readonly honestOne: number;
  readonly startedMs: number;
  readonly promises: Promises;
  view: View;
  /** First pre-prepare seen from the primary of a view, for evidence. */
  readonly firstProposals: Map<View, PrePrepare>;
  /** The pre-prepare of a view that may be voted for. */
  readonly accepted: Map<View, PrePrepare>;
  readonly prepares: Map<View, Map<ValidatorIndex, Prepare>>;
  readonly commits: Map<View, Map<ValidatorIndex, Commit>>;
  /** sender -> its COMMIT of the highest view that `commits` let go, for evidence. */
  readonly pastCommits: Map<ValidatorIndex, Commit>;
  /** sender -> its view change of the highest view. */
  readonly viewChanges: Map<ValidatorIndex, ViewChange>;
  /** What view changes claimed and denied, of any view, for evidence. */
  readonly claims: Claims;
  readonly denials: Denials;
  /** sender -> the highest view it wishes for. */
  readonly wishes: Map<ValidatorIndex, View>;
  ownWish: View;
  /** digest in hexadecimal -> candidate; at most MAX_CANDIDATES. */
  readonly candidates: Map<string, Candidate>;
  certificate: CommitCertificate | null;
  syncAsked: boolean;
  basis: Basis | null;
  /** View in which this process has put its pre-prepare into the outbox. */
  proposedView: View | null;
  /** Digests asked for by `fetch-proposal` in this view. */
  readonly fetches: Set<string>;
  /** Own messages of this view that are out, by type: what is retransmitted. */
  readonly sent: Map<Message["type"], UnsignedMessage>;
  /** Views whose timer was started, and those that a pre-prepare has given grace. */
  readonly timed: Set<View>;
  readonly graced: Set<View>;
  /** When there was first something to decide; in a view above 0, when that was entered. */
  activeSinceMs: number | null;
  /** Signers convicted, per kind of pair: bounded, and a flood of pairs is one report. */
  readonly convicted: Set<string>;
}

/** A pre-prepare of the next height and when it came: timeliness is judged by its arrival. */
export interface BufferedPrePrepare {
  readonly message: PrePrepare;
  readonly receivedMs: number;
}

/** What is kept of the height after the one being decided. */
export interface NextHeight {
  readonly prePrepares: BufferedPrePrepare[];
  /** sender -> its first vote of each view, of the highest views, ascending. */
  readonly prepares: Map<ValidatorIndex, readonly Prepare[]>;
  readonly commits: Map<ValidatorIndex, readonly Commit[]>;
  readonly viewChanges: Map<ValidatorIndex, ViewChange>;
  readonly claims: Claims;
  readonly denials: Denials;
  readonly wishes: Map<ValidatorIndex, Wish>;
  readonly candidates: Map<string, Candidate>;
  readonly convicted: Set<string>;
  /** Our own proposal of that height, once it is out. */
  sent: UnsignedMessage | null;
  /** Whether the minimum interval after the speculative parent has passed. */
  waited: boolean;
  syncAsked: boolean;
}

/** A height decided lately, for answering peers that are behind. */
export interface RecentDecision {
  readonly certificate: CommitCertificate;
  readonly proposal: Proposal;
  readonly validatorCount: number;
  readonly decidedAtMs: number;
}

/** The committed or decided head. */
export interface Head {
  readonly height: Height;
  readonly digest: Digest;
  readonly timestampMs: number;
}

export interface ReplicaState {
  readonly options: ReplicaOptions;
  head: Head;
  /** Whether the store has confirmed `head`; no vote for the next height before. */
  headDurable: boolean;
  current: HeightState;
  next: NextHeight;
  /** height -> promises, for every height above the head that the vote log speaks of. */
  readonly promises: Map<Height, Promises>;
  abstaining: boolean;
  halted: boolean;
  /**
   * No vote at this height or below: the vote log knows them decided and the store lost them, or
   * what we voted there is forgotten.
   */
  voteFloor: Height;
  /** No proposal at this height or below: one above the votes, because of the overlap. */
  proposeFloor: Height;
  workPending: boolean;
  /** Votes waiting for their record to be durable, ascending by lsn. */
  outbox: { readonly lsn: number; readonly message: UnsignedMessage }[];
  nextLsn: number;
  /** Timer key -> when it is due. */
  readonly armed: Map<string, { readonly timer: TimerKey; readonly dueMs: number }>;
  /** (height, view, parent) -> whether a proposal was asked for, or found unneeded. */
  readonly builds: Map<string, "asked" | "nothing">;
  readonly recent: Map<Height, RecentDecision>;
  /** (height, peer) -> when it was last sent DECIDED. */
  readonly answered: Map<string, { readonly height: Height; readonly atMs: number }>;
  readonly latencies: number[];
  baseTimeoutMs: number;
  /** Messages of the next height that became the current one, to be handled again. */
  replays: { readonly message: Message; readonly receivedMs: number }[];
}

/** One step in progress: the state, the time it was given, and the effects so far. */
export interface Step {
  readonly state: ReplicaState;
  readonly nowMs: number;
  readonly effects: Effect[];
}

export const VIEW_ZERO: View = toView(0);
export const MAX_CANDIDATES = 8;
/** Heights decided lately that are kept for answers. */
export const RECENT_DECISIONS = 8;

export function heightAfter(height: Height): Height {
  return toHeight(height + 1);
}

export function noPromises(): Promises {
  return {
    view: VIEW_ZERO,
    proposed: new Map(),
    prepared: new Map(),
    committed: new Map(),
    lock: null,
    entryLock: null,
  };
}

export function noNextHeight(): NextHeight {
  return {
    prePrepares: [],
    prepares: new Map(),
    commits: new Map(),
    viewChanges: new Map(),
    claims: new Map(),
    denials: new Map(),
    wishes: new Map(),
    candidates: new Map(),
    convicted: new Set(),
    sent: null,
    waited: false,
    syncAsked: false,
  };
}

/** The state of a height at which nothing but our own promises is known. */
export function newHeightState(place: {
  readonly height: Height;
  readonly validators: Roster;
  readonly nextValidators: Roster;
  readonly timing: Timing;
  readonly publicKey: Uint8Array;
  readonly promises: Promises;
  readonly nowMs: number;
}): HeightState {
  const count = place.validators.validators.length;
  return {
    height: place.height,
    validators: place.validators,
    nextValidators: place.nextValidators,
    timing: place.timing,
    self: indexOfKey(place.validators, place.publicKey),
    quorum: quorum(count),
    honestOne: honestOne(count),
    startedMs: place.nowMs,
    promises: place.promises,
    view: place.promises.view,
    firstProposals: new Map(),
    accepted: new Map(),
    prepares: new Map(),
    commits: new Map(),
    pastCommits: new Map(),
    viewChanges: new Map(),
    claims: new Map(),
    denials: new Map(),
    wishes: new Map(),
    ownWish: place.promises.view,
    candidates: new Map(),
    certificate: null,
    syncAsked: false,
    basis: null,
    proposedView: null,
    fetches: new Set(),
    sent: new Map(),
    timed: new Set(),
    graced: new Set(),
    activeSinceMs: null,
    convicted: new Set(),
  };
}

/** What the records of a vote log come to. */
export interface Replay {
  /** Promises by height. */
  readonly promises: Map<Height, Promises>;
  readonly voteFloor: Height;
  readonly proposeFloor: Height;
  /** Whether the log itself says that it misses votes. */
  readonly abstained: boolean;
}

export function newReplicaState(
  options: ReplicaOptions,
  start: ReplicaStart,
  { promises, voteFloor, proposeFloor, abstained }: Replay,
): ReplicaState {
  const height = heightAfter(start.head.height);
  const current = newHeightState({
    height,
    validators: start.validators,
    nextValidators: start.nextValidators,
    timing: start.timing,
    publicKey: options.publicKey,
    promises: promisesAt(promises, height),
    nowMs: 0,
  });
  return {
    options,
    head: start.head,
    headDurable: true,
    current,
    next: noNextHeight(),
    promises,
    abstaining: start.abstain || abstained,
    halted: false,
    voteFloor,
    proposeFloor,
    workPending: false,
    outbox: [],
    nextLsn: 1,
    armed: new Map(),
    builds: new Map(),
    recent: recentOf(start),
    answered: new Map(),
    latencies: [],
    baseTimeoutMs: options.baseTimeoutMs,
    replays: [],
  };
}

function recentOf({ lastDecision }: ReplicaStart): Map<Height, RecentDecision> {
  const recent = new Map<Height, RecentDecision>();
  if (lastDecision === undefined) return recent;
  const { certificate, proposal, validators } = lastDecision;
  const count = validators.validators.length;
  recent.set(certificate.height, { certificate, proposal, validatorCount: count, decidedAtMs: 0 });
  return recent;
}

/** The promises of a height, made on first use. */
export function promisesAt(promises: Map<Height, Promises>, height: Height): Promises {
  let found = promises.get(height);
  if (found === undefined) {
    found = noPromises();
    promises.set(height, found);
  }
  return found;
}

/** Our index if we may vote at `height`, else null: observer, abstaining, halted, or muted. */
export function votingIndex(state: ReplicaState, height: Height): ValidatorIndex | null {
  if (state.abstaining || state.halted || height <= state.voteFloor) return null;
  const { current, options } = state;
  if (height === current.height) return current.self;
  return indexOfKey(current.nextValidators, options.publicKey);
}

/** Our index if we may propose at `height`, else null. */
export function proposingIndex(state: ReplicaState, height: Height): ValidatorIndex | null {
  return height <= state.proposeFloor ? null : votingIndex(state, height);
}

/** Who leads a view of the height being decided. */
export function primaryAt({ current }: ReplicaState, view: View): ValidatorIndex {
  return primaryOf(current.validators, current.height, view);
}

export function validatorCount(current: HeightState): number {
  return current.validators.validators.length;
}

export function proposedKey(view: View, parentDigest: Digest): string {
  return `${view}/${toHex(parentDigest)}`;
}

export function candidateOf(current: HeightState, digest: Digest): Candidate | undefined {
  return current.candidates.get(toHex(digest));
}

export function newCandidate(proposal: Proposal, transactions: readonly Uint8Array[]): Candidate {
  return { proposal, transactions, verdict: "unasked", successor: null };
}

/**
 * Remembers a proposal. The oldest makes room, but never the locked, the accepted or the certified
 * one: their bodies are owed to others.
 */
export function addCandidate(
  current: HeightState,
  proposal: Proposal,
  transactions: readonly Uint8Array[],
): Candidate {
  const key = toHex(proposal.digest);
  const known = current.candidates.get(key);
  if (known !== undefined) return known;
  const candidate = newCandidate(proposal, transactions);
  current.candidates.set(key, candidate);
  if (current.candidates.size > MAX_CANDIDATES) {
    for (const [oldKey, old] of current.candidates) {
      if (oldKey === key || isOwed(current, old.proposal.digest)) continue;
      current.candidates.delete(oldKey);
      break;
    }
  }
  return candidate;
}

function isOwed(current: HeightState, digest: Digest): boolean {
  const { certificate, promises, accepted, view } = current;
  const owed = [certificate?.digest, promises.lock?.certificate.digest, accepted.get(view)?.digest];
  return owed.some((other) => other !== undefined && equalBytes(other, digest));
}

/**
 * Whether so long has passed since the parent, by its timestamp or by the time since we reached
 * the height: a clock that jumped back does not make us wait longer.
 */
export function hasPassed({ state, nowMs }: Step, intervalMs: number): boolean {
  return nowMs >= blockDueMs(state, intervalMs) || nowMs < state.current.startedMs;
}

/** When a block may follow its parent by so long an interval, on our clock. */
export function blockDueMs({ head, current }: ReplicaState, intervalMs: number): number {
  return Math.min(head.timestampMs, current.startedMs) + intervalMs;
}

/** Map of maps: the inner one, made on first use. */
export function innerMap<K, K2, V>(outer: Map<K, Map<K2, V>>, key: K): Map<K2, V> {
  let inner = outer.get(key);
  if (inner === undefined) {
    inner = new Map();
    outer.set(key, inner);
  }
  return inner;
}
