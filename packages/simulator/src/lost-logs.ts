import type { MemoryStoreSnapshot } from "@credlink/ledger";
import type { DiskImage, SeededRandom } from "@credlink/testkit";
import type { Cluster } from "./cluster.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Blocks that an image of a vote log must lack so that its node cannot but notice. */
const NOTICED_BLOCKS = 5;

/** Share of the losses that take the store along, where there is an image. */
const WHOLE_MACHINES = 0.3;

/** An empty log behind the first block is what a node has that only synced it. */
const LEAST_HEIGHT = 2;

interface Snapshot {
  readonly height: number;
  readonly image: DiskImage;
  readonly store: MemoryStoreSnapshot;
}

/**
 * Takes vote logs away from the same few honest nodes, or puts old ones back, alone or together with
 * the store. With the traitors they are f at most. A log alone is put back only where the node can
 * see the loss by itself, for it lacks committed blocks. A whole machine sees nothing by itself: if
 * nobody shows it the votes that it forgot, it may contradict them, as one of the f.
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
      const [image, store] = [node.disk.image(), node.store.image()];
      this.#snapshots.set(node.name, { height, image, store });
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
    if (before !== undefined && this.#random.chance(WHOLE_MACHINES)) {
      disk.restore(before.image);
      node.store.restore(before.store);
      this.#snapshots.delete(name);
      this.#cluster.onMachineRolledBack(node, before.height);
      return { node, what: "machine rolled back" };
    }
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
