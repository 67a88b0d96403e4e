import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createProject, defaultPolicy } from "../../src/index.ts";

const root = join(import.meta.dirname, "../../../..");
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "credlink-editor-"));
  createProject(join(dir, "p"), defaultPolicy("work-orders"));
  // What `npm install` brings there.
  mkdirSync(join(dir, "p/node_modules"));
  const compiler = dirname(dirname(fileURLToPath(import.meta.resolve("assemblyscript"))));
  symlinkSync(compiler, join(dir, "p/node_modules/assemblyscript"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What an editor's language service says of a project's own files; decorators are the SDK's. */
function complaints(): readonly string[] {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const args = [tsc, "-p", join(dir, "p"), "--noEmit", "--pretty", "false"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: join(dir, "p") });
  const lines = stdout.split("\n").filter((line) => /^(?:assembly|test)\//.test(line));
  return lines.filter((line) => !line.includes("TS1206"));
}

it("an editor knows the SDK's types: it accepts a new project and underlines a mistake", () => {
  expect(complaints()).toEqual([]);
  const path = join(dir, "p/assembly/entry.ts");
  writeFileSync(path, readFileSync(path, "utf8").replace("reader.bytes(32)", "reader.byte(32)"));
  expect(complaints().join("\n")).toMatch(/^assembly\/entry\.ts\(\d+,\d+\): error TS2551/);
}, 60_000);

it("an editor knows the manifest's form by its JSON schema", () => {
  const schema = JSON.parse(readFileSync(join(dir, "p/contract.schema.json"), "utf8")) as {
    readonly required: readonly string[];
    readonly additionalProperties: boolean;
  };
  expect(schema.required).toEqual(["name", "version", "methods"]);
  expect(schema.additionalProperties).toBe(false);
  expect(JSON.stringify(schema)).toContain('"regulator"');
});
