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
  /** Virtual time without, in which the chain must go on, milliseconds. */
  readonly livenessMs: number;
  /** Mean time between faults, milliseconds. */
  readonly faultEveryMs: number;
  /** Mean time between submitted transactions, milliseconds. */
  readonly submitEveryMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly latency: readonly [minMs: number, maxMs: number];
  readonly diskSync: readonly [minMs: number, maxMs: number];
  readonly crashes: boolean;
  readonly partitions: boolean;
  /** Largest error of a wall clock, milliseconds. */
  readonly skewMs: number;
}

/** Validator counts that bulk runs draw from. */
const COUNTS = [1, 4, 4, 4, 5, 7, 10] as const;

/** Draws a run. Most options are off in some runs, so that each shows what it does alone. */
export function drawPlan(
  random: SeededRandom,
  validators: number | null,
  heights: number | null = null,
): Plan {
  const blocks = 20 + random.integer(41);
  const n = validators ?? random.pick(COUNTS);
  const bound = Math.floor((n - 1) / 3);
  const traitors = bound > 0 && random.chance(0.6) ? 1 + random.integer(bound) : 0;
  const order = random.shuffle(Array.from({ length: n }, (_, index) => index));
  const isSlow = random.chance(0.2);
  const isWide = random.chance(0.25);
  return {
    validators: n,
    byzantine: new Map(
      order.slice(0, traitors).map((index) => [index, drawStrategies(random)] as const),
    ),
    heights: heights ?? blocks,
    safetyMs: random.between(40, 160) * (heights ?? blocks),
    livenessMs: 300_000,
    faultEveryMs: random.between(200, 1_500),
    submitEveryMs: random.between(30, 200),
    loss: random.chance(0.5) ? random.between(0, 0.2) : 0,
    duplication: random.chance(0.5) ? random.between(0, 0.3) : 0,
    latency: isWide ? [20, 150] : [0.2, random.between(0.5, 10)],
    diskSync: isSlow ? [1, random.between(5, 200)] : [0.05, random.between(0.1, 5)],
    crashes: random.chance(0.7),
    partitions: random.chance(0.6),
    skewMs: random.chance(0.3) ? random.between(0, 400) : 0,
  };
}

/** One strategy most of the time, two or three at once in the rest. */
function drawStrategies(random: SeededRandom): readonly Strategy[] {
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  return random.shuffle(strategies).slice(0, count);
}
