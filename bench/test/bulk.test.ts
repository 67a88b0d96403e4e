import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Commits } from "../src/bulk/commits.ts";
import { findFrontier } from "../src/bulk/held.ts";
import { itemsOfChunk } from "../src/bulk/items.ts";
import { WINDOW } from "../src/bulk/loader.ts";
import {
  CHUNK_WORKERS,
  loadPaths,
  openLoad,
  sendersOf,
  workersFor,
  workersOf,
} from "../src/bulk/plan.ts";
import { appendProgress, type Progress, sumProgress } from "../src/bulk/progress.ts";
import { sampleLoad } from "../src/bulk/stock.ts";
import { parseLoadOptions, UsageError } from "../src/options.ts";

const folder = mkdtempSync(join(tmpdir(), "credlink-bulk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("options of load", () => {
  it("need a folder, have defaults, and refuse what cannot be", () => {
    expect(parseLoadOptions(["--dir", "d"])).toEqual({
      ...{ records: 20_000, validators: 1, senders: 4, samples: 500, json: false, dir: "d" },
    });
    for (const args of [[], ["--dir", "d", "--records", "0"], ["--dir", "d", "--rate", "3"]]) {
      expect(() => parseLoadOptions(args)).toThrow(UsageError);
    }
    const largest = 99_000_000 * 56;
    expect(parseLoadOptions(["--dir", "d", "--records", `${largest}`]).records).toBe(largest);
    expect(() => parseLoadOptions(["--dir", "d", "--records", `${largest + 1}`])).toThrow();
    expect(() => parseLoadOptions(["--dir", "d", "--records", "5", "--samples", "6"])).toThrow();
  });
});

describe("where a killed load goes on", () => {
  it("below the frontier less a window all is whole, above it plus a window nothing is begun", async () => {
    const load = fc
      .tuple(fc.nat(80), fc.array(fc.nat(1_000), { maxLength: 200 }))
      .map(([chunks, turns]) => killedLoad(chunks, turns));
    await fc.assert(
      fc.asyncProperty(load, async ({ chunks, begun, whole }) => {
        const found = await findFrontier(chunks, async (chunk) => begun.has(chunk));
        for (let chunk = 0; chunk < chunks; chunk += 1) {
          if (chunk <= found - WINDOW) expect(whole.has(chunk)).toBe(true);
          if (chunk > found + WINDOW) expect(begun.has(chunk)).toBe(false);
        }
      }),
    );
  });

  it("asks few times, of a million records too", async () => {
    let asked = 0;
    const found = await findFrontier(1_117, async (chunk) => {
      asked += 1;
      return chunk <= 700;
    });
    expect(found).toBe(700);
    expect(asked).toBeLessThan(12);
  });
});

/** Chunks begun and finished in any order that the window allows. */
function killedLoad(chunks: number, turns: readonly number[]) {
  const begun = new Set<number>();
  const whole = new Set<number>();
  let lowest = 0;
  for (const turn of turns) {
    const chunk = lowest + (turn % WINDOW);
    if (chunk >= chunks) continue;
    if (begun.has(chunk)) whole.add(chunk);
    begun.add(chunk);
    while (whole.has(lowest)) lowest += 1;
  }
  return { chunks, begun, whole };
}

describe("who waits for a block", () => {
  const id = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const block = (height: number, byte: number, status: string) => ({
    ...{ height, timestampMs: 1, seenMs: 1 },
    transactions: [{ id: toHex(id(byte)), status, gasUsed: 1 }],
  });

  it("hears the receipt's status, or nothing when patience ends or a node does", async () => {
    const commits = new Commits();
    const [first, second, third] = [1, 2, 3].map((byte) => commits.wait(id(byte), 60_000));
    const fourth = commits.wait(id(4), 1);
    commits.see(block(7, 1, "SUCCESS"));
    commits.see(block(8, 2, "CREDENTIAL_DUPLICATE_ID"));
    commits.giveUpAll();
    expect(await Promise.all([first, second, third, fourth])).toEqual([
      ...["SUCCESS", "CREDENTIAL_DUPLICATE_ID", null, null],
    ]);
    expect(commits.height).toBe(8);
  });
});

describe("the diary of a load", () => {
  it("adds up runs, whatever a kill cut short", () => {
    const path = join(folder, "progress.jsonl");
    expect(sumProgress(path)).toMatchObject({ runs: 0, records: 0 });
    const line = (run: number, records: number): Progress => ({
      ...{ run, records, seconds: 2, height: 3, restarts: 1, cpuMs: 10 },
    });
    for (const each of [line(1, 5), line(1, 9), line(2, 4)]) appendProgress(path, each);
    appendFileSync(path, '{"run":2,"rec');
    expect(sumProgress(path)).toEqual({
      ...{ runs: 2, records: 13, seconds: 4, restarts: 2, cpuMs: 20 },
    });
  });
});

describe("a load's folder", () => {
  const dir = join(folder, "load");
  const size = { validators: 1, senders: 2 };
  const open = () => openLoad(dir, size, () => {});

  it("keeps what decides the records, and makes again what a kill left of the network", async () => {
    const plan = await open();
    const { network } = loadPaths(dir);
    rmSync(join(network, "network.json"));
    expect(await open()).toEqual(plan);
    expect(existsSync(join(network, "network.json"))).toBe(true);
    await expect(openLoad(dir, { ...size, senders: 3 }, () => {})).rejects.toThrow(UsageError);
    await expect(openLoad(dir, { ...size, validators: 4 }, () => {})).rejects.toThrow(UsageError);
  });

  it("is not one that something else was put into", async () => {
    const other = join(folder, "other");
    mkdirSync(join(other, "network"), { recursive: true });
    writeFileSync(join(other, "network", "mine"), "");
    await expect(openLoad(other, size, () => {})).rejects.toThrow(UsageError);
    expect(existsSync(join(other, "network", "mine"))).toBe(true);
  });

  it("gives the same transactions and samples again, chunk by chunk", async () => {
    const plan = await open();
    const workers = workersFor(CHUNK_WORKERS * 56 + 1);
    expect(workers).toBe(CHUNK_WORKERS + 1);
    expect([0, 1, 2].map((chunk) => workersOf(chunk, workers).length)).toEqual([16, 1, 0]);
    const itemsOf = () => itemsOfChunk(sendersOf(plan), 1, workers);
    const placesOf = () => itemsOf().map(({ place }) => toHex(place.key));
    const places = placesOf();
    expect(new Set(places).size).toBe(places.length);
    expect(places.length).toBeLessThan(56 / 4);
    expect(placesOf()).toEqual(places);
    expect(itemsOf().reduce((sum, { records }) => sum + records, 0)).toBe(56);
    const stock = sampleLoad(sendersOf(plan), 2, 20, 1);
    expect(stock.files).toHaveLength(20);
    expect(stock.services).toHaveLength(2);
    expect(new Set(stock.files.map(({ record }) => record.type)).size).toBeGreaterThan(5);
  });
});
