import type { Disk, DiskFile } from "@credlink/primitives";
import { DiskFault } from "./errors.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { type CrashOutcome, SimulatedInode } from "./simulated-file.ts";

export type DiskOperation =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "syncFolder"
  | "truncate"
  | "rename"
  | "remove";

/** A copy of all that a disk would keep through a loss of power. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

/** A machine's disk across the lives of the processes that use it. */
export interface SimulatedDisk {
  /** The disk as one process sees it; after `crash` its operations never end. */
  mount(): Disk;
  /** Power goes. Without an outcome one is drawn for every file. */
  crash(outcome?: CrashOutcome): void;
  /** How long a sync takes from now on, milliseconds. */
  setSyncLatency(minMs: number, maxMs: number): void;
  /** From now on syncs succeed without making anything durable: what checkers must notice. */
  lieAboutSyncs(): void;
  /** From now on folders are never made durable, though that is what `syncFolder` says. */
  lieAboutFolders(): void;
  /**
   * Calls back before each operation takes effect; the listener may crash the machine then, or
   * let the operation fail with `failNext`. A sync takes effect at its end.
   */
  onOperation(listener: ((operation: DiskOperation) => void) | null): void;
  /** What would survive now, for `restore`. */
  image(): DiskImage;
  /** Puts an older image back: what a backup or a snapshot of the machine does. Only while down. */
  restore(image: DiskImage): void;
  /** The next `count` operations of this kind fail with `code` (EIO, ENOSPC). */
  failNext(operation: DiskOperation, code: string, count?: number): void;
  /** Bytes from `from` on of a file that would survive a loss of power now, or null. */
  durable(path: string, from?: number): Uint8Array | null;
  /** Paths that would survive, ascending. */
  durablePaths(): readonly string[];
  /** Another number whenever something that would survive may have changed. */
  readonly durableRevision: number;
  /** Rewrites a stored file as a fault of the medium would. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void;
  /** Forgets a stored file. */
  lose(path: string): void;
}

