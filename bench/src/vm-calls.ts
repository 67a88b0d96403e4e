import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as ours from "../../packages/contracts/test/support/month.ts";
import { type Percentiles, percentiles, round } from "./statistics.ts";
import { measureStages } from "./vm-stages.ts";

/** Calls of one type that are executed as one block. */
export const BLOCK_CALLS = 50;
/** Blocks before the first that counts: the engine compiles what is called often. */
const WARM_BLOCKS = 200;
/** Blocks that one figure is the mean of. */
const SAMPLE_BLOCKS = 2;
const STAGE_BLOCKS = 40;

/** What calls of each type of credential cost. */
export interface CallCosts {
  /** Processor time of a call, host calls included. */
  readonly callUs: Readonly<Record<string, Percentiles>>;
  /** Median of the types' medians. */
  readonly medianCallUs: number;
  readonly gas: Readonly<Record<string, number>>;
}

/** The costs of this checkout, and of another that ran in turn with it. */
export interface ComparedCosts extends CallCosts {
  /** Share of the time of all types' calls that each stage took, in per cent. */
  readonly stages: Readonly<Record<string, number>>;
  readonly against: AgainstCosts | null;
}

export interface AgainstCosts extends CallCosts {
  /** Our lower quartile by the other's, of each type: below 1 is faster. */
  readonly ratio: Readonly<Record<string, number>>;
}

type Support = typeof ours;
type Side = Support & Awaited<ReturnType<Support["openMonth"]>>;

async function open(support: Support): Promise<Side> {
  return { ...support, ...(await support.openMonth("bench")) };
}

/** The month and the executor of another checkout of this repository, whose packages are installed. */
async function load(folder: string): Promise<Support> {
  const path = join(folder, "packages/contracts/test/support/month.ts");
  const support: Support = await import(pathToFileURL(path).href);
  return support;
}

/** One type's calls on the state that they need, on every side. */
interface Turn {
  readonly side: Side;
  readonly block: Parameters<Side["chain"]["measure"]>[0];
  readonly samples: number[];
}

class Costs {
  readonly samples = new Map<string, readonly number[]>();
  readonly gas: Record<string, number> = {};

  get report(): CallCosts {
    const callUs = Object.fromEntries(
      [...this.samples].map(([type, each]) => [type, percentiles(each)]),
    );
    const medians = Object.values(callUs).map(({ p50 }) => p50);
    return { callUs, medianCallUs: round(percentiles(medians).p50), gas: this.gas };
  }

  /** What other work on the machine left alone: a quarter of the samples is faster. */
  quickOf(type: string): number {
    const sorted = [...(this.samples.get(type) ?? [])].sort((a, b) => a - b);
    return sorted[sorted.length >> 2] ?? 0;
  }
}

/**
 * Calls of a month of business, by type, each on the state that it needs. With another checkout the
 * two take turns, block by block, so that what else the machine does meets both.
 */
export async function measureCalls(rounds: number, against: string | null): Promise<ComparedCosts> {
  const sides = [await open(ours)];
  if (against !== null) sides.push(await open(await load(against)));
  const costs = sides.map(() => new Costs());
  const shares: Record<string, number>[] = [];
  const [own] = sides;
  if (own === undefined) throw new Error("this checkout is a side");
  for (const [stage, steps] of own.stagesOf(own.month).entries()) {
    for (const type of new Set(steps.map((step) => step.type))) {
      const turns = sides.map((side): Turn => {
        const some = (side.stagesOf(side.month)[stage] ?? []).filter((step) => step.type === type);
        return { side, block: some.slice(0, BLOCK_CALLS).map(side.asWhole), samples: [] };
      });
      // Of a few calls the rest of a block would be measured, and not they.
      const isKnown = costs.some(({ samples }) => samples.has(type));
      if (isKnown || turns.some(({ block }) => block.length < BLOCK_CALLS)) continue;
      await takeTurns(turns, rounds, costs, type);
      const stageBlock = turns[0]?.block ?? [];
      shares.push(await measureStages(() => own.chain.measure(stageBlock, STAGE_BLOCKS)));
    }
    for (const side of sides) {
      await side.chain.block((side.stagesOf(side.month)[stage] ?? []).map(side.asWhole));
    }
  }
  const [mine = new Costs(), other] = costs;
  return {
    ...mine.report,
    stages: meanOf(shares),
    against: other === undefined ? null : { ...other.report, ratio: ratiosOf(mine, other) },
  };
}

async function takeTurns(
  turns: readonly Turn[],
  rounds: number,
  costs: readonly Costs[],
  type: string,
): Promise<void> {
  for (const [at, { side, block }] of turns.entries()) {
    const { gas } = await side.chain.measure(block, WARM_BLOCKS);
    const cost = costs[at];
    if (cost !== undefined) cost.gas[type] = Math.round(gas / BLOCK_CALLS);
  }
  const samples = Math.max(1, Math.ceil(rounds / SAMPLE_BLOCKS));
  for (let i = 0; i < samples; i++) {
    for (const turn of i % 2 === 0 ? turns : turns.toReversed()) {
      const { microseconds } = await turn.side.chain.measure(turn.block, SAMPLE_BLOCKS);
      turn.samples.push(microseconds / SAMPLE_BLOCKS / BLOCK_CALLS);
    }
  }
  for (const [at, turn] of turns.entries()) costs[at]?.samples.set(type, turn.samples);
}

function ratiosOf(mine: Costs, other: Costs): Readonly<Record<string, number>> {
  const ratios = [...mine.samples.keys()].map((type): [string, number] => {
    const theirs = other.quickOf(type);
    return [type, theirs === 0 ? 0 : Math.round((100 * mine.quickOf(type)) / theirs) / 100];
  });
  return Object.fromEntries(ratios);
}

function meanOf(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const shares of all) {
    for (const [stage, share] of Object.entries(shares)) {
      sums.set(stage, (sums.get(stage) ?? 0) + share / all.length);
    }
  }
  const sorted = [...sums].sort(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([stage, share]) => [stage, round(share)]));
}
