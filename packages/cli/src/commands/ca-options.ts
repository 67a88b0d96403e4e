import type { Command } from "commander";

/** Adds the option that says the custody notice was read. */
export function withCustody(command: Command): Command {
  return command.option("--acknowledge-custody", "the key's holder has read the custody notice");
}
