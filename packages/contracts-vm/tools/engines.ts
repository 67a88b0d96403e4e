import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { harmScenario } from "../test/support/harm-scenario.ts";
import { encodeScenario } from "../test/support/scenario.ts";

/*
 * Runs the same blocks, generated modules and mutated modules in a process for each compiler of each
 * Node, and says whether they came to the same: `pnpm engines [--mutants 10000] [--node PATH]…`.
 * Another Node is, for example, the `node` of `npx -y -p node@22.23.3 which node`.
 */
const { values } = parseArgs({
  options: {
    mutants: { type: "string", default: "10000" },
    node: { type: "string", multiple: true, default: [] },
  },
});

const COMPILERS = [[], ["--liftoff-only"], ["--no-liftoff"]] as const;
const fixture = join(import.meta.dirname, "../test/fixtures/execute-block.ts");
const input = encodeScenario(await harmScenario());
let expected: string | null = null;
let isSame = true;

for (const node of [process.execPath, ...values.node]) {
  for (const flags of COMPILERS) {
    const args = [...flags, "--conditions=source", fixture, values.mutants];
    const { status, signal, stdout, stderr } = spawnSync(node, args, { input, encoding: "utf8" });
    if (status !== 0) {
      console.error(`${node} ${flags.join(" ")} ended with ${status ?? signal}\n${stderr}`);
      isSame = false;
      continue;
    }
    expected ??= stdout;
    if (stdout !== expected) isSame = false;
    console.log(`${stdout === expected ? "same" : "DIFFERENT"}  ${node} ${flags.join(" ")}`);
  }
}
console.log(`${expected ?? "nothing"}\n${values.mutants} mutants each`);
process.exitCode = isSame ? 0 : 1;
