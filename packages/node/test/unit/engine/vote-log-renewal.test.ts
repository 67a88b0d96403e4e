import type { VoteRecord } from "@credlink/consensus-pbft";
import { digest, height, view } from "@credlink/primitives";
import { type CrashOutcome, createSeededRandom } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import type { VoteLog } from "../../../src/engine/vote-log.ts";
import { KEPT_ABANDONED } from "../../../src/engine/vote-log-renewal.ts";
import { createMachine as createPlainMachine } from "../../support/vote-log-machine.ts";

const fill = (byte: number) => digest(new Uint8Array(32).fill(byte));
const vote = (at: number): VoteRecord => ({
  type: "prepare-voted",
  height: height(at),
  view: view(0),
  digest: fill(7),
});
const decided = (at: number): VoteRecord => ({
  type: "decided",
  height: height(at),
  digest: fill(at),
});
/** What a log begins anew with at a head. */
const freshAt = (head: number): readonly VoteRecord[] => [
  { type: "recovered", height: height(head) },
  decided(head),
];
const fresh = freshAt(9);

/** Small segments, so that a log has several. */
const SEGMENT_BYTES = 400;

function createMachine(seed = 1) {
  const machine = createPlainMachine(seed);
  const open = (headHeight: number): Promise<VoteLog> => machine.open(headHeight, SEGMENT_BYTES);
  return { ...machine, open };
}

/** The chain is far ahead of it: an old image. */
const oldImage = { head: 9, records: Array.from({ length: 12 }, (_, at) => vote(at + 1)) };

/**
 * Its first segment says that a vote is missing. All behind that is as good as any log's: what
 * stands alone once the first segment has moved aside says nothing of it.
 */
const missingVote = (head: number) => ({
  head,
  records: [
    { type: "abstained", height: height(1) } as const,
    ...Array.from({ length: 12 }, (_, at) => vote(at + 1)),
    ...Array.from({ length: head }, (_, at) => decided(at + 1)),
  ],
});

/** A log of several segments that a validator must not trust. */
async function createUntrusted(seed = 1, { head, records } = oldImage) {
  const machine = createMachine(seed);
  const log = await machine.open(0);
  for (const record of records) await machine.finish(log.append([record]));
  await machine.finish(log.close());
  const untrusted = await machine.open(head);
  expect(untrusted.abstain).not.toBe(null);
  return { ...machine, untrusted };
}

describe("a vote log that misses a vote which a peer has shown", () => {
  it("is not trusted from then on, after a restart neither, until it is begun anew", async () => {
    const { disk, finish, open } = createMachine();
    const log = await open(0);
    await finish(log.append([vote(1)]));
    expect(log.abstain).toBe(null);
    await finish(log.distrust(height(3)));
    expect(log.abstain).not.toBe(null);
    disk.crash("lost");
    const again = await open(0);
    expect(again.abstain).not.toBe(null);
    await finish(again.renew(fresh));
    expect(again.abstain).toBe(null);
  });
});

