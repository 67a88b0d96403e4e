import { type Digest, digest, invariant } from "@credlink/primitives";
import { digestReplacement } from "./digest-replacement.ts";
import type { Platform } from "./platform.ts";
import { MAX_SHORT_BYTES, sm3OfParts } from "./pure/sm3.ts";

/** Domains are constants of the code; the cap only keeps a mistake from growing memory. */
const MAX_DOMAINS = 512;
const DOMAIN = /^[\x21-\x7e]{1,255}$/;

/**
 * SM3(one byte: length of the domain ‖ domain ‖ parts one after another), 32 bytes.
 * The domain keeps digests of different things apart; parts are not delimited, so their lengths
 * must be fixed or be part of them.
 */
export type TaggedSm3 = (domain: string, ...parts: readonly Uint8Array[]) => Digest;

/** The digest rule of the protocol over one platform's SM3. */
export function createTaggedSm3(sm3: Platform["sm3"]): TaggedSm3 {
  const prefixes = new Map<string, Uint8Array>();
  const prefixOf = (domain: string): Uint8Array => {
    const known = prefixes.get(domain);
    if (known !== undefined) return known;
    invariant(DOMAIN.test(domain), "a digest domain is 1 to 255 printable ASCII characters");
    const prefix = Uint8Array.from([domain.length, ...[...domain].map((c) => c.charCodeAt(0))]);
    if (prefixes.size < MAX_DOMAINS) prefixes.set(domain, prefix);
    return prefix;
  };
  return (domain, ...parts) => {
    const prefix = prefixOf(domain);
    const replacement = digestReplacement();
    if (replacement !== null) return digest(replacement(prefix, parts));
    let length = prefix.length;
    for (const part of parts) length += part.length;
    // Most digests of a block are short; a call into OpenSSL costs more than computing them here.
    if (length <= MAX_SHORT_BYTES) return digest(sm3OfParts(prefix, parts));
    const input = new Uint8Array(length);
    input.set(prefix);
    let at = prefix.length;
    for (const part of parts) {
      input.set(part, at);
      at += part.length;
    }
    return digest(sm3(input));
  };
}
