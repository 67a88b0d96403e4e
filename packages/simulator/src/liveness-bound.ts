/*
 * B = K · (T(v_max) + 4Δ + E): how long a healed network may take, every term by itself. Figures
 * are those of docs/protocol: timers of consensus.md §7, pauses of sync and pushes of network.md.
 */

/** T0 at its upper bound, growth and cap of T(v), milliseconds. */
const BASE_MS = 5_000;
const GROWTH = 1.5;
const CAP_MS = 60_000;
/** A wish that was lost before the healing is sent again after this time at the latest. */
const WISH_AGAIN_MS = 1_000;
/** Longest pause of a peer that failed sync, and of a transaction that is pushed again. */
const SYNC_PAUSE_MS = 60_000;
const PUSH_PAUSE_MS = 30_000;

/** What a healed network looks like. */
export interface Healed {
  readonly validators: number;
  /** Validators that do not help: traitors, those that stay down, deaf or mute, and who abstains. */
  readonly faulty: number;
  /** Highest view of the core as it is healed. */
  readonly view: number;
  /** Blocks that are wanted. */
  readonly blocks: number;
  /** One hop, Δ, and executing and storing a block, E, milliseconds. */
  readonly hopMs: number;
  readonly executionMs: number;
  readonly minIntervalMs: number;
  /** How far the head's timestamp lies ahead of true time: nobody may propose before that. */
  readonly clockAheadMs: number;
}

/** Most that one view costs that decides nothing: its timer, started anew by a pre-prepare, and wishes. */
function lostViewMs(view: number, roundMs: number): number {
  return 2 * Math.min(BASE_MS * GROWTH ** view, CAP_MS) + WISH_AGAIN_MS + roundMs;
}

function sum(count: number, term: (at: number) => number): number {
  return Array.from({ length: count }, (_, at) => term(at)).reduce((a, b) => a + b, 0);
}

/**
 * Within this time, milliseconds, every node of the core has the blocks that are wanted. The
 * height under way may lose the view it is in, the next one, and one for each faulty primary in a
 * row. Later heights begin in view 0; in a turn of all primaries those k of them that follow on a
 * faulty one lose up to k views, 1 + 2 + … + b at worst.
 */
export function livenessBoundMs(healed: Healed): number {
  const { validators, faulty, view, blocks, hopMs, executionMs } = healed;
  const roundMs = 4 * hopMs + executionMs;
  const underWay = sum(faulty + 2, (at) => lostViewMs(view + at, roundMs));
  const turn = sum(faulty, (row) => sum(row + 1, (at) => lostViewMs(at, roundMs)));
  const turns = Math.ceil(blocks / Math.max(1, validators - faulty)) + 1;
  const rounds = blocks * (healed.minIntervalMs + roundMs);
  return healed.clockAheadMs + SYNC_PAUSE_MS + underWay + turns * turn + rounds;
}

/** The same for emptying the pools: a transaction that one node alone has is pushed again first. */
export function drainBoundMs(healed: Healed): number {
  return PUSH_PAUSE_MS + livenessBoundMs(healed);
}
