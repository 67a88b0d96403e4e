import {
  addressFromPublicKey,
  type Certificate,
  type ChainRefusal,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  verifyAuthorityChain,
  verifyExternalChain,
  verifySignatureOf,
} from "@credlink/crypto";
import {
  CERTIFIED_OUTSIDE,
  type EnrollExternalArgs,
  EXTERNAL_SWEEP,
  type ExternalAuthority,
  type ExternalAuthorityNameArgs,
  MAX_EXTERNAL_AUTHORITIES,
  type Member,
  type RegisterExternalAuthorityArgs,
  type RegisterExternalListArgs,
  type RenewExternalArgs,
} from "@credlink/ledger";
import { type Address, encode, equalBytes, text } from "@credlink/primitives";
import { CERTIFICATE_GAS, REVOCATION_GAS } from "../gas-schedule.ts";
import type { StateOverlay } from "../state-overlay.ts";
import { authorityRows } from "./authority-rows.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { endOfValidityMs, parseRegistered, parseRegisteredList } from "./certificates.ts";
import { externalRows } from "./external-rows.ts";
import { nextHeight, readActive, store } from "./member-keys.ts";
import { isFinal } from "./member-status.ts";
import { readRow, writeRow } from "./row.ts";
import { type CertificateHolder, rows } from "./rows.ts";

/** Topic of the event of an outside authority that came, changed or went; data: its name, encoded. */
export const EXTERNAL_AUTHORITY_TOPIC = "external-authority";

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** `members.registerExternalAuthority`: from the next transaction on its certificates are taken. */
export function registerExternalAuthority(
  args: RegisterExternalAuthorityArgs,
  call: BuiltInCall,
): undefined {
  const { name, roles } = args;
  if (!NAME.test(name)) refuseCall("MEMBERS_EXTERNAL_INVALID", "name");
  if (roles.length === 0 || new Set(roles).size !== roles.length) {
    refuseCall("MEMBERS_EXTERNAL_INVALID", "roles");
  }
  const names = call.state.read(externalRows.names) ?? [];
  if (names.includes(name)) refuseCall("MEMBERS_EXTERNAL_KNOWN", name);
  if (names.length >= MAX_EXTERNAL_AUTHORITIES) refuseCall("MEMBERS_EXTERNAL_FULL");
  checkChain(args, names, call);
  call.state.write(externalRows.names, [...names, name]);
  save(
    {
      ...args,
      ...{ registeredAt: call.block.height, withdrawnAt: null, revocationListMs: 0, holders: 0 },
    },
    call,
  );
}

function save(authority: ExternalAuthority, call: BuiltInCall): void {
  call.state.write(externalRows.authority(authority.name), authority);
  call.emit(EXTERNAL_AUTHORITY_TOPIC, encode(text(64), authority.name));
}

/** A chain from a self-signed root to the CA that issues, under names and keys of nobody else's. */
function checkChain(
  { certificates }: RegisterExternalAuthorityArgs,
  names: readonly string[],
  call: BuiltInCall,
): void {
  call.gas.charge(CERTIFICATE_GAS * Math.max(1, certificates.length));
  const chain = certificates.map((der) => {
    const parsed = parseCertificate(der);
    if (!parsed.ok) refuseCall("MEMBERS_CERTIFICATE_MALFORMED", parsed.code);
    return parsed.value;
  });
  const [root] = chain;
  const issuing = chain.at(-1);
  if (root === undefined || issuing === undefined) {
    refuseCall("MEMBERS_EXTERNAL_INVALID", "no certificate");
  }
  const isSelfSigned =
    equalBytes(root.subjectDer, root.issuerDer) && verifySignatureOf(root, root.subjectKey);
  if (!isSelfSigned) refuseCall("MEMBERS_EXTERNAL_INVALID", "the first one is no root");
  const verified = verifyAuthorityChain({
    authority: issuing,
    intermediates: chain.slice(1, -1),
    roots: [root],
    revocationLists: [],
    atMs: call.block.timestampMs,
  });
  if (!verified.ok) refuseCall("MEMBERS_EXTERNAL_INVALID", verified.code);
  if (verified.value.chain.length !== chain.length) {
    refuseCall("MEMBERS_EXTERNAL_INVALID", "not one chain");
  }
  const own = ownAuthorities(call);
  const isTaken = chain.some((each) => own.some((other) => looksLike(each, other)));
  const issuers = names.flatMap((name) => call.state.read(externalRows.authority(name)) ?? []);
  const isKnown = issuers.some((other) => looksLike(issuing, issuerOf(other)));
  if (isTaken || isKnown) refuseCall("MEMBERS_EXTERNAL_TAKEN");
}

