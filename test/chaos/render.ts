import type { Violation } from "./chain-record.ts";
import type { DegradedReport } from "./degraded.ts";
import type { FailoverReport } from "./failover.ts";
import type { HostileReport, Phase } from "./hostile.ts";
import type { RollbackReport } from "./rollback.ts";
import type { ChaosReport } from "./run.ts";
import type { Spread } from "./spread.ts";

function renderSpread({ median, p95, max }: Spread): string {
  return `median ${median} ms, p95 ${p95} ms, max ${max} ms`;
}

function renderViolations(violations: readonly Violation[]): readonly string[] {
  if (violations.length === 0) return ["all that must hold holds"];
  return [
    `${violations.length} VIOLATIONS`,
    ...violations.map(({ rule, detail }) => `  ${rule}: ${detail}`),
  ];
}

/** The report of `chaos failover` for people. */
export function renderFailover(report: FailoverReport): string {
  return [
    `primary killed ${report.rounds} times, ${report.validators} validators`,
    `longest stall  ${renderSpread(report.longestStallMs)} (median below ${report.boundMs} ms)`,
    `next block     ${renderSpread(report.nextBlockMs)} after the kill`,
    `whole network  a block every ${renderSpread(report.healthyIntervalMs)}`,
    ...renderViolations(report.violations),
  ].join("\n");
}

/** The report of `chaos degraded` for people. */
export function renderDegraded(report: DegradedReport): string {
  const { healthy, degraded } = report;
  return [
    `${report.validators} validators  ${healthy.committedTps} transactions a second in ${healthy.blocks} blocks`,
    `${report.down.length} of them down  ${degraded.committedTps} transactions a second in ${degraded.blocks} blocks`,
    `share         ${report.share} (at least ${report.leastShare})`,
    ...renderViolations(report.violations),
  ].join("\n");
}

/** The report of `chaos hostile` for people. */
export function renderHostile(report: HostileReport): string {
  const phase = (name: string, measured: Phase): string =>
    `${name} ${measured.committedTps} transactions a second, CPU ${measured.othersCpu} ms a second ` +
    `(hostile ${measured.hostileCpu}), memory ${measured.growthMebibytes} MiB more, ${measured.dropped} dropped, ${measured.cuts} cuts`;
  return [
    `${report.validators} validators, one of them hostile, ${report.rate} of each attack a second`,
    ...report.silent.map((silent) => phase("silent           ", silent)),
    phase("flood, no blame  ", report.quiet),
    phase("flood, cut for it", report.loud),
    `shares            ${report.quietShare} and ${report.loudShare} (at least ${report.leastShare})`,
    ...renderViolations(report.violations),
  ].join("\n");
}

/** The report of `chaos rollback` for people. */
export function renderRollback(report: RollbackReport): string {
  const { recoveredAfterMs } = report;
  return [
    `image of height ${report.imageHeight} put back at height ${report.forgottenAt}`,
    `abstained     ${report.abstained ? "yes" : "no"}`,
    `recovered     ${recoveredAfterMs === null ? "no" : `after ${recoveredAfterMs} ms`}`,
    `voted again   at ${report.votedAgain} heights`,
    ...renderViolations(report.violations),
  ].join("\n");
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
    ...renderViolations(report.violations),
  ].join("\n");
}
