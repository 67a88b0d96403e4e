/**
 * Runs clusters of the real replica and writes what they did as events of the model, one trace a
 * height, for trace.pml. With `--tamper` every trace is changed into one that must be rejected.
 *
 *     node --conditions=source docs/spec/tools/record-traces.ts COUNT [--tamper] > traces.h
 */
import { primaryOf, type VoteRecord } from "@credlink/consensus-pbft";
import {
  createDice,
  createTestCluster,
  type TestCluster,
  type TestNode,
} from "@credlink/consensus-pbft/compliance";
import { type Digest, height as toHeight, toHex, view as toView } from "@credlink/primitives";
import { tamper } from "./tamper.ts";
import { type Event, KINDS, type Trace, VIEWS } from "./trace.ts";

const VALIDATORS = 4;
/** Virtual time of a run, milliseconds. */
const RUN_MS = 60_000;

/** An event whose digest has no letter yet. */
interface Raw extends Omit<Event, "value"> {
  readonly digest: string | null;
  /** Of a VIEW-CHANGE: the view of its claim. */
  readonly prepared?: number;
  /** Of a proposal: the block it builds on. */
  readonly parent?: string;
}

/** Listens to a cluster: what became durable, went out and was decided, by height. */
class Recorder {
  readonly heights = new Map<number, Raw[]>();
  readonly decided = new Map<number, Digest>();
  readonly #read = new Map<TestNode, number>();
  readonly #wished = new Map<string, number>();
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    const { checks } = cluster;
    const { vote, decision } = checks;
    checks.vote = (node, message, durable) => {
      vote.call(checks, node, message, durable);
      this.#catchUp(node);
      if (message.type === "decided" || message.type === "pre-prepare") return;
      const { type, height, view } = message;
      if (type === "wish") {
        this.#wish(node, height, view);
      } else if (type === "view-change") {
        const { preparedView, preparedDigest } = message;
        const digest = preparedDigest === null ? null : toHex(preparedDigest);
        const event = { kind: KINDS.sentViewChange, node, view, digest };
        this.#add(height, { ...event, prepared: preparedView ?? 0 });
      } else {
        const kind = type === "prepare" ? KINDS.sentPrepare : KINDS.sentCommit;
        this.#add(height, { kind, node, view, digest: toHex(message.digest) });
      }
    };
    checks.decision = (node, head, proposal, certificate) => {
      decision.call(checks, node, head, proposal, certificate);
      const { height, view } = certificate;
      this.decided.set(height, certificate.digest);
      const digest = toHex(certificate.digest);
      this.#add(height, { kind: KINDS.decided, node, view, digest });
    };
  }

  /** Who is primary of each view of a height, by the chain below it. */
  primariesAt(height: number): readonly number[] {
    const { genesisDigest } = this.#cluster;
    const branch = this.decided.get(height - 1) ?? this.decided.get(height - 2) ?? genesisDigest;
    const roster = this.#cluster.rosterAt(height, branch);
    return Array.from({ length: VIEWS }, (_, view) =>
      primaryOf(roster, toHeight(height), toView(view)),
    );
  }

  crashed(node: number): void {
    this.#catchUp(node);
    const height = this.#cluster.nodes[node]?.head.height ?? 0;
    this.#add(height + 1, { kind: KINDS.crashed, node, view: 0, digest: null });
  }

  /** The records that became durable since we last looked. */
  #catchUp(number: number): void {
    const node = this.#cluster.nodes[number];
    if (node === undefined) return;
    for (const record of node.log.slice(this.#read.get(node) ?? 0)) this.#record(number, record);
    this.#read.set(node, node.log.length);
  }

  #record(node: number, record: VoteRecord): void {
    switch (record.type) {
      case "proposed": {
        const { height, view, digest } = record;
        const parent = toHex(record.parentDigest);
        this.#add(height, { kind: KINDS.proposed, node, view, digest: toHex(digest), parent });
        return;
      }
      case "prepare-voted": {
        const { height, view, digest } = record;
        this.#add(height, { kind: KINDS.prepare, node, view, digest: toHex(digest) });
        return;
      }
      case "commit-voted": {
        const { height, view, digest } = record.certificate;
        this.#add(height, { kind: KINDS.commit, node, view, digest: toHex(digest) });
        return;
      }
      case "entered-view":
        this.#add(record.height, { kind: KINDS.entered, node, view: record.view, digest: null });
        return;
    }
  }

  /** Sent again or not: only a higher wish says something new. */
  #wish(node: number, height: number, view: number): void {
    const key = `${node}/${height}`;
    if ((this.#wished.get(key) ?? 0) >= view) return;
    this.#wished.set(key, view);
    this.#add(height, { kind: KINDS.wished, node, view, digest: null });
  }

  #add(height: number, event: Raw): void {
    const events = this.heights.get(height);
    if (events === undefined) this.heights.set(height, [event]);
    else events.push(event);
  }
}

