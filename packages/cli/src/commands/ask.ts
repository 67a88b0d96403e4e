import type { Client } from "@credlink/client";
import type { Command } from "commander";
import { type ConnectionOptions, connect, withConnection } from "../connection.ts";
import type { Answer } from "../output.ts";
import type { CommandContext } from "./context.ts";
import { renderFields } from "./read.ts";

/**
 * Completes a command that asks a node as somebody: as whom and where, and `--json`.
 * @param run is given the command's arguments in their order
 */
export function asks<O extends ConnectionOptions>(
  command: Command,
  context: CommandContext,
  run: (client: Client, options: O, args: readonly string[]) => Promise<Answer>,
): void {
  withConnection(command)
    .option("--json", "print one JSON document")
    .action(() => {
      const options = command.opts<O & { readonly json?: boolean }>();
      return context.run(options.json ?? false, async () =>
        run(await connect(options), options, command.args),
      );
    });
}

/** An answer of one field a line. */
export function fieldsOf(value: object): Answer {
  return { value, text: renderFields(value) };
}
