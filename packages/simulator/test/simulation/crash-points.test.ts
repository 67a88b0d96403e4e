import { createSeededRandom } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { countOperations, runCrashPoint } from "../../src/crash-points/run.ts";
import {
  type CrashKind,
  crashPoints,
  crashScript,
  pointName,
} from "../../src/crash-points/script.ts";
import { CrashWorld } from "../../src/crash-points/world.ts";

const script = crashScript(6);

describe("crash points: what one machine was doing when its power went", () => {
  it("holds at a sample of all points, of every kind", async () => {
    const calm = await countOperations(script, false);
    const replayed = await countOperations(script, true);
    const points = crashPoints({ calm, replayed }).filter(({ kind }) => kind !== "crash twice");
    const kinds = new Set<CrashKind>();
    for (const point of createSeededRandom(1).shuffle(points).slice(0, 16)) {
      const { reason, struck } = await runCrashPoint(script, point);
      expect(reason, pointName(point)).toBe(null);
      expect(struck, pointName(point)).toBe(true);
      kinds.add(point.kind);
    }
    expect(kinds.size).toBeGreaterThan(3);
  });

  it("a second crash before the log knows of the block does not silence the node", async () => {
    // Found by crash twice/22/lost: the head was noted only with the block after it.
    const point = { kind: "crash twice", operation: 22, outcome: "lost" } as const;
    const { reason } = await runCrashPoint(script, point, [8, 9, 10, 11, 12, 13, 14]);
    expect(reason).toBe(null);
  });

  it("a second crash behind the first block does not silence a node whose log is empty", async () => {
    // Found by crash twice/1/lost: an empty log was taken for a missing one.
    const point = { kind: "crash twice", operation: 1, outcome: "lost" } as const;
    const { reason } = await runCrashPoint(script, point, [5, 6, 7, 8, 9, 10]);
    expect(reason).toBe(null);
  });

  it("a log from a backup, or none, is noticed", async () => {
    for (const kind of ["stale image", "missing log"] as const) {
      const result = await runCrashPoint(script, { kind, operation: 22, outcome: "lost" });
      expect(result, kind).toMatchObject({ reason: null, struck: true, abstained: true });
    }
  });

  it("known bug 52: a vote log whose file has no durable name yet holds nobody to anything", async () => {
    const operations = await countOperations(script, false);
    const made = operations.indexOf("syncFolder") + 1;
    expect(made).toBeGreaterThan(0);
    for (const operation of [made - 1, made, made + 1]) {
      const point = { kind: "crash", operation, outcome: "unnamed" } as const;
      expect((await runCrashPoint(script, point)).reason, pointName(point)).toBe(null);
    }
    // Were folders never synced, votes would leave before their log has a name: the checker sees.
    const world = new CrashWorld(script, { replays: false, watched: null });
    world.victim.disk.lieAboutFolders();
    world.start();
    await world.runTo(script.heights);
    expect(world.cluster.failure?.message).toMatch(/^I6:/);
  });

  it("known bug 53: a write of the vote log that was torn is cut off, and the node votes on", async () => {
    const operations = await countOperations(script, false);
    const syncs = operations.flatMap((operation, at) => (operation === "sync" ? [at + 1] : []));
    for (const operation of syncs.slice(2, 6)) {
      for (const outcome of ["torn", "reordered"] as const) {
        const point = { kind: "crash", operation, outcome } as const;
        const { reason, abstained } = await runCrashPoint(script, point);
        expect(reason, pointName(point)).toBe(null);
        expect(abstained).toBe(false);
      }
    }
  });
});
