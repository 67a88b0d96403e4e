import type { DiskImage, SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Blocks that an image of a vote log must lack so that its node cannot but notice. */
const NOTICED_BLOCKS = 5;

/** An empty log behind the first block is what a node has that only synced it. */
const LEAST_HEIGHT = 2;

interface Snapshot {
  readonly height: number;
  readonly image: DiskImage;
}

/**
 * Takes vote logs away from the same few honest nodes, or puts old ones back. With the traitors
 * they are f at most. Only losses that the node can see by itself are made, those of a log
 * that lacks committed blocks: a younger image goes unnoticed, its node is one of the faulty.
 */
export class LostLogs {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #victims: readonly SimulatedNode[];
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(cluster: Cluster, random: SeededRandom, count: number, validators: number) {
    this.#cluster = cluster;
    this.#random = random;
    const members = cluster.honest.filter(({ index }) => index < validators);
    this.#victims = random.shuffle(members).slice(0, count);
  }

  /** Keeps an image of each victim's log as soon as it has committed a block. */
  observe(): void {
    for (const node of this.#victims) {
      const height = this.#cluster.chain.reported(node.name);
      if (height === 0 || this.#snapshots.has(node.name)) continue;
      this.#snapshots.set(node.name, { height, image: node.disk.image() });
    }
  }

  /** What was done, or null when nothing could be; the node is then down. */
  strike(): { readonly node: SimulatedNode; readonly what: string } | null {
    const node = this.#random.pick(this.#victims);
    const { name, disk } = node;
    const height = this.#cluster.chain.reported(name);
    const before = this.#snapshots.get(name);
    if (height < LEAST_HEIGHT) return null;
    node.crash();
    this.#cluster.onLogLost(node);
    if (before !== undefined && height >= before.height + NOTICED_BLOCKS) {
      disk.restore(before.image);
      this.#snapshots.delete(name);
      return { node, what: "vote log rolled back" };
    }
    for (const path of disk.durablePaths()) disk.lose(path);
    return { node, what: "vote log lost" };
  }
}
