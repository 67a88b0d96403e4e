import { type Certificate, parseCertificate, verifyAuthorityChain } from "@credlink/crypto";
import {
  AUTHORITY_CHANGED_TOPIC,
  authorityChangedCodec,
  type FormerAuthority,
  MAX_AUTHORITY_KEEP_MS,
  MAX_FORMER_AUTHORITIES,
  type Member,
  type ReplaceAuthorityArgs,
} from "@credlink/ledger";
import { type Address, encode, equalBytes } from "@credlink/primitives";
import { CERTIFICATE_GAS } from "../gas-schedule.ts";
import { authorityRows } from "./authority-rows.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { judgeCertificate, parseRegistered, refusalOf } from "./certificates.ts";
import { addCertified } from "./enrolling.ts";
import { looksOutside } from "./external-authorities.ts";
import { readOwner } from "./key-owner.ts";
import { certify, store } from "./member-keys.ts";
import { isFinal, readMember } from "./member-status.ts";
import { type Organization, rows } from "./rows.ts";
import { readRegistry } from "./validator-registry.ts";

/**
 * `members.replaceAuthority`: from here on the organisation's members are certified by another CA. What
 * the one before certified ends at the stated time, wherever validity is asked about: no row of a
 * member changes for it. Certificates that are brought along count at once.
 */
export function replaceAuthority(args: ReplaceAuthorityArgs, call: BuiltInCall): undefined {
  const { organization: name, keepUntilMs } = args;
  const organization = call.state.read(rows.organization(name));
  if (organization === null) refuseCall("MEMBERS_ORGANIZATION_UNKNOWN", name);
  const next = judgeAuthority(args.authorityCertificate, organization, call);
  const before = parseRegistered(organization.authorityCertificate);
  const isRenewed = equalBytes(before.subjectKey, next.subjectKey);
  if (isRenewed) demandRenewal(before, next, keepUntilMs);
  else endBefore(before, next, args, call);
  call.state.write(rows.organization(name), {
    ...organization,
    authorityCertificate: next.der,
    certificateDigest: next.fingerprint,
    revocationListMs: isRenewed ? organization.revocationListMs : 0,
  });
  const carried = args.certificates.map((der) => carry(der, name, call));
  const endsAtOnce = keepUntilMs !== null && keepUntilMs <= call.block.timestampMs;
  if (endsAtOnce) demandSurvivors(name, carried, call);
  const event = { organization: name, certificateDigest: next.fingerprint, keepUntilMs };
  call.emit(AUTHORITY_CHANGED_TOPIC, encode(authorityChangedCodec, event));
}

/** The certificate of an organisation's next CA. Ends the call when it can be none. */
function judgeAuthority(
  der: Uint8Array,
  organization: Organization,
  call: BuiltInCall,
): Certificate {
  call.gas.charge(CERTIFICATE_GAS);
  const parsed = parseCertificate(der);
  if (!parsed.ok) refuseCall("MEMBERS_CERTIFICATE_MALFORMED", parsed.code);
  const authority = parsed.value;
  if (equalBytes(authority.issuerDer, authority.subjectDer)) refuseCall("MEMBERS_ROOT_FIXED");
  const verified = verifyAuthorityChain({
    authority,
    intermediates: [],
    roots: (call.state.read(rows.roots) ?? []).map(parseRegistered),
    revocationLists: [],
    atMs: call.block.timestampMs,
  });
  if (!verified.ok) refuseCall(refusalOf(verified.code), verified.code);
  if (verified.value.organization !== organization.name) {
    refuseCall("MEMBERS_CERTIFICATE_OTHER", verified.value.organization);
  }
  if (equalBytes(authority.fingerprint, organization.certificateDigest)) {
    refuseCall("MEMBERS_AUTHORITY_KNOWN");
  }
  if (looksOutside(authority, call)) refuseCall("MEMBERS_EXTERNAL_TAKEN");
  return authority;
}

/** The same key under a certificate that goes on: names must stay, for members' certificates say them. */
function demandRenewal(before: Certificate, next: Certificate, keepUntilMs: number | null): void {
  if (keepUntilMs !== null) refuseCall("MEMBERS_AUTHORITY_PERIOD", "the key stays");
  if (!equalBytes(before.subjectDer, next.subjectDer)) {
    refuseCall("MEMBERS_CERTIFICATE_OTHER", next.subject.commonName);
  }
}

/** Notes until when the CA before counts. */
function endBefore(
  before: Certificate,
  next: Certificate,
  { organization: name, keepUntilMs }: ReplaceAuthorityArgs,
  call: BuiltInCall,
): void {
  const nowMs = call.block.timestampMs;
  if (keepUntilMs === null) refuseCall("MEMBERS_AUTHORITY_PERIOD", "a new key");
  if (keepUntilMs > nowMs + MAX_AUTHORITY_KEEP_MS) {
    refuseCall("MEMBERS_AUTHORITY_PERIOD", `${keepUntilMs}`);
  }
  const former = call.state.read(authorityRows.former(name)) ?? [];
  if (former.length >= MAX_FORMER_AUTHORITIES) refuseCall("MEMBERS_AUTHORITIES_FULL");
  if (former.some(({ publicKey }) => equalBytes(publicKey, next.subjectKey))) {
    refuseCall("MEMBERS_AUTHORITY_KNOWN");
  }
  const list = rows.revocationList(name);
  const ended: FormerAuthority = {
    certificateDigest: before.fingerprint,
    publicKey: before.subjectKey,
    signsLists: before.keyUsage.has("cRLSign"),
    revocationListMs: call.state.read(rows.organization(name))?.revocationListMs ?? 0,
    untilMs: Math.max(keepUntilMs, nowMs),
    replacedAt: call.block.height,
  };
  call.state.write(authorityRows.former(name), [...former, ended]);
  // A list is of one key; what it revoked stays revoked.
  if (call.state.read(list) !== null) call.state.delete(list.contract, list.key);
}

/** Gives a member its certificate of the new CA, or adds who is none yet. */
function carry(der: Uint8Array, name: string, call: BuiltInCall): Address {
  const judged = judgeCertificate(der, call);
  if (judged.organization.name !== name) {
    refuseCall("MEMBERS_CERTIFICATE_OTHER", judged.organization.name);
  }
  const member = readOwner(judged.certificate.subjectKey, call);
  if (member === null) return addCertified(judged, call, null);
  if (isFinal(member)) refuseCall("MEMBERS_STATUS_FINAL", member.status);
  store(certify(member, judged, call), call);
  return member.address;
}

/** An organisation whose certificates end at once keeps an admin, and the validators that it has. */
function demandSurvivors(name: string, carried: readonly Address[], call: BuiltInCall): void {
  const isCarried = ({ address }: Member) => carried.some((one) => equalBytes(one, address));
  const isAdmin = ({ role, status }: Member) => role === "admin" && status === "active";
  if (!carried.some((one) => isAdmin(readMember(one, call)))) {
    refuseCall("MEMBERS_AUTHORITY_LEAVES_NONE", "no admin");
  }
  for (const { nodeId, publicKey } of readRegistry(call).validators) {
    const member = readOwner(publicKey, call);
    if (member?.organization !== name || isCarried(member)) continue;
    refuseCall("MEMBERS_AUTHORITY_LEAVES_NONE", `validator ${nodeId}`);
  }
}
