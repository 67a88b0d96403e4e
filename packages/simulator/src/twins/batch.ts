import { createSeededRandom } from "@credlink/testkit";
import type { TwinsMode } from "./network.ts";
import { runScenario, type TwinsResult } from "./run.ts";
import {
  nextIndex,
  type Scenario,
  scenarioAt,
  scenarioId,
  type TwinsShape,
  type ViewChoice,
  viewChoices,
} from "./scenario.ts";

/** Scenarios `from` … `from + count − 1`: of the enumeration, or of the sample that a seed gives. */
export interface TwinsBatch {
  readonly shape: TwinsShape;
  readonly mode: TwinsMode;
  /** Null: all scenarios in their order; else sample i is decided by (seed, i). */
  readonly seed: number | null;
  readonly from: number;
  readonly count: number;
}

/** A scenario that broke something, and how to see it again. */
export interface FailedScenario {
  readonly id: string;
  readonly reason: string;
  readonly replay: string;
}

/** What came of some scenarios; parts add up to the same whole in any order. */
export interface TwinsTally {
  readonly scenarios: number;
  /** Runs that differ: scenarios whose views nobody entered are the same run. */
  readonly runs: number;
  readonly failures: number;
  /** The first of them. */
  readonly failed: readonly FailedScenario[];
  /** Name -> runs that met it. */
  readonly coverage: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
}

/** Failures that are named; the rest is counted. */
const NAMED_FAILURES = 20;

/** Nothing yet. */
export const noTwins: TwinsTally = {
  scenarios: 0,
  runs: 0,
  failures: 0,
  failed: [],
  coverage: {},
  cpuSeconds: 0,
};

/** Both together. */
export function addTwins(a: TwinsTally, b: TwinsTally): TwinsTally {
  const coverage: Record<string, number> = { ...a.coverage };
  for (const [name, count] of Object.entries(b.coverage)) {
    coverage[name] = (coverage[name] ?? 0) + count;
  }
  return {
    scenarios: a.scenarios + b.scenarios,
    runs: a.runs + b.runs,
    failures: a.failures + b.failures,
    failed: [...a.failed, ...b.failed].slice(0, NAMED_FAILURES),
    coverage,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
  };
}

/** A batch whose process ended under it. */
export function twinsCrash(batch: TwinsBatch, reason: string): TwinsTally {
  const { shape, mode, from, count } = batch;
  const id = scenarioId(shape, scenarioOf(batch, from, viewChoices(shape)));
  const failed = [{ id, reason: `crash: ${reason}`, replay: replayLine(id, mode) }];
  return { ...noTwins, scenarios: count, failures: count, failed };
}

/** The command that runs one scenario again. */
export function replayLine(id: string, mode: TwinsMode): string {
  return `pnpm twins --replay ${id}${mode === "closed" ? " --closed" : ""}`;
}

/** How many scenarios a shape has. */
export function scenarioCount(shape: TwinsShape): number {
  return viewChoices(shape).length ** shape.views;
}

/** Runs a batch. Enumerated ones step over scenarios that are the run before. */
export function runBatch(batch: TwinsBatch): TwinsTally {
  const { shape, mode, seed, from, count } = batch;
  const before = process.cpuUsage();
  const choices = viewChoices(shape);
  const tally = new Counts(shape, mode);
  const end = from + count;
  for (let index = from; index < end; ) {
    const scenario = scenarioOf(batch, index, choices);
    const result = runScenario(shape, choices, scenario, mode);
    const next =
      seed === null ? nextIndex(index, choices.length, shape.views, result.depth) : index + 1;
    tally.add(scenario, result, Math.min(next, end) - index);
    index = next;
  }
  const { user, system } = process.cpuUsage(before);
  return tally.sum((user + system) / 1e6);
}

function scenarioOf(
  { shape: { views }, seed }: TwinsBatch,
  index: number,
  choices: readonly ViewChoice[],
): Scenario {
  if (seed === null) return scenarioAt(index, choices.length, views);
  const random = createSeededRandom(seed).fork(`scenario ${index} of ${views} views`);
  return Array.from({ length: views }, () => random.integer(choices.length));
}

/** Counts results while a batch runs. */
class Counts {
  readonly #shape: TwinsShape;
  readonly #mode: TwinsMode;
  readonly #coverage: Record<string, number> = {};
  readonly #failed: FailedScenario[] = [];
  #failures = 0;
  #runs = 0;
  #scenarios = 0;

  constructor(shape: TwinsShape, mode: TwinsMode) {
    this.#shape = shape;
    this.#mode = mode;
  }

  add(scenario: Scenario, result: TwinsResult, count: number): void {
    this.#scenarios += count;
    this.#runs++;
    for (const name of metBy(result, this.#shape)) {
      this.#coverage[name] = (this.#coverage[name] ?? 0) + 1;
    }
    if (result.reason === null) return;
    // One run stands for all scenarios that it is: all of them fail.
    this.#failures += count;
    if (this.#failed.length >= NAMED_FAILURES) return;
    const id = scenarioId(this.#shape, scenario);
    this.#failed.push({ id, reason: result.reason, replay: replayLine(id, this.#mode) });
  }

  sum(cpuSeconds: number): TwinsTally {
    return {
      scenarios: this.#scenarios,
      runs: this.#runs,
      failures: this.#failures,
      failed: this.#failed,
      coverage: this.#coverage,
      cpuSeconds,
    };
  }
}

function metBy(result: TwinsResult, { views }: TwinsShape): readonly string[] {
  const { scriptedHeight, highestView, evidence, doubleLeads, abstained } = result;
  return [
    scriptedHeight > 0 ? "decided before healing" : "not decided before healing",
    ...(highestView > 0 ? ["view change"] : []),
    ...(highestView >= views ? ["all scripted views entered"] : []),
    ...(doubleLeads > 0 ? ["both twins led a view"] : []),
    ...(evidence > 0 ? ["evidence"] : []),
    ...(abstained ? ["amnesiac silenced"] : []),
  ];
}
