import {
  challengeAnswer,
  type RenewalRequest,
  renewalAnswer,
  renewalPaths,
  renewalRefusal,
} from "@credlink/api";
import {
  type Certificate,
  hmacSm3,
  parseCertificate,
  type SigningRequest,
  taggedSm3,
} from "@credlink/crypto";
import { equalBytes, fromHex, type Signer, toHex, utf8 } from "@credlink/primitives";
import type { z } from "zod";
import { clientError, GatewayError } from "./errors.ts";
import type { Fetch } from "./rpc.ts";

/** Domains of docs/protocol/renewal.md. */
const PAYLOAD_DOMAIN = "credlink/ca-renewal/1";
const SIGNATURE_DOMAIN = "credlink/ca-renewal-signature/1";
const CODE_DOMAIN = "credlink/ca-code/1";
const STORED_CODE_DOMAIN = "credlink/ca-code-stored/1";
const REQUEST_DOMAIN = "credlink/ca-renewal-request/1";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Most characters of an answer: a certificate in base64 and some. */
const MAX_ANSWER_CHARACTERS = 65_536;

/** What both sides bind a renewal to. */
export interface RenewalTerms {
  /** 32 bytes, by the service. */
  readonly nonce: Uint8Array;
  /** The certificate in force. */
  readonly certificate: Certificate;
  /** DER of the PKCS#10 request. */
  readonly request: Uint8Array;
  /** Text of the custody notice that the holder acknowledges by signing. */
  readonly custodyNotice: string;
}

/** Digest of a renewal's terms: what the code's proof is over. */
export function renewalPayload(terms: RenewalTerms): Uint8Array {
  return taggedSm3(
    PAYLOAD_DOMAIN,
    terms.nonce,
    terms.certificate.fingerprint,
    taggedSm3(REQUEST_DOMAIN, terms.request),
    taggedSm3(REQUEST_DOMAIN, utf8(terms.custodyNotice)),
  );
}

/** What the current key signs: the terms and the code's proof. */
export function renewalSigningMessage(payload: Uint8Array, codeProof: Uint8Array): Uint8Array {
  return taggedSm3(SIGNATURE_DOMAIN, payload, codeProof);
}

/** One-time codes are read without regard to case, blanks and dashes. */
export function normalizeCode(code: string): string {
  return code.toUpperCase().replaceAll(/[\s-]/g, "");
}

/** What a code is turned into at once; bound to the name that it is for. */
export function codeKey(name: string, code: string): Uint8Array {
  const bytes = utf8(name);
  return taggedSm3(CODE_DOMAIN, Uint8Array.of(bytes.length), bytes, utf8(normalizeCode(code)));
}

/** What a service keeps of a code: it checks proofs, and makes none. */
export function storedCode(key: Uint8Array): Uint8Array {
  return taggedSm3(STORED_CODE_DOMAIN, key);
}

function exclusiveOr(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, index) => byte ^ (b[index] ?? 0));
}

/** Proof of a code over a payload, as in SCRAM: neither wire nor database gives the code away. */
export function proveCode(key: Uint8Array, payload: Uint8Array): Uint8Array {
  return exclusiveOr(key, hmacSm3(storedCode(key), payload));
}

/** What `storedCode` must give if the proof is right. @see RFC 5802 §3 */
export function codeKeyOfProof(
  stored: Uint8Array,
  proof: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return exclusiveOr(proof, hmacSm3(stored, payload));
}

/** A renewal at an organisation's CA service. */
export interface RenewalOptions {
  /** Base address of the service, for example `http://127.0.0.1:8655`. */
  readonly url: string;
  readonly certificate: Certificate;
  /** Of the certificate's key. */
  readonly signer: Signer;
  /** For the fresh key, same subject. */
  readonly request: SigningRequest;
  /** From the CA's operator, over another channel. */
  readonly code: string;
  /** The notice that the holder has read. */
  readonly custodyNotice: string;
  readonly fetch?: Fetch;
  /** For each of the two calls, milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks for a certificate on a fresh key. Repeating it with the same request is harmless: the service
 * answers with what it issued. The caller judges the certificate up to its roots.
 * @throws GatewayError with the service's code; ClientError CLIENT_UNREACHABLE, CLIENT_TIMEOUT,
 *   CLIENT_RESPONSE_MALFORMED
 */
export async function requestRenewal(options: RenewalOptions): Promise<Certificate> {
  const challenge = await call(options, renewalPaths.challenge, {}, challengeAnswer);
  const { certificate, request, custodyNotice, signer } = options;
  const nonce = fromHex(challenge.nonce);
  const terms = { nonce, certificate, request: request.der, custodyNotice };
  const payload = renewalPayload(terms);
  const codeProof = proveCode(codeKey(certificate.subject.commonName, options.code), payload);
  const signature = await signer.sign(renewalSigningMessage(payload, codeProof));
  const body: RenewalRequest = {
    nonce: challenge.nonce,
    certificate: toBase64(certificate.der),
    request: toBase64(request.der),
    codeProof: toHex(codeProof),
    signature: toHex(signature),
  };
  const answer = await call(options, renewalPaths.renew, body, renewalAnswer);
  const parsed = parseCertificate(fromBase64(answer.certificate));
  if (!parsed.ok) throw clientError("CLIENT_RESPONSE_MALFORMED", parsed.code);
  if (!equalBytes(parsed.value.subjectKey, request.subjectKey)) {
    throw clientError("CLIENT_RESPONSE_MALFORMED", "a certificate of another key");
  }
  return parsed.value;
}

async function call<T>(
  options: RenewalOptions,
  path: string,
  body: object,
  schema: z.ZodType<T>,
): Promise<T> {
  const url = new URL(path, options.url).href;
  const { text, httpStatus } = await exchange(options, url, JSON.stringify(body));
  const json = parseJson(text);
  const refusal = renewalRefusal.safeParse(json);
  if (refusal.success) {
    const { code, message, remedy, retryAfterMs } = refusal.data.error;
    const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
    throw new GatewayError({ code, remedy, httpStatus, ...retry }, message);
  }
  const answer = schema.safeParse(json);
  if (answer.success) return answer.data;
  throw clientError("CLIENT_RESPONSE_MALFORMED", `${url} is no CA service of this version`);
}

async function exchange(
  options: RenewalOptions,
  url: string,
  body: string,
): Promise<{ readonly text: string; readonly httpStatus: number }> {
  const send: Fetch = options.fetch ?? ((to, init) => globalThis.fetch(to, init));
  const signal = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const headers = { "content-type": "application/json" };
  try {
    const response = await send(url, { method: "POST", headers, body, signal });
    const text = await response.text();
    if (text.length <= MAX_ANSWER_CHARACTERS) return { text, httpStatus: response.status };
  } catch (cause) {
    if (signal.aborted) throw clientError("CLIENT_TIMEOUT", `${url} is late`, { cause });
    throw clientError("CLIENT_UNREACHABLE", `${url} does not answer`, { cause });
  }
  throw clientError("CLIENT_RESPONSE_MALFORMED", `${url} answers too much`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}
