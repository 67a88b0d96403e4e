import { createInterface } from "node:readline/promises";
import { CaError, CUSTODY_NOTICE, checkAcknowledgement } from "@credlink/ca";
import { readTextOf } from "../connection.ts";
import type { Streams } from "../output.ts";

/** How the command line acknowledges the custody notice. */
export interface CustodyOptions {
  readonly acknowledgeCustody?: boolean;
  /** File that the holder signed (`ca request` and `ca init` write it). */
  readonly acknowledgement?: string;
}

/**
 * Shows the custody notice and has it acknowledged: by option, or by "yes" at a terminal.
 * @throws CaError CA_CUSTODY_UNACKNOWLEDGED
 */
export async function askForCustody(streams: Streams, options: CustodyOptions): Promise<void> {
  streams.err(`${CUSTODY_NOTICE}\n`);
  if (options.acknowledgeCustody === true) return;
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) throw new CaError("CA_CUSTODY_UNACKNOWLEDGED", "nobody was asked");
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await terminal.question("Type yes when the key's holder has read this: ");
    if (answer.trim().toLowerCase() === "yes") return;
  } finally {
    terminal.close();
  }
  throw new CaError("CA_CUSTODY_UNACKNOWLEDGED", "the answer was not yes");
}

/**
 * Before a key is certified: its holder's signed acknowledgement, or the word of whoever issues.
 * @returns how it was acknowledged, for the audit file
 * @throws CaError CA_CUSTODY_UNACKNOWLEDGED
 */
export async function requireCustody(
  streams: Streams,
  options: CustodyOptions,
  publicKey: Uint8Array,
): Promise<string> {
  if (options.acknowledgement === undefined) {
    await askForCustody(streams, options);
    return "by the issuer's word";
  }
  const { at } = checkAcknowledgement(readTextOf(options.acknowledgement), publicKey);
  streams.err(`${CUSTODY_NOTICE}\nacknowledged by the key's holder at ${at}\n`);
  return `signed by the holder at ${at}`;
}
