import { join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { networkPaths } from "../network/layout.ts";
import { renderTable } from "../network/status.ts";
import { exitCodes } from "../output.ts";
import type { CommandContext } from "./context.ts";

interface DoctorOptions {
  readonly config?: string;
  readonly dir?: string;
  readonly network?: string;
  readonly node?: string;
  readonly json?: boolean;
}

/** The configuration that is to be looked at. @throws CliError CLI_OPTIONS_CONFLICT */
function fileOf({ config, dir, network, node }: DoctorOptions): string {
  if (config !== undefined) return config;
  if (dir !== undefined) return join(dir, "node.yaml");
  if (network !== undefined && node !== undefined) return networkPaths(network).config(node);
  throw new CliError("CLI_OPTIONS_CONFLICT", "one of --config, --dir, --network with --node");
}

/** `node doctor`: this machine against what a node needs. */
export function addDoctor(node: Command, context: CommandContext): void {
  node
    .command("doctor")
    .description("check this machine and a node's files against what a node needs")
    .option("--config <file>", "the node's configuration file")
    .option("--dir <dir>", "the node's folder, with node.yaml")
    .option("--network <dir>", "folder of a network; with --node")
    .option("--node <name>", "which of its nodes")
    .option("--json", "print one JSON document")
    .action((options: DoctorOptions) =>
      context.run(options.json ?? false, async () => {
        const { examineNode } = await import("@credlink/node");
        const findings = await examineNode({
          file: fileOf(options),
          environment: process.env,
        });
        const errors = findings.filter(({ severity }) => severity === "error").length;
        const rows = findings.map((each) => [
          ...[each.severity, each.code, each.subject, each.detail],
          ...(each.remedy === "" ? [] : [`→ ${each.remedy}`]),
        ]);
        return {
          value: { ok: errors === 0, errors, findings },
          text: renderTable(["", "code", "what", "found", "remedy"], rows),
          exitCode: errors === 0 ? exitCodes.done : exitCodes.unverified,
        };
      }),
    );
}
