import {
  type Certificate,
  CryptoError,
  createCertificate,
  MAX_MEMBER_VALIDITY_MS,
  parseSigningRequest,
  type Role,
  roleOf,
  type SigningRequest,
  systemRandom,
} from "@credlink/crypto";
import { equalBytes, invariant, type Signer, toHex } from "@credlink/primitives";
import { BACKDATE_MS, base64 } from "./create.ts";
import { CaError } from "./errors.ts";
import type { Act } from "./folder.ts";
import type { IssuedCertificate } from "./issuance-state.ts";

const DAY_MS = 86_400_000;
/** Random bytes of a serial number; its first bit but one is set, so that it is always as long. */
const SERIAL_BYTES = 16;
/** An organisation's CA certifies members alone. */
const ORGANIZATION_PATH_LENGTH = 0;
/** Most days of a member's certificate. */
export const MAX_MEMBER_DAYS = MAX_MEMBER_VALIDITY_MS / DAY_MS;

/** For whom a member's certificate shall be, by the word of whoever approves it. */
export interface MemberApproval {
  readonly name: string;
  readonly role: Role;
  /** At most `MAX_MEMBER_DAYS`. */
  readonly days: number;
}

/** A request from PEM or DER. @throws CryptoError CRYPTO_SIGNING_REQUEST_…, CRYPTO_PEM_MALFORMED */
export function readRequest(input: Uint8Array): SigningRequest {
  const text = new TextDecoder("latin1").decode(input);
  const parsed = parseSigningRequest(text.includes("-----BEGIN") ? text : input);
  if (parsed.ok) return parsed.value;
  throw new CryptoError(parsed.code, parsed.detail ?? "the request");
}

/**
 * Certifies a member's key: node or user of the CA's own organisation.
 * @throws CaError CA_KIND_WRONG, CA_NOT_ACCEPTED, CA_EXPIRED, CA_ORGANIZATION_FOREIGN,
 *   CA_REQUEST_DIFFERS, CA_NAME_TAKEN, CA_KEY_REUSED, CA_OUTLIVES_ISSUER, CA_WRITE_FAILED;
 *   CryptoError CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG
 */
export async function issueMember(
  act: Act,
  signer: Signer,
  request: SigningRequest,
  approval: MemberApproval,
): Promise<Certificate> {
  requireKind(act, "organization");
  const { subject } = request;
  if (subject.organization !== act.description.organization) {
    throw new CaError("CA_ORGANIZATION_FOREIGN", subject.organization);
  }
  if (
    subject.commonName !== approval.name ||
    roleOf(subject.organizationalUnit) !== approval.role
  ) {
    const asked = `${subject.commonName}, ${subject.organizationalUnit}`;
    throw new CaError("CA_REQUEST_DIFFERS", `the request says ${asked}`);
  }
  requireFreeName(act, approval.name);
  return issue(act, signer, request, { days: approval.days, replaces: null, code: null });
}

/**
 * Certifies an organisation's CA, which then may certify members of its own organisation.
 * @throws as `issueMember`
 */
export async function issueAuthority(
  act: Act,
  signer: Signer,
  request: SigningRequest,
  approval: { readonly organization: string; readonly days: number },
): Promise<Certificate> {
  requireKind(act, "root");
  const { subject } = request;
  if (subject.organization !== approval.organization || subject.organizationalUnit !== "ca") {
    const asked = `${subject.organization}, ${subject.organizationalUnit}`;
    throw new CaError("CA_REQUEST_DIFFERS", `the request says ${asked}`);
  }
  requireFreeName(act, subject.commonName);
  return issue(act, signer, request, { days: approval.days, replaces: null, code: null });
}

/** What a renewal keeps of its predecessor, and how long it lasts. */
export interface RenewalApproval {
  /** Serial number of the certificate to be replaced. */
  readonly serialNumber: string;
  readonly days: number;
  /** One-time code that approved it. */
  readonly code?: string;
}

/**
 * Certifies a fresh key under the subject of an older certificate, which stays good until its end.
 * @throws CaError CA_SERIAL_UNKNOWN, CA_ALREADY_REVOKED, CA_ALREADY_RENEWED and as `issueMember`
 */
export async function renewCertificate(
  act: Act,
  signer: Signer,
  request: SigningRequest,
  approval: RenewalApproval,
): Promise<Certificate> {
  const { serialNumber, days, code = null } = approval;
  const old = findIssued(act, serialNumber);
  if (act.state.revocationOf(serialNumber) !== undefined) {
    throw new CaError("CA_ALREADY_REVOKED", serialNumber);
  }
  if (act.state.successorOf(serialNumber) !== undefined) {
    throw new CaError("CA_ALREADY_RENEWED", serialNumber);
  }
  const { subject } = old.certificate;
  const other = act.state.inForce(subject.commonName, act.nowMs);
  if (other !== undefined && other !== old) {
    throw new CaError("CA_NAME_TAKEN", `${subject.commonName}: ${other.certificate.serialNumber}`);
  }
  const isSame =
    request.subject.commonName === subject.commonName &&
    request.subject.organization === subject.organization &&
    request.subject.organizationalUnit === subject.organizationalUnit;
  if (!isSame) throw new CaError("CA_REQUEST_DIFFERS", `not for ${subject.commonName}`);
  return issue(act, signer, request, { days, replaces: serialNumber, code });
}

