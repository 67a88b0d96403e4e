import { z } from "zod";

/** Bytes as lower-case hexadecimal. */
export const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/);
/** A 32-byte digest as 64 hexadecimal digits. */
export const digestHex = z.string().regex(/^[0-9a-f]{64}$/);
/** A member's address, bech32m with the prefix `cl`. */
export const addressText = z.string().regex(/^cl1[02-9ac-hj-np-z]{6,120}$/);
export const heightNumber = z.number().int().nonnegative();
