import type { VoteRecord } from "@credlink/consensus-pbft";
import { digest, height, view } from "@credlink/primitives";
import { type CrashOutcome, createSeededRandom, SECTOR_BYTES } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createMachine, FOLDER } from "../../support/vote-log-machine.ts";

function vote(at: number): VoteRecord {
  const of = digest(new Uint8Array(32).fill(at % 256));
  return { type: "prepare-voted", height: height(at), view: view(0), digest: of };
}

function decided(at: number): VoteRecord {
  return { type: "decided", height: height(at), digest: digest(new Uint8Array(32)) };
}

describe("S-9.2-3: vote log writer", () => {
  it("finds every acknowledged record again after a crash that loses all else", async () => {
    const { disk, finish, open } = createMachine();
    const log = await open();
    for (let at = 1; at <= 20; at++) await finish(log.append([vote(at)]));
    disk.crash("lost");
    const again = await open();
    expect(again.records).toEqual(Array.from({ length: 20 }, (_, i) => vote(i + 1)));
    expect(again.abstain).toBe(null);
    await finish(again.append([vote(21)]));
    disk.crash("lost");
    expect((await open()).records.length).toBe(21);
  });

  it("syncs appends of one turn together, in order", async () => {
    const { finish, open, syncs } = createMachine();
    const log = await open();
    const order: number[] = [];
    const appends = [1, 2, 3].map((at) => log.append([vote(at)]).then(() => order.push(at)));
    await finish(Promise.all(appends));
    expect(syncs.length).toBe(1);
    expect(order).toEqual([1, 2, 3]);
  });

  it("S-9.2-4: a crash at any moment of many appends loses nothing acknowledged and never abstains", async () => {
    let lost = 0;
    for (let seed = 0; seed < 150; seed++) {
      const { clock, disk, open } = createMachine(seed);
      const random = createSeededRandom(seed + 1_000);
      const log = await open();
      let acknowledged = 0;
      let appended = 0;
      const append = (): void => {
        const batch = Array.from({ length: 1 + random.integer(8) }, () => vote(++appended));
        const last = appended;
        void log.append(batch).then(() => {
          acknowledged = last;
        });
      };
      for (let turn = 0; turn < 12; turn++) {
        append();
        if (random.chance(0.7)) await clock.runNext();
      }
      const before = acknowledged;
      disk.crash(random.pick<CrashOutcome>(["lost", "kept", "torn", "torn", "torn"]));
      const again = await open();
      expect(again.abstain, `seed ${seed}`).toBe(null);
      expect(again.records.length, `seed ${seed}`).toBeGreaterThanOrEqual(before);
      expect(again.records).toEqual(
        Array.from({ length: again.records.length }, (_, i) => vote(i + 1)),
      );
      if (again.records.length < appended) lost++;
    }
    // The cases are worth something only if crashes really took unacknowledged records away.
    expect(lost).toBeGreaterThan(50);
  });

  it("never lets a group's later frame begin in another sector", async () => {
    const { disk, finish, open, syncs } = createMachine();
    const log = await open();
    await finish(log.append(Array.from({ length: 40 }, (_, i) => vote(i + 1))));
    const framesBytes = (disk.durable(disk.durablePaths()[0] ?? "")?.length ?? 0) - 100;
    const largestGroup = SECTOR_BYTES + framesBytes / 40;
    expect(syncs.length).toBeGreaterThanOrEqual(Math.ceil(framesBytes / largestGroup));
    expect(syncs.length).toBeLessThan(10);
  });

  it("stops for good when a sync fails, and never tries again", async () => {
    const { disk, finish, open } = createMachine();
    const log = await open();
    await finish(log.append([vote(1)]));
    disk.failNext("sync", "EIO");
    const failing = [log.append([vote(2)]), log.append([vote(3)])];
    const results = await finish(Promise.allSettled(failing));
    for (const result of results) {
      expect(result).toMatchObject({
        status: "rejected",
        reason: { code: "NODE_VOTE_LOG_FAILED" },
      });
    }
    await expect(log.append([vote(4)])).rejects.toMatchObject({ code: "NODE_VOTE_LOG_FAILED" });
    disk.crash("lost");
    expect((await open()).records).toEqual([vote(1)]);
  });

  it("cuts a torn tail, and says so", async () => {
    const { disk, finish, open, logger } = createMachine();
    await finish((await open()).append([vote(1)]));
    const files = disk.mount();
    const [name] = await finish(files.list(FOLDER));
    const file = await finish(files.open(`${FOLDER}/${name}`));
    await finish(file.size().then((size) => file.write(size, new Uint8Array(9).fill(7))));
    expect(await open()).toMatchObject({ records: [vote(1)], abstain: null });
    expect(logger.entries.at(-1)).toMatchObject({ level: "warn", fields: { cutBytes: 9 } });
  });

  it("refuses to open with a code when the disk cannot be read", async () => {
    const { disk, finish, open } = createMachine();
    await finish((await open()).append([vote(1)]));
    disk.failNext("read", "EIO");
    await expect(open()).rejects.toMatchObject({ code: "NODE_VOTE_LOG_FAILED" });
  });
});

