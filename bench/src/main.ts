/** `pnpm bench tps`: measures a network of real processes. */
import { parseTpsOptions, UsageError, usage } from "./options.ts";
import { runTps, type TpsReport } from "./tps.ts";

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

async function main(args: readonly string[]): Promise<number> {
  const [suite, ...rest] = args;
  if (suite !== "tps") throw new UsageError(`no suite ${suite ?? ""}`);
  const options = parseTpsOptions(rest);
  const report = await runTps(options, (text) => process.stderr.write(`${text}\n`));
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
