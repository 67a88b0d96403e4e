import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runBulk, SEED_SLICES, seedSliceName } from "../../src/bulk-run.ts";
import { readCommand, type SeedOptions } from "../../src/command-line.ts";
import { noCrashes, pointsOf } from "../../src/crash-points/batch.ts";
import { crashScript } from "../../src/crash-points/script.ts";
import { Schedule, sliceSeeds } from "../../src/schedule.ts";
import { keptText, runSliced, sumOf } from "../../src/sliced-run.ts";
import { readSlice, readSlices, writeSlice } from "../../src/slices.ts";
import { summarize, summaryText } from "../../src/summary.ts";
import { addTallies, emptyTally, type Tally, tallyOfCrash } from "../../src/tally.ts";

const execute = promisify(execFile);

const options = { profile: "protocol", validators: 4, heights: 50 } as const;
const notSeeds = { scenarios: 16_384, commit: null, endedAt: "2026-01-01T00:00:00Z" };

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
    const about = { from, count: 1_000, options, commit, endedAt: "2026-01-01T00:00:00Z" };
    writeSlice(folder, seedSliceName(options), { ...parts, ...about });
  }

  it("are found again by the same options only", () => {
    write(1, "c0ffee");
    const found = (asked: SeedOptions, from: number, count: number) =>
      readSlice(folder, seedSliceName(asked), { from, count });
    expect(found(options, 1, 1_000)).toMatchObject({ commit: "c0ffee", options, passed: 1_000 });
    expect(found(options, 1_001, 1_000)).toBe(null);
    expect(found(options, 1, 999)).toBe(null);
    expect(found({ ...options, heights: null }, 1, 1_000)).toBe(null);
    expect(found({ ...options, profile: "full" }, 1, 1_000)).toBe(null);
  });

  it("add up by options and commit", () => {
    write(1, "c0ffee");
    write(1_001, "c0ffee");
    write(2_001, "decade");
    writeSlice(folder, "twins-random9", { from: 0, count: 4, options: "", ...notSeeds });
    const rows = summarize(readSlices<Tally, SeedOptions>(folder, SEED_SLICES));
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
    expect(readSlices(folder, SEED_SLICES)[0]).toMatchObject({
      seeds: 2,
      traceDigest: first.traceDigest,
    });
    expect(await runBulk(command, quiet)).toMatchObject({ seeds: 0, skippedSlices: 1 });
    const alone = await runBulk({ ...command, workers: 1, slices: null }, quiet);
    expect(alone.traceDigest).toBe(first.traceDigest);
  }, 60_000);
});

describe("a run in slices", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "slices-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const program = async (path: string, words: readonly string[]) => {
    const main = fileURLToPath(new URL(`../../src/${path}/main.ts`, import.meta.url));
    const { stdout } = await execute(process.execPath, ["--conditions=source", main, ...words]);
    return JSON.parse(stdout);
  };

  it("goes on where it was stopped, and comes to the same sum", async () => {
    /** Seeds 3 and 5 end their process; `enough` stops the run as if it were interrupted. */
    const run = (enough: number) =>
      runSliced<typeof options, Tally, string>({
        work: { from: 1, count: 10 },
        sliceSize: 4,
        unitSize: 2,
        keep: { folder, name: "some-name", options: "asked" },
        empty: emptyTally(),
        add: addTallies,
        pool: {
          workers: 1,
          options,
          worker: fileURLToPath(new URL("../support/mortal-worker.ts", import.meta.url)),
          onCrash: (seed, reason) => tallyOfCrash(seed, reason, options),
        },
        isEnough: ({ seeds }) => seeds >= enough,
      });
    const first = await run(6);
    expect(first).toMatchObject({ ran: { seeds: 6, passed: 4 }, kept: [] });
    // The second slice was half done: nothing of it is kept.
    expect(readdirSync(folder)).toEqual(["some-name-1-4.json"]);
    const second = await run(100);
    expect(second.ran).toMatchObject({ seeds: 6, passed: 5 });
    expect(second.kept.map(({ from, count, seeds }) => [from, count, seeds])).toEqual([[1, 4, 4]]);
    expect(keptText(second.kept)).toMatch(/^, 1 slices of it from earlier runs at /);
    const whole = sumOf(second, addTallies);
    expect(whole).toMatchObject({ seeds: 10, passed: 8 });
    expect(whole.failed.map(({ seed }) => seed)).toEqual([3, 5]);
    const third = await run(100);
    expect(third.ran.seeds).toBe(0);
    expect(sumOf(third, addTallies)).toEqual(whole);
  });

  it("is what pnpm twins does: kept scenarios are counted and not run again", async () => {
    const words = [
      "--random",
      "9",
      "--rounds",
      "2",
      "--workers",
      "1",
      "--slices",
      folder,
      "--json",
    ];
    const { seconds: _, ...first } = await program("twins", words);
    expect(first).toMatchObject({ scenarios: 9, failures: 0, keptSlices: 0 });
    const name = "twins-random9-seed1-n4-t1-k3-r2-open-0-1.json";
    expect(readdirSync(folder)).toEqual([name]);
    expect(await program("twins", words)).toMatchObject({ ...first, keptSlices: 1 });
  }, 30_000);

  it("is what pnpm crash-points does", async () => {
    const { length } = await pointsOf(crashScript(6));
    for (const { from, count } of sliceSeeds(0, length, 100)) {
      const tally = { ...noCrashes, points: count, runs: count };
      const about = { from, count, options: null, commit: "c0ffee", endedAt: "" };
      writeSlice(folder, `crash-points-h6-of${length}`, { ...tally, ...about });
    }
    const report = await program("crash-points", ["--workers", "1", "--slices", folder, "--json"]);
    const keptSlices = Math.ceil(length / 100);
    expect(report).toMatchObject({ points: length, runs: length, cpuSeconds: 0, keptSlices });
  }, 30_000);
});
