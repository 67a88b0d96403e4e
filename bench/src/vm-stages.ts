import { type Profiler, Session } from "node:inspector/promises";
import { type HostImport, isHostImport } from "@credlink/contracts-vm/inspect";

/** Microseconds between two looks at what runs. */
const SAMPLING_US = 200;

const CODE = "contract's own code";
const COLLECTION = "garbage collection";
const REST = "executor";
const SUMS: HostImport = "commitment_sum";
/** Functions of the executor that are a stage of their own, by name. */
const stages: ReadonlyMap<string, string> = new Map([
  ["release", "instance restored"],
  ["mergeInto", "changes merged"],
]);

interface Place {
  readonly name: string;
  readonly file: string;
  readonly parent: Place | null;
}

function placesOf({ nodes }: Profiler.Profile): ReadonlyMap<number, Place> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((c) => [c, id])));
  const known = new Map(nodes.map((node) => [node.id, node]));
  const places = new Map<number, Place>();
  const placeOf = (id: number): Place | null => {
    const node = known.get(id);
    if (node === undefined) return null;
    let place = places.get(id);
    if (place === undefined) {
      const { functionName: name, url: file } = node.callFrame;
      place = { name, file, parent: placeOf(parents.get(id) ?? -1) };
      places.set(id, place);
    }
    return place;
  };
  for (const { id } of nodes) placeOf(id);
  return places;
}

/** The stage of what runs at a place, or null outside the execution of blocks. */
function stageOf(leaf: Place): string | null {
  if (leaf.name === "(garbage collector)") return COLLECTION;
  let stage = /^wasm-function|^js-to-wasm|^wasm-to-js/.test(leaf.name) ? CODE : REST;
  const isCode = stage === CODE;
  for (let place: Place | null = leaf; place !== null; place = place.parent) {
    // The outermost host function counts: what another contract reads belongs to its call.
    const isHost = place.file.endsWith("/host.ts") && isHostImport(place.name);
    // Sums run in a module of the host's own, the only WebAssembly that is no contract's.
    if (isHost && (!isCode || place.name === SUMS)) stage = place.name;
    else if (stage === REST) stage = stages.get(place.name) ?? REST;
    if (place.name === "execute") return stage;
  }
  return null;
}

/**
 * Where the time of a task goes that executes blocks: share of each stage, most first. Stages are
 * the host functions by their names, the contract's code, and what is around them.
 */
export async function measureStages(
  task: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLING_US });
  await session.post("Profiler.start");
  await task();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const places = placesOf(profile);
  const times = new Map<string, number>();
  let total = 0;
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const place = places.get(id);
    const stage = place === undefined ? null : stageOf(place);
    if (stage === null) continue;
    const time = profile.timeDeltas?.[at] ?? 0;
    times.set(stage, (times.get(stage) ?? 0) + time);
    total += time;
  }
  const shares = [...times].sort(([, a], [, b]) => b - a);
  return Object.fromEntries(
    shares.map(([stage, time]) => [stage, Math.round((1_000 * time) / total) / 10]),
  );
}