/** Whether a certificate could be taken for one of an outside authority's chain. */
export function looksOutside(certificate: Certificate, call: BuiltInCall): boolean {
  const names = call.state.read(externalRows.names) ?? [];
  return names
    .flatMap((name) => call.state.read(externalRows.authority(name))?.certificates ?? [])
    .some((der) => looksLike(certificate, parseRegistered(der)));
}

/** Whether one could be taken for the other: by its name or by its key. */
function looksLike(a: Certificate, b: Certificate): boolean {
  return equalBytes(a.subjectDer, b.subjectDer) || equalBytes(a.subjectKey, b.subjectKey);
}

/** The consortium's roots and its organisations' CAs. */
function ownAuthorities(call: BuiltInCall): readonly Certificate[] {
  const roots = call.state.read(rows.roots) ?? [];
  const authorities = (call.state.read(rows.organizationNames) ?? []).flatMap(
    (name) => call.state.read(rows.organization(name))?.authorityCertificate ?? [],
  );
  return [...roots, ...authorities].map(parseRegistered);
}

function issuerOf({ certificates }: ExternalAuthority): Certificate {
  const last = certificates.at(-1);
  if (last === undefined) refuseCall("MEMBERS_EXTERNAL_INVALID", "no certificate");
  return parseRegistered(last);
}

/**
 * `members.withdrawExternalAuthority`: nothing of it is taken from here on. Whoever holds one of its
 * certificates is revoked at the ends of this block and the next ones, some of them each.
 */
export function withdrawExternalAuthority(
  { name }: ExternalAuthorityNameArgs,
  call: BuiltInCall,
): undefined {
  const authority = find(name, call);
  save({ ...authority, withdrawnAt: call.block.height }, call);
  const sweeps = call.state.read(externalRows.sweeps) ?? [];
  call.state.write(externalRows.sweeps, [...sweeps, { name, next: 0 }]);
}

/** The authority, unless it is unknown or withdrawn. */
function find(name: string, call: BuiltInCall): ExternalAuthority {
  const authority = call.state.read(externalRows.authority(name));
  if (authority === null) refuseCall("MEMBERS_EXTERNAL_UNKNOWN", name);
  if (authority.withdrawnAt !== null) refuseCall("MEMBERS_EXTERNAL_WITHDRAWN", name);
  return authority;
}

/** `members.externalAuthority`: its row. */
export function readExternalAuthority(
  { name }: ExternalAuthorityNameArgs,
  call: BuiltInCall,
): Uint8Array {
  const { contract, key } = externalRows.authority(name);
  return call.state.get(contract, key) ?? refuseCall("MEMBERS_EXTERNAL_UNKNOWN", name);
}

