import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { equalBytes, toHex } from "@credlink/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkAuditFolder } from "../../../src/control/audit-files.ts";
import { hashEntry } from "../../../src/control/audit-line.ts";
import { type NewEntry, openAuditLog } from "../../../src/control/audit-log.ts";
import { systemClock } from "../../../src/system-clock.ts";
import { createRecordingLogger, createRecordingMetrics } from "../../support/recording.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "credlink-audit-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const wide = { fileBytes: 1_048_576, files: 8 };

async function open(limits = wide) {
  const logger = createRecordingLogger();
  const parts = { clock: systemClock, logger, metrics: createRecordingMetrics() };
  return { logger, log: await openAuditLog(folder, limits, parts) };
}

function entry(detail: string): NewEntry {
  return {
    ...{ type: "refused", of: null, member: null, code: "NODE_CONTROL_MALFORMED", detail },
    request: new TextEncoder().encode(detail),
    signature: new Uint8Array(64).fill(7),
    suppressed: 0,
  };
}

async function fileNames(): Promise<string[]> {
  return (await readdir(folder)).sort();
}

async function firstFile(): Promise<string> {
  const [name = ""] = await fileNames();
  return join(folder, name);
}

test("S-8.4-2: entries follow each other by digest, are found again, and go on after a restart", async () => {
  const first = await open();
  const written = [];
  for (let index = 0; index < 5; index++) written.push(await first.log.append(entry(`e${index}`)));
  await first.log.close();
  const { log } = await open();
  const entries = await log.read(0, 100);
  expect(entries.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(entries.map(({ type }) => type)).toEqual([
    "opened",
    ...Array(5).fill("refused"),
    "opened",
  ]);
  for (const [index, each] of entries.entries()) {
    const before = entries[index - 1];
    expect(toHex(each.previous)).toBe(
      before === undefined ? "0".repeat(64) : toHex(hashEntry(before)),
    );
  }
  expect(entries.slice(1, 6)).toEqual(written);
  expect(await log.read(3, 2)).toEqual(written.slice(2, 4));
  expect(log.head().sequence).toBe(6);
  await log.close();
  expect(await checkAuditFolder(folder)).toMatchObject({ entries: 7, files: 1, faults: [] });
});

test("files are full at their limit, the oldest is deleted, and the links hold across them", async () => {
  const { log } = await open({ fileBytes: 2_000, files: 3 });
  for (let index = 0; index < 24; index++) await log.append(entry(`entry ${index}`));
  const names = await fileNames();
  expect(names).toHaveLength(3);
  for (const name of names)
    expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(2_000);
  const kept = await log.read(0, 100);
  expect(kept.at(-1)?.sequence).toBe(24);
  expect(kept[0]?.sequence).toBe(Number(names[0]?.slice(6, 18)));
  for (const [index, each] of kept.entries()) {
    const before = kept[index - 1];
    if (before !== undefined) expect(equalBytes(each.previous, hashEntry(before))).toBe(true);
  }
  await log.close();
  expect((await checkAuditFolder(folder)).faults).toEqual([]);
});

test("one entry longer than a file still stands in a file of its own", async () => {
  const { log } = await open({ fileBytes: 500, files: 4 });
  await log.append(entry("x".repeat(400)));
  await log.append(entry("y"));
  expect((await log.read(1, 2)).map(({ detail }) => detail[0])).toEqual(["x", "y"]);
  await log.close();
});

test("a torn last line is cut and told; what stood before it stays", async () => {
  const first = await open();
  await first.log.append(entry("kept"));
  await first.log.close();
  await appendFile(await firstFile(), '{"sequence":2,"ti');
  const { log, logger } = await open();
  const entries = await log.read(0, 10);
  expect(entries.map(({ type }) => type)).toEqual(["opened", "refused", "opened"]);
  expect(entries.at(-1)).toMatchObject({ detail: "torn: 17", code: "" });
  expect(logger.entries.filter(({ level }) => level === "error")).toEqual([]);
  await log.close();
  expect((await checkAuditFolder(folder)).faults).toEqual([]);
});

test.each([
  ["a changed word", (text: string) => text.replace("kept 1", "kept 9")],
  ["a removed line", (text: string) => text.split("\n").toSpliced(1, 1).join("\n")],
  ["a line of somebody else's", (text: string) => `${text}{"hello":1}\n`],
])(
  "%s is found at the next start and by the check; the node goes on in a new file",
  async (_what, alter) => {
    const first = await open();
    for (const index of [0, 1, 2]) await first.log.append(entry(`kept ${index}`));
    await first.log.close();
    const path = await firstFile();
    const altered = alter(await readFile(path, "utf8"));
    await writeFile(path, altered);
    const { log, logger } = await open();
    expect(logger.entries).toContainEqual(
      expect.objectContaining({
        level: "error",
        fields: expect.objectContaining({ code: "NODE_AUDIT_ALTERED" }),
      }),
    );
    await log.append(entry("later"));
    await log.close();
    // What was altered is evidence: nothing of it is touched.
    expect(await readFile(path, "utf8")).toBe(altered);
    expect(await fileNames()).toHaveLength(2);
    const { faults } = await checkAuditFolder(folder);
    expect(faults[0]).toContain("not what was written");
  },
);

test("a log that cannot be written refuses, so that nothing is done unseen", async () => {
  const { log } = await open({ fileBytes: 300, files: 4 });
  await rm(folder, { recursive: true });
  await expect(log.append(entry("lost"))).rejects.toMatchObject({ code: "NODE_AUDIT_FAILED" });
});
