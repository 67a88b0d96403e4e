/** `pnpm bench tps | load | query | enrol | verify-once | vm | sm2 | sm3 | transport`: measures networks of real processes, and parts of a node. */
import { type LoadReport, runLoad } from "./bulk/run.ts";
import { type EnrolReport, runEnrol } from "./enrol.ts";
import {
  parseEnrolOptions,
  parseLoadOptions,
  parseQueryOptions,
  parseSm2Options,
  parseSm3Options,
  parseTpsOptions,
  parseTransportOptions,
  parseVerifyOnceOptions,
  parseVmOptions,
  UsageError,
  usage,
} from "./options.ts";
import { type QueryReport, runQuery } from "./query.ts";
import { P99_GOAL_MS, type QueryTimes } from "./query-measure.ts";
import { runSm2, type Sm2Report } from "./sm2.ts";
import { renderSm3, runSm3 } from "./sm3.ts";
import { type Percentiles, round } from "./statistics.ts";
import { runTps, type TpsReport } from "./tps.ts";
import { renderTransport, runTransport } from "./transport.ts";
import { runVerifyOnce, type VerifyOnceReport } from "./verify-once.ts";
import { runVm, type VmReport } from "./vm.ts";

function render(report: TpsReport): string {
  const { latencyMs, blockIntervalMs } = report;
  const nodes = Object.keys(report.cpuMsPerTransaction).map((name) => {
    const megabytes = Math.round((report.peakMemoryBytes[name] ?? 0) / 2 ** 20);
    return `  ${name}  ${report.cpuMsPerTransaction[name]} ms CPU a transaction, ${megabytes} MiB`;
  });
  return [
    `committed    ${report.committedTps} transactions a second (${report.kind})`,
    `transactions ${report.submitted} submitted, ${report.committed} committed, ` +
      `${report.rejected} rejected, ${report.lost} lost`,
    `latency      p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms`,
    `blocks       ${report.blocks}, interval p50 ${blockIntervalMs.p50} ms, ` +
      `p95 ${blockIntervalMs.p95} ms, max ${blockIntervalMs.max} ms`,
    ...nodes,
  ].join("\n");
}

function renderTimes(times: QueryTimes): readonly string[] {
  const row = (name: string, { p50, p95, p99, max }: Percentiles): string =>
    `${name.padEnd(20)} p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
  const { p50, max } = times.traceSteps;
  return [
    row("get, proven", times.getMs),
    row("verify a file", times.verifyMs),
    row("trace down, depth 5", times.traceDownMs),
    row("trace up, depth 5", times.traceUpMs),
    row("trace, proven", times.provenTraceMs),
    ...(times.nodeCpuMs === null
      ? []
      : [
          `the node's processor: ${times.nodeCpuMs.get} ms a get, ` +
            `${times.nodeCpuMs.traceDown} ms a trace down`,
        ]),
    `a page downward has ${p50} credentials (p50), at most ${max}`,
  ];
}

function renderQuery(report: QueryReport): string {
  return [
    `${report.records} records in ${report.height} blocks, loaded in ${report.loadSeconds} s, ` +
      `started and indexed in ${report.indexSeconds} s`,
    ...renderTimes(report),
  ].join("\n");
}

function renderLoad(report: LoadReport): string {
  const { resumed, all, overGoal } = report;
  const nodes = Object.keys(report.cpuMsPerRecord).map((name) => {
    const megabytes = Math.round((report.peakMemoryBytes[name] ?? 0) / 2 ** 20);
    const [cpu, bytes] = [report.cpuMsPerRecord[name], report.bytesPerRecord[name]];
    return `  ${name}  ${cpu} ms CPU and ${bytes} bytes on disk a record, ${megabytes} MiB`;
  });
  return [
    `${report.records} records on chain at block ${report.height}, ${report.loaded} by this run`,
    `${report.recordsPerSecond} records a second in ${report.seconds} s; ` +
      `a million would take ${report.hoursPerMillion} h; ` +
      `generator ${report.generatorCpuMsPerRecord} ms CPU a record`,
    ...nodes,
    `begun at chunk ${resumed.fromChunk}, ${resumed.found} records found there, ` +
      `${resumed.repeated} submitted again, ${resumed.busy} pauses, ${report.restarts} restarts`,
    `all ${all.runs} runs: ${all.records} records in ${round(all.seconds)} s, ` +
      `${all.restarts} restarts`,
    ...renderTimes(report.queries),
    overGoal.length === 0
      ? `p99 of get, verify and trace under ${P99_GOAL_MS} ms: yes`
      : `p99 under ${P99_GOAL_MS} ms: NOT ${overGoal.join(", ")}`,
  ].join("\n");
}