describe("vote log: when a validator must abstain", () => {
  it("abstains when the log is missing although blocks were committed, again and again", async () => {
    const { open, finish, logger } = createMachine();
    const log = await open(5);
    expect(log.abstain).not.toBe(null);
    expect(logger.entries.at(-1)).toMatchObject({
      level: "error",
      fields: { code: "NODE_VOTE_LOG_UNTRUSTED" },
    });
    await finish(log.append([vote(6)]));
    expect((await open(5)).abstain).not.toBe(null);
  });

  it("trusts a log that is there and empty behind the first block, which it may lag by", async () => {
    const { disk, open } = createMachine();
    await open();
    disk.crash("lost");
    expect((await open(1)).abstain).toBe(null);
    expect((await open(2)).abstain).not.toBe(null);
    for (const path of disk.durablePaths()) disk.lose(path);
    expect((await open(1)).abstain).not.toBe(null);
  });

  it("abstains on an older image of the log: its last decision is two below the head", async () => {
    const { disk, finish, open } = createMachine();
    const log = await open();
    await finish(log.append([decided(1), decided(2)]));
    disk.crash("lost");
    expect((await open(3)).abstain).toBe(null);
    expect((await open(4)).abstain).not.toBe(null);
  });

  it("abstains on every flipped bit before the last frame, and leaves the file as it is", async () => {
    const machine = createMachine();
    const log = await machine.open();
    for (let at = 1; at <= 4; at++) await machine.finish(log.append([vote(at)]));
    const path = machine.disk.durablePaths()[0] ?? "";
    const image = machine.disk.durable(path) ?? new Uint8Array();
    const lastFrame = image.length - Math.floor((image.length - 100) / 4);
    for (let at = 0; at < lastFrame; at += 7) {
      machine.disk.crash("lost");
      machine.disk.damage(path, () => {
        const bytes = image.slice();
        bytes[at] = (bytes[at] ?? 0) ^ 0x10;
        return bytes;
      });
      expect((await machine.open()).abstain, `byte ${at}`).not.toBe(null);
      expect(machine.disk.durable(path)?.length).toBe(image.length);
    }
  });

  it("abstains when a segment in the middle is gone", async () => {
    const machine = createMachine();
    const log = await machine.open(0, 250);
    for (let at = 1; at <= 12; at++) await machine.finish(log.append([vote(at)]));
    const paths = machine.disk.durablePaths();
    expect(paths.length).toBeGreaterThan(3);
    machine.disk.crash("lost");
    machine.disk.lose(paths[1] ?? "");
    expect((await machine.open(0, 250)).abstain).not.toBe(null);
  });
});

describe("vote log: segments", () => {
  it("known bug 52: rotates into new files, whose folder is synced: the power fails, none is lost", async () => {
    const machine = createMachine();
    const log = await machine.open(0, 400);
    for (let at = 1; at <= 12; at++) await machine.finish(log.append([vote(at)]));
    machine.disk.crash("lost");
    const again = await machine.open(0, 400);
    expect(again.abstain).toBe(null);
    expect(again.records).toEqual(Array.from({ length: 12 }, (_, i) => vote(i + 1)));
  });

  it("deletes what speaks of nothing above the pruned height, and still opens", async () => {
    const machine = createMachine();
    const log = await machine.open(0, 400);
    for (let at = 1; at <= 12; at++) await machine.finish(log.append([decided(at)]));
    const before = machine.disk.durablePaths().length;
    log.prune(10);
    await machine.finish(log.append([decided(13)]));
    await machine.clock.runUntil(machine.clock.monotonicMs() + 50);
    expect(machine.disk.durablePaths().length).toBeLessThan(before);
    machine.disk.crash("lost");
    const again = await machine.open(13, 400);
    expect(again.abstain).toBe(null);
    expect(again.records.at(-1)).toEqual(decided(13));
  });
});
