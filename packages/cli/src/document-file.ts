import { existsSync } from "node:fs";
import { parseAddress } from "@credlink/crypto";
import type { Address } from "@credlink/primitives";
import type { z } from "zod";
import { readTextOf } from "./connection.ts";
import { CliError } from "./errors.ts";

/** An address as the command line has it. @throws CliError CLI_USAGE */
export function addressOf(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new CliError("CLI_USAGE", `not an address: ${text}`);
  return parsed.value;
}

/** @throws CliError CLI_OPTIONS_CONFLICT when the file is there already */
export function demandNew(path: string): void {
  if (existsSync(path)) throw new CliError("CLI_OPTIONS_CONFLICT", `${path} exists already`);
}

/** A JSON document of one form. @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
export function readDocument<T>(path: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readTextOf(path));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("CLI_FILE_MALFORMED", `${path} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  // No text of the document: it may hold what was shown.
  const places = parsed.error.issues.map(({ path: at }) => at.join(".") || "the whole");
  throw new CliError("CLI_FILE_MALFORMED", `${path}: ${places.join(", ")}`);
}