function renderEnrol(report: EnrolReport): string {
  const { members, seconds, membersPerSecond, height, lastToFirst, peakMemoryBytes } = report;
  const parts = report.parts.map(
    ({ us, nodesCpuUs, clientCpuUs }, at) =>
      `  tenth ${String(at + 1).padStart(2)}  ${us} µs a member; ` +
      `CPU of nodes ${nodesCpuUs} µs, of the client ${clientCpuUs} µs`,
  );
  return [
    `${members} members in ${seconds} s, ${membersPerSecond} a second, at block ${height}`,
    ...parts,
    `last tenth to first: ${lastToFirst.us} times the time, ` +
      `${lastToFirst.nodesCpuUs} times the nodes' CPU`,
    `most memory of a node ${Math.round(peakMemoryBytes / 2 ** 20)} MiB`,
  ].join("\n");
}

function renderVerifyOnce(report: VerifyOnceReport): string {
  const { transactions, rounds, pushUs, firstSightUs, rememberedUs } = report;
  return [
    `${transactions} transactions, median of ${rounds} rounds, processor time a transaction:`,
    `at the push         ${pushUs} µs`,
    `at the proposal     ${firstSightUs} µs at first sight, ${rememberedUs} µs remembered: ` +
      `${report.proposalRatio} times less`,
    `altogether          ${report.totalRatio} times less than verifying twice`,
  ].join("\n");
}

function renderVm(report: VmReport): string {
  const row = (name: string, unit: string, { p50, p95, p99, max }: Percentiles): string =>
    `${name.padEnd(24)} p50 ${p50} ${unit}, p95 ${p95}, p99 ${p99}, max ${max}`;
  const { callUs, gas, stages, against } = report;
  const calls = Object.entries(callUs).flatMap(([type, sample]) => {
    const own = `${row(type, "µs", sample)} (${gas[type]} gas)`;
    const other = against?.callUs[type];
    if (against === null || other === undefined) return [own];
    const ratio = `${against.ratio[type]} times`;
    return [`${own}: ${ratio}`, row("  the other", "µs", other)];
  });
  const median = `median of the types      ${report.medianCallUs} µs a call`;
  return [
    ...calls,
    against === null ? median : `${median}, the other ${against.medianCallUs}`,
    ...Object.entries(stages).map(([stage, share]) => `  ${stage.padEnd(22)} ${share} %`),
    row("install 200 KiB", "ms", report.installMs),
    row("first call, derived", "ms", report.firstCallMs.derived),
    row("first call, restored", "ms", report.firstCallMs.restored),
  ].join("\n");
}

function renderSm2(report: Sm2Report): string {
  const row = (name: string, perSecond: number, ratio?: number): string =>
    `${name.padEnd(24)} ${perSecond} a second${ratio === undefined ? "" : `, ${ratio} times OpenSSL`}`;
  const { ratios } = report;
  return [
    row("OpenSSL", report.opensslPerSecond),
    row("known key", report.knownPerSecond, ratios.known),
    row("known keys, batch of 64", report.batchPerSecond, ratios.batch),
    row("key without a table", report.coldPerSecond, ratios.cold),
    `table of a key           ${report.tableMs} ms`,
    `opening the kernel       ${report.openMs} ms`,
  ].join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const [suite, ...rest] = args;
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  if (suite === "query") {
    const options = parseQueryOptions(rest);
    const report = await runQuery(options, say);
    const text = options.json ? JSON.stringify(report) : renderQuery(report);
    process.stdout.write(`${text}\n`);
    return 0;
  }
  if (suite === "enrol") {
    const options = parseEnrolOptions(rest);
    const report = await runEnrol(options, say);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderEnrol(report)}\n`);
    return 0;
  }
  if (suite === "verify-once") {
    const options = parseVerifyOnceOptions(rest);
    const report = await runVerifyOnce(options, say);
    const text = options.json ? JSON.stringify(report) : renderVerifyOnce(report);
    process.stdout.write(`${text}\n`);
    return 0;
  }
  if (suite === "vm") {
    const options = parseVmOptions(rest);
    const report = await runVm(options, say);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderVm(report)}\n`);
    return 0;
  }
  if (suite === "sm2") {
    const options = parseSm2Options(rest);
    const report = runSm2(options);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderSm2(report)}\n`);
    return 0;
  }
  if (suite === "sm3") {
    const options = parseSm3Options(rest);
    const report = runSm3(options);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderSm3(report)}\n`);
    return 0;
  }
  if (suite === "transport") {
    const options = parseTransportOptions(rest);
    const report = await runTransport(options);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderTransport(report)}\n`);
    return 0;
  }
  if (suite === "load") {
    const options = parseLoadOptions(rest);
    const report = await runLoad(options, say);
    process.stdout.write(`${options.json ? JSON.stringify(report) : renderLoad(report)}\n`);
    return 0;
  }
  if (suite !== "tps") throw new UsageError(`no suite ${suite ?? ""}`);
  const options = parseTpsOptions(rest);
  const report = await runTps(options, say);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${render(report)}\n`);
  return report.lost === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n${usage}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
