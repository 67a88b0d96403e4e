import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  activateKey,
  destroyKey,
  generateKey,
  listKeys,
  readAudit,
  readAuditLog,
  type Store,
} from "../../src/index.ts";
import { codeOf, makeStore, messageOf, PASSWORD } from "../support/stores.ts";

async function makeHistory(): Promise<{ store: Store; log: string; text: string }> {
  const store = await makeStore();
  for (const name of ["one", "two"]) {
    await generateKey(store, { name, kind: "member", password: PASSWORD });
    await activateKey(store, name, { custodyRead: true });
  }
  await destroyKey(store, "one", "test");
  const log = join(store.folder, "audit.log");
  return { store, log, text: await readFile(log, "utf8") };
}

describe("S-9.5-2a: the audit log", () => {
  test("names the first entry that was altered, left out, doubled or put elsewhere", async () => {
    const { store, log, text } = await makeHistory();
    const lines = text.split("\n").slice(0, -1);
    const destroy = lines.length - 1;
    const spoilt: readonly (readonly [string, number, readonly string[]])[] = [
      [
        "altered",
        2,
        lines.map((line, i) => (i === 2 ? line.replace("operator", "somebody") : line)),
      ],
      ["left out", 1, lines.filter((_, i) => i !== 1)],
      ["doubled", 3, lines.flatMap((line, i) => (i === 2 ? [line, line] : [line]))],
      ["swapped", 1, lines.map((line, i) => lines[i === 1 ? 2 : i === 2 ? 1 : i] ?? line)],
      ["destruction renamed", destroy, lines.map((l) => l.replace('"destroy"', '"suspend"'))],
    ];
    for (const [what, at, altered] of spoilt) {
      await writeFile(log, `${altered.join("\n")}\n`);
      expect(await messageOf(() => listKeys(store)), what).toContain(`entry ${at}:`);
      expect(await codeOf(() => listKeys(store)), what).toBe("KEYS_AUDIT_BROKEN");
    }
    await writeFile(log, text);
    expect(await listKeys(store)).toHaveLength(2);
  });

  test("that lost its end is noticed, however much of it", async () => {
    const { store, log, text } = await makeHistory();
    const lines = text.split("\n").slice(0, -1);
    for (let kept = 0; kept < lines.length; kept++) {
      await writeFile(
        log,
        lines
          .slice(0, kept)
          .map((line) => `${line}\n`)
          .join(""),
      );
      expect(await codeOf(() => listKeys(store)), `${kept} lines`).toBe("KEYS_AUDIT_CUT");
    }
    await writeFile(join(store.folder, "audit.head"), "");
    await writeFile(log, text);
    expect(await codeOf(() => listKeys(store))).toBe("KEYS_AUDIT_CUT");
  });

  test("an append that a crash cut off is taken away and noted, at every length of it", async () => {
    const { store, log, text } = await makeHistory();
    const last = text.split("\n").at(-2) ?? "";
    for (const length of [1, 63, 64, 65, 66, last.length - 1, last.length]) {
      await appendFile(log, last.slice(0, length));
      const { event } = (await readAuditLog(store)).at(-1) ?? { event: null };
      expect(event).toEqual({ action: "repair", cutBytes: length });
    }
    readAudit(await readFile(log, "utf8"));
  });

  test("a crash between entry and head, and between destruction and its file, loses nothing", async () => {
    const { store, text } = await makeHistory();
    const lines = text.split("\n").slice(0, -1);
    const before = lines.at(-2)?.slice(0, 64) ?? "";
    await writeFile(join(store.folder, "audit.head"), `${lines.length - 1} ${before}\n`);
    const records = await listKeys(store);
    expect(records.map(({ state }) => state)).toEqual(["destroyed", "active"]);
  });
});
