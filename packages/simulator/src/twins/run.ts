import { scriptedMs, type TwinsMode, TwinsNetwork } from "./network.ts";
import type { Scenario, TwinsShape, ViewChoice } from "./scenario.ts";

/** What came of one scenario. */
export interface TwinsResult {
  /** First broken invariant, or null. */
  readonly reason: string | null;
  /**
   * Scripted views that made a difference: scenarios that agree in so many of their first views
   * are one and the same run.
   */
  readonly depth: number;
  /** Highest height that an honest instance committed before healing. */
  readonly scriptedHeight: number;
  /** Highest view that an honest instance was in at the scripted height. */
  readonly highestView: number;
  /** Pairs of excluding votes that instances noticed. */
  readonly evidence: number;
  /** Views that both instances of a key led with a block of their own. */
  readonly doubleLeads: number;
  /** Whether a key that restarted from an old vote log was silenced. */
  readonly abstained: boolean;
}

/** After healing, one more block must follow within this, milliseconds of virtual time. */
const HEALED_MS = 20_000;

/**
 * Runs one scenario: scripted views first, then everything is healed and the honest instances
 * must commit one block more than any of them had.
 */
export function runScenario(
  shape: TwinsShape,
  choices: readonly ViewChoice[],
  scenario: Scenario,
  mode: TwinsMode = "open",
): TwinsResult {
  const picked = scenario.flatMap((digit) => choices[digit] ?? []);
  const network = new TwinsNetwork(shape, picked, mode);
  const { honest, checks } = network;
  for (const instance of network.instances) instance.start();
  network.settle();
  const scriptedEndMs = network.nowMs + scriptedMs(shape);
  const isOver = (): boolean =>
    checks.violations.length > 0 || honest.every(({ height }) => height > 0);
  while (!isOver() && network.fireNext(scriptedEndMs)) network.settle();
  const scriptedHeight = Math.max(...honest.map(({ height }) => height));
  const highestView = Math.max(...honest.map(({ round }) => round));
  if (checks.violations.length === 0) heal(network, scriptedHeight + 1);
  return {
    reason: checks.violations[0] ?? null,
    depth: network.depth,
    scriptedHeight,
    highestView,
    evidence: network.evidence,
    doubleLeads: network.doubleLeads,
    abstained: network.abstained,
  };
}

function heal(network: TwinsNetwork, target: number): void {
  const { honest, checks } = network;
  network.isHealed = true;
  const endMs = network.nowMs + HEALED_MS;
  for (const instance of network.instances) instance.feedWork();
  network.settle();
  const isDone = (): boolean => honest.every(({ height }) => height >= target);
  while (!isDone() && checks.violations.length === 0 && network.fireNext(endMs)) network.settle();
  if (isDone() || checks.violations.length > 0) return;
  const states = network.instances.map((instance) => instance.describe()).join("; ");
  checks.violations.push(`I18: no progress after healing (${states})`);
}
