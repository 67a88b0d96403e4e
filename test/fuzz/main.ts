/** `pnpm fuzz identity`: hostile certificates, requests, lists and handshakes, and what becomes of them. */
import { parseFuzzOptions, UsageError, usage } from "./options.ts";
import { type RunReport, replay, runFuzz } from "./run.ts";

function render(report: RunReport): string {
  const { seed, from, executions, seconds, results, findings } = report;
  return [
    `${executions} executions from ${from} under seed ${seed} in ${seconds} s`,
    ...Object.entries(results).map(([name, count]) => `${String(count).padStart(9)}  ${name}`),
    ...findings.map(({ file, finding }) => `FOUND ${file}: ${finding}`),
    findings.length === 0 ? "nothing found" : `${findings.length} found`,
  ].join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseFuzzOptions(args);
  const print = (value: object, text: string): void =>
    void process.stdout.write(`${options.json ? JSON.stringify(value) : text}\n`);
  if (options.replay !== undefined) {
    const outcome = await replay(options.replay);
    print(outcome, outcome.finding ?? `${outcome.result}: nothing found`);
    return outcome.finding === undefined ? 0 : 1;
  }
  const report = await runFuzz(options);
  print(report, render(report));
  return report.findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}\n`);
  process.exitCode = 2;
}