/** @throws CaError CA_SERIAL_UNKNOWN */
export function findIssued(act: Act, serialNumber: string): IssuedCertificate {
  const issued = act.state.find(serialNumber.toLowerCase());
  if (issued === undefined) throw new CaError("CA_SERIAL_UNKNOWN", serialNumber);
  return issued;
}

/**
 * The certificate that somebody names: by serial number, by the name of the one in force, or by
 * both, which must agree.
 * @throws CaError CA_SERIAL_UNKNOWN, CA_REQUEST_DIFFERS
 */
export function findNamed(
  act: Act,
  named: { readonly serialNumber?: string | undefined; readonly name?: string | undefined },
): IssuedCertificate {
  const { serialNumber, name } = named;
  if (serialNumber !== undefined) {
    const issued = findIssued(act, serialNumber);
    const { commonName } = issued.certificate.subject;
    if (name === undefined || name === commonName) return issued;
    throw new CaError("CA_REQUEST_DIFFERS", `${serialNumber} is of ${commonName}`);
  }
  const inForce = name === undefined ? undefined : act.state.inForce(name, act.nowMs);
  if (inForce === undefined) throw new CaError("CA_SERIAL_UNKNOWN", `none in force for ${name}`);
  return inForce;
}

function requireKind(act: Act, kind: Act["description"]["kind"]): void {
  if (act.description.kind !== kind) {
    throw new CaError("CA_KIND_WRONG", `this is the CA of kind ${act.description.kind}`);
  }
}

function requireFreeName(act: Act, commonName: string): void {
  const taken = act.state.inForce(commonName, act.nowMs);
  if (taken === undefined) return;
  throw new CaError("CA_NAME_TAKEN", `${commonName}: ${taken.certificate.serialNumber}`);
}

/** The authority's own certificate, which must be good now. @throws CaError */
export function ownCertificate(act: Act): Certificate {
  const { own } = act.state;
  if (own === undefined) throw new CaError("CA_NOT_ACCEPTED", act.description.organization);
  if (act.nowMs < own.notBeforeMs || act.nowMs >= own.notAfterMs + 1_000) {
    throw new CaError("CA_EXPIRED", new Date(own.notAfterMs).toISOString());
  }
  return own;
}

/** A serial number that cannot be foreseen and was not used. @see RFC 5280 §4.1.2.2 */
function freshSerial(act: Act): string {
  for (;;) {
    const bytes = systemRandom.bytes(SERIAL_BYTES);
    bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
    const serialNumber = toHex(bytes);
    if (act.state.find(serialNumber) === undefined) return serialNumber;
  }
}

async function issue(
  act: Act,
  signer: Signer,
  request: SigningRequest,
  options: {
    readonly days: number;
    readonly replaces: string | null;
    readonly code: string | null;
  },
): Promise<Certificate> {
  const own = ownCertificate(act);
  const isReused =
    act.state.findByKey(request.subjectKey) !== undefined ||
    equalBytes(own.subjectKey, request.subjectKey);
  if (isReused) throw new CaError("CA_KEY_REUSED", request.subject.commonName);
  const notBeforeMs = Math.max(act.nowMs - BACKDATE_MS, own.notBeforeMs);
  // Certificates keep whole seconds: what is rounded down must not end before what was asked.
  const notAfterMs = Math.floor(notBeforeMs / 1_000) * 1_000 + options.days * DAY_MS;
  if (notAfterMs > own.notAfterMs) {
    const last = new Date(own.notAfterMs).toISOString();
    throw new CaError("CA_OUTLIVES_ISSUER", `the authority's own ends at ${last}`);
  }
  const isRoot = act.description.kind === "root";
  const certificate = await createCertificate({
    subject: request.subject,
    subjectKey: request.subjectKey,
    notBeforeMs: Math.floor(notBeforeMs / 1_000) * 1_000,
    notAfterMs,
    ...(isRoot ? { authority: { pathLength: ORGANIZATION_PATH_LENGTH } } : {}),
    serialNumber: freshSerial(act),
    issuer: own,
    signer,
  });
  invariant(act.state.find(certificate.serialNumber) === undefined, "serial numbers are unique");
  const { replaces, code } = options;
  await act.record({ type: "issued", certificate: base64(certificate.der), replaces, code });
  return certificate;
}
