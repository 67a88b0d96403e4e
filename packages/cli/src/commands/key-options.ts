import { keyKinds } from "@credlink/keys";
import { type Command, Option } from "commander";
import { describeKey } from "../key-input.ts";
import type { Answer } from "../output.ts";
import { renderFields } from "./read.ts";

/** What every key command takes. */
export interface KeyOptions {
  readonly store: string;
  readonly json?: boolean;
}

/** A key command with its store and `--json`. */
export function keyCommand(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .requiredOption("--store <dir>", "the key store's folder")
    .option("--json", "print one JSON document");
}

export const kindOption = () =>
  new Option("--kind <kind>", "what the key is for").choices([...keyKinds]).makeOptionMandatory();

/** The answer that shows one key. */
export function answerKey(record: Parameters<typeof describeKey>[0], more = ""): Answer {
  const value = describeKey(record);
  return { value, text: `${renderFields(value)}${more}` };
}
