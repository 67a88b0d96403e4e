import type { SeedOptions } from "./command-line.ts";
import type { Slice } from "./slices.ts";
import { addTallies, emptyTally, type Tally } from "./tally.ts";

/** Slices of one kind, added up. */
export interface SummaryRow extends Tally {
  readonly profile: string;
  readonly validators: string;
  readonly heightsAsked: string;
  readonly commit: string;
  readonly slices: number;
}

/** Adds up slices that ran the same options on the same commit. */
export function summarize(slices: readonly Slice<Tally, SeedOptions>[]): readonly SummaryRow[] {
  const rows = new Map<string, SummaryRow>();
  for (const slice of slices) {
    const { options, commit } = slice;
    const kind = {
      profile: options.profile,
      validators: String(options.validators ?? "any"),
      heightsAsked: String(options.heights ?? "any"),
      commit: commit ?? "unknown",
    };
    const key = Object.values(kind).join(" ");
    const before = rows.get(key) ?? { ...emptyTally(), ...kind, slices: 0 };
    const sum = addTallies(before, slice);
    rows.set(key, { ...sum, ...kind, slices: before.slices + 1 });
  }
  return [...rows.values()];
}

const COLUMNS = [
  ["profile", (row: SummaryRow) => row.profile],
  ["n", (row: SummaryRow) => row.validators],
  ["heights", (row: SummaryRow) => row.heightsAsked],
  ["commit", (row: SummaryRow) => row.commit.slice(0, 10)],
  ["seeds", (row: SummaryRow) => String(row.seeds)],
  ["passed", (row: SummaryRow) => String(row.passed)],
  ["failed", (row: SummaryRow) => String(row.failed.length)],
  ["blocks", (row: SummaryRow) => String(row.heights)],
  ["virtual h", (row: SummaryRow) => (row.virtualSeconds / 3_600).toFixed(1)],
  ["seeds/s/core", (row: SummaryRow) => (row.seeds / row.cpuSeconds).toFixed(1)],
] as const;

/** The rows as a Markdown table, what was met below it, then each seed that failed. */
export function summaryText(rows: readonly SummaryRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [
    line(COLUMNS.map(([name]) => name)),
    line(COLUMNS.map(() => "---")),
    ...rows.map((row) => line(COLUMNS.map(([, cell]) => cell(row)))),
  ];
  const all = rows.reduce<Tally>((sum, row) => addTallies(sum, row), emptyTally());
  const met = Object.entries(all.coverage)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name}: ${count}`);
  const failed = all.failed.map(
    ({ seed, reason, replay }) => `seed ${seed}: ${reason}\n  ${replay}`,
  );
  return [...table, "", "seeds that met:", ...met, "", ...failed].join("\n").trimEnd();
}
