import { createSeededRandom, type SeededRandom } from "@credlink/testkit";
import type { FuzzCase, Outcome, Target } from "./target.ts";
import { admissionTarget } from "./targets/admission.ts";
import { chainTarget } from "./targets/chain.ts";
import { channelTarget } from "./targets/channel.ts";
import { certificateTarget, listTarget, requestTarget } from "./targets/documents.ts";
import { onChainTarget } from "./targets/on-chain.ts";
import { createWorld } from "./world.ts";

/** Processor time that one input may take; what takes longer is a finding, milliseconds. */
export const INPUT_LIMIT_MS = 2_000;

/** An input that did what it must not. */
export interface Finding extends FuzzCase {
  readonly index: number;
  readonly finding: string;
}

/** Everything that is fuzzed under the name `identity`. */
export async function createTargets(): Promise<readonly Target[]> {
  const world = await createWorld();
  return [
    certificateTarget(world),
    requestTarget(world),
    listTarget(world),
    chainTarget(world),
    onChainTarget(world),
    admissionTarget(world),
    await channelTarget(),
  ];
}

/** The generator of one execution: it depends on seed and index alone, so slices can be cut anywhere. */
function randomOf(seed: number, index: number): SeededRandom {
  return createSeededRandom(seed).fork(`execution ${index}`);
}

function choose(targets: readonly Target[], random: SeededRandom): Target {
  const tickets = targets.flatMap((target) => new Array<Target>(target.weight).fill(target));
  return random.pick(tickets);
}

/** The input of one execution. */
export async function makeCase(
  targets: readonly Target[],
  seed: number,
  index: number,
): Promise<FuzzCase> {
  const random = randomOf(seed, index);
  const target = choose(targets, random);
  return { target: target.name, parts: await target.make(random) };
}

async function judgeOnce(target: Target, parts: FuzzCase["parts"]): Promise<Outcome> {
  try {
    return await target.judge(parts);
  } catch (error) {
    return { result: "throw", finding: error instanceof Error ? String(error.stack) : "thrown" };
  }
}

/**
 * Judges one input; whatever is thrown, and too long a time, are findings. The clock on the wall
 * also counts what others do with the machine, so a slow input is judged again by processor time.
 */
export async function judgeCase(targets: readonly Target[], input: FuzzCase): Promise<Outcome> {
  const target = targets.find(({ name }) => name === input.target);
  if (target === undefined) throw new Error(`no target ${input.target}`);
  const since = performance.now();
  const outcome = await judgeOnce(target, input.parts);
  if (performance.now() - since < INPUT_LIMIT_MS) return outcome;
  const before = process.cpuUsage();
  const again = await judgeOnce(target, input.parts);
  const { user, system } = process.cpuUsage(before);
  const spentMs = Math.round((user + system) / 1_000);
  const isSlow = spentMs > INPUT_LIMIT_MS && again.finding === undefined;
  return isSlow ? { ...again, finding: `took ${spentMs} ms of the processor` } : again;
}
