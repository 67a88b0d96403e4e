/**
 * Breaks each rule of the consensus in a copy of the packages, one at a time, and shows that the
 * tests that guard it fail: a guard that stays green under sabotage guards nothing.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type BrokenRule, breakRule } from "./rule.ts";
import { brokenRules } from "./rules.ts";
import { createTestRuns, type TestRuns } from "./test-runs.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
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

/** file -> names of its tests that these rules rely on. */
function testsByFile(rules: readonly BrokenRule[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, Set<string>>();
  for (const { file, name } of rules.flatMap(({ tests }) => tests)) {
    names.set(file, (names.get(file) ?? new Set()).add(name));
  }
  return new Map([...names].map(([file, ofFile]) => [file, [...ofFile]]));
}

/** Names of tests that pass while nothing is broken, each behind its file. */
async function passingNow(runs: TestRuns, rules: readonly BrokenRule[]): Promise<Set<string>> {
  const passing = new Set<string>();
  for (const [file, names] of testsByFile(rules)) {
    for (const [name, passes] of await runs.passing(file, names)) {
      if (passes) passing.add(`${file}: ${name}`);
    }
  }
  return passing;
}

async function tryRule(
  copy: string,
  runs: TestRuns,
  rule: BrokenRule,
  passing: ReadonlySet<string>,
): Promise<readonly Outcome[]> {
  const path = join(copy, rule.file);
  const source = readFileSync(path, "utf8");
  const outcomes: Outcome[] = [];
  writeFileSync(path, breakRule(source, rule));
  for (const [file, names] of testsByFile([rule])) {
    for (const [name, passes] of await runs.passing(file, names)) {
      const test = `${file}: ${name}`;
      const noticed = passes ? "not noticed" : "noticed";
      const outcome = passing.has(test) ? noticed : "fails already";
      outcomes.push({ id: rule.id, rule: rule.rule, test, outcome });
    }
  }
  writeFileSync(path, source);
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
  const runs = createTestRuns(ROOT, copy);
  const outcomes: Outcome[] = [];
  try {
    const passing = await passingNow(runs, wanted);
    for (const rule of wanted) {
      for (const outcome of await tryRule(copy, runs, rule, passing)) {
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
