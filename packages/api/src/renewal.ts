import { z } from "zod";

/** Calls of an organisation's CA service. @see docs/protocol/renewal.md */

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** Paths of the service. */
export const renewalPaths = {
  challenge: "/v1/challenge",
  renew: "/v1/renew",
  list: "/v1/crl",
} as const;

/** Largest body of a call, bytes: two certificates' worth. */
export const MAX_RENEWAL_BODY_BYTES = 65_536;

/** Answer to a challenge: a nonce to be signed once. */
export const challengeAnswer = z.strictObject({
  nonce: hex32,
  expiresInMs: z.number().int().min(1),
});

/** A request for a certificate on a fresh key, by the holder of a certificate in force. */
export const renewalRequest = z.strictObject({
  nonce: hex32,
  /** The certificate in force, DER. */
  certificate: base64,
  /** PKCS#10, DER: the same subject, a fresh key. */
  request: base64,
  /** Proof of the one-time code, without the code. */
  codeProof: hex32,
  /** r ‖ s by the key of `certificate`, over all of the above and the custody notice. */
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

export type RenewalRequest = z.infer<typeof renewalRequest>;

export const renewalAnswer = z.strictObject({
  /** DER. */
  certificate: base64,
});

/** Answer of a call that was refused. */
export const renewalRefusal = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    /** Milliseconds after which it is worth trying again. */
    retryAfterMs: z.number().int().optional(),
  }),
});
