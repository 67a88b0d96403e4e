import { join } from "node:path";
import type { Command } from "commander";
import { type ConnectionOptions, withConnection } from "../connection.ts";
import type { CommandContext } from "./context.ts";
import { addControlCommands, askNode, type ControlOptions, withNode } from "./node-control.ts";
import { addDoctor } from "./node-doctor.ts";
import { addJoin } from "./node-join.ts";
import { addReadingCommands } from "./node-read.ts";
import { renderFields } from "./read.ts";

interface RepairOptions extends ConnectionOptions {
  readonly dir: string;
  readonly json?: boolean;
}

interface StartOptions extends ControlOptions {
  readonly config?: string;
  readonly withParent?: boolean;
}

/** Time for a node that did not stop in time to say so, milliseconds. */
const LAST_WORDS_MS = 500;

/** `node …`: one node, in this process or behind its gateway. */
export function addNodeCommands(program: Command, context: CommandContext): void {
  const node = program.command("node").description("one node");
  addRepair(node, context);
  node
    .command("reindex")
    .description("delete a stopped node's index of credentials; the next start builds it anew")
    .requiredOption("--dir <dir>", "the node's folder")
    .option("--json", "print one JSON document")
    .action((options: { readonly dir: string; readonly json?: boolean }) =>
      context.run(options.json ?? false, async () => {
        const { loadConfig, removeIndex } = await import("@credlink/node");
        const { dataDir } = await loadConfig({ file: join(options.dir, "node.yaml") });
        await removeIndex(dataDir);
        return { value: { dataDir }, text: "deleted; the next start builds it anew" };
      }),
    );
  addStart(node, context);
  addControlCommands(node, context);
  addReadingCommands(node, context);
  addDoctor(node, context);
  addJoin(node, context);
}

/** With a configuration file a node in this process; without one, a request to a node in standby. */
function addStart(node: Command, context: CommandContext): void {
  withNode(node.command("start"))
    .description("run a node in the foreground (--config), or start one that is in standby")
    .option("--config <file>", "the configuration file of the node to run in this process")
    .option("--with-parent", "stop when standard input ends: the parent process is gone")
    .argument("[settings...]", "settings over the file's, after --: --rpc.port=8645")
    .action((settings: readonly string[], options: StartOptions) =>
      context.run(options.json ?? false, async () => {
        if (options.config !== undefined) {
          return runHere(options.config, settings, options, context);
        }
        const { answer } = await askNode(options, "start");
        return { value: answer, text: renderFields(answer) };
      }),
    );
}

async function runHere(
  file: string,
  settings: readonly string[],
  options: StartOptions,
  context: CommandContext,
): Promise<undefined> {
  const stop = Promise.race([
    context.stopSignal,
    ...(options.withParent === true ? [inputEnd()] : []),
  ]);
  // Loaded here: no other command needs libp2p, LevelDB and the rest of a node.
  const { fixedSettings, loadConfig, startNode } = await import("@credlink/node");
  const over = { environment: process.env, flags: settings };
  const config = await loadConfig({ file, ...over });
  const running = await startNode(config, { fixedSettings: fixedSettings(over) });
  if (options.json === true) {
    context.streams.out(`${JSON.stringify({ ...running.addresses, pid: process.pid })}\n`);
  }
  await stop;
  try {
    await running.stop();
  } catch (error) {
    // What hangs must not keep the process; its exit code is set by then.
    setTimeout(() => process.exit(), LAST_WORDS_MS).unref();
    throw error;
  } finally {
    // An open pipe from the parent would keep the process alive.
    process.stdin.destroy();
  }
  return undefined;
}

/** `node repair`: the stopped node's data, built again from what is good. */
function addRepair(node: Command, context: CommandContext): void {
  withConnection(node.command("repair"))
    .description("build a stopped node's polluted data again, every block judged by certificate")
    .requiredOption("--dir <dir>", "the node's folder")
    .option("--json", "print one JSON document")
    .action((options: RepairOptions) =>
      context.run(options.json ?? false, async () => {
        const { repair } = await import("../node-repair.ts");
        const result = await repair(options, context.streams);
        const rest =
          result.missing === null
            ? "whole"
            : `block ${result.missing} is damaged; the rest comes from peers at the next start`;
        const text = `${result.height} blocks built again, ${result.fetched.length} fetched; ${rest}`;
        return { value: result, text };
      }),
    );
}

/** Resolves when standard input ends. The parent holds its other end, so it ends with the parent. */
function inputEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("error", () => resolve());
    process.stdin.once("close", () => resolve());
    process.stdin.resume();
  });
}
