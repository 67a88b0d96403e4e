import type { SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";
import { LostLogs } from "./lost-logs.ts";
import { partition } from "./partitions.ts";
import type { Plan } from "./plan.ts";
import { peerName } from "./profile.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Longest freeze of a machine, milliseconds. */
const MAX_PAUSE_MS = 30_000;
/** Parts that flap last so long, milliseconds. */
const FLAP_MS = [100, 2_000] as const;

/** Latencies of wide-area links, milliseconds, and the share of messages that meet a spike. */
const WAN_MS = [20, 150] as const;
const WAN_SPIKES = 0.01;

interface Fault {
  readonly name: string;
  /** How often it is drawn among those that the plan allows. */
  readonly weight: number;
  readonly strike: () => void;
}

/** Lets things go wrong, one at a time, at random moments. */
export class FaultInjector {
  readonly #cluster: Cluster;
  readonly #plan: Plan;
  readonly #random: SeededRandom;
  readonly #faults: readonly Fault[];
  readonly #lostLogs: LostLogs;
  #isActive = true;
  /** What went wrong in a run, by kind. */
  readonly counts: Record<string, number> = {};

  constructor(cluster: Cluster, plan: Plan, random: SeededRandom) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#random = random;
    const { forgetful, validators } = plan;
    this.#lostLogs = new LostLogs(cluster, random.fork("lost logs"), forgetful, validators);
    this.#faults = this.#allowed();
  }

  start(): void {
    if (this.#plan.wan) this.#widen();
    this.#schedule();
  }

  stop(): void {
    this.#isActive = false;
  }

  #allowed(): readonly Fault[] {
    const {
      crashes,
      cuts,
      clogs,
      jumps,
      pauses,
      diskFaults,
      forgetful,
      spares,
      settings,
      readFaults,
    } = this.#plan;
    const mode = this.#plan.partition;
    const all: readonly (readonly [boolean, Fault])[] = [
      [crashes, { name: "crash", weight: 30, strike: () => this.#crashOne() }],
      [crashes, { name: "blackout", weight: 3, strike: () => this.#blackOut() }],
      [mode !== "none", { name: "partition", weight: 17, strike: () => this.#partition() }],
      [cuts, { name: "cut", weight: 10, strike: () => this.#cutOne() }],
      [clogs, { name: "clog", weight: 10, strike: () => this.#clogOne() }],
      [true, { name: "heal", weight: 20, strike: () => this.#healNetwork() }],
      [true, { name: "slowDisk", weight: 15, strike: () => this.#slowDisk() }],
      [jumps, { name: "clockJump", weight: 8, strike: () => this.#jump() }],
      [jumps, { name: "clockStop", weight: 6, strike: () => this.#anyone().time.stop() }],
      [pauses, { name: "pause", weight: 6, strike: () => this.#pause() }],
      [diskFaults, { name: "diskFault", weight: 8, strike: () => this.#breakDisk() }],
      [readFaults, { name: "readFault", weight: 10, strike: () => this.#breakReads() }],
      [forgetful > 0, { name: "forget", weight: 30, strike: () => this.#forget() }],
      [spares > 0, { name: "churn", weight: 40, strike: () => this.#churn() }],
      [settings, { name: "setting", weight: 20, strike: () => this.#set() }],
    ];
    return all.filter(([isAllowed]) => isAllowed).map(([, fault]) => fault);
  }

  #schedule(): void {
    const delayMs = this.#random.between(0.2, 1.8) * this.#plan.faultEveryMs;
    this.#cluster.clock.schedule(delayMs, () => {
      if (!this.#isActive) return;
      this.#strike();
      this.#schedule();
    });
  }

  #strike(): void {
    this.#lostLogs.observe();
    const total = this.#faults.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#random.between(0, total);
    for (const { name, weight, strike } of this.#faults) {
      left -= weight;
      if (left >= 0) continue;
      this.#count(name);
      strike();
      return;
    }
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  #anyone(): SimulatedNode {
    return this.#random.pick(this.#cluster.nodes);
  }

  /** Runs `act` later, unless the run is being healed by then. */
  #later(delayMs: number, act: () => void): void {
    this.#cluster.clock.schedule(delayMs, () => {
      if (this.#isActive) act();
    });
  }

  /** One machine loses power and comes back later. */
  #crashOne(): void {
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    const node = this.#random.pick(up);
    node.crash();
    this.#later(this.#random.between(1, 3_000), () => this.#restart(node));
  }

  /** Power fails for the whole consortium. */
  #blackOut(): void {
    for (const node of this.#cluster.nodes) {
      node.crash();
      this.#later(this.#random.between(1, 1_000), () => this.#restart(node));
    }
  }

  #restart(node: SimulatedNode): void {
    if (node.isUp) return;
    this.#count("restart");
    node.boot();
  }

  #partition(): void {
    const { partition: mode } = this.#plan;
    partition(mode, this.#cluster, this.#random);
    if (mode !== "flapping") return;
    this.#later(this.#random.between(...FLAP_MS), () => this.#cluster.network.heal());
  }

  /** One direction goes silent, the other does not. */
  #cutOne(): void {
    const [from, to] = this.#link();
    if (from !== to) this.#cluster.network.setCut(from, to, true);
  }

  /** One direction holds everything back for up to five seconds. */
  #clogOne(): void {
    const [from, to] = this.#link();
    this.#cluster.network.setLink(from, to, { minLatencyMs: 50, maxLatencyMs: 5_000 });
  }

  #link(): readonly [string, string] {
    const order = this.#random.shuffle(this.#cluster.nodes.map((_, index) => index));
    const [from = 0, to = from] = order;
    return [peerName(from), peerName(to)];
  }

  #healNetwork(): void {
    this.#cluster.network.heal();
    this.#cluster.network.setDefaults({});
    if (this.#plan.wan) this.#widen();
  }

  /** A wide-area network: every direction has its own distance, and sometimes a long delay. */
  #widen(): void {
    const { network, nodes } = this.#cluster;
    this.#count("wan");
    for (const from of nodes) {
      for (const to of nodes) {
        const minLatencyMs = this.#random.between(...WAN_MS);
        const link = { minLatencyMs, maxLatencyMs: 1.1 * minLatencyMs, spikes: WAN_SPIKES };
        if (from !== to) network.setLink(from.name, to.name, link);
      }
    }
  }

  #slowDisk(): void {
    const node = this.#anyone();
    const [minMs, maxMs] = this.#plan.diskSync;
    const factor = this.#random.chance(0.5) ? 1 : 20;
    node.disk.setSyncLatency(minMs * factor, Math.min(maxMs * factor, 500));
    node.store.setSyncLatency(minMs * factor, Math.min(maxMs * factor, 500));
  }

  /** Somebody sets a clock: a little, or an hour back, or ahead. */
  #jump(): void {
    const { time } = this.#anyone();
    time.skewMs = this.#random.pick([-3_600_000, -5_000, -300, 300, 5_000, 60_000]);
  }

  /** A machine does nothing for a while; what comes meanwhile is handled afterwards. */
  #pause(): void {
    const node = this.#anyone();
    if (node.time.isPaused) return;
    node.time.pause();
    const longest = this.#random.chance(0.1) ? MAX_PAUSE_MS : 3_000;
    this.#later(this.#random.between(10, longest), () => node.time.resume());
  }

  /** The disk of the vote log refuses once; the process must end, and may be started again. */
  #breakDisk(): void {
    const node = this.#anyone();
    node.isDiskBroken = true;
    const isSync = this.#random.chance(0.6);
    node.disk.failNext(isSync ? "sync" : "write", isSync ? "EIO" : "ENOSPC");
  }

  /** A machine starts anew, and a read of its vote log or its store fails once. */
  #breakReads(): void {
    const node = this.#anyone();
    node.crash();
    node.isDiskBroken = true;
    if (this.#random.chance(0.5)) node.disk.failNext("read", "EIO");
    else node.store.failNextRead();
    this.#later(this.#random.between(1, 1_000), () => this.#restart(node));
  }

  /** A machine loses its vote log, or gets an old one back, and starts on that. */
  #forget(): void {
    const lost = this.#lostLogs.strike();
    if (lost === null) return;
    this.#count(lost.what);
    this.#later(this.#random.between(1, 1_000), () => this.#restart(lost.node));
  }

  /** Governance changes the timing that all replicas share. */
  #set(): void {
    const { profile, genesisDigest } = this.#cluster;
    const node = this.#cluster.honest.find(({ engine }) => engine !== null);
    const { engine: door, ledger } = node ?? { engine: null, ledger: null };
    const before = ledger?.parametersAfter(ledger.head.digest) ?? null;
    if (door === null || before === null) return;
    const bytes = profile.createSetting?.(genesisDigest, door.status().height, {
      ...before,
      precisionMs: this.#random.pick([300, 500, 1_000]),
      messageDelayMs: this.#random.pick([300, 500, 1_000]),
      minBlockIntervalMs: this.#random.pick([10, 20, 60]),
    });
    if (bytes === undefined) return;
    void door.submit(bytes).then((result) => {
      if (result.ok) this.#count("timing changes");
    });
  }

  /** A spare validator joins, or leaves: those of the first list stay. */
  #churn(): void {
    const { validators } = this.#plan;
    const { profile, checkers } = this.#cluster;
    const door = this.#cluster.honest.find(({ engine }) => engine !== null)?.engine;
    const set = checkers.validators.at(checkers.chain.height + 2);
    const spares = this.#cluster.nodes.slice(validators);
    if (door === null || door === undefined || set === null || spares.length === 0) return;
    const { name, index } = this.#random.pick(spares);
    const publicKey = profile.signers[index]?.publicKey;
    if (publicKey === undefined) return;
    const isMember = set.validators.some(({ nodeId }) => nodeId === name);
    const change = isMember
      ? { add: [], remove: [name] }
      : { add: [{ nodeId: name, publicKey, peerId: name }], remove: [] };
    const { genesisDigest } = this.#cluster;
    const bytes = profile.createChange?.(genesisDigest, door.status().height, change);
    if (bytes === undefined) return;
    void door.submit(bytes).then((result) => {
      if (result.ok) this.#count(isMember ? "validator leaves" : "validator joins");
    });
  }
}