/** One run under loss, duplication, cuts and crashes, all drawn from the seed. */
function record(seed: number): Recorder {
  const dice = createDice(seed);
  const below = (limit: number): number => Math.floor(dice() * limit);
  const cluster = createTestCluster({
    n: VALIDATORS,
    seed,
    lossRate: dice() * 0.3,
    duplicateRate: dice() * 0.2,
    delayMs: [1, 1 + below(200)],
    fsyncMs: 1 + below(40),
  });
  const recorder = new Recorder(cluster);
  cluster.start();
  for (let at = 0, step = 0; at < RUN_MS; step++) {
    cluster.submit(`${seed}/${step}`);
    const node = below(VALIDATORS);
    const what = below(10);
    if (what < 3) {
      cluster.nodes[node]?.crash();
      recorder.crashed(node);
    } else if (what < 5) {
      cluster.partition(
        ...[0, 1].map((side) => [0, 1, 2, 3].filter((n) => (n + node) % 2 === side)),
      );
    } else if (what === 5) {
      cluster.partition(
        [node],
        [0, 1, 2, 3].filter((other) => other !== node),
      );
    } else {
      cluster.partition();
      for (const down of cluster.nodes) if (!down.alive) down.start();
    }
    const pauseMs = 20 + below(3000);
    cluster.run(pauseMs);
    at += pauseMs;
  }
  return recorder;
}

/** Gives digests letters; null when the model has no room for what happened. */
function translate(height: number, recorder: Recorder): Trace | null {
  const { heights, decided } = recorder;
  const below = decided.get(height - 1);
  const base = below === undefined ? undefined : toHex(below);
  // Of a proposal on a parent that was not decided nothing comes.
  const raw = (heights.get(height) ?? []).filter(
    ({ parent }) => parent === undefined || base === undefined || parent === base,
  );
  const letters = new Map<string, number>();
  const events: Event[] = [];
  for (const { kind, node, view, digest, prepared } of raw) {
    if (view >= VIEWS) return null;
    if (digest !== null && !letters.has(digest)) letters.set(digest, letters.size + 1);
    if (letters.size > 2) return null;
    const letter = digest === null ? 0 : (letters.get(digest) ?? 0);
    const value = prepared === undefined || letter === 0 ? letter : 2 * prepared + letter;
    events.push({ kind, node, view, value });
  }
  return { primaries: recorder.primariesAt(height), events };
}

/** The tables of traces.h: where each trace starts, the primaries of its views, and all events. */
function print(traces: readonly Trace[]): string {
  const starts: number[] = [];
  const rows: string[] = [];
  for (const { events } of traces) {
    starts.push(rows.length);
    for (const { kind, node, view, value } of events)
      rows.push(`{${kind},${node},${view},${value}}`);
    rows.push("{0,0,0,0}");
  }
  const primaries = traces.map((trace) => `{${trace.primaries.join()}}`);
  return [
    `#define TRACES ${traces.length}`,
    `static const int traceStart[] = {${starts.join()}};`,
    `static const unsigned char tracePrimaries[][${VIEWS}] = {${primaries.join()}};`,
    `static const unsigned char traceEvents[][4] = {\n${rows.join(",\n")}};`,
    "",
  ].join("\n");
}

function main(): void {
  const wanted = Number(process.argv[2] ?? 1000);
  const isTampered = process.argv.includes("--tamper");
  const traces: Trace[] = [];
  let beyond = 0;
  let runs = 0;
  while (traces.length < wanted) {
    const dice = createDice(++runs);
    const recorder = record(runs);
    for (const height of recorder.heights.keys()) {
      const trace = translate(height, recorder);
      if (trace === null) beyond++;
      const kept = trace !== null && isTampered ? tamper(trace, dice) : trace;
      if (kept !== null && traces.length < wanted) traces.push(kept);
    }
  }
  const views = traces.filter(({ events }) => events.some(({ view }) => view > 0)).length;
  const crashes = traces.filter(({ events }) =>
    events.some((e) => e.kind === KINDS.crashed),
  ).length;
  process.stderr.write(
    `${traces.length} traces of ${runs} runs, ${views} with view changes, ` +
      `${crashes} with crashes; ${beyond} left out: more views or blocks than the model has\n`,
  );
  process.stdout.write(print(traces));
}

main();
