import {
  type Certificate,
  type ChainRefusal,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  verifyCertificateChain,
} from "@credlink/crypto";
import type { Member, MemberRole } from "@credlink/ledger";
import { type Address, equalBytes, type Height, invariant } from "@credlink/primitives";
import { CERTIFICATE_GAS } from "../gas-schedule.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import type { BuiltInErrorCode } from "./errors.ts";
import { type Organization, rows } from "./rows.ts";

/** A certificate that was judged against the registry, at the block's time. */
export interface JudgedCertificate {
  readonly certificate: Certificate;
  readonly organization: Organization;
  readonly role: MemberRole;
}

/** The first moment after a certificate's validity: its last second counts as a whole. */
export function endOfValidityMs(certificate: Certificate): number {
  return certificate.notAfterMs + 1000;
}

/** A certificate that a registry row or genesis holds. */
export function parseRegistered(der: Uint8Array): Certificate {
  const parsed = parseCertificate(der);
  invariant(parsed.ok, "registered certificates were read before");
  return parsed.value;
}

/** A revocation list that a registry row holds. */
export function parseRegisteredList(der: Uint8Array): RevocationList {
  const parsed = parseRevocationList(der);
  invariant(parsed.ok, "registered lists were read before");
  return parsed.value;
}

/**
 * Reads and judges a member's certificate: issued by the registered CA of its organisation, under
 * a root of the consortium, valid now, and not in the registered list. Ends the call otherwise.
 */
export function judgeCertificate(der: Uint8Array, call: BuiltInCall): JudgedCertificate {
  call.gas.charge(CERTIFICATE_GAS);
  const parsed = parseCertificate(der);
  if (!parsed.ok) refuseCall("MEMBERS_CERTIFICATE_MALFORMED", parsed.code);
  const leaf = parsed.value;
  const organization = call.state.read(rows.organization(leaf.subject.organization));
  if (organization === null) {
    refuseCall("MEMBERS_ORGANIZATION_UNKNOWN", leaf.subject.organization);
  }
  const list = call.state.read(rows.revocationList(organization.name));
  const authority = parseRegistered(organization.authorityCertificate);
  const verified = verifyCertificateChain({
    leaf,
    intermediates: [authority],
    roots: (call.state.read(rows.roots) ?? []).map(parseRegistered),
    revocationLists: list === null ? [] : [parseRegisteredList(list)],
    atMs: call.block.timestampMs,
  });
  if (!verified.ok) refuseCall(refusalOf(verified.code), verified.code);
  // A root may certify anybody; members come from their organisation's CA alone.
  const issuer = verified.value.chain[1];
  if (issuer === undefined || !equalBytes(issuer.der, authority.der)) {
    refuseCall("MEMBERS_CERTIFICATE_REFUSED", "not issued by the organisation's CA");
  }
  return { certificate: leaf, organization, role: verified.value.role };
}

/** Under which code a certificate that no chain leads from is refused. */
export function refusalOf(code: ChainRefusal): BuiltInErrorCode {
  return CODES[code] ?? "MEMBERS_CERTIFICATE_REFUSED";
}

const CODES: Partial<Record<ChainRefusal, BuiltInErrorCode>> = {
  CRYPTO_CERTIFICATE_UNKNOWN_ROOT: "MEMBERS_CERTIFICATE_UNKNOWN_ROOT",
  CRYPTO_CERTIFICATE_BAD_SIGNATURE: "MEMBERS_CERTIFICATE_BAD_SIGNATURE",
  CRYPTO_CERTIFICATE_EXPIRED: "MEMBERS_CERTIFICATE_EXPIRED",
  CRYPTO_CERTIFICATE_NOT_YET_VALID: "MEMBERS_CERTIFICATE_NOT_YET_VALID",
  CRYPTO_CERTIFICATE_REVOKED: "MEMBERS_CERTIFICATE_REVOKED",
  CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG: "MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG",
  CRYPTO_CERTIFICATE_ROLE_MISSING: "MEMBERS_CERTIFICATE_ROLE_MISSING",
};

/** The registry's record of a certificate's holder. */
export function memberOf(
  judged: JudgedCertificate,
  place: {
    readonly address: Address;
    readonly enrolledBy: Address | null;
    readonly fromHeight: Height;
  },
): Member {
  const { certificate, organization, role } = judged;
  return {
    address: place.address,
    organization: organization.name,
    role,
    status: "active",
    keys: [{ fromHeight: place.fromHeight, publicKey: certificate.subjectKey }],
    certificateDigest: certificate.fingerprint,
    enrolledBy: place.enrolledBy,
    validFromMs: certificate.notBeforeMs,
    validToMs: endOfValidityMs(certificate),
  };
}
