import type { SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";
import type { Plan } from "./plan.ts";
import { peerName } from "./profile.ts";

/** What went wrong in a run, by kind. */
export type FaultCounts = Record<
  "crash" | "restart" | "blackout" | "partition" | "cut" | "heal" | "slowDisk",
  number
>;

/** Lets things go wrong, one at a time, at random moments. */
export class FaultInjector {
  readonly #cluster: Cluster;
  readonly #plan: Plan;
  readonly #random: SeededRandom;
  #isActive = true;
  readonly counts: FaultCounts = {
    crash: 0,
    restart: 0,
    blackout: 0,
    partition: 0,
    cut: 0,
    heal: 0,
    slowDisk: 0,
  };

  constructor(cluster: Cluster, plan: Plan, random: SeededRandom) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#random = random;
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    this.#isActive = false;
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
    const { crashes, partitions } = this.#plan;
    const draw = this.#random.next();
    if (crashes && draw < 0.3) this.#crashOne();
    else if (crashes && draw < 0.33) this.#blackOut();
    else if (partitions && draw < 0.5) this.#partition();
    else if (partitions && draw < 0.6) this.#cutOne();
    else if (draw < 0.8) this.#healAll();
    else this.#slowDisk();
  }

  /** One machine loses power and comes back later. */
  #crashOne(): void {
    const up = this.#cluster.nodes.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    this.counts.crash++;
    const node = this.#random.pick(up);
    node.crash();
    this.#cluster.clock.schedule(this.#random.between(1, 3_000), () => this.#restart(node.index));
  }

  /** Power fails for the whole consortium. */
  #blackOut(): void {
    this.counts.blackout++;
    for (const node of this.#cluster.nodes) {
      node.crash();
      const delayMs = this.#random.between(1, 1_000);
      this.#cluster.clock.schedule(delayMs, () => this.#restart(node.index));
    }
  }

  #restart(index: number): void {
    const node = this.#cluster.nodes[index];
    if (node === undefined || node.isUp || !this.#isActive) return;
    this.counts.restart++;
    node.boot();
  }

  #partition(): void {
    this.counts.partition++;
    const names = this.#random.shuffle(this.#cluster.nodes.map(({ name }) => name));
    const at = this.#random.integer(names.length + 1);
    this.#cluster.network.partition([names.slice(0, at), names.slice(at)]);
  }

  /** One direction goes silent, the other does not. */
  #cutOne(): void {
    const count = this.#plan.validators;
    if (count < 2) return;
    this.counts.cut++;
    const [from, to] = this.#random.shuffle(Array.from({ length: count }, (_, i) => i));
    if (from === undefined || to === undefined) return;
    this.#cluster.network.setCut(peerName(from), peerName(to), true);
  }

  #healAll(): void {
    this.counts.heal++;
    this.#cluster.network.heal();
  }

  #slowDisk(): void {
    this.counts.slowDisk++;
    const node = this.#random.pick(this.#cluster.nodes);
    const [minMs, maxMs] = this.#plan.diskSync;
    const factor = this.#random.chance(0.5) ? 1 : 20;
    node.disk.setSyncLatency(minMs * factor, Math.min(maxMs * factor, 500));
    node.store.setSyncLatency(minMs * factor, Math.min(maxMs * factor, 500));
  }
}
