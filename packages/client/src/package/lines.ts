import { digestHex, heightNumber, hex } from "@credlink/api";
import { sm3 } from "@credlink/crypto";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { ClientError } from "../errors.ts";

/*
 * An evidence package is text of lines, each one JSON object in one fixed form, so that it can be
 * written and verified as it comes. @see docs/protocol/evidence-package.md
 */

export const PACKAGE_FORMAT = "credlink/evidence-package/1";
/** Most bytes of one line: a transaction and its receipt at their largest, in hexadecimal. */
export const MAX_PACKAGE_LINE_BYTES = 2 * 1024 * 1024;
export const MAX_PACKAGE_LINES = 8_192;
export const MAX_PACKAGE_BYTES = 64 * 1024 * 1024;

const index = z.number().int().nonnegative();

/** Every kind of line, in the order in which kinds follow each other. */
const lineSchemas = {
  package: z.strictObject({
    kind: z.literal("package"),
    format: z.literal(PACKAGE_FORMAT),
    /**
     * Evidence: the whole graph with its transactions. Credential: one with its parents and its
     * issuer. Disclosure: fields of one.
     */
    purpose: z.enum(["evidence", "credential", "disclosure"]),
    chainId: z.string().min(1).max(64),
    genesisDigest: digestHex,
    /** The credential that the package is about. */
    credential: digestHex,
  }),
  /** The certified last block of one list of validators, and the list that it names as the next. */
  validators: z.strictObject({
    kind: z.literal("validators"),
    height: heightNumber.min(1),
    header: hex,
    certificate: hex,
    next: z
      .array(
        z.strictObject({
          nodeId: z.string().max(64),
          publicKey: hex.length(130),
          peerId: z.string().max(128),
        }),
      )
      .min(1)
      .max(128),
  }),
  /** A certified block; the first is the one whose state everything is proven under. */
  header: z.strictObject({
    kind: z.literal("header"),
    height: heightNumber.min(1),
    header: hex,
    certificate: hex,
  }),
  /** A credential of the graph, breadth first, as the state keeps it. */
  credential: z.strictObject({
    kind: z.literal("credential"),
    id: digestHex,
    value: hex,
    proof: hex,
  }),
  /** A registered schema version that opened fields, or the credential itself, name; ascending. */
  schema: z.strictObject({
    kind: z.literal("schema"),
    schema: z.string().min(1).max(64),
    /** The registry's record of it, which holds the digest of its fields. */
    value: hex,
    proof: hex,
    /** Canonical list of its fields. */
    fields: hex,
  }),
  /** A signer of a transaction, ascending by address, as the registry keeps it. */
  member: z.strictObject({
    kind: z.literal("member"),
    address: hex.length(64),
    value: hex,
    proof: hex,
    /** Of an account: who signs for it, and its proof. */
    account: z.strictObject({ value: hex, proof: hex }).optional(),
  }),
  /** A transaction that made or changed a credential, ascending by place in the chain. */
  transaction: z.strictObject({
    kind: z.literal("transaction"),
    height: heightNumber.min(1),
    index,
    transaction: hex,
    receipt: hex,
    transactionProof: hex,
    receiptProof: hex,
  }),
  /** A field of a credential's payload, opened. */
  disclosure: z.strictObject({
    kind: z.literal("disclosure"),
    credential: digestHex,
    field: hex,
  }),
  end: z.strictObject({
    kind: z.literal("end"),
    /** Lines before this one. */
    lines: index,
    /** d(n): d(0) is 32 zero bytes, d(i) = SM3(d(i − 1) ‖ line i ‖ line feed). */
    digest: digestHex,
  }),
} as const;

export type LineKind = keyof typeof lineSchemas;
export type Line<K extends LineKind = LineKind> = {
  [T in K]: z.infer<(typeof lineSchemas)[T]>;
}[K];

const order: readonly LineKind[] = [
  ...["package", "validators", "header", "credential", "schema"],
  ...["member", "transaction", "disclosure", "end"],
] as readonly LineKind[];

/** Place of a kind among the kinds: they never go back. */
export function rankOf(kind: LineKind): number {
  return order.indexOf(kind);
}

const anyLine = z.discriminatedUnion("kind", [
  lineSchemas.package,
  lineSchemas.validators,
  lineSchemas.header,
  lineSchemas.credential,
  lineSchemas.schema,
  lineSchemas.member,
  lineSchemas.transaction,
  lineSchemas.disclosure,
  lineSchemas.end,
]);

/** A refusal that says in which line of a package it is. */
export function packageError(
  code: ConstructorParameters<typeof ClientError>[0]["code"],
  line: number,
  detail: string,
  cause?: unknown,
): ClientError {
  const options = cause === undefined ? {} : { cause };
  return new ClientError({ code, line }, `line ${line}: ${detail}`, options);
}

/**
 * Reads one line in its one form.
 * @param number counted from 1
 * @throws ClientError CLIENT_PACKAGE_MALFORMED
 */
export function parseLine(text: string, number: number): Line {
  if (text.length > MAX_PACKAGE_LINE_BYTES) {
    throw packageError("CLIENT_PACKAGE_MALFORMED", number, "it is too long");
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw packageError("CLIENT_PACKAGE_MALFORMED", number, "it is not JSON", cause);
  }
  const parsed = anyLine.safeParse(json);
  if (!parsed.success) {
    const detail = z.prettifyError(parsed.error);
    throw packageError("CLIENT_PACKAGE_MALFORMED", number, detail);
  }
  if (printLine(parsed.data) !== text) {
    throw packageError("CLIENT_PACKAGE_MALFORMED", number, "it is not in its one form");
  }
  return parsed.data;
}

/** The one form of a line: its fields in the schema's order, no blanks. */
export function printLine(line: Line): string {
  return JSON.stringify(anyLine.parse(line));
}

/** Digest of a package's bytes, line by line: each digest is over the one before and a line. */
export class LineDigest {
  #digest: Uint8Array = new Uint8Array(32);

  add(text: string): void {
    this.#digest = sm3(concatBytes(this.#digest, utf8(`${text}\n`)));
  }

  get hex(): string {
    return toHex(this.#digest);
  }
}
