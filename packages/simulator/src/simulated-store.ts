import {
  createMemoryStore,
  type KeyValueStore,
  type MemoryStoreSnapshot,
  type WriteOperation,
} from "@credlink/ledger";
import {
  type CrashOutcome,
  DiskFault,
  type SeededRandom,
  type SimulatedClock,
} from "@credlink/testkit";

/** A node's database across the lives of its processes. */
export interface SimulatedStore {
  /** The store as one process sees it; after `crash` its writes never end. */
  mount(): KeyValueStore;
  /** Power goes: unsynced batches may vanish, newest first; a batch under way is all or nothing. */
  crash(outcome?: CrashOutcome): void;
  /** Calls back before each batch takes effect; the listener may crash the machine then. */
  onBatch(listener: (() => void) | null): void;
  /** The next read fails with EIO, in whichever process it comes. 0: none is to fail any more. */
  failNextRead(count?: 0 | 1): void;
  /** Everything that a process would read now. */
  contents(): MemoryStoreSnapshot;
  /** What would be there after a loss of power that takes all that is not synced. */
  image(): MemoryStoreSnapshot;
  /** Puts an older image back, as a backup of the machine would. Only while down. */
  restore(image: MemoryStoreSnapshot): void;
  /** How long a synced write takes from now on, milliseconds. */
  setSyncLatency(minMs: number, maxMs: number): void;
}

interface Underway {
  readonly operations: readonly WriteOperation[];
  isDone: boolean;
}

/** Makes a memory store with the crash behaviour of a write-ahead log. */
export function createSimulatedStore(clock: SimulatedClock, random: SeededRandom): SimulatedStore {
  const memory = createMemoryStore({ handedOver: true });
  let life = 0;
  let readFaults = 0;
  let listener: (() => void) | null = null;
  let latency: readonly [number, number] = [0.05, 1];
  let underway: Underway[] = [];
  /** For each unsynced batch what undoes it, oldest first. */
  let unsynced: (readonly WriteOperation[])[] = [];

  const read = <T>(act: () => T): T => {
    if (readFaults === 0) return act();
    readFaults = 0;
    throw new DiskFault("EIO", "read of the store");
  };

  const undoOf = (operations: readonly WriteOperation[]): readonly WriteOperation[] =>
    operations.map(({ space, key }): WriteOperation => {
      const value = memory.get(space, key);
      return value === null ? { type: "delete", space, key } : { type: "put", space, key, value };
    });

  const apply = (operations: readonly WriteOperation[]): void => {
    void memory.write(operations, { sync: true });
  };

  const write: KeyValueStore["write"] = (operations, { sync }) => {
    const mine = life;
    if (!sync) {
      listener?.();
      if (mine !== life) return new Promise(() => {});
      unsynced.push(undoOf(operations));
      apply(operations);
      return Promise.resolve();
    }
    const batch: Underway = { operations, isDone: false };
    underway.push(batch);
    return new Promise((resolve) => {
      clock.schedule(random.between(...latency), () => {
        if (mine === life) listener?.();
        if (mine !== life) return;
        batch.isDone = true;
        underway = underway.filter((one) => one !== batch);
        unsynced = [];
        apply(operations);
        resolve();
      });
    });
  };

  return {
    mount() {
      const mine = life;
      const dead = <T>(answer: () => Promise<T>): Promise<T> =>
        mine === life ? answer() : new Promise(() => {});
      return {
        get: (space, key) => read(() => memory.get(space, key)),
        getMany: (space, keys) => dead(async () => read(() => memory.getMany(space, keys))),
        range: (space, options) => dead(async () => read(() => memory.range(space, options))),
        write: (operations, options) => dead(() => write(operations, options)),
        close: () => dead(async () => {}),
      };
    },
    crash(outcome) {
      life++;
      const isDrawn = outcome === undefined || outcome === "torn";
      const all = outcome === "lost" ? 0 : unsynced.length;
      const kept = isDrawn ? random.integer(unsynced.length + 1) : all;
      for (const undo of unsynced.slice(kept).reverse()) apply(undo);
      for (const { operations } of underway) {
        if (isDrawn ? random.chance(0.5) : outcome !== "lost") apply(operations);
      }
      unsynced = [];
      underway = [];
    },
    failNextRead(count = 1) {
      readFaults = count;
    },
    contents: () => memory.snapshot(),
    image() {
      const copy = createMemoryStore({ handedOver: true });
      copy.restore(memory.snapshot());
      for (const undo of [...unsynced].reverse()) void copy.write(undo, { sync: true });
      return copy.snapshot();
    },
    restore(image) {
      memory.restore(image);
    },
    onBatch(next) {
      listener = next;
    },
    setSyncLatency(minMs, maxMs) {
      latency = [minMs, maxMs];
    },
  };
}
