import { CUSTODY_NOTICE } from "@credlink/api";
import { GatewayError, requestRenewal } from "@credlink/client";
import {
  type Certificate,
  createSigningRequest,
  parseCertificate,
  verifyCertificateChain,
} from "@credlink/crypto";
import { AppError, equalBytes, type Signer } from "@credlink/primitives";
import { RenewalError } from "./errors.ts";

/** What a renewal is asked with. */
export interface RenewalQuestion {
  /** Base address of the organisation's CA service. */
  readonly url: string;
  /** The node's own first, then the CAs above it; DER. */
  readonly chain: readonly Uint8Array[];
  /** Of the present certificate. */
  readonly signer: Signer;
  readonly nextSigner: Signer;
  /** One-time code. */
  readonly code: string;
  readonly anchors: {
    readonly roots: readonly Certificate[];
    readonly authorities: readonly Certificate[];
  };
  readonly nowMs: () => number;
}

/** Of each of the two calls, milliseconds: a node that stops waits for it. */
const TIMEOUT_MS = 5_000;
/** Codes of the service that say something of the one-time code. */
const CODE_REFUSALS: ReadonlySet<string> = new Set(["CA_CODE_REQUIRED", "CA_CODE_WRONG"]);

/** Only what looks like a code of ours is shown: the service is another machine. */
function reasonOf(error: unknown): string {
  if (!(error instanceof AppError)) return "unknown";
  return /^[A-Z][A-Z0-9_]{2,63}$/.test(error.code) ? error.code : "unknown";
}

function parsed(der: Uint8Array): Certificate[] {
  const certificate = parseCertificate(der);
  return certificate.ok ? [certificate.value] : [];
}

/**
 * Has the next key certified by the organisation's CA service, and judges the answer as peers will.
 * Asking again with the same key is harmless.
 * @returns the certificate
 * @throws RenewalError NODE_RENEWAL_CODE_REFUSED, NODE_RENEWAL_FAILED, NODE_RENEWAL_ANSWER_REFUSED
 */
export async function askAuthority(question: RenewalQuestion): Promise<Certificate> {
  const { url, signer, nextSigner, code } = question;
  const [certificate, ...above] = question.chain.flatMap(parsed);
  if (certificate === undefined) throw new RenewalError("NODE_RENEWAL_FAILED", "no certificate");
  const { subject } = certificate;
  const request = await createSigningRequest({ subject, signer: nextSigner });
  const custodyNotice = CUSTODY_NOTICE;
  const timeoutMs = TIMEOUT_MS;
  let renewed: Certificate;
  try {
    renewed = await requestRenewal({
      ...{ url, certificate, signer, request, code, custodyNotice, timeoutMs },
    });
  } catch (cause) {
    const reason = reasonOf(cause);
    const isOfCode = cause instanceof GatewayError && CODE_REFUSALS.has(reason);
    const kind = isOfCode ? "NODE_RENEWAL_CODE_REFUSED" : "NODE_RENEWAL_FAILED";
    throw new RenewalError(kind, reason, { cause });
  }
  judge(renewed, certificate, above, question);
  return renewed;
}

function judge(
  renewed: Certificate,
  present: Certificate,
  above: readonly Certificate[],
  { anchors, nextSigner, nowMs }: RenewalQuestion,
): void {
  const verdict = verifyCertificateChain({
    leaf: renewed,
    intermediates: [...anchors.authorities, ...above],
    roots: anchors.roots,
    revocationLists: [],
    atMs: nowMs(),
  });
  if (!verdict.ok) throw new RenewalError("NODE_RENEWAL_ANSWER_REFUSED", verdict.code);
  const isSame =
    equalBytes(renewed.subjectDer, present.subjectDer) ||
    (renewed.subject.commonName === present.subject.commonName &&
      renewed.subject.organization === present.subject.organization &&
      renewed.subject.organizationalUnit === present.subject.organizationalUnit);
  const isOfKey = equalBytes(renewed.subjectKey, nextSigner.publicKey);
  if (!isSame || !isOfKey) throw new RenewalError("NODE_RENEWAL_ANSWER_REFUSED", "of another");
  if (renewed.notAfterMs <= present.notAfterMs) {
    throw new RenewalError("NODE_RENEWAL_ANSWER_REFUSED", "it ends no later than the present one");
  }
}