/** A certificate that the authority issued, valid now and not in its list. Ends the call otherwise. */
function judge(der: Uint8Array, authority: ExternalAuthority, call: BuiltInCall): Certificate {
  call.gas.charge(CERTIFICATE_GAS);
  const parsed = parseCertificate(der);
  if (!parsed.ok) refuseCall("MEMBERS_CERTIFICATE_MALFORMED", parsed.code);
  const [root, ...others] = authority.certificates.map(parseRegistered);
  if (root === undefined) refuseCall("MEMBERS_EXTERNAL_INVALID", "no certificate");
  const list = call.state.read(externalRows.list(authority.name));
  const verified = verifyExternalChain({
    leaf: parsed.value,
    intermediates: others,
    roots: [root],
    revocationLists: list === null ? [] : [parseRegisteredList(list)],
    atMs: call.block.timestampMs,
  });
  if (!verified.ok)
    refuseCall(CODES[verified.code] ?? "MEMBERS_CERTIFICATE_REFUSED", verified.code);
  const issuer = verified.value.chain[1];
  if (issuer === undefined || !equalBytes(issuer.der, issuerOf(authority).der)) {
    refuseCall("MEMBERS_CERTIFICATE_REFUSED", "not issued by the registered CA");
  }
  return parsed.value;
}

const CODES: Partial<Record<ChainRefusal, Parameters<typeof refuseCall>[0]>> = {
  CRYPTO_CERTIFICATE_UNKNOWN_ROOT: "MEMBERS_CERTIFICATE_UNKNOWN_ROOT",
  CRYPTO_CERTIFICATE_BAD_SIGNATURE: "MEMBERS_CERTIFICATE_BAD_SIGNATURE",
  CRYPTO_CERTIFICATE_EXPIRED: "MEMBERS_CERTIFICATE_EXPIRED",
  CRYPTO_CERTIFICATE_NOT_YET_VALID: "MEMBERS_CERTIFICATE_NOT_YET_VALID",
  CRYPTO_CERTIFICATE_REVOKED: "MEMBERS_CERTIFICATE_REVOKED",
  CRYPTO_CERTIFICATE_VALIDITY_TOO_LONG: "MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG",
};

/**
 * The member that an admin's organisation enrols under an outside certificate. The certificate says
 * who holds the key; which role that is, and that it is one of this organisation's, the admin says.
 */
export function externalMember(args: EnrollExternalArgs, call: BuiltInCall): Member {
  const authority = find(args.authority, call);
  if (!authority.roles.includes(args.role)) refuseCall("MEMBERS_ROLE_FORBIDDEN", args.role);
  const certificate = judge(args.certificate, authority, call);
  const address = addressFromPublicKey(certificate.subjectKey);
  noteHolder(authority, certificate, address, call);
  call.state.write(externalRows.of(address), authority.name);
  return {
    address,
    organization: call.caller.organization,
    role: args.role,
    status: "active",
    keys: [{ fromHeight: nextHeight(call), publicKey: certificate.subjectKey }],
    ...validityOf(certificate),
    enrolledBy: call.caller.address,
  };
}

const validityOf = (certificate: Certificate) => ({
  certificateDigest: certificate.fingerprint,
  validFromMs: certificate.notBeforeMs,
  validToMs: endOfValidityMs(certificate),
});

/** Notes whose a certificate is, by its serial number and in order. */
function noteHolder(
  authority: ExternalAuthority,
  { serialNumber, fingerprint }: Certificate,
  address: Address,
  call: BuiltInCall,
): void {
  const { name, holders } = authority;
  const bySerial = externalRows.serial(name, serialNumber);
  if (call.state.read(bySerial) !== null) refuseCall("MEMBERS_ALREADY_ENROLLED", "serial number");
  const holder = { address, certificateDigest: fingerprint };
  call.state.write(bySerial, holder);
  call.state.write(externalRows.holder(name, holders), holder);
  call.state.write(authorityRows.under(address), CERTIFIED_OUTSIDE);
  call.state.write(externalRows.authority(name), { ...authority, holders: holders + 1 });
}

/** `members.renewExternal`, by the member itself: the key stays, its certificate changes. */
export function renewExternal(
  { certificate: der }: RenewExternalArgs,
  call: BuiltInCall,
): undefined {
  const member = readActive(call.caller.address, call);
  const name = call.state.read(externalRows.of(member.address));
  if (name === null)
    refuseCall("MEMBERS_EXTERNAL_UNKNOWN", "the member's certificate is no outside one");
  const authority = find(name, call);
  const certificate = judge(der, authority, call);
  const last = member.keys.at(-1)?.publicKey;
  if (last === undefined || !equalBytes(certificate.subjectKey, last)) {
    refuseCall("MEMBERS_CERTIFICATE_OTHER", "another key");
  }
  noteHolder(authority, certificate, member.address, call);
  store({ ...member, ...validityOf(certificate) }, call);
}

