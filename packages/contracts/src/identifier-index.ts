import { hmacSm3 } from "@credlink/crypto";
import { type Codec, encode, struct, text } from "@credlink/primitives";
import type { IndexEntry } from "./credential.ts";
import { ContractsError } from "./errors.ts";

/** Kinds of identifiers that must be unique in the consortium. */
export const identifierKinds = [
  "unified-social-credit-code",
  "identity-number",
  "mobile-number",
  "channel-transaction-number",
  "invoice-number",
] as const;
export type IdentifierKind = (typeof identifierKinds)[number];

/** The consortium's index key: held by one index authority, never by an institution's node. */
export interface IndexKey {
  readonly keyId: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const INDEX_DOMAIN = "credlink/index/1";
const KEY_BYTES = 32;

const messageCodec: Codec<{ domain: string; kind: string; identifier: string }> = struct({
  domain: text(32),
  kind: text(64),
  identifier: text(256),
});

/** One form for one identifier: no blanks or hyphens, Latin letters in upper case. */
export function normalizeIdentifier(identifier: string): string {
  return identifier.normalize("NFKC").replaceAll(/[\s-]/g, "").toUpperCase();
}

/**
 * The blinded form of an identifier: HMAC-SM3 under the index key over [domain, kind, identifier].
 * Equal identifiers of a kind give equal values, which nobody without the key can make or test.
 *
 * @throws ContractsError CONTRACTS_INDEX_KEY_INVALID when the key has not 32 bytes.
 */
export function createIndexEntry(
  key: IndexKey,
  kind: IdentifierKind,
  identifier: string,
): IndexEntry {
  if (key.key.length !== KEY_BYTES) {
    throw new ContractsError({ code: "CONTRACTS_INDEX_KEY_INVALID" }, "an index key has 32 bytes");
  }
  const message = encode(messageCodec, {
    domain: INDEX_DOMAIN,
    kind,
    identifier: normalizeIdentifier(identifier),
  });
  return { keyId: key.keyId, value: hmacSm3(key.key, message) };
}
