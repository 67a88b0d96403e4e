import { taggedSm3 } from "@credlink/crypto";
import { equalBytes, fromHex, toHex, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { KeysError } from "./errors.ts";
import { appendDurably, cutTo, readPrivate, writeWhole } from "./files.ts";
import { keyKinds } from "./lifecycle.ts";

/**
 * The audit log of a key store: what was done, in order, each entry bound to all before it.
 *
 * A line is `⟨64 hex⟩ ⟨JSON⟩`; the digest is SM3 over the previous line's digest and the bytes of
 * this JSON. The log is what a store is: states follow from it, so a record of destruction cannot
 * be taken out without breaking the chain. `audit.head` holds the last digest, so that a log that
 * lost its end is noticed; only one that is rolled back together with its head is not.
 */

const DOMAIN = "credlink/key-audit/1";
const NO_DIGEST = new Uint8Array(32);
const HEX = /^[0-9a-f]{64}$/;

const created = {
  name: z.string(),
  version: z.number().int().min(1),
  kind: z.enum(keyKinds),
  publicKey: z.string(),
};
const keyId = z.string().regex(HEX);

/** What can happen; `action` is the verb of the command that did it. */
const eventSchema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("init"), store: keyId }),
  z.strictObject({ action: z.literal("generate"), key: keyId, ...created }),
  z.strictObject({ action: z.literal("import"), key: keyId, ...created, from: z.string() }),
  z.strictObject({
    action: z.literal("recover"),
    key: keyId,
    ...created,
    backup: z.string(),
    state: z.enum(["pre-active", "active", "suspended", "archived"]),
    activeSinceMs: z.number().int().nullable(),
    /** Whether the store knew the key and lacked its file only. */
    isKnown: z.boolean(),
  }),
  z.strictObject({ action: z.literal("activate"), key: keyId, custodyRead: z.literal(true) }),
  z.strictObject({ action: z.literal("suspend"), key: keyId, reason: z.string() }),
  z.strictObject({ action: z.literal("resume"), key: keyId }),
  z.strictObject({ action: z.literal("archive"), key: keyId }),
  z.strictObject({ action: z.literal("destroy"), key: keyId, reason: z.string() }),
  z.strictObject({ action: z.literal("use"), key: keyId, operation: z.enum(["sign", "decrypt"]) }),
  z.strictObject({ action: z.literal("export"), key: keyId, to: z.string() }),
  z.strictObject({ action: z.literal("distribute"), key: keyId, recipient: z.string() }),
  z.strictObject({
    action: z.literal("backup"),
    keys: z.array(keyId),
    backup: z.string(),
    custodians: z.array(z.string()),
    threshold: z.number().int(),
  }),
  z.strictObject({ action: z.literal("refuse"), key: keyId, what: z.string(), code: z.string() }),
  z.strictObject({ action: z.literal("repair"), cutBytes: z.number().int() }),
]);

const entrySchema = z.strictObject({
  sequence: z.number().int().min(0),
  at: z.string(),
  actor: z.string(),
  event: eventSchema,
});

export type AuditEvent = z.output<typeof eventSchema>;
export type AuditEntry = z.output<typeof entrySchema>;

/** Where a log ends. */
export interface AuditHead {
  /** Of the next entry. */
  readonly sequence: number;
  /** Of the last entry; zeros when there is none. */
  readonly digest: Uint8Array;
}

function link(previous: Uint8Array, json: string): Uint8Array {
  return taggedSm3(DOMAIN, previous, utf8(json));
}

function broken(sequence: number, what: string): KeysError {
  return new KeysError("KEYS_AUDIT_BROKEN", `entry ${sequence}: ${what}`);
}

function readEntry(line: string, head: AuditHead): AuditEntry & { readonly digest: Uint8Array } {
  const json = line.slice(65);
  const stated = line.slice(0, 64);
  const digest = link(head.digest, json);
  if (!HEX.test(stated) || line[64] !== " " || !equalBytes(fromHex(stated), digest)) {
    throw broken(head.sequence, "its digest does not follow");
  }
  const entry = entrySchema.safeParse(parseJson(json, head.sequence));
  if (!entry.success || entry.data.sequence !== head.sequence) {
    throw broken(head.sequence, "not an entry of this format");
  }
  return { ...entry.data, digest };
}

function parseJson(json: string, sequence: number): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw broken(sequence, "not JSON");
  }
}

/** What stands in a log. */
export interface AuditContent {
  readonly entries: readonly AuditEntry[];
  readonly head: AuditHead;
  /** Bytes after the last whole line: an append that a crash cut off and nobody was told of. */
  readonly tornBytes: number;
  /** Bytes of whole lines. */
  readonly wholeBytes: number;
}

/**
 * Judges a log's text, entry by entry.
 * @throws KeysError KEYS_AUDIT_BROKEN with the first entry that does not follow
 */
export function readAudit(text: string): AuditContent {
  const end = text.lastIndexOf("\n") + 1;
  const entries: AuditEntry[] = [];
  let head: AuditHead = { sequence: 0, digest: NO_DIGEST };
  for (const line of text.slice(0, end).split("\n").slice(0, -1)) {
    const { digest, ...entry } = readEntry(line, head);
    entries.push(entry);
    head = { sequence: head.sequence + 1, digest };
  }
  const wholeBytes = Buffer.byteLength(text.slice(0, end));
  return { entries, head, wholeBytes, tornBytes: Buffer.byteLength(text) - wholeBytes };
}

/** The files of a log. */
export interface AuditFiles {
  readonly log: string;
  readonly head: string;
}

/**
 * Reads and judges a log with its head.
 * @throws KeysError KEYS_AUDIT_BROKEN, KEYS_AUDIT_CUT, KEYS_STORE_OPEN, KEYS_STORE_UNREADABLE
 */
export async function loadAudit(files: AuditFiles): Promise<AuditContent> {
  const text = (await readPrivate(files.log)) ?? "";
  const content = readAudit(text);
  const noted = /^(\d+) ([0-9a-f]{64})\n$/.exec((await readPrivate(files.head)) ?? "");
  if (noted === null) throw new KeysError("KEYS_AUDIT_CUT", "audit.head is missing or malformed");
  const [, sequence = "", digest = ""] = noted;
  // The head is written after its entry, so it may be behind; it is never ahead.
  const place = Number(sequence);
  const lines = text.split("\n");
  const isThere = place === 0 || lines[place - 1]?.startsWith(`${digest} `) === true;
  if (place > content.head.sequence || !isThere) {
    throw new KeysError("KEYS_AUDIT_CUT", `entry ${place - 1} was there and is not`);
  }
  return content;
}

/** Takes away the torn end of a log, which was never acknowledged. */
export async function cutTornEnd(files: AuditFiles, content: AuditContent): Promise<void> {
  await cutTo(files.log, content.wholeBytes);
}

/** Appends an entry and makes it durable, then its head. */
export async function appendAudit(
  files: AuditFiles,
  head: AuditHead,
  entry: Omit<AuditEntry, "sequence">,
): Promise<{ readonly entry: AuditEntry; readonly head: AuditHead }> {
  const whole: AuditEntry = { sequence: head.sequence, ...entry };
  const json = JSON.stringify(whole);
  const digest = link(head.digest, json);
  await appendDurably(files.log, `${toHex(digest)} ${json}\n`);
  const next = { sequence: head.sequence + 1, digest };
  await writeWhole(files.head, `${next.sequence} ${toHex(digest)}\n`);
  return { entry: whole, head: next };
}
