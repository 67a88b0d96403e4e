import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Journal } from "../../src/journal.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "credlink-journal-"));
  path = join(folder, "issuance.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function write(count: number): Promise<Journal> {
  const journal = new Journal(path);
  await journal.read();
  for (let index = 1; index <= count; index++) await journal.append({ index }, index * 1_000);
  return journal;
}

const entriesOf = async (journal = new Journal(path)) =>
  (await journal.read()).map(({ entry }) => entry);
const codeOf = (failing: Promise<unknown>) =>
  failing.then(
    () => "nothing",
    (error: { code: string }) => error.code,
  );

describe("a journal", () => {
  test("gives back what was appended, to its writer, to others, and from where they had read to", async () => {
    const journal = await write(3);
    expect(await entriesOf(journal)).toEqual([]);
    const reader = new Journal(path);
    expect(await entriesOf(reader)).toEqual([{ index: 1 }, { index: 2 }, { index: 3 }]);
    await journal.append({ index: 4 }, 4_000);
    expect(await entriesOf(reader)).toEqual([{ index: 4 }]);
    expect([reader.lastMs, reader.digest]).toEqual([4_000, journal.digest]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("drops a last line that a crash cut off at any byte, and goes on from there", async () => {
    await write(2);
    const whole = readFileSync(path);
    const first = whole.indexOf("\n") + 1;
    for (const bytes of [first, first + 1, first + 65, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, bytes));
      const journal = new Journal(path);
      expect(await entriesOf(journal)).toEqual([{ index: 1 }]);
      await journal.append({ index: "again" }, 3_000);
      expect(await entriesOf()).toEqual([{ index: 1 }, { index: "again" }]);
    }
  });

  test("notices a line that was changed, taken out, swapped, doubled or added by hand", async () => {
    await write(3);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const [one = "", two = "", three = ""] = lines;
    const altered: readonly (readonly string[])[] = [
      [one, two.replace('"index":2', '"index":7'), three],
      [one, three],
      [two, three],
      [one, three, two],
      [one, two, two, three],
      [one, two, three, three.replace('"sequence":3', '"sequence":4')],
    ];
    for (const text of altered) {
      writeFileSync(path, `${text.join("\n")}\n`);
      expect(await codeOf(entriesOf())).toBe("CA_JOURNAL_DAMAGED");
    }
  });

  test("notices, while it is open, that it was cut at its end", async () => {
    const journal = await write(3);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, text.lastIndexOf("\n", text.length - 2) + 1));
    expect(await codeOf(journal.read())).toBe("CA_JOURNAL_DAMAGED");
  });

  test("a file that is no journal is damaged, a link is not followed", async () => {
    appendFileSync(path, "hello\n");
    expect(await codeOf(entriesOf())).toBe("CA_JOURNAL_DAMAGED");
    expect(await codeOf(new Journal(folder).read())).toBe("CA_WRITE_FAILED");
  });
});
