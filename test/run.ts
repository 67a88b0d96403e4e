/**
 * `pnpm test`: what a change must pass within ten minutes, layer by layer, with one closing count; the
 * long half runs in `.ci/run`.
 * `pnpm test unit e2e` runs just those layers.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Layer {
  readonly name: string;
  /** Projects of vitest.config.ts that run together: where one waits, another one computes. */
  readonly projects: readonly string[];
  /** Its share of the ten minutes; passing it is reported, not failed. */
  readonly budgetSeconds: number;
}

const layers: readonly Layer[] = [
  { name: "unit", projects: ["unit", "gm"], budgetSeconds: 120 },
  { name: "simulation", projects: ["simulation"], budgetSeconds: 180 },
  { name: "contracts", projects: ["contracts"], budgetSeconds: 60 },
  { name: "e2e", projects: ["e2e"], budgetSeconds: 240 },
];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

/** Runs one layer and returns what its tests came to. */
function runLayer(layer: Layer, folder: string): Counts {
  const report = join(folder, `${layer.name}.json`);
  const started = performance.now();
  const ok = run("vitest", [
    "run",
    ...layer.projects.flatMap((project) => ["--project", project]),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const over = seconds > layer.budgetSeconds ? " (over its share)" : "";
  console.log(`${layer.name}: ${seconds} s of ${layer.budgetSeconds} s${over}\n`);
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, "utf8"),
    ) as Record<string, number>;
    counts.passed = numPassedTests ?? 0;
    counts.failed = numFailedTests ?? 0;
    counts.skipped = numPendingTests ?? 0;
  } catch {
    console.error(`${layer.name}: the runner left no report`);
  }
  // A file that does not load fails without a failed test; so does a layer without tests.
  if ((!ok || counts.passed === 0) && counts.failed === 0) counts.failed = 1;
  return counts;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !layers.some((layer) => layer.name === name));
if (unknown.length > 0) {
  console.error(`no such layer: ${unknown.join(", ")}; there are unit, simulation, contracts, e2e`);
  process.exit(2);
}
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
if (wanted.length === 0) {
  for (const [name, command, ...args] of [
    ["style", "biome", "check", "."],
    ["types", "tsc", "-p", "tsconfig.json"],
  ] as [string, string, ...string[]][]) {
    const ok = run(command, args);
    console.log(`${name}: ${ok ? "clean" : "FAILED"}`);
    if (ok) total.passed += 1;
    else total.failed += 1;
  }
}
const folder = mkdtempSync(join(tmpdir(), "credlink-test-"));
try {
  for (const layer of layers) {
    if (wanted.length > 0 && !wanted.includes(layer.name)) continue;
    const counts = runLayer(layer, folder);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed === 0 ? 0 : 1);
