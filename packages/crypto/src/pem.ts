import { CryptoError } from "./errors.ts";

const LINE_CHARACTERS = 64;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END ([A-Z0-9 ]+)-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** PEM text of DER bytes under a label such as `CERTIFICATE`, with a line end at its end. */
export function encodePem(label: string, der: Uint8Array): string {
  let binary = "";
  for (const byte of der) binary += String.fromCharCode(byte);
  const base64 = btoa(binary);
  const lines: string[] = [];
  for (let at = 0; at < base64.length; at += LINE_CHARACTERS) {
    lines.push(base64.slice(at, at + LINE_CHARACTERS));
  }
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * Every block under `label`, in the order of the text; text between blocks is skipped.
 * @throws CryptoError CRYPTO_PEM_MALFORMED when a block is not base64 or ends under another label.
 * @see RFC 7468
 */
export function decodePemBlocks(label: string, text: string): readonly Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (const [, begin, body = "", end] of text.matchAll(BLOCK)) {
    if (begin !== end) throw new CryptoError("CRYPTO_PEM_MALFORMED", "BEGIN and END differ");
    if (begin !== label) continue;
    const base64 = body.replaceAll(/[ \t\r\n]/g, "");
    if (!BASE64.test(base64)) throw new CryptoError("CRYPTO_PEM_MALFORMED", "not base64");
    blocks.push(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  }
  return blocks;
}

/**
 * The one block under `label`.
 * @throws CryptoError CRYPTO_PEM_MALFORMED when there is none or more than one.
 */
export function decodePem(label: string, text: string): Uint8Array {
  const [block, ...more] = decodePemBlocks(label, text);
  if (block === undefined || more.length > 0) {
    throw new CryptoError("CRYPTO_PEM_MALFORMED", `not exactly one block ${label}`);
  }
  return block;
}
