/**
 * What a Twins scenario is: for each view a primary and a partition of the instances.
 *
 * @see Bano, Sonnino, Chursin, Perelman, Li, Ching, Malkhi: Twins: BFT Systems Made Robust, 2021
 */

/** When the one faulty key restarts, and what its vote log has forgotten by then. */
export interface RestartPoint {
  /** View that it is in when it goes down. */
  readonly view: number;
  /** It comes back with its vote log as it was before it entered this view; 0: an empty one. */
  readonly image: number;
}

/** How large the scenarios are. */
export interface TwinsShape {
  readonly validators: number;
  /** Keys 0 … twins − 1 have two instances each. */
  readonly twins: number;
  /** Set: key 0 has one instance only, which restarts from an old image of its vote log. */
  readonly restart: RestartPoint | null;
  /** Most blocks of a partition. */
  readonly blocks: number;
  /** Views that are scripted; after them the network is whole and the chain's rule leads. */
  readonly views: number;
}

/** One view: who leads it, and who hears whom. */
export interface ViewChoice {
  readonly primary: number;
  /** instance -> number of its block. */
  readonly blockOf: readonly number[];
}

/** A view choice for each scripted view, as indices into `viewChoices`. */
export type Scenario = readonly number[];

/** Every partition of `count` instances into 1 … `blocks` blocks, as restricted growth strings. */
export function partitions(count: number, blocks: number): readonly (readonly number[])[] {
  const found: number[][] = [];
  const grow = (prefix: number[], used: number): void => {
    if (prefix.length === count) {
      found.push(prefix);
      return;
    }
    for (let block = 0; block < Math.min(used + 1, blocks); block++) {
      grow([...prefix, block], Math.max(used, block + 1));
    }
  };
  grow([], 0);
  return found;
}

/** Number of instances: one for each key, and one more for each twin. */
export function instanceCount({ validators, twins, restart }: TwinsShape): number {
  return restart === null ? validators + twins : validators;
}

/** Every restart that scripted views allow: down in a view, with an image of it or an older one. */
export function restartPoints(views: number): readonly RestartPoint[] {
  return Array.from({ length: views }, (_, view) =>
    Array.from({ length: view + 1 }, (_none, image): RestartPoint => ({ view, image })),
  ).flat();
}

/** Every (primary, partition): for 4 validators with one twin 64 with 2 blocks, 164 with 3. */
export function viewChoices(shape: TwinsShape): readonly ViewChoice[] {
  const all = partitions(instanceCount(shape), shape.blocks);
  return Array.from({ length: shape.validators }, (_, primary) =>
    all.map((blockOf): ViewChoice => ({ primary, blockOf })),
  ).flat();
}

/** The scenario of an index, the choice of view 0 being its most significant digit. */
export function scenarioAt(index: number, base: number, views: number): Scenario {
  const digits: number[] = [];
  for (let rest = index, at = 0; at < views; at++) {
    digits.unshift(rest % base);
    rest = Math.floor(rest / base);
  }
  return digits;
}

/** The first index after `index` that differs in one of the first `depth` views. */
export function nextIndex(index: number, base: number, views: number, depth: number): number {
  const same = base ** (views - Math.max(depth, 1));
  return (Math.floor(index / same) + 1) * same;
}

/** Name of a scenario, for `--replay`: `validators.twins.blocks[.restart.image]:choice-choice-…`. */
export function scenarioId(shape: TwinsShape, scenario: Scenario): string {
  const { validators, twins, blocks, restart } = shape;
  const point = restart === null ? [] : [restart.view, restart.image];
  return `${[validators, twins, blocks, ...point].join(".")}:${scenario.join("-")}`;
}

/** @throws RangeError when the text names no scenario. */
export function parseScenarioId(id: string): { shape: TwinsShape; scenario: Scenario } {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:\.(\d+)\.(\d+))?:(\d+(?:-\d+)*)$/.exec(id);
  if (match === null) throw new RangeError(`no scenario: ${id}`);
  const [, validators, twins, blocks, view, image, digits = ""] = match;
  const scenario = digits.split("-").map(Number);
  const shape: TwinsShape = {
    validators: Number(validators),
    twins: Number(twins),
    blocks: Number(blocks),
    restart: view === undefined ? null : { view: Number(view), image: Number(image) },
    views: scenario.length,
  };
  checkShape(shape);
  const base = viewChoices(shape).length;
  if (scenario.some((digit) => digit >= base)) throw new RangeError(`no scenario: ${id}`);
  return { shape, scenario };
}

/** @throws RangeError for a shape that has no scenarios or too many instances to enumerate. */
export function checkShape({ validators, twins, blocks, views, restart }: TwinsShape): void {
  if (validators < 4 || validators > 7) throw new RangeError("4 to 7 validators");
  if (twins < 1 || twins > validators) throw new RangeError("1 to all validators have a twin");
  if (blocks < 1 || blocks > 3) throw new RangeError("1 to 3 blocks");
  if (views < 1 || views > 8) throw new RangeError("1 to 8 scripted views");
  if (restart === null) return;
  if (twins !== 1) throw new RangeError("one key restarts");
  if (restart.image > restart.view || restart.view >= views) {
    throw new RangeError("an image is not newer than the restart, which is in a scripted view");
  }
}
