import { describe, expect, it } from "vitest";
import {
  createSeededRandom,
  createSimulatedClock,
  createSimulatedDisk,
  diskCompliance,
  SECTOR_BYTES,
} from "../../src/index.ts";

function createMachine(seed = 1) {
  const clock = createSimulatedClock();
  const machine = createSimulatedDisk({ clock, random: createSeededRandom(seed) });
  /** Runs virtual time until the work is done. */
  const finish = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    work.then(mark, mark);
    while (!done) if (!(await clock.runNext())) await clock.runUntil(clock.monotonicMs());
    return work;
  };
  return { clock, machine, finish };
}

diskCompliance(
  "simulated disk",
  async () => {
    const { clock, machine } = createMachine();
    let running = true;
    const loop = async (): Promise<void> => {
      while (running) {
        if (!(await clock.runNext())) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    void loop();
    return {
      disk: machine.mount(),
      cleanUp: async () => {
        running = false;
      },
    };
  },
  { describe, it, expect },
);

/** A file whose first sector is synced and whose second to fifth are not. */
async function halfSynced(seed: number, outcome: "lost" | "kept" | "torn") {
  const { machine, finish } = createMachine(seed);
  const disk = machine.mount();
  const file = await disk.open("log", { create: true });
  await file.write(0, new Uint8Array(SECTOR_BYTES).fill(1));
  await finish(file.sync());
  await finish(disk.syncFolder(""));
  await file.write(SECTOR_BYTES, new Uint8Array(4 * SECTOR_BYTES).fill(2));
  machine.crash(outcome);
  return machine;
}

describe("S-9.2-3: what a crash leaves on the simulated disk", () => {
  it("keeps what was synced and loses the rest", async () => {
    const machine = await halfSynced(1, "lost");
    expect(machine.durable("log")).toEqual(new Uint8Array(SECTOR_BYTES).fill(1));
  });

  it("may keep what was not synced", async () => {
    const machine = await halfSynced(1, "kept");
    expect(machine.durable("log")?.length).toBe(5 * SECTOR_BYTES);
  });

  it("tears at whole sectors, never inside one, and never in what was synced", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const bytes = (await halfSynced(seed, "torn")).durable("log") ?? new Uint8Array();
      lengths.add(bytes.length);
      for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
        const sector = new Set(bytes.subarray(at, at + SECTOR_BYTES));
        expect(sector.size).toBe(1);
        if (at === 0) expect(sector.has(1)).toBe(true);
      }
    }
    expect(lengths.size).toBeGreaterThan(3);
  });

  it("forgets a new file whose folder was never synced", async () => {
    const { machine, finish } = createMachine();
    const file = await machine.mount().open("new", { create: true });
    await file.write(0, Uint8Array.of(1));
    await finish(file.sync());
    machine.crash("lost");
    expect(machine.durablePaths()).toEqual([]);
  });

  it("never lets a dead process's operation end", async () => {
    const { clock, machine } = createMachine();
    const disk = machine.mount();
    const file = await disk.open("log", { create: true });
    let ended = false;
    const work = Promise.all([file.sync(), disk.list("")]);
    machine.crash();
    void file.write(0, Uint8Array.of(1)).then(() => {
      ended = true;
    });
    void work.then(() => {
      ended = true;
    });
    await clock.runUntil(1_000);
    expect(ended).toBe(false);
  });

  it("loses for good what a failed sync covered, as a real kernel does", async () => {
    const { machine, finish } = createMachine();
    const disk = machine.mount();
    const file = await disk.open("log", { create: true });
    await finish(disk.syncFolder(""));
    await file.write(0, Uint8Array.of(1));
    machine.failNext("sync", "EIO");
    await expect(finish(file.sync())).rejects.toMatchObject({ code: "EIO" });
    await finish(file.sync());
    expect(machine.durable("log")?.length).toBe(0);
  });
});

describe("crash points", () => {
  it("calls back before an operation takes effect, and a crash there keeps it from happening", async () => {
    const { machine, finish } = createMachine();
    const disk = machine.mount();
    const seen: string[] = [];
    machine.onOperation((operation) => {
      seen.push(operation);
      if (operation === "rename") machine.crash("kept");
    });
    const file = await finish(disk.open("a", { create: true }));
    await finish(file.write(0, Uint8Array.of(1)));
    await finish(file.sync());
    await finish(disk.syncFolder(""));
    void disk.rename("a", "b");
    machine.onOperation(null);
    expect(seen).toEqual(["open", "write", "sync", "syncFolder", "rename"]);
    expect(machine.durablePaths()).toEqual(["a"]);
  });

  it("loses the oldest unsynced write when reordered, and the names when unnamed", async () => {
    const { machine, finish } = createMachine();
    const write = async (): Promise<void> => {
      const file = await finish(machine.mount().open("a", { create: true }));
      await finish(file.write(0, Uint8Array.of(1)));
      await finish(file.write(1, Uint8Array.of(2)));
    };
    await write();
    machine.crash("unnamed");
    expect(machine.durablePaths()).toEqual([]);
    await write();
    machine.crash("reordered");
    expect([...(machine.durable("a") ?? [])]).toEqual([0, 2]);
  });

  it("puts an older image back, and only that", async () => {
    const { machine, finish } = createMachine();
    const write = async (name: string, byte: number): Promise<void> => {
      const file = await finish(machine.mount().open(name, { create: true }));
      await finish(file.write(0, Uint8Array.of(byte)));
      await finish(file.sync());
      await finish(machine.mount().syncFolder(""));
    };
    await write("a", 1);
    const image = machine.image();
    await write("a", 2);
    await write("b", 3);
    machine.crash("kept");
    machine.restore(image);
    expect(machine.durablePaths()).toEqual(["a"]);
    expect([...(machine.durable("a") ?? [])]).toEqual([1]);
    const file = await finish(machine.mount().open("a"));
    expect([...(await finish(file.read(0, 9)))]).toEqual([1]);
  });

  it("never makes a folder durable once it lies about them", async () => {
    const { machine, finish } = createMachine();
    machine.lieAboutFolders();
    const file = await finish(machine.mount().open("a", { create: true }));
    await finish(file.write(0, Uint8Array.of(1)));
    await finish(file.sync());
    await finish(machine.mount().syncFolder(""));
    expect(machine.durablePaths()).toEqual([]);
  });
});
