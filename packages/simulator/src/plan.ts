import type { SeededRandom } from "@credlink/testkit";
import { type Strategy, strategies } from "./byzantine.ts";

/** Everything that a seed decides about a run before it begins. */
export interface Plan {
  readonly validators: number;
  /** Index -> what that traitor does, one thing after the other on every message. */
  readonly byzantine: ReadonlyMap<number, readonly Strategy[]>;
  /** Blocks of the run: faults end ten before, or with their time. */
  readonly heights: number;
  /** Most virtual time with faults, milliseconds. */
  readonly safetyMs: number;
  /** Mean time between faults, milliseconds. */
  readonly faultEveryMs: number;
  /** Mean time between submitted transactions, milliseconds. */
  readonly submitEveryMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly latency: readonly [minMs: number, maxMs: number];
  readonly diskSync: readonly [minMs: number, maxMs: number];
  readonly crashes: boolean;
  /** How the network falls apart when it does; none: it never does. */
  readonly partition: PartitionMode;
  /** One direction between two nodes may go silent, or hold messages back for long. */
  readonly cuts: boolean;
  readonly clogs: boolean;
  /** Largest constant error of a wall clock, milliseconds, and largest drift. */
  readonly skewMs: number;
  readonly driftPpm: number;
  /** Wall clocks may jump, also back by an hour, or stand still. */
  readonly jumps: boolean;
  /** Machines may freeze for up to 30 s. */
  readonly pauses: boolean;
  /** Writes and syncs of the vote log's disk may fail: the process ends, and comes back. */
  readonly diskFaults: boolean;
  /** So many honest validators may lose their vote log, or find an old one: with traitors ≤ f. */
  readonly forgetful: number;
  /** Executing a block takes up to so long, milliseconds. */
  readonly executionMs: number;
  readonly maxBlockTransactions: number;
  /** A segment of the vote log is full at so many bytes. */
  readonly segmentBytes: number;
  /** 0: no empty blocks. */
  readonly emptyBlockIntervalMs: number;
  /** Reads fail with EIO when a node starts; its supervisor starts it again. */
  readonly readFaults: boolean;
  /** Every link has a latency of its own, 20 to 150 ms, and one message of 100 takes 5 s longer. */
  readonly wan: boolean;
  /** The chain's timing changes on chain: precision, message delay, minimum interval. */
  readonly settings: boolean;
  /** Honest nodes outside the first validator list that join and leave it. */
  readonly spares: number;
}

/** How a network falls into parts. */
export const partitionModes = [
  "none",
  /** Each node goes to one of two sides. */
  "uniform-partition",
  /** A side of uniform size. */
  "uniform-size",
  "isolate-one",
  /** Two sides that one node belongs to both. */
  "bridge",
  /** Everybody hears its two neighbours only. */
  "ring",
  /** The primary of the moment is not heard, but hears. */
  "one-way-primary",
  /** Parts form and vanish every moment. */
  "flapping",
] as const;
export type PartitionMode = (typeof partitionModes)[number];

/** Validator counts that bulk runs draw from, and in how many of a thousand runs. */
const COUNTS: readonly (readonly [validators: number, share: number])[] = [
  [1, 40],
  [2, 30],
  [3, 30],
  [4, 540],
  [5, 100],
  [6, 60],
  [7, 120],
  [8, 30],
  [10, 25],
  [13, 12],
  [16, 7],
  [31, 3],
  [32, 3],
];

function drawCount(random: SeededRandom): number {
  let left = random.integer(1_000);
  for (const [validators, share] of COUNTS) {
    if (left < share) return validators;
    left -= share;
  }
  return 4;
}

/** Draws a run. Most options are off in some runs, so that each shows what it does alone. */
export function drawPlan(
  random: SeededRandom,
  validators: number | null,
  heights: number | null = null,
): Plan {
  const blocks = 20 + random.integer(41);
  const n = validators ?? drawCount(random);
  const bound = Math.floor((n - 1) / 3);
  const traitors = bound > 0 && random.chance(0.6) ? 1 + random.integer(bound) : 0;
  const order = random.shuffle(Array.from({ length: n }, (_, index) => index));
  const left = bound - traitors;
  const isSlow = random.chance(0.2);
  const isWide = random.chance(0.25);
  return {
    validators: n,
    byzantine: new Map(
      order.slice(0, traitors).map((index) => [index, drawStrategies(random)] as const),
    ),
    heights: heights ?? blocks,
    safetyMs: random.between(40, 160) * (heights ?? blocks) * (random.chance(0.2) ? 4 : 1),
    faultEveryMs: random.between(200, 1_500),
    submitEveryMs: random.between(30, 200),
    loss: random.chance(0.5) ? random.between(0, 0.3) : 0,
    duplication: random.chance(0.5) ? random.between(0, 0.5) : 0,
    latency: isWide ? [20, 150] : [0.2, random.between(0.5, 10)],
    diskSync: isSlow ? [1, random.between(5, 500)] : [0.05, random.between(0.1, 5)],
    crashes: random.chance(0.7),
    partition: random.chance(0.4) ? "none" : random.pick(partitionModes),
    cuts: random.chance(0.4),
    clogs: random.chance(0.3),
    skewMs: random.chance(0.3) ? random.between(0, random.chance(0.3) ? 10_000 : 400) : 0,
    driftPpm: random.chance(0.2) ? random.between(0, 500) : 0,
    jumps: random.chance(0.2),
    pauses: random.chance(0.2),
    diskFaults: random.chance(0.15),
    executionMs: random.chance(0.2) ? random.between(1, 300) : 0,
    maxBlockTransactions: random.chance(0.3) ? 1 + random.integer(8) : 64,
    emptyBlockIntervalMs: random.chance(0.15) ? random.between(100, 1_000) | 0 : 0,
    forgetful: left > 0 && random.chance(0.4) ? 1 + random.integer(left) : 0,
    spares: random.chance(0.12) && n >= 4 && n < 10 ? 1 + random.integer(2) : 0,
    // Drawn after everything else, so that older seeds stay what they were.
    segmentBytes: random.chance(0.3) ? 1_024 + random.integer(32 * 1_024) : 64 * 1_024 * 1_024,
    settings: random.chance(0.15),
    readFaults: random.chance(0.15),
    wan: random.chance(0.08),
  };
}

/** One strategy most of the time, two or three at once in the rest. */
function drawStrategies(random: SeededRandom): readonly Strategy[] {
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  return random.shuffle(strategies).slice(0, count);
}
