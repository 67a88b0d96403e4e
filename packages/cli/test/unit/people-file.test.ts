import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EnrolmentFiles } from "../../src/enrolment-files.ts";
import { csvFields, type PeopleRow, readPeople } from "../../src/people-file.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "credlink-people-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const CARD = "11010519491231002X";

async function rowsOf(name: string, text: string): Promise<readonly PeopleRow[]> {
  const path = join(dir, name);
  writeFileSync(path, text);
  const rows: PeopleRow[] = [];
  for await (const { row } of readPeople(path, 0)) if (row !== null) rows.push(row);
  return rows;
}

describe("S-11.4-2a: a list of people", () => {
  const person = { reference: "a-1", kind: "identity-card", value: CARD };

  it.each([
    ["list.csv", `reference,kind,value\r\na-1,identity-card,${CARD.toLowerCase()}\r\n\r\n`],
    ["list.csv", `\ufeffreference,kind,value\n"a-1",identity-card,"${CARD}"`],
    ["list.jsonl", `\n${JSON.stringify(person)}\n`],
  ])("%s is read in normal form, whatever ends its lines", async (name, text) => {
    expect(await rowsOf(name, text)).toEqual([{ line: 2, person }]);
  });

  it("tells bad rows by line and code, without their values, and goes on", async () => {
    const rows = await rowsOf(
      "list.jsonl",
      [
        JSON.stringify({ ...person, value: "110105194912310021" }),
        JSON.stringify({ ...person, reference: "" }),
        JSON.stringify({ ...person, reference: "x".repeat(129) }),
        JSON.stringify({ ...person, kind: "library-card" }),
        JSON.stringify({ ...person, name: "Zhang" }),
        "{",
        JSON.stringify({ ...person, reference: "x".repeat(128) }),
      ].join("\n"),
    );
    const bad = { code: "CLI_ROW_MALFORMED", reference: null };
    expect(rows.slice(0, 6)).toEqual([
      { line: 1, code: "CLIENT_EVIDENCE_INVALID", reference: "a-1" },
      ...[2, 3, 4, 5, 6].map((line) => ({ line, ...bad })),
    ]);
    expect(rows[6]).toMatchObject({ line: 7, person: { value: CARD } });
  });

  it.each([
    ["list.txt", "reference,kind,value\n", "CLI_FILE_MALFORMED"],
    ["list.csv", "kind,reference,value\n", "CLI_FILE_MALFORMED"],
    ["list.jsonl", `"${"x".repeat(70_000)}"`, "CLI_DOCUMENT_UNKNOWN"],
  ])("%s that is none is refused", async (name, text, code) => {
    await expect(rowsOf(name, text)).rejects.toMatchObject({ details: { code } });
  });

  it("splits fields as RFC 4180 says", () => {
    expect(csvFields('a,"b,""c""",')).toEqual(["a", 'b,"c"', ""]);
    for (const bad of ['a"b,c', '"a', '"a"b,c']) expect(csvFields(bad)).toBeNull();
  });
});

describe("the folder of an enrolment", () => {
  const source = { genesis: "11".repeat(32), enrolmentKey: "cl1a" };
  const done = (lines: number) => ({ lines, digest: "22".repeat(32), enrolled: lines, present: 0 });

  it("cuts off what a crash left behind its progress, so that no row stands twice", () => {
    const first = new EnrolmentFiles(dir, source);
    first.append([{ line: 1 }], [{ line: 2 }], done(2));
    first.close();
    const results = join(dir, "results.jsonl");
    const whole = readFileSync(results, "utf8");
    writeFileSync(results, `${whole}{"line":3}\n{"li`);
    const second = new EnrolmentFiles(dir, source);
    expect(second.progress).toMatchObject({ lines: 2, enrolled: 2, rejected: 1 });
    second.append([{ line: 3 }], [], done(3));
    second.close();
    expect(readFileSync(results, "utf8")).toBe('{"line":1}\n{"line":3}\n');
    expect(readFileSync(join(dir, "rejects.jsonl"), "utf8")).toBe('{"line":2}\n');
  });

  it("is refused for another chain or enrolment key, and when it is damaged", () => {
    const files = new EnrolmentFiles(dir, source);
    files.append([], [], done(0));
    files.close();
    const codeFor = (other: Partial<typeof source>): unknown => {
      try {
        return new EnrolmentFiles(dir, { ...source, ...other });
      } catch (error) {
        return error;
      }
    };
    const other = { details: { code: "CLI_PROGRESS_OTHER" } };
    expect(codeFor({ genesis: "33".repeat(32) })).toMatchObject(other);
    expect(codeFor({ enrolmentKey: "cl1b" })).toMatchObject(other);
    writeFileSync(join(dir, "progress.json"), "{");
    expect(codeFor({})).toMatchObject({ details: { code: "CLI_FILE_MALFORMED" } });
  });
});
