/** `pnpm chaos`: breaks a network of real processes under load, and checks what must hold. */
import { loadavg } from "node:os";
import { measureDegraded } from "./degraded.ts";
import { measureFailover } from "./failover.ts";
import { measureHostile } from "./hostile.ts";
import { type ChaosOptions, parseChaosOptions, UsageError, usage } from "./options.ts";
import {
  renderDegraded,
  renderFailover,
  renderHostile,
  renderRollback,
  renderRun,
} from "./render.ts";
import { runRollback } from "./rollback.ts";
import { runChaos } from "./run.ts";

/** What a suite prints, and whether what it checks held. */
interface Outcome {
  readonly holds: boolean;
  readonly report: object;
  readonly text: string;
}

function outcome<T extends { readonly violations: readonly unknown[] }>(
  report: T,
  render: (report: T) => string,
): Outcome {
  return { holds: report.violations.length === 0, report, text: render(report) };
}

async function runSuite(options: ChaosOptions, say: (text: string) => void): Promise<Outcome> {
  switch (options.suite) {
    case "run":
    case "kills":
      return outcome(await runChaos(options, say), renderRun);
    case "failover":
      return outcome(await measureFailover(options, say), renderFailover);
    case "degraded":
      return outcome(await measureDegraded(options, say), renderDegraded);
    case "hostile":
      return outcome(await measureHostile(options, say), renderHostile);
    case "rollback":
      return outcome(await runRollback(options, say), renderRollback);
  }
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
