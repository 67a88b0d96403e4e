import type { Command } from "commander";
import type { CommandContext } from "./context.ts";

/** Placeholder until ledger's verification is at hand. */
export function addChainCommands(_program: Command, _context: CommandContext): void {}
