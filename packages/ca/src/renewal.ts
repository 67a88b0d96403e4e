import type { RenewalRequest } from "@credlink/api";
import { renewalPayload, renewalSigningMessage } from "@credlink/client";
import { type Certificate, parseCertificate, sm2Verify } from "@credlink/crypto";
import { equalBytes, fromHex, type Signer } from "@credlink/primitives";
import { checkCode } from "./codes.ts";
import { CUSTODY_NOTICE } from "./custody.ts";
import { CaError } from "./errors.ts";
import type { Act, AuthorityFolder } from "./folder.ts";
import { readRequest, renewCertificate } from "./issue.ts";

/** A call whose caller proved to hold the key of a certificate that this CA issued. */
export interface AuthenticatedRenewal {
  readonly certificate: Certificate;
  /** DER of the PKCS#10 request. */
  readonly request: Uint8Array;
  readonly codeProof: Uint8Array;
  /** What the code's proof is over. */
  readonly payload: Uint8Array;
}

/**
 * Who calls: the certificate must be the CA's own work and its key must have signed the terms. Nothing
 * is written for a caller that fails here.
 * @throws CaError CA_CALL_MALFORMED, CA_CALLER_UNKNOWN
 */
export async function authenticate(
  folder: AuthorityFolder,
  body: RenewalRequest,
): Promise<AuthenticatedRenewal> {
  const parsed = parseCertificate(fromBase64(body.certificate));
  if (!parsed.ok) throw new CaError("CA_CALL_MALFORMED", parsed.code);
  const certificate = parsed.value;
  const request = fromBase64(body.request);
  const nonce = fromHex(body.nonce);
  const payload = renewalPayload({ nonce, certificate, request, custodyNotice: CUSTODY_NOTICE });
  const codeProof = fromHex(body.codeProof);
  const message = renewalSigningMessage(payload, codeProof);
  if (!sm2Verify(certificate.subjectKey, message, fromHex(body.signature))) {
    throw new CaError("CA_CALLER_UNKNOWN", "the signature does not bind these terms");
  }
  await folder.read((act) => requireOwn(act, certificate));
  return { certificate, request, codeProof, payload };
}

function requireOwn(act: Act, certificate: Certificate): void {
  const known = act.state.find(certificate.serialNumber);
  if (known === undefined || !equalBytes(known.certificate.der, certificate.der)) {
    throw new CaError("CA_CALLER_UNKNOWN", "this CA issued no such certificate");
  }
  const status = act.state.statusOf(known, act.nowMs);
  if (status !== "valid") throw new CaError("CA_CALLER_UNKNOWN", `the certificate is ${status}`);
}

/**
 * Renews for a caller that is authenticated and has the one-time code. The same request again gives
 * the same certificate, and needs no other code: the first answer may have been lost.
 * @throws CaError CA_CODE_…, CA_CALLER_UNKNOWN, and what `renewCertificate` throws
 */
export async function renewFor(
  act: Act,
  signer: Signer,
  call: AuthenticatedRenewal,
  days: number,
): Promise<Certificate> {
  // Between the check and this act somebody may have revoked it.
  requireOwn(act, call.certificate);
  const request = readRequest(call.request);
  const { serialNumber, subject } = call.certificate;
  const successor = act.state.successorOf(serialNumber);
  if (successor !== undefined && equalBytes(successor.certificate.subjectKey, request.subjectKey)) {
    return successor.certificate;
  }
  const code = await checkCode(act, subject.commonName, call.codeProof, call.payload);
  return renewCertificate(act, signer, request, { serialNumber, days, code });
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