/**
 * `members.registerExternalList`: from here on the list counts on chain. Members whose certificates
 * it names are revoked for good. It may come by any admin: the authority's signature speaks for it.
 */
export function registerExternalList(
  { authority: name, revocationList }: RegisterExternalListArgs,
  call: BuiltInCall,
): undefined {
  call.gas.charge(CERTIFICATE_GAS);
  const authority = find(name, call);
  const parsed = parseRevocationList(revocationList);
  if (!parsed.ok) refuseCall("MEMBERS_REVOCATION_LIST_MALFORMED", parsed.code);
  const list = parsed.value;
  call.gas.charge(REVOCATION_GAS * list.revoked.size);
  checkList(list, authority, call.block.timestampMs);
  call.state.write(externalRows.list(name), revocationList);
  save({ ...authority, revocationListMs: list.thisUpdateMs }, call);
  for (const { serialNumber } of list.revoked.values()) {
    const holder = call.state.read(externalRows.serial(name, serialNumber));
    const member = holder === null ? null : call.state.read(rows.member(holder.address));
    const revoked = holder === null ? null : revokedHolder(holder, member);
    // No event each: a list may name more members than a transaction has events.
    if (revoked !== null) call.state.write(rows.member(revoked.address), revoked);
  }
}

/** A member whose present certificate is the holder's, revoked; null where there is nothing to do. */
function revokedHolder(
  { certificateDigest }: CertificateHolder,
  member: Member | null,
): Member | null {
  if (member === null || isFinal(member) || member.certificateDigest === null) return null;
  // A certificate that another one replaced is revoked without its holder.
  if (!equalBytes(member.certificateDigest, certificateDigest)) return null;
  return { ...member, status: "revoked" };
}

function checkList(list: RevocationList, authority: ExternalAuthority, nowMs: number): void {
  const issuer = issuerOf(authority);
  const isIssuer = equalBytes(issuer.subjectDer, list.issuerDer) && issuer.keyUsage.has("cRLSign");
  if (!isIssuer || !verifySignatureOf(list, issuer.subjectKey)) {
    refuseCall("MEMBERS_REVOCATION_LIST_REFUSED", "not signed by the registered CA");
  }
  if (list.nextUpdateMs !== undefined && nowMs > list.nextUpdateMs) {
    refuseCall("MEMBERS_REVOCATION_LIST_REFUSED", "stale");
  }
  if (list.thisUpdateMs <= authority.revocationListMs) refuseCall("MEMBERS_REVOCATION_LIST_OLD");
}

/**
 * What a block does by itself for withdrawn authorities: revokes the next of their holders, a bounded
 * number, so that no transaction has to pay for all of them.
 */
export function sweepExternalHolders(state: StateOverlay): void {
  const [sweep, ...later] = readRow(state, externalRows.sweeps) ?? [];
  if (sweep === undefined) return;
  const holders = readRow(state, externalRows.authority(sweep.name))?.holders ?? 0;
  const end = Math.min(holders, sweep.next + EXTERNAL_SWEEP);
  for (let index = sweep.next; index < end; index++) {
    const holder = readRow(state, externalRows.holder(sweep.name, index));
    if (holder === null) continue;
    const revoked = revokedHolder(holder, readRow(state, rows.member(holder.address)));
    if (revoked !== null) writeRow(state, rows.member(revoked.address), revoked);
  }
  const left = end < holders ? [{ ...sweep, next: end }, ...later] : later;
  if (left.length > 0) writeRow(state, externalRows.sweeps, left);
  else state.set(externalRows.sweeps.contract, externalRows.sweeps.key, null);
}
