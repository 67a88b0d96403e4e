import { sm2Verify, sm3 } from "@credlink/crypto";
import { concatBytes, type Signer, utf8 } from "@credlink/primitives";
import canonicalize from "canonicalize";
import { z } from "zod";
import { clientError } from "../errors.ts";

/*
 * The cryptosuite `sm2-sm3-jcs`: a Data Integrity proof made as eddsa-jcs-2022 is, with SM3 for the
 * digest and SM2 for the signature. The name is ours and not registered at W3C.
 * @see W3C VC Data Integrity 1.0; RFC 8785 (JCS); docs/protocol/verifiable-credential.md
 */
export const CRYPTOSUITE = "sm2-sm3-jcs";

export const proofSchema = z.strictObject({
  type: z.literal("DataIntegrityProof"),
  cryptosuite: z.literal(CRYPTOSUITE),
  created: z.iso.datetime(),
  verificationMethod: z.string().max(512),
  proofPurpose: z.literal("assertionMethod"),
  /** Multibase: `u` and base64url of r ‖ s. */
  proofValue: z.string().regex(/^u[A-Za-z0-9_-]{86}$/),
});
export type Proof = z.infer<typeof proofSchema>;

/**
 * Bytes of a JSON value in its one canonical form.
 * @throws ClientError CLIENT_VC_MALFORMED for what has none: a number beyond a double, half of a
 *   surrogate pair
 * @see RFC 8785
 */
export function canonicalBytes(value: unknown): Uint8Array {
  const text = canonicalText(value);
  if (text === undefined) throw clientError("CLIENT_VC_MALFORMED", "no JSON value");
  return utf8(text);
}

function canonicalText(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch (cause) {
    throw clientError("CLIENT_VC_MALFORMED", "a value without canonical form", { cause });
  }
}

/** Multibase base64url, without padding. */
export function toMultibase(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return `u${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

function fromMultibase(text: string): Uint8Array {
  const base64 = text.slice(1).replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** What is signed: SM3 of the proof's own settings, then SM3 of the document without its proof. */
function signedBytes(document: Readonly<Record<string, unknown>>, proof: object): Uint8Array {
  const settings = { ...proof, "@context": document["@context"] };
  return concatBytes(sm3(canonicalBytes(settings)), sm3(canonicalBytes(document)));
}

/** @param document without a proof. */
export async function createProof(
  document: Readonly<Record<string, unknown>>,
  settings: Pick<Proof, "created" | "verificationMethod">,
  signer: Signer,
): Promise<Proof> {
  const proof = {
    type: "DataIntegrityProof",
    cryptosuite: CRYPTOSUITE,
    ...settings,
    proofPurpose: "assertionMethod",
  } as const;
  return { ...proof, proofValue: toMultibase(await signer.sign(signedBytes(document, proof))) };
}

/** @param document without its proof. */
export function verifyProof(
  document: Readonly<Record<string, unknown>>,
  { proofValue, ...settings }: Proof,
  publicKey: Uint8Array,
): boolean {
  return sm2Verify(publicKey, signedBytes(document, settings), fromMultibase(proofValue));
}
