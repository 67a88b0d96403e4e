/** `pnpm chaos`: breaks a network of real processes under load, and checks what must hold. */
import { loadavg } from "node:os";
import { type ChaosOptions, parseChaosOptions, UsageError, usage } from "./options.ts";
import { renderRun } from "./render.ts";
import { runChaos } from "./run.ts";

/** What a suite prints, and whether what it checks held. */
interface Outcome {
  readonly holds: boolean;
  readonly report: object;
  readonly text: string;
}

async function runSuite(options: ChaosOptions, say: (text: string) => void): Promise<Outcome> {
  const report = await runChaos(options, say);
  return { holds: report.violations.length === 0, report, text: renderRun(report) };
}

async function main(args: readonly string[]): Promise<number> {
  const options = parseChaosOptions(args);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`seed ${options.seed}`);
  const { holds, report, text } = await runSuite(options, say);
  const load = loadavg().map((value) => Math.round(value * 100) / 100);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...report, loadAverage: load })}\n`
      : `${text}\nload average ${load.join(" ")}\n`,
  );
  return holds ? 0 : 1;
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
