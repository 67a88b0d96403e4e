/**
 * Writes docs/errors.md and docs/metrics.md from the tables that the packages export, and
 * docs/consensus-rules.md from the rules that are broken on purpose, so that each is described
 * once. `pnpm docs:reference` writes; `test/reference.test.ts` and `test/assurance.test.ts` compare.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ErrorTable, MetricDefinition } from "@credlink/primitives";
import { rulesPage } from "./sabotage/page.ts";
import { brokenRules } from "./sabotage/rules.ts";

const root = join(import.meta.dirname, "..");

/** Packages that declare codes or metrics, by the doors that export the tables. */
const doors = [
  "@credlink/primitives",
  "@credlink/crypto",
  "@credlink/keys",
  "@credlink/consensus-pbft",
  "@credlink/ledger",
  "@credlink/contracts-vm",
  "@credlink/contracts",
  "@credlink/contract-tools/errors",
  "@credlink/api",
  "@credlink/client",
  "@credlink/node",
  "@credlink/node/engine",
  "@credlink/ca",
  "@credlink/cli",
] as const;

type Metric = MetricDefinition;

function isErrorTable(name: string, value: unknown): value is ErrorTable {
  return /Errors$/.test(name) && typeof value === "object" && value !== null;
}

function isMetricTable(name: string, value: unknown): value is Readonly<Record<string, Metric>> {
  return (
    /Metrics$/.test(name) && name !== "noMetrics" && typeof value === "object" && value !== null
  );
}

export interface Reference {
  /** Package door -> its codes. */
  readonly errors: ReadonlyMap<string, ErrorTable>;
  readonly metrics: ReadonlyMap<string, readonly Metric[]>;
}

/** Loads every door and gathers its tables; a table exported by two doors counts for the first. */
export async function loadReference(): Promise<Reference> {
  const errors = new Map<string, ErrorTable>();
  const metrics = new Map<string, readonly Metric[]>();
  const seen = new Set<unknown>();
  for (const door of doors) {
    const module = (await import(door)) as Record<string, unknown>;
    // Loaders differ in the order of a module's names.
    for (const name of Object.keys(module).sort()) {
      const value = module[name];
      if (seen.has(value)) continue;
      if (isErrorTable(name, value)) {
        seen.add(value);
        errors.set(door, { ...errors.get(door), ...value });
      } else if (isMetricTable(name, value)) {
        seen.add(value);
        metrics.set(door, [...(metrics.get(door) ?? []), ...Object.values(value)]);
      }
    }
  }
  return { errors, metrics };
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

export function errorsPage(reference: Reference): string {
  const parts = [
    "# Errors",
    "",
    "Every code that a node, the CLI or the SDK gives, what it means and what cures it. A code is never",
    "reused for another meaning. This page is written from the tables in the packages' sources by",
    "`pnpm docs:reference`; a test holds both equal.",
  ];
  for (const [door, table] of reference.errors) {
    parts.push("", `## ${door}`, "", "| code | meaning | remedy |", "|---|---|---|");
    for (const [code, { meaning, remedy }] of Object.entries(table)) {
      parts.push(`| \`${code}\` | ${cell(meaning)} | ${cell(remedy)} |`);
    }
  }
  return `${parts.join("\n")}\n`;
}

export function metricsPage(reference: Reference): string {
  const parts = [
    "# Metrics",
    "",
    "What a node exports at `/metrics` in Prometheus' text format. Names follow",
    "`credlink_<package>_<noun>_<unit>`; counters end in `_total`. This page is written from the tables in",
    "the packages' sources by `pnpm docs:reference`; a test holds both equal.",
  ];
  for (const [door, definitions] of reference.metrics) {
    parts.push("", `## ${door}`, "", "| metric | kind | labels | meaning |", "|---|---|---|---|");
    for (const { name, kind, labels, help } of definitions) {
      parts.push(`| \`${name}\` | ${kind} | ${(labels ?? []).join(", ")} | ${cell(help)} |`);
    }
  }
  return `${parts.join("\n")}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const reference = await loadReference();
  writeFileSync(join(root, "docs/errors.md"), errorsPage(reference));
  writeFileSync(join(root, "docs/metrics.md"), metricsPage(reference));
  writeFileSync(join(root, "docs/consensus-rules.md"), rulesPage(brokenRules));
}