function isNameLost(outcome: CrashOutcome): boolean {
  return outcome === "lost" || outcome === "unnamed";
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

class Machine implements SimulatedDisk {
  readonly #clock: SimulatedClock;
  readonly #random: SeededRandom;
  #names = new Map<string, SimulatedInode>();
  #durableNames = new Map<string, SimulatedInode>();
  readonly #faults = new Map<DiskOperation, { code: string; count: number }>();
  #latency: readonly [number, number] = [0.05, 1];
  #life = 0;
  #isLying = false;
  #liesAboutFolders = false;
  #listener: ((operation: DiskOperation) => void) | null = null;
  durableRevision = 0;

  constructor(clock: SimulatedClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  setSyncLatency(minMs: number, maxMs: number): void {
    this.#latency = [minMs, maxMs];
  }

  lieAboutSyncs(): void {
    this.#isLying = true;
  }

  lieAboutFolders(): void {
    this.#liesAboutFolders = true;
  }

  onOperation(listener: ((operation: DiskOperation) => void) | null): void {
    this.#listener = listener;
  }

  image(): DiskImage {
    return new Map(
      [...this.#durableNames].map(([path, inode]) => [path, inode.durableBytes()] as const),
    );
  }

  restore(image: DiskImage): void {
    this.durableRevision++;
    this.#life++;
    this.#durableNames = new Map(
      [...image].map(([path, bytes]) => {
        const inode = new SimulatedInode();
        inode.damage(() => bytes);
        return [path, inode] as const;
      }),
    );
    this.#names = new Map(this.#durableNames);
  }

  failNext(operation: DiskOperation, code: string, count = 1): void {
    this.#faults.set(operation, { code, count });
  }

  durable(path: string, from = 0): Uint8Array | null {
    return this.#durableNames.get(path)?.durableBytes(from) ?? null;
  }

  durablePaths(): readonly string[] {
    return [...this.#durableNames.keys()].sort();
  }

  damage(path: string, change: (bytes: Uint8Array) => Uint8Array): void {
    this.durableRevision++;
    this.#durableNames.get(path)?.damage(change);
  }

  lose(path: string): void {
    this.durableRevision++;
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  crash(outcome?: CrashOutcome): void {
    this.durableRevision++;
    this.#life++;
    const draw = (): CrashOutcome =>
      outcome ?? this.#random.pick<CrashOutcome>(["lost", "kept", "torn"]);
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const now = this.#names.get(path);
      if (now === this.#durableNames.get(path) || isNameLost(draw())) continue;
      if (now === undefined) this.#durableNames.delete(path);
      else this.#durableNames.set(path, now);
    }
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) inode.crash(draw(), this.#random);
  }

  mount(): Disk {
    const life = this.#life;
    const run = <T>(operation: DiskOperation | null, act: () => T): Promise<T> => {
      if (operation !== null && life === this.#life) this.#listener?.(operation);
      if (life !== this.#life) return new Promise(() => {});
      const code = operation === null ? null : this.#takeFault(operation);
      if (code !== null) return Promise.reject(new DiskFault(code, String(operation)));
      try {
        return Promise.resolve(act());
      } catch (error) {
        return Promise.reject(error);
      }
    };
    return {
      open: (path, options) => run("open", () => this.#open(path, options?.create ?? false, run)),
      list: (folder) => run(null, () => this.#list(folder)),
      makeFolder: () => run(null, () => {}),
      rename: (from, to) => run("rename", () => this.#rename(from, to)),
      remove: (path) => run("remove", () => this.#remove(path)),
      syncFolder: async (folder) => {
        await run("syncFolder", () => {});
        await this.#delay(life);
        await run(null, () => this.#syncFolder(folder));
      },
    };
  }

  #takeFault(operation: DiskOperation): string | null {
    const fault = this.#faults.get(operation);
    if (fault === undefined || fault.count === 0) return null;
    fault.count--;
    return fault.code;
  }

  /** Resolves after a sync's latency, never when the machine went down meanwhile. */
  #delay(life: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(this.#random.between(...this.#latency), () => {
        if (life === this.#life) resolve();
      });
    });
  }

  #open(
    path: string,
    create: boolean,
    run: <T>(operation: DiskOperation | null, act: () => T) => Promise<T>,
  ): DiskFile {
    const inode = this.#names.get(path) ?? (create ? new SimulatedInode() : undefined);
    if (inode === undefined) throw new DiskFault("ENOENT", `open ${path}`);
    this.#names.set(path, inode);
    const life = this.#life;
    return {
      size: () => run(null, () => inode.size),
      read: (offset, length) => run("read", () => inode.read(offset, length)),
      write: (offset, bytes) => run("write", () => inode.write(offset, bytes)),
      truncate: (size) => run("truncate", () => inode.truncate(size)),
      close: () => run(null, () => {}),
      sync: async () => {
        const covered = inode.pending;
        await this.#delay(life);
        try {
          await run("sync", () => this.#sync(inode, covered));
        } catch (error) {
          inode.failSync(covered);
          throw error;
        }
      },
    };
  }

  #sync(inode: SimulatedInode, covered: number): void {
    this.durableRevision++;
    inode.sync(this.#isLying ? 0 : covered);
  }

  #list(folder: string): readonly string[] {
    const prefix = folder === "" ? "" : `${folder}/`;
    const names = new Set<string>();
    for (const path of this.#names.keys()) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/")[0] ?? "");
    }
    return [...names].sort();
  }

  #rename(from: string, to: string): void {
    const inode = this.#names.get(from);
    if (inode === undefined) throw new DiskFault("ENOENT", `rename ${from}`);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  #remove(path: string): void {
    if (!this.#names.delete(path)) throw new DiskFault("ENOENT", `remove ${path}`);
  }

  #syncFolder(folder: string): void {
    if (this.#liesAboutFolders) return;
    this.durableRevision++;
    for (const path of this.#durableNames.keys()) {
      if (folderOf(path) === folder && !this.#names.has(path)) this.#durableNames.delete(path);
    }
    for (const [path, inode] of this.#names) {
      if (folderOf(path) === folder) this.#durableNames.set(path, inode);
    }
  }
}

/**
 * Makes a disk that tells volatile from durable: bytes survive a crash only after `sync` of the
 * file and `syncFolder` of its folder; the rest is lost, kept or torn at 512 bytes.
 */
export function createSimulatedDisk(options: {
  readonly clock: SimulatedClock;
  readonly random: SeededRandom;
}): SimulatedDisk {
  return new Machine(options.clock, options.random);
}
