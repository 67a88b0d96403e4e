import { taggedSm3 } from "@credlink/crypto";
import { bytes, type Codec, type Digest, encode, struct, text } from "@credlink/primitives";

/** A text that stays off chain, and the salt that keeps its digest from being guessed. */
export interface SaltedText {
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  readonly text: string;
}

const saltedTextCodec: Codec<SaltedText> = struct({ salt: bytes(32), text: text(64 * 1024) });

/** What a record's `policyDigest` is: of the document that says who may read the payload. */
export function policyDigest(policy: SaltedText): Digest {
  return taggedSm3("credlink/policy/1", encode(saltedTextCodec, policy));
}

/** What `revoke` and `correct` take as their reason. */
export function reasonDigest(reason: SaltedText): Digest {
  return taggedSm3("credlink/reason/1", encode(saltedTextCodec, reason));
}
