import type { ControlAction, NodeMode } from "@credlink/api";
import { type Client, controlNode } from "@credlink/client";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { findNode, loadNetwork } from "../network/layout.ts";
import { renderTable } from "../network/status.ts";
import type { CommandContext } from "./context.ts";
import { wholeNumber } from "./network.ts";
import { renderFields } from "./read.ts";

/** Who asks which node, and the node as the operator knows it. */
export interface ControlOptions extends ConnectionOptions {
  readonly peer?: string;
  readonly json?: boolean;
}

/** Pause between two looks at a node that drains, milliseconds. */
const LOOK_MS = 250;
/** How long `node drain` waits unless told otherwise, seconds. */
const DRAIN_SECONDS = 60;

/** Adds the options of a command that changes a node. */
export function withNode(command: Command): Command {
  return withConnection(command)
    .option("--peer <id>", "peer id of the node that is meant; needed with --rpc")
    .option("--json", "print one JSON document");
}

/** The peer id that a request is signed for. @throws CliError CLI_OPTIONS_CONFLICT */
function nodeOf(options: ControlOptions): string {
  if (options.peer !== undefined) return options.peer;
  if (options.network !== undefined) {
    return findNode(loadNetwork(options.network), options.node).peerId;
  }
  throw new CliError("CLI_OPTIONS_CONFLICT", "with --rpc, --peer says which node is meant");
}

/** Has a node changed as the options say. */
export async function askNode(
  options: ControlOptions,
  action: ControlAction,
  setting: { readonly key?: string; readonly value?: string } = {},
) {
  const node = nodeOf(options);
  const client = await connect(options);
  return { client, answer: await controlNode(client, { node, action, ...setting }) };
}

/** `node drain | resume | stop` and `node config …`; `node start` stands with running one. */
export function addControlCommands(node: Command, context: CommandContext): void {
  addDrain(node, context);
  addChange(node, context, "resume", "end a drain: take new transactions and sessions again");
  addChange(
    node,
    context,
    "stop",
    "put a node in standby: it leaves consensus and peers, and keeps its gateway for its admins",
  );
  addConfig(node, context);
}

function addChange(
  node: Command,
  context: CommandContext,
  action: "resume" | "stop",
  description: string,
): void {
  withNode(node.command(action))
    .description(description)
    .action((options: ControlOptions) =>
      context.run(options.json ?? false, async () => {
        const { answer } = await askNode(options, action);
        return { value: answer, text: renderFields(answer) };
      }),
    );
}

function addDrain(node: Command, context: CommandContext): void {
  withNode(node.command("drain"))
    .description("take nothing new, finish what was accepted, and say when that is done")
    .option("--wait <seconds>", "how long to wait for it; 0: not at all", wholeNumber)
    .action((options: ControlOptions & { readonly wait?: number }) =>
      context.run(options.json ?? false, async () => {
        const { client, answer } = await askNode(options, "drain");
        const mode = await untilDrained(client, (options.wait ?? DRAIN_SECONDS) * 1_000);
        const isLate = options.wait !== 0 && mode === "draining";
        if (isLate) throw new CliError("CLI_DRAIN_UNFINISHED", `${answer.open} were open at first`);
        const value = { ...answer, mode };
        return { value, text: renderFields(value) };
      }),
    );
}

/** The mode that the node is in when it is drained, is not draining any more, or time is up. */
async function untilDrained(client: Client, timeoutMs: number): Promise<NodeMode> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const { mode } = await client.status();
    if (mode !== "draining" || performance.now() >= endMs) return mode;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function addConfig(node: Command, context: CommandContext): void {
  const config = node.command("config").description("settings of a running node");
  withNode(config.command("get").argument("[key]", "dotted name; default: all"))
    .description("settings in force, where they come from, and which change while it runs")
    .action((key: string | undefined, options: ControlOptions) =>
      context.run(options.json ?? false, async () => {
        const client = await connect(options);
        const value = await client.call("node.config", key === undefined ? {} : { key });
        const rows = value.settings.map((each) => [
          ...[each.key, each.value, each.source],
          each.changeable ? each.range : "at start",
        ]);
        return { value, text: renderTable(["setting", "value", "from", "takes"], rows) };
      }),
    );
  withNode(config.command("set").argument("<key>", "dotted name").argument("<value>", "its value"))
    .description("change a setting at once and for later starts")
    .action((key: string, value: string, options: ControlOptions) =>
      context.run(options.json ?? false, async () => {
        const { answer } = await askNode(options, "config.set", { key, value: toJson(value) });
        return { value: { ...answer, key, value }, text: `${key} = ${value}` };
      }),
    );
  withNode(config.command("reset").argument("<key>", "dotted name"))
    .description("back to what the node was started with")
    .action((key: string, options: ControlOptions) =>
      context.run(options.json ?? false, async () => {
        const { answer } = await askNode(options, "config.reset", { key });
        return { value: { ...answer, key }, text: `${key} as at the start` };
      }),
    );
}

/** Numbers, booleans, null and quoted text are JSON already; a bare word is text. */
function toJson(value: string): string {
  return /^(?:-?\d+|true|false|null|".*"|\[.*\])$/s.test(value) ? value : JSON.stringify(value);
}
