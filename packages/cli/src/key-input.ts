import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import {
  isValidPublicKey,
  parseCertificate,
  parseRevocationList,
  publicKeyFromPem,
  type RevocationList,
} from "@credlink/crypto";
import { type KeyRecord, passwordOf, titleOf } from "@credlink/keys";
import { fromHex } from "@credlink/primitives";
import { readFileOf, readTextOf } from "./connection.ts";
import { CliError } from "./errors.ts";

/** What the key commands read and write. */

/**
 * The password of a password file: its first line, or what a token unwraps.
 * @throws CliError CLI_FILE_UNREADABLE; KeysError KEYS_PKCS11_…
 */
export function readPassword(path: string): string {
  return passwordOf(readTextOf(path));
}

/**
 * A public key from a file: a certificate's, a PEM public key, or 130 hex digits.
 * @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED; CryptoError
 */
export function readPublicKey(path: string): Uint8Array {
  const text = readTextOf(path).trim();
  if (text.includes("-----BEGIN CERTIFICATE-----")) {
    const certificate = parseCertificate(text);
    if (certificate.ok) return certificate.value.subjectKey;
    throw new CliError("CLI_FILE_MALFORMED", `${path}: ${certificate.code}`);
  }
  if (text.startsWith("-----BEGIN PUBLIC KEY-----")) return publicKeyFromPem(text);
  const isHex = /^[0-9a-f]{130}$/i.test(text);
  const publicKey = isHex ? fromHex(text.toLowerCase()) : new Uint8Array(0);
  if (isValidPublicKey(publicKey)) return publicKey;
  throw new CliError("CLI_FILE_MALFORMED", `${path}: no certificate and no SM2 public key`);
}

/** A revocation list, PEM or DER. @throws CliError CLI_FILE_UNREADABLE, CLI_FILE_MALFORMED */
export function readRevocationList(path: string): RevocationList {
  const bytes = readFileOf(path);
  const isPem = new TextDecoder().decode(bytes.subarray(0, 11)) === "-----BEGIN ";
  const list = parseRevocationList(isPem ? new TextDecoder().decode(bytes) : bytes);
  if (!list.ok) throw new CliError("CLI_FILE_MALFORMED", `${path}: ${list.code}`);
  return list.value;
}

/** Writes a new file that its owner alone may read; an existing one is never replaced. */
export function writeNewFile(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600, flag: "wx" });
}

/** Bytes of a file; the system's error names the path. */
export function readBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** `A=B` with neither part empty. @throws CliError CLI_USAGE */
export function splitPair(text: string, option: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) {
    throw new CliError("CLI_USAGE", `${option} wants NAME=FILE, not ${text}`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Asks before what cannot be undone: the key's title must be typed. `--yes` answers beforehand;
 * without it and without a terminal nothing is done.
 * @throws CliError CLI_USAGE
 */
export async function confirm(title: string, what: string, isYes: boolean): Promise<void> {
  if (isYes) return;
  if (!process.stdin.isTTY) throw new CliError("CLI_USAGE", `${what} ${title} needs --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await terminal.question(`${what} ${title}, for good. Type ${title} to go on: `);
    if (typed.trim() !== title) throw new CliError("CLI_USAGE", `${title} was not typed`);
  } finally {
    terminal.close();
  }
}

/** A record as people read it. */
export function describeKey(record: KeyRecord) {
  const { activeSinceMs, ...rest } = record;
  const activeSince = activeSinceMs === null ? null : new Date(activeSinceMs).toISOString();
  return { key: titleOf(record), ...rest, activeSince };
}

/** What everybody is told who gets a key. */
export const CUSTODY_NOTICE = `How this key must be kept:
- Whoever has the key file and its password can sign in its holder's name. Keep the two apart, and
  neither in mail, chat or a repository.
- Nobody can make a lost password or key again. Back the key up now: credlink key backup.
- When the file or the password may be known to somebody else, suspend the key at once, rotate it
  (credlink key rotate) and tell your organisation's administrator, who revokes the old one.
- When its holder leaves, archive or destroy it.
Take it into use with: credlink key activate NAME --custody-read`;
