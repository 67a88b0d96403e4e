import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hmacSm3 } from "@credlink/crypto";
import { concatBytes, noLogger, noMetrics, utf8 } from "@credlink/primitives";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createFormFiles, type FormFiles } from "../../src/storage/form-files.ts";

const folders: string[] = [];
let folder: string;
beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), "credlink-forms-"));
  folders.push(parent);
  folder = join(parent, "contracts");
});
afterAll(async () => {
  for (const one of folders) await rm(one, { recursive: true, force: true });
});

const KEY = new Uint8Array(32).fill(7);
const nameOf = (index: number): string => String(index).padStart(64, "0");
const content = Uint8Array.from({ length: 1_000 }, (_, index) => index % 251);

/** What was counted, by the metric's name. */
function counting() {
  const counts = new Map<string, number>();
  const metrics = {
    ...noMetrics,
    counter: ({ name }: { readonly name: string }) => ({
      add: (by = 1) => counts.set(name, (counts.get(name) ?? 0) + by),
    }),
  };
  return { counts, metrics };
}
const REFUSED = "credlink_node_contract_cache_refused_total";
const FAILED = "credlink_node_contract_cache_failed_total";

function open(options: { maxBytes?: number; key?: Uint8Array } = {}) {
  const { counts, metrics } = counting();
  const { maxBytes = 1_000_000, key = KEY } = options;
  const files: FormFiles = createFormFiles({ folder, key, maxBytes, logger: noLogger, metrics });
  return { files, counts };
}

async function saved(...indexes: readonly number[]): Promise<void> {
  const { files } = open();
  for (const index of indexes) files.save(nameOf(index), content);
  await files.close();
}

describe("S-9.9-1e: files of metered contracts", () => {
  it("give back what was saved, to this process and the next", async () => {
    const { files } = open();
    files.save(nameOf(1), content);
    await files.close();
    expect(files.load(nameOf(1))).toEqual(content);
    expect(open().files.load(nameOf(1))).toEqual(content);
    expect(open().files.load(nameOf(2))).toBe(null);
    expect(statSync(join(folder, nameOf(1))).mode & 0o777).toBe(0o600);
  });

  it("are refused, counted and deleted where one bit was altered, wherever it is", async () => {
    for (const at of [0, 31, 32, 500, 1_031]) {
      await saved(1);
      const path = join(folder, nameOf(1));
      const bytes = readFileSync(path);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      const { files, counts } = open();
      expect(files.load(nameOf(1)), `byte ${at}`).toBe(null);
      expect(counts.get(REFUSED)).toBe(1);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it("are refused where they were cut, swapped, or sealed by anybody else", async () => {
    await saved(1, 2);
    const path = join(folder, nameOf(1));
    truncateSync(path, 20);
    expect(open().files.load(nameOf(1))).toBe(null);
    await saved(1, 2);
    // A good file under another form's name: its seal names the form.
    writeFileSync(path, readFileSync(join(folder, nameOf(2))));
    expect(open().files.load(nameOf(1))).toBe(null);
    // Who alters a file can compute any digest of it, and not the seal.
    const message = concatBytes(
      utf8("credlink/contract-form-file/1"),
      utf8(nameOf(1)),
      content.slice(1),
    );
    const forged = hmacSm3(new Uint8Array(32), message);
    writeFileSync(path, concatBytes(forged, content.slice(1)));
    expect(open().files.load(nameOf(1))).toBe(null);
    await saved(1);
    expect(open({ key: new Uint8Array(32).fill(8) }).files.load(nameOf(1))).toBe(null);
  });

  it("take no more bytes than they may: the least recently used are deleted", async () => {
    const fileBytes = content.length + 32;
    const { files } = open({ maxBytes: 3 * fileBytes });
    for (const index of [1, 2, 3]) files.save(nameOf(index), content);
    await files.close();
    expect(files.load(nameOf(1))).toEqual(content);
    files.save(nameOf(4), content);
    await files.close();
    expect(readdirSync(folder).sort()).toEqual([1, 3, 4].map(nameOf));
    // One that is larger than all may be is not kept, and drives nothing out.
    files.save(nameOf(5), new Uint8Array(3 * fileBytes - 31));
    await files.close();
    expect(readdirSync(folder)).toHaveLength(3);
    files.save(nameOf(5), new Uint8Array(3 * fileBytes - 32));
    await files.close();
    expect(readdirSync(folder)).toEqual([nameOf(5)]);
  });

  it("are brought within a lower limit at the next start, oldest first", async () => {
    await saved(1, 2, 3);
    for (const [index, at] of [
      [1, 3_000],
      [2, 1_000],
      [3, 2_000],
    ] as const) {
      utimesSync(join(folder, nameOf(index)), at, at);
    }
    const { files } = open({ maxBytes: 1_032 });
    await files.close();
    expect(readdirSync(folder)).toEqual([nameOf(1)]);
  });

  it("hold nothing of a write that a crash cut short", async () => {
    await saved(1);
    writeFileSync(join(folder, `${nameOf(2)}.writing`), content.slice(0, 10));
    const { files } = open();
    expect(files.load(nameOf(2))).toBe(null);
    expect(readdirSync(folder)).toEqual([nameOf(1)]);
  });

  it("leave nothing of a write that failed", async () => {
    const { files, counts } = open();
    // A folder that is not empty stands where the file belongs: it cannot take its place.
    mkdirSync(join(folder, nameOf(1), "in the way"), { recursive: true });
    files.save(nameOf(1), content);
    files.save(nameOf(2), content);
    await files.close();
    expect(counts.get(FAILED)).toBe(1);
    expect(readdirSync(folder).sort()).toEqual([1, 2].map(nameOf));
    expect(files.load(nameOf(2))).toEqual(content);
  });

  it("stop nobody where the folder cannot be used", async () => {
    writeFileSync(folder, "a file in its place");
    const { files, counts } = open();
    files.save(nameOf(1), content);
    await files.close();
    expect(files.load(nameOf(1))).toBe(null);
    expect(counts.get(FAILED)).toBe(2);
    expect(counts.get(REFUSED)).toBe(undefined);
  });

  it("are forgotten where somebody deleted them", async () => {
    await saved(1);
    const { files, counts } = open();
    await rm(join(folder, nameOf(1)));
    expect(files.load(nameOf(1))).toBe(null);
    expect(counts.get(FAILED)).toBe(1);
  });
});
