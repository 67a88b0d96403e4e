/**
 * A door for simulators alone: digests of another kind in place of SM3, for this whole process.
 * No option of a node leads here, and the house rules allow the import nowhere else.
 *
 * ```ts
 * import { replaceDigest } from "@credlink/crypto/simulation";
 *
 * replaceDigest(fastDigest);
 * replaceDigest(null); // SM3 again
 * ```
 */
export { type DigestOfParts, replaceDigest } from "./digest-replacement.ts";
