import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runBulk } from "../../src/bulk-run.ts";
import { readCommand } from "../../src/command-line.ts";
import { Schedule, sliceSeeds } from "../../src/schedule.ts";
import { hasSlice, readSlices, writeSlice } from "../../src/slices.ts";
import { summarize, summaryText } from "../../src/summary.ts";
import { emptyTally } from "../../src/tally.ts";

const options = { profile: "protocol", validators: 4, heights: 50 } as const;

describe("schedule", () => {
  it("hands every seed out once, and says when a slice is whole", () => {
    const schedule = new Schedule(sliceSeeds(5, 25, 10), 4);
    const seeds: number[] = [];
    const whole: number[] = [];
    for (let unit = schedule.next(); unit !== null; unit = schedule.next()) {
      for (let i = 0; i < unit.count; i++) seeds.push(unit.from + i);
      const { from } = schedule.sliceOf(unit);
      if (schedule.finish(unit)) whole.push(from);
    }
    expect(seeds).toEqual(Array.from({ length: 25 }, (_, i) => 5 + i));
    expect(whole).toEqual([5, 15, 25]);
  });
});

describe("slice files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "slices-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(from: number, commit: string): void {
    const parts = { ...emptyTally(), seeds: 1_000, passed: 1_000, heights: 50_000, cpuSeconds: 20 };
    writeSlice(folder, { ...parts, from, options, commit, endedAt: "2026-01-01T00:00:00Z" });
  }

  it("are found again by the same options only", () => {
    write(1, "c0ffee");
    expect(hasSlice(folder, options, 1, 1_000)).toBe(true);
    expect(hasSlice(folder, options, 1_001, 1_000)).toBe(false);
    expect(hasSlice(folder, options, 1, 999)).toBe(false);
    expect(hasSlice(folder, { ...options, heights: null }, 1, 1_000)).toBe(false);
    expect(hasSlice(folder, { ...options, profile: "full" }, 1, 1_000)).toBe(false);
  });

  it("add up by options and commit", () => {
    write(1, "c0ffee");
    write(1_001, "c0ffee");
    write(2_001, "decade");
    const rows = summarize(readSlices(folder));
    expect(rows.map(({ commit, seeds, slices }) => [commit, seeds, slices])).toEqual([
      ["c0ffee", 2_000, 2],
      ["decade", 1_000, 1],
    ]);
    expect(summaryText(rows)).toContain(
      "| protocol | 4 | 50 | c0ffee | 2000 | 2000 | 0 | 100000 |",
    );
  });

  it("are written by a run, and make the next one skip them", async () => {
    const words = `--seeds 2 --validators 1 --heights 11 --workers 2 --slices ${folder}`;
    const command = readCommand(words.split(" "));
    if (command.type !== "run") throw new Error("a run was asked for");
    const quiet = { onFailure: () => {}, onProgress: () => {} };
    const first = await runBulk(command, quiet);
    expect(first).toMatchObject({ seeds: 2, passed: 2, skippedSlices: 0 });
    expect(readdirSync(folder)).toEqual(["protocol-n1-h11-1-2.json"]);
    expect(readSlices(folder)[0]).toMatchObject({ seeds: 2, traceDigest: first.traceDigest });
    expect(await runBulk(command, quiet)).toMatchObject({ seeds: 0, skippedSlices: 1 });
    const alone = await runBulk({ ...command, workers: 1, slices: null }, quiet);
    expect(alone.traceDigest).toBe(first.traceDigest);
  }, 60_000);
});
