import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** Prints the address of every module that the process loads. */
const watch = `data:text/javascript,import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) { console.error(url); return next(url, context); } });`;

test("a command that compiles nothing loads neither compiler nor network", () => {
  const args = ["--import", watch, "--conditions=source", main, "--version"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 0, stdout: "0.1.0\n" });
  expect(stderr).toContain("packages/cli/src/commands/contract.ts");
  expect(stderr).not.toMatch(/binaryen|assemblyscript|libp2p|classic-level|fastify/);
}, 30_000);
