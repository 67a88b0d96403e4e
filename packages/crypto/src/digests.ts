import { concatBytes, type Digest, digest, invariant } from "@credlink/primitives";
import { type DigestOfParts, digestReplacement } from "./digest-replacement.ts";
import type { Platform } from "./platform.ts";
import { MAX_SHORT_BYTES, sm3OfParts } from "./pure/sm3.ts";
import { createLazySm3 } from "./sm3/sm3-of-all.ts";

/** Domains are constants of the code; the cap only keeps a mistake from growing memory. */
const MAX_DOMAINS = 512;
const DOMAIN = /^[\x21-\x7e]{1,255}$/;

/** A message in parts, which count as one string. */
export type MessageParts = readonly Uint8Array[];

/**
 * SM3(one byte: length of the domain ‖ domain ‖ parts one after another), 32 bytes.
 * The domain keeps digests of different things apart; parts are not delimited, so their lengths
 * must be fixed or be part of them.
 */
export type TaggedSm3 = (domain: string, ...parts: MessageParts) => Digest;

/** The digest rule of the protocol, of one message and of many. */
export interface Digests {
  /** SM3 of each message, in their order; four at a time where the processor has vectors. */
  readonly sm3OfAll: (messages: readonly MessageParts[]) => Digest[];
  readonly taggedSm3: TaggedSm3;
  /** `taggedSm3` of each message, as `sm3OfAll` computes it. */
  readonly taggedSm3OfAll: (domain: string, messages: readonly MessageParts[]) => Digest[];
  /**
   * Tests the kernel of `sm3OfAll` on this machine, which its first use does by itself.
   * @returns whether it computes from here on; else messages go one by one
   */
  readonly prepareDigests: () => boolean;
}

const NOTHING = new Uint8Array(0);
const prefixes = new Map<string, Uint8Array>();

function prefixOf(domain: string): Uint8Array {
  const known = prefixes.get(domain);
  if (known !== undefined) return known;
  invariant(DOMAIN.test(domain), "a digest domain is 1 to 255 printable ASCII characters");
  const prefix = Uint8Array.from([domain.length, ...[...domain].map((c) => c.charCodeAt(0))]);
  if (prefixes.size < MAX_DOMAINS) prefixes.set(domain, prefix);
  return prefix;
}

/** SM3 of a message in parts over one platform's SM3. */
function createDigestOfParts(sm3: Platform["sm3"]): DigestOfParts {
  return (first, parts) => {
    let length = first.length;
    for (const part of parts) length += part.length;
    // Most digests of a block are short; a call into OpenSSL costs more than computing them here.
    if (length <= MAX_SHORT_BYTES) return sm3OfParts(first, parts);
    return sm3(concatBytes(first, ...parts));
  };
}

/** The digest rule of the protocol over one platform's SM3. */
export function createDigests(sm3: Platform["sm3"]): Digests {
  const digestOf = createDigestOfParts(sm3);
  const { digestOfAll, prepare } = createLazySm3(digestOf);
  const all = (prefix: Uint8Array, messages: readonly MessageParts[]): Digest[] => {
    const replacement = digestReplacement();
    if (replacement !== null) return messages.map((parts) => digest(replacement(prefix, parts)));
    return digestOfAll(prefix, messages) as Digest[];
  };
  return {
    sm3OfAll: (messages) => all(NOTHING, messages),
    taggedSm3: (domain, ...parts) =>
      digest((digestReplacement() ?? digestOf)(prefixOf(domain), parts)),
    taggedSm3OfAll: (domain, messages) => all(prefixOf(domain), messages),
    prepareDigests: prepare,
  };
}
