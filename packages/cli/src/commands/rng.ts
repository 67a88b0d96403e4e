import { systemRandom } from "@credlink/crypto";
import type { FullReport, RandomnessReport } from "@credlink/crypto/randomness";
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { type Answer, exitCodes } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";

interface Options {
  readonly full?: boolean;
  readonly samples?: number;
  readonly json?: boolean;
}

const DEFAULT_SAMPLES = 100;
const MIN_SAMPLES = 20;
const MAX_SAMPLES = 10_000;

/** `rng selftest`: the generator that keys and nonces come from, by the tests of GB/T 32915. */
export function addRngCommands(program: Command, context: CommandContext): void {
  const rng = program.command("rng").description("the machine's random numbers");
  rng
    .command("selftest")
    .description("the fifteen tests of GB/T 32915 on the generator in use")
    .option("--full", "many samples, judged by GM/T 0005-2021; some 0.5 s of processor time each")
    .option("--samples <n>", "with --full: how many, 20 to 10000 (default 100)", wholeNumber)
    .option("--json", "print one JSON document")
    .action((options: Options) =>
      context.run(options.json ?? false, async () => {
        const { checkRandomness, checkRandomnessFully } = await import(
          "@credlink/crypto/randomness"
        );
        if (options.full !== true) {
          if (options.samples !== undefined) {
            throw new CliError("CLI_OPTIONS_CONFLICT", "--samples needs --full");
          }
          return describeQuick(await checkRandomness(systemRandom));
        }
        const samples = options.samples ?? DEFAULT_SAMPLES;
        if (samples < MIN_SAMPLES || samples > MAX_SAMPLES) {
          throw new CliError("CLI_USAGE", `--samples ${samples}: ${MIN_SAMPLES} to ${MAX_SAMPLES}`);
        }
        const onProgress = (done: number, total: number): void => {
          if (done % 10 === 0 || done === total)
            context.streams.err(`${done} of ${total} samples\n`);
        };
        return describeFull(await checkRandomnessFully(systemRandom, { samples, onProgress }));
      }),
    );
}

function describeQuick(report: RandomnessReport): Answer {
  const lines = report.results.map(
    ({ number, name, p }) => `${String(number).padStart(2)}  ${name.padEnd(46)} P=${p.toFixed(6)}`,
  );
  const end = `holds: ${report.samples} of at most 2 samples of ${report.sampleBits} bits`;
  return { value: { holds: true, ...report }, text: [...lines, end].join("\n") };
}

function describeFull(report: FullReport): Answer {
  const line = (verdict: FullReport["verdicts"][number]): string => {
    const { number, name, passed, samples, threshold, uniformity, holds } = verdict;
    const spread = uniformity === null ? "" : `, spread ${uniformity.toFixed(4)}`;
    const counts = `${passed}/${samples} (at least ${threshold})${spread}`;
    return `${String(number).padStart(2)}  ${name.padEnd(46)} ${counts}${holds ? "" : "  FAILS"}`;
  };
  const again = report.repeated.map((verdict) => `again: ${line(verdict).trim()}`);
  const end = report.holds ? "holds" : "does NOT hold";
  return {
    value: report,
    text: [...report.verdicts.map(line), ...again, end].join("\n"),
    exitCode: report.holds ? exitCodes.done : exitCodes.unverified,
  };
}
