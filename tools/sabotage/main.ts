/**
 * Breaks each rule of the consensus in a copy of the packages, one at a time, and shows that the
 * tests that guard it fail: a guard that stays green under sabotage guards nothing.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BrokenRule, breakRule } from "./rule.ts";
import { brokenRules } from "./rules.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** A broken rule may also hang its test: that counts as noticed. */
const TIMEOUT_MS = 120_000;

const USAGE = `pnpm sabotage [--rule ID] [--json]
  --rule ID  breaks this rule only (may be repeated)
  --json     prints one JSON document and nothing else
Exit code 0 when every broken rule was noticed, 1 when one was not, 2 for wrong arguments.`;

interface Outcome {
  readonly id: string;
  readonly rule: string;
  readonly test: string;
  readonly outcome: "noticed" | "not noticed" | "fails already";
}

/** A copy of what tests of packages need; libraries are shared with this checkout. */
function copyWorkspace(): string {
  const copy = mkdtempSync(join(tmpdir(), "credlink-sabotage-"));
  const isWanted = (path: string): boolean => !path.split(sep).includes("dist");
  for (const name of ["packages", "tools", "package.json", "vitest.config.ts", "tsconfig.json"]) {
    cpSync(join(ROOT, name), join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: isWanted,
    });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/** Runs the tests of one file whose names contain `name`. */
function testPasses(copy: string, file: string, name: string): Promise<boolean> {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = [
    "--conditions=source",
    vitest,
    "run",
    file,
    "-t",
    pattern,
    "--passWithNoTests=false",
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: copy, timeout: TIMEOUT_MS }, (error, stdout) => {
      const ran = /Tests .*\d+ (passed|failed)/.test(stripColours(stdout));
      if (!ran && error === null) throw new Error(`no test of ${file} is named "${name}"`);
      resolve(error === null);
    });
  });
}

function stripColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}

async function tryRule(copy: string, rule: BrokenRule): Promise<readonly Outcome[]> {
  const path = join(copy, rule.file);
  const source = readFileSync(path, "utf8");
  const outcomes: Outcome[] = [];
  for (const { file, name } of rule.tests) {
    const { id, rule: text } = rule;
    const whole = { id, rule: text, test: `${file}: ${name}` };
    if (!(await testPasses(copy, file, name))) {
      outcomes.push({ ...whole, outcome: "fails already" });
      continue;
    }
    writeFileSync(path, breakRule(source, rule));
    const passes = await testPasses(copy, file, name);
    writeFileSync(path, source);
    outcomes.push({ ...whole, outcome: passes ? "not noticed" : "noticed" });
  }
  return outcomes;
}

async function main(): Promise<number> {
  let values: { rule?: string[] | undefined; json: boolean; help: boolean };
  try {
    values = parseArgs({
      options: {
        rule: { type: "string", multiple: true },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const wanted = brokenRules.filter(({ id }) => values.rule?.includes(id) ?? true);
  if (wanted.length < (values.rule?.length ?? 0)) {
    process.stderr.write(`no such rule\n${USAGE}\n`);
    return 2;
  }
  const copy = copyWorkspace();
  const outcomes: Outcome[] = [];
  try {
    for (const rule of wanted) {
      for (const outcome of await tryRule(copy, rule)) {
        outcomes.push(outcome);
        if (!values.json)
          process.stdout.write(`${outcome.id} ${outcome.outcome}: ${outcome.test}\n`);
      }
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  const noticed = outcomes.filter(({ outcome }) => outcome === "noticed").length;
  if (values.json) process.stdout.write(`${JSON.stringify({ noticed, outcomes })}\n`);
  else process.stdout.write(`${noticed} of ${outcomes.length} noticed, ${wanted.length} rules\n`);
  return noticed === outcomes.length ? 0 : 1;
}

process.exitCode = await main();
