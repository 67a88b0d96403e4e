import type { ChaosReport } from "./run.ts";
import type { Spread } from "./spread.ts";

function renderSpread({ median, p95, max }: Spread): string {
  return `median ${median} ms, p95 ${p95} ms, max ${max} ms`;
}

/** A run's report for people. */
export function renderRun(report: ChaosReport): string {
  const { transactions: t } = report;
  const faults = Object.entries(report.faults).map(([kind, count]) => `${count} ${kind}`);
  const refusals = Object.entries(t.refusals).map(([code, count]) => `${count} ${code}`);
  const memory = Object.entries(report.memory).map(
    ([name, { maxMebibytes, slopeMebibytesPerMinute }]) => {
      const slope =
        slopeMebibytesPerMinute === null ? "" : `, ${slopeMebibytesPerMinute} MiB a minute`;
      return `  ${name}  at most ${maxMebibytes} MiB${slope}`;
    },
  );
  return [
    `seed         ${report.seed}, ${report.validators} validators, ${report.seconds} s, height ${report.height}`,
    `faults       ${faults.join(", ") || "none"}`,
    ...report.skipped.map((reason) => `skipped      ${reason}`),
    `transactions ${t.submitted} submitted, ${t.accepted} accepted, ${t.committed} committed, ` +
      `${t.expired} expired, ${t.forgotten} forgotten by a killed process, ` +
      `${t.resubmitted} of them committed when sent again`,
    `refused      ${refusals.join(", ") || "none"}`,
    `next block   ${renderSpread(report.progressMs)} after a fault is healed`,
    `on all nodes ${renderSpread(report.catchUpMs)}`,
    "memory",
    ...memory,
    report.violations.length === 0
      ? "all that must hold holds"
      : `${report.violations.length} VIOLATIONS`,
    ...report.violations.map(({ rule, detail }) => `  ${rule}: ${detail}`),
  ].join("\n");
}
