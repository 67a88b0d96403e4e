import type { SeededRandom } from "@credlink/testkit";

/** What can be done to a network of processes. */
export const faultKinds = ["kill", "stop", "partition", "delay", "clock", "disk"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** An ordered pair of nodes: bytes from the first to the second. */
export type Way = readonly [from: string, to: string];

/** One fault; `forMs` passes between its beginning and its healing. */
export type Fault = { readonly forMs: number } & (
  | { readonly kind: "kill" | "stop"; readonly nodes: readonly string[] }
  | { readonly kind: "partition"; readonly shape: string; readonly ways: readonly Way[] }
  | {
      readonly kind: "delay";
      readonly ways: readonly Way[];
      readonly delayMs: number;
      readonly bytesPerSecond: number;
    }
  | { readonly kind: "clock"; readonly nodes: readonly string[]; readonly offsetMs: number }
  | { readonly kind: "disk"; readonly nodes: readonly string[]; readonly freeBytes: number }
);

/** What a schedule may draw from. */
export interface ScheduleOptions {
  readonly nodes: readonly string[];
  /** Faults that the network must survive without a pause that lasts as long as they do. */
  readonly faultBound: number;
  readonly kinds: readonly FaultKind[];
  /** Node whose disk can run full. */
  readonly diskNode: string | null;
}

/** A second of rest is enough for a network that did not stop; longer ones show what comes late. */
const MIN_FAULT_MS = 500;
const MAX_FAULT_MS = 12_000;
/** A validator this far off proposes blocks that nobody takes, and takes nobody's. */
const CLOCK_OFFSETS_MS = [400, 2_000, 8_000, 30_000, 120_000];
const THROTTLED_BYTES_PER_SECOND = 200_000;
/** What a full disk has left: nothing, or enough for a few more blocks. */
const FREE_BYTES = [0, 64 * 1024, 1024 * 1024];

/** Faults one after the other, without end; the generator's seed decides all of them. */
export function* drawFaults(
  random: SeededRandom,
  options: ScheduleOptions,
): Generator<Fault, never> {
  for (;;) yield drawFault(random, options);
}

function drawFault(random: SeededRandom, options: ScheduleOptions): Fault {
  const kind = random.pick(options.kinds);
  const forMs = Math.round(random.between(MIN_FAULT_MS, MAX_FAULT_MS));
  switch (kind) {
    case "kill":
      // Some return at once: their peers have not noticed yet that they were gone.
      return { kind, forMs: random.chance(0.4) ? 0 : forMs, nodes: drawVictims(random, options) };
    case "stop":
      return { kind, forMs, nodes: drawVictims(random, options) };
    case "partition":
      return { kind, forMs, ...drawPartition(random, options) };
    case "delay": {
      const throttled = random.chance(0.3);
      return {
        kind,
        forMs,
        ways: random.chance(0.5) ? allWays(options.nodes) : drawWays(random, options.nodes),
        delayMs: Math.round(random.between(5, 300)),
        bytesPerSecond: throttled ? THROTTLED_BYTES_PER_SECOND : Number.POSITIVE_INFINITY,
      };
    }
    case "clock": {
      const offsetMs = random.pick(CLOCK_OFFSETS_MS) * (random.chance(0.5) ? 1 : -1);
      return { kind, forMs, nodes: some(random, options, options.faultBound), offsetMs };
    }
    case "disk": {
      const nodes = options.diskNode === null ? [] : [options.diskNode];
      return { kind, forMs: MAX_FAULT_MS, nodes, freeBytes: random.pick(FREE_BYTES) };
    }
  }
}

/** Mostly no more than the protocol bears; now and then more, or all at once. */
function drawVictims(random: SeededRandom, options: ScheduleOptions): readonly string[] {
  const { nodes, faultBound } = options;
  if (random.chance(0.15)) return nodes;
  if (random.chance(0.2)) return some(random, options, faultBound + 1);
  return some(random, options, random.chance(0.5) ? 1 : faultBound);
}

function some(random: SeededRandom, { nodes }: ScheduleOptions, count: number): readonly string[] {
  return random.shuffle(nodes).slice(0, Math.max(1, Math.min(count, nodes.length)));
}

function drawPartition(
  random: SeededRandom,
  options: ScheduleOptions,
): { readonly shape: string; readonly ways: readonly Way[] } {
  const nodes = random.shuffle(options.nodes);
  const shape = random.pick(["isolate", "minority", "halves", "one-way", "bridge"]);
  switch (shape) {
    case "isolate":
      return { shape, ways: between(nodes.slice(0, 1), nodes.slice(1)) };
    case "minority": {
      const size = Math.max(1, options.faultBound);
      return { shape, ways: between(nodes.slice(0, size), nodes.slice(size)) };
    }
    case "halves": {
      const half = Math.floor(nodes.length / 2);
      return { shape, ways: between(nodes.slice(0, half), nodes.slice(half)) };
    }
    case "one-way": {
      // It hears everybody, and nobody hears it, or the other way round.
      const [one = "", ...others] = nodes;
      const isMute = random.chance(0.5);
      return { shape, ways: others.map((other) => (isMute ? [one, other] : [other, one])) };
    }
    default: {
      // Two groups that only the first node joins.
      const rest = nodes.slice(1);
      const half = Math.floor(rest.length / 2);
      return { shape, ways: between(rest.slice(0, half), rest.slice(half)) };
    }
  }
}

/** Both directions between every node of one group and every one of the other. */
function between(group: readonly string[], others: readonly string[]): readonly Way[] {
  return group.flatMap((one) =>
    others.flatMap((other): readonly Way[] => [
      [one, other],
      [other, one],
    ]),
  );
}

function allWays(nodes: readonly string[]): readonly Way[] {
  return nodes.flatMap((one) =>
    nodes.filter((other) => other !== one).map((other): Way => [one, other]),
  );
}

function drawWays(random: SeededRandom, nodes: readonly string[]): readonly Way[] {
  const ways = random.shuffle(allWays(nodes));
  return ways.slice(0, 1 + random.integer(ways.length));
}

/** One line that says what a fault is. */
export function describeFault(fault: Fault): string {
  const seconds = `${(fault.forMs / 1000).toFixed(1)} s`;
  switch (fault.kind) {
    case "kill":
      return `kill -9 ${fault.nodes.join(", ")}, back after ${seconds}`;
    case "stop":
      return `halt ${fault.nodes.join(", ")} for ${seconds}`;
    case "partition":
      return `partition (${fault.shape}) of ${fault.ways.length} ways for ${seconds}`;
    case "delay": {
      const throttle = Number.isFinite(fault.bytesPerSecond) ? ", throttled" : "";
      return `delay ${fault.ways.length} ways by ${fault.delayMs} ms${throttle} for ${seconds}`;
    }
    case "clock":
      return `clock of ${fault.nodes.join(", ")} ${fault.offsetMs} ms off for ${seconds}`;
    case "disk":
      return `disk of ${fault.nodes.join(", ")} full but ${fault.freeBytes} bytes`;
  }
}
