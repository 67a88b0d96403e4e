import { AppError, type ErrorTable } from "@credlink/primitives";
import { CommanderError } from "commander";
import { cliErrors } from "./errors.ts";

/** What a process of the command ends with. */
export const exitCodes = {
  /** It did what was asked. */
  done: 0,
  /** A bug or a failure nobody foresaw; the stack stands on stderr. */
  unexpected: 1,
  /** The command line is wrong. */
  usage: 2,
  /** It was refused, or failed for a reason with a documented code. */
  refused: 3,
  /** What was to be verified does not hold. */
  unverified: 4,
  /** The node could not be reached, or was late. */
  unreachable: 5,
  /** What was asked for does not exist. */
  notFound: 6,
} as const;

const codesOf: Readonly<Record<string, number>> = {
  CLI_USAGE: exitCodes.usage,
  CLI_OPTIONS_CONFLICT: exitCodes.usage,
  CLIENT_CONTRACT_TURN: exitCodes.usage,
  CLI_NOT_FOUND: exitCodes.notFound,
  KEYS_KEY_UNKNOWN: exitCodes.notFound,
  KEYS_AUDIT_BROKEN: exitCodes.unverified,
  KEYS_AUDIT_CUT: exitCodes.unverified,
  CLIENT_CREDENTIAL_UNKNOWN: exitCodes.notFound,
  CLIENT_CONTRACT_UNKNOWN: exitCodes.notFound,
  CLIENT_SCHEMA_UNKNOWN: exitCodes.notFound,
  CLIENT_NOT_A_VALIDATOR: exitCodes.notFound,
  CLI_CHAIN_DAMAGED: exitCodes.unverified,
  CLI_AUDIT_ALTERED: exitCodes.unverified,
  CLI_DRAIN_UNFINISHED: exitCodes.unreachable,
  CLI_CREDENTIAL_MISMATCH: exitCodes.unverified,
  CLI_DOCUMENT_UNKNOWN: exitCodes.unverified,
  CLIENT_CONTRACT_DIFFERS: exitCodes.unverified,
  TOOLS_SOURCE_DIFFERS: exitCodes.unverified,
  CLIENT_HEADER_ALTERED: exitCodes.unverified,
  CLIENT_CERTIFICATE_INVALID: exitCodes.unverified,
  CLIENT_VALIDATORS_UNKNOWN: exitCodes.unverified,
  CLIENT_PROOF_INVALID: exitCodes.unverified,
  CLIENT_RECORD_ALTERED: exitCodes.unverified,
  CLIENT_GENESIS_MISMATCH: exitCodes.unverified,
  CLIENT_PACKAGE_MALFORMED: exitCodes.unverified,
  CLIENT_PACKAGE_INCOMPLETE: exitCodes.unverified,
  CLIENT_PACKAGE_DIGEST: exitCodes.unverified,
  CLIENT_SIGNATURE_INVALID: exitCodes.unverified,
  CLIENT_RECEIPT_MALFORMED: exitCodes.unverified,
  CLIENT_RECEIPT_OTHER_CHAIN: exitCodes.unverified,
  CLIENT_RECEIPT_SIGNATURE: exitCodes.unverified,
  CLIENT_RECEIPT_SIGNER: exitCodes.unverified,
  CLIENT_RECEIPT_CONTENT: exitCodes.unverified,
  CLIENT_DISCLOSURE_INVALID: exitCodes.unverified,
  CLIENT_VC_MALFORMED: exitCodes.unverified,
  CLIENT_VC_MISMATCH: exitCodes.unverified,
  CLIENT_VC_INACTIVE: exitCodes.unverified,
  CLIENT_VC_EXPIRED: exitCodes.unverified,
  CLIENT_UNREACHABLE: exitCodes.unreachable,
  CLIENT_TIMEOUT: exitCodes.unreachable,
  NODE_STOP_TIMEOUT: exitCodes.unreachable,
};

/** Where a command writes; tests hand in their own. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What a command answers: the value for `--json`, and how people read it. */
export interface Answer {
  readonly value: unknown;
  readonly text: string;
  /** Default `exitCodes.done`. */
  readonly exitCode?: number;
}

/** Writes an answer: with `json` exactly one document and nothing else on stdout. */
export function writeAnswer(streams: Streams, json: boolean, answer: Answer): number {
  streams.out(json ? `${JSON.stringify(answer.value)}\n` : `${answer.text}\n`);
  return answer.exitCode ?? exitCodes.done;
}

/** An expected failure as the command reports it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** The failure behind an error with a documented code, or undefined: then it is a bug. */
export function describeFailure(
  error: unknown,
  tables: readonly ErrorTable[],
): Failure | undefined {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "");
    return { code: "CLI_USAGE", message, remedy: "See `credlink --help`." };
  }
  if (isFileFailure(error)) {
    const message = `${error.path}: ${error.code} at ${error.syscall}`;
    return { code: "CLI_FILE_UNREADABLE", message, remedy: cliErrors.CLI_FILE_UNREADABLE.remedy };
  }
  if (!(error instanceof AppError)) return undefined;
  const { code } = error;
  const own = "remedy" in error && typeof error.remedy === "string" ? error.remedy : undefined;
  const known = tables.find((table) => table[code] !== undefined)?.[code]?.remedy;
  return { code, message: error.message, remedy: own ?? known ?? "See docs/errors.md." };
}

/** What the system says of a path: it is missing, not ours, full, or no folder. */
function isFileFailure(
  error: unknown,
): error is { readonly code: string; readonly syscall: string; readonly path: string } {
  return (
    error instanceof Error &&
    !(error instanceof AppError) &&
    ["code", "syscall", "path"].every(
      (name) => typeof Object.getOwnPropertyDescriptor(error, name)?.value === "string",
    )
  );
}

/** Writes a failure in one line, or as one document; an unknown error with its stack. */
export function writeFailure(
  streams: Streams,
  json: boolean,
  error: unknown,
  tables: readonly ErrorTable[],
): number {
  const failure = describeFailure(error, tables);
  if (failure === undefined) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    streams.err(`${stack}\n`);
    if (json) streams.out(`${JSON.stringify({ error: { code: "UNEXPECTED" } })}\n`);
    return exitCodes.unexpected;
  }
  const message = failure.message.trim().replace(/[.:;,]?$/, ".");
  const line = `${failure.code}: ${message} ${failure.remedy}`.replaceAll(/\s+/g, " ");
  streams.err(`${line.trim()}\n`);
  if (json) streams.out(`${JSON.stringify({ error: failure })}\n`);
  return codesOf[failure.code] ?? exitCodes.refused;
}
