import { AUDIT_DOMAIN, type AuditEntry, auditEntryCodec, auditEntryJson } from "@credlink/api";
import { formatAddress, parseAddress, taggedSm3 } from "@credlink/crypto";
import { type Digest, digest, encode, fromHex, toHex } from "@credlink/primitives";
import type { z } from "zod";

/** An entry as answers and lines of the file show it. */
export type ShownEntry = z.infer<typeof auditEntryJson>;

/** Digest of a whole entry, which the one after it names. */
export function hashEntry(entry: AuditEntry): Digest {
  return taggedSm3(AUDIT_DOMAIN, encode(auditEntryCodec, entry));
}

/** One line of the log, and of an answer. */
export function showEntry(entry: AuditEntry): ShownEntry {
  return {
    ...entry,
    member: entry.member === null ? null : formatAddress(entry.member),
    request: toHex(entry.request),
    signature: toHex(entry.signature),
    previous: toHex(entry.previous),
    hash: toHex(hashEntry(entry)),
  };
}

/** An entry from its line; null where the line is none, or its digest is not that of its fields. */
export function readLine(line: string): AuditEntry | null {
  try {
    const { hash, ...shown } = auditEntryJson.parse(JSON.parse(line));
    const member = shown.member === null ? null : parseAddress(shown.member);
    if (member !== null && !member.ok) return null;
    const entry: AuditEntry = {
      ...shown,
      member: member === null ? null : member.value,
      request: fromHex(shown.request),
      signature: fromHex(shown.signature),
      previous: digest(fromHex(shown.previous)),
    };
    return toHex(hashEntry(entry)) === hash ? entry : null;
  } catch {
    return null;
  }
}
