import { createSeededRandom, createSimulatedClock, SIMULATION_START_MS } from "@credlink/testkit";
import { Cluster } from "../cluster.ts";
import { drawPlan } from "../plan.ts";
import { createProtocolProfile } from "../profile.ts";
import type { SimulatedNode } from "../simulated-node.ts";
import type { CrashScript, MachineOperation } from "./script.ts";

const VALIDATORS = 4;
/** The node that fails, and the one that is a traitor where there is one. */
const VICTIM = 0;
const TRAITOR = 3;
const SUBMIT_EVERY_MS = 20;
/** How long a machine is down, and how long a primary is cut off. */
const DOWN_MS = 100;
const CUT_OFF_MS = 2_500;
/** Virtual time in which a script must come to its end. */
const SCRIPT_MS = 120_000;
/** Blocks that must follow the script. */
const BLOCKS_AFTER = 2;

/** A cluster whose processes may end themselves: they are started again. */
class MortalCluster extends Cluster {
  /** Processes that ended themselves. */
  fatals = 0;

  override onFatal(node: SimulatedNode): void {
    this.fatals++;
    node.crash("kept");
    this.clock.schedule(DOWN_MS, () => node.boot());
  }
}

/** One run of a script on four machines, with hooks for whoever disturbs it. */
export class CrashWorld {
  readonly cluster: MortalCluster;
  readonly #script: CrashScript;
  readonly #cutOff = new Set<number>();
  /** What the victim's machine has done so far, in order. */
  readonly done: MachineOperation[] = [];
  /** Called before the victim's operation takes effect; its number counts from 1. */
  onOperation: (operation: MachineOperation, number: number) => void = () => {};
  /** Whether the victim's replica has abstained at any time. */
  hasAbstained = false;

  constructor(
    script: CrashScript,
    options: { readonly replays: boolean; readonly watched: readonly string[] | null },
  ) {
    const random = createSeededRandom(script.heights);
    const clock = createSimulatedClock();
    this.#script = script;
    this.cluster = new MortalCluster({
      plan: {
        ...drawPlan(random.fork("plan"), VALIDATORS, script.heights),
        byzantine: new Map(options.replays ? [[TRAITOR, ["replay"]]] : []),
        latency: [0.2, 1],
        loss: 0,
        duplication: 0,
      },
      profile: createProtocolProfile(
        random.fork("keys"),
        VALIDATORS,
        SIMULATION_START_MS,
        VALIDATORS,
        "ledger",
      ),
      clock,
      random,
      ...(options.watched === null ? {} : { watched: options.watched }),
    });
    const count = (operation: MachineOperation): void => {
      this.done.push(operation);
      this.onOperation(operation, this.done.length);
    };
    this.victim.disk.onOperation(count);
    this.victim.store.onBatch(() => count("batch"));
  }

  get victim(): SimulatedNode {
    const node = this.cluster.nodes[VICTIM];
    if (node === undefined) throw new Error("there is a victim");
    return node;
  }

  /** Power goes for these nodes, and comes back a little later. */
  crash(nodes: readonly SimulatedNode[], outcome: Parameters<SimulatedNode["crash"]>[0]): void {
    for (const node of nodes) {
      if (!node.isUp) continue;
      node.crash(outcome);
      this.cluster.clock.schedule(DOWN_MS, () => {
        if (!node.isUp) node.boot();
      });
    }
  }

  start(): void {
    const { cluster } = this;
    for (const node of cluster.nodes) node.boot();
    const random = createSeededRandom(this.#script.heights).fork("load");
    const submit = (): void => {
      const up = cluster.nodes.filter(({ isUp, engine }) => isUp && engine !== null);
      if (up.length > 0) void cluster.submit(random.pick(up));
      cluster.clock.schedule(SUBMIT_EVERY_MS, submit);
    };
    submit();
  }

  /** Runs until every honest node has so many blocks; false when it takes too long. */
  async runTo(height: number): Promise<boolean> {
    const { cluster } = this;
    const endMs = cluster.clock.monotonicMs() + SCRIPT_MS;
    const isDone = (): boolean =>
      cluster.honest.every(({ engine }) => (engine?.status().height ?? 0) >= height);
    while (cluster.failure === null && cluster.clock.monotonicMs() < endMs) {
      if (isDone()) return true;
      this.#cutPrimaryOff();
      if (!(await cluster.clock.runNext())) return isDone();
      this.hasAbstained ||= this.victim.engine?.status().replica?.abstaining ?? false;
    }
    return false;
  }

  get scriptHeight(): number {
    return this.#script.heights;
  }

  get lastHeight(): number {
    return this.#script.heights + BLOCKS_AFTER;
  }

  #cutPrimaryOff(): void {
    const { cluster } = this;
    const next = cluster.chain.height + 1;
    if (!this.#script.viewChangesAt.includes(next) || this.#cutOff.has(next)) return;
    this.#cutOff.add(next);
    const names = cluster.nodes.map(({ name }) => name);
    const primary = names[next % names.length] ?? "";
    cluster.network.partition([names.filter((name) => name !== primary), [primary]]);
    cluster.clock.schedule(CUT_OFF_MS, () => cluster.network.heal());
  }
}

/** What holds where operations fail: all but I17, for a process then ends itself and says so. */
export const WITH_FAILING_DISK: readonly string[] = [
  "I1",
  "I2",
  "I3",
  "I4",
  "I5",
  "I6",
  "I7",
  "I8",
  "I9",
  "I10",
  "I11",
  "I12",
  "I14",
];

/** What holds where a vote log is exchanged: its reader cannot follow, and the node complains. */
export const WITH_CHANGED_LOG: readonly string[] = WITH_FAILING_DISK.filter((one) => one !== "I6");