describe("a vote log begun anew", () => {
  it("is trusted from its first record on; the old one is moved aside, not deleted", async () => {
    const { disk, finish, open, untrusted } = await createUntrusted();
    const before = disk.durablePaths().map((path) => disk.durable(path));
    await finish(untrusted.renew(fresh));
    expect(untrusted.abstain).toBe(null);
    expect(untrusted.records).toEqual(fresh);
    await finish(untrusted.append([vote(10)]));
    disk.crash("lost");
    const again = await open(9);
    expect(again).toMatchObject({ abstain: null, records: [...fresh, vote(10)] });
    const aside = disk.durablePaths().filter((path) => path.includes(".abandoned-1"));
    expect(aside.length).toBeGreaterThan(1);
    expect(aside.map((path) => disk.durable(path))).toEqual(before);
  });

  it("S-9.2-4: after a crash at any moment it is whole and new, or not trusted; nothing is lost", async () => {
    const seen = new Set<string>();
    const logs = [oldImage, missingVote(9), missingVote(1)];
    for (let seed = 0; seed < 360; seed++) {
      const log = logs[seed % logs.length] ?? oldImage;
      const { head } = log;
      const { clock, disk, open, untrusted } = await createUntrusted(seed, log);
      const random = createSeededRandom(seed + 500);
      const old = disk.durablePaths().map((path) => String(disk.durable(path)));
      let isDone = false;
      const renewal = untrusted.renew(freshAt(head)).then(() => {
        isDone = true;
      });
      renewal.catch(() => {});
      for (let step = random.integer(40); step > 0; step--) await clock.runNext();
      const wasDone = isDone;
      disk.crash(random.pick<CrashOutcome>(["lost", "kept", "torn"]));
      const again = await open(head);
      if (wasDone) expect(again.abstain, `seed ${seed}`).toBe(null);
      if (again.abstain === null) expect(again.records, `seed ${seed}`).toEqual(freshAt(head));
      const left = new Set(disk.durablePaths().map((path) => String(disk.durable(path))));
      for (const bytes of old) expect(left.has(bytes), `seed ${seed}`).toBe(true);
      seen.add(`${head} ${wasDone} ${again.abstain}`);
    }
    // Crashes before, during and after are worth something only if they really came up.
    expect(seen.size).toBeGreaterThanOrEqual(6);
  });

  it("the last four that were moved aside are kept, older ones go", async () => {
    const { disk, finish, open } = createMachine();
    const kept = (): readonly number[] => {
      const numbers = disk.durablePaths().flatMap((path) => path.split(".abandoned-")[1] ?? []);
      return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
    };
    const log = await open(0);
    for (let at = 1; at <= KEPT_ABANDONED + 2; at++) {
      for (let seen = 1; seen <= 12; seen++) await finish(log.append([vote(seen)]));
      await finish(log.renew(freshAt(0)));
      const oldest = Math.max(1, at - KEPT_ABANDONED + 1);
      expect(kept()).toEqual(Array.from({ length: at - oldest + 1 }, (_, k) => oldest + k));
    }
    await finish(log.append([vote(1)]));
    disk.crash("lost");
    expect((await open(0)).records).toEqual([...freshAt(0), vote(1)]);
    expect(kept()).toEqual([3, 4, 5, 6]);
  });

  it("a crash while old ones are deleted costs none of the last four, nor the log", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { clock, disk, finish, open } = createMachine(seed);
      const log = await open(0);
      const filesOf = (number: number): number =>
        disk.durablePaths().filter((path) => path.endsWith(`.abandoned-${number}`)).length;
      const fillUp = async (): Promise<void> => {
        for (let at = 1; at <= 12; at++) await finish(log.append([vote(at)]));
      };
      for (let at = 1; at <= KEPT_ABANDONED; at++) {
        await fillUp();
        await finish(log.renew(freshAt(0)));
      }
      await fillUp();
      const before = [1, 2, 3, 4].map(filesOf);
      void log.renew(freshAt(0)).catch(() => undefined);
      for (let step = 0; step < 7 + (seed % 6); step++) await clock.runNext();
      disk.crash(createSeededRandom(seed).pick<CrashOutcome>(["lost", "kept", "torn"]));
      const [left = 0, ...others] = [1, 2, 3, 4].map(filesOf);
      expect(others, `seed ${seed}`).toEqual(before.slice(1));
      const again = await open(0);
      // Before the new log is whole nothing is deleted.
      if (again.abstain !== null) expect(left, `seed ${seed}`).toBe(before[0]);
      else expect(again.records.slice(0, 2), `seed ${seed}`).toEqual(freshAt(0));
      seen.add(`${again.abstain === null} ${left}`);
    }
    // Not trusted yet, trusted with the oldest still there, and trusted without it.
    expect([...seen].sort()).toEqual(["false 3", "true 0", "true 3"]);
  });

  it("a log that says a vote is missing is not trusted until a recovery is on record", async () => {
    const { finish, open } = createMachine();
    const log = await open(0);
    await finish(log.append([vote(1), { type: "abstained", height: height(5) }]));
    await finish(log.close());
    const again = await open(1);
    expect(again.abstain).toMatch(/vote/);
    await finish(again.renew(fresh));
    expect((await open(9)).abstain).toBe(null);
  });

  it("what is appended while it is begun anew comes behind", async () => {
    const { disk, finish, open, untrusted } = await createUntrusted(3);
    const renewal = untrusted.renew(fresh);
    const append = untrusted.append([vote(10)]);
    await finish(Promise.all([renewal, append]));
    disk.crash("lost");
    expect((await open(9)).records).toEqual([...fresh, vote(10)]);
  });
});
