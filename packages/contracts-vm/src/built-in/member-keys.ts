import { addressFromPublicKey, isValidPublicKey, sm2Verify } from "@credlink/crypto";
import {
  isAccount,
  isNodeRole,
  keyPossessionMessage,
  MAX_MEMBER_KEYS,
  type Member,
  type ProvenKey,
  type RenewCertificateArgs,
  type RotateKeyArgs,
} from "@credlink/ledger";
import { type Address, equalBytes, height } from "@credlink/primitives";
import { hostCosts } from "../gas-schedule.ts";
import { authorityRows } from "./authority-rows.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { endOfValidityMs, type JudgedCertificate, judgeCertificate } from "./certificates.ts";
import { endRecovery } from "./recovery-rows.ts";
import { memberEvent, rows } from "./rows.ts";
import { replaceValidatorKey } from "./validator-registry.ts";

/** Topic of the event of a changed key or certificate; data: `memberEvent`. */
export const MEMBER_KEY_TOPIC = "key";

/** A change of the registry counts for envelopes from the next block on. */
export function nextHeight(call: BuiltInCall): Member["keys"][number]["fromHeight"] {
  return height(call.block.height + 1);
}

/** Whether the key is, or ever was, some member's. `publicKey` is a point of the curve. */
export function isKnownKey(publicKey: Uint8Array, call: BuiltInCall): boolean {
  const own = addressFromPublicKey(publicKey);
  const isFirst = call.state.read(rows.member(own)) !== null;
  return isFirst || call.state.read(rows.keyOwner(own)) !== null;
}

/** `members.rotateKey`, by the member itself under the key that counts now. */
export function rotateKey(
  { publicKey, possession, certificate }: RotateKeyArgs,
  call: BuiltInCall,
): undefined {
  const member = readActive(call.caller.address, call);
  if (isAccount(member)) refuseCall("MEMBERS_KEY_OF_ACCOUNT");
  if (certificate === null && isNodeRole(member.role)) refuseCall("MEMBERS_CERTIFICATE_REQUIRED");
  // Whoever still has a key that counts needs no recovery.
  endRecovery(member.address, call);
  const taken = takeKey(member, { publicKey, possession }, call);
  if (certificate === null) {
    store(taken, call);
    return;
  }
  const judged = judgeCertificate(certificate, call);
  store(certify(taken, judged, call), call);
  const from = member.keys.at(-1)?.publicKey;
  if (member.role !== "validator" || from === undefined) return;
  const nodeId = judged.certificate.subject.commonName;
  replaceValidatorKey({ from, to: publicKey, nodeId }, call);
}

/** `members.renewCertificate`: the key stays, its certificate and validity change. */
export function renewCertificate(
  { certificate }: RenewCertificateArgs,
  call: BuiltInCall,
): undefined {
  const member = readActive(call.caller.address, call);
  store(certify(member, judgeCertificate(certificate, call), call), call);
}

/** Ends the call unless the member may have this key next. */
export function demandNextKey(
  { address, keys }: Member,
  { publicKey, possession }: ProvenKey,
  call: BuiltInCall,
): void {
  if (keys.length >= MAX_MEMBER_KEYS) refuseCall("MEMBERS_KEYS_FULL");
  if (keys.at(-1)?.fromHeight === nextHeight(call)) refuseCall("MEMBERS_KEY_CHANGED_ALREADY");
  if (!isValidPublicKey(publicKey)) refuseCall("MEMBERS_KEY_INVALID");
  if (isKnownKey(publicKey, call)) refuseCall("MEMBERS_KEY_KNOWN");
  const index = keys.length;
  const message = keyPossessionMessage(call.block.genesisDigest, { address, index, publicKey });
  call.gas.chargeFor(hostCosts.sm2Verify, message.length);
  if (!sm2Verify(publicKey, message, possession)) refuseCall("MEMBERS_KEY_NOT_PROVEN");
}

/**
 * The member with one more key, which counts from the next height on. Ends the call when the key is
 * no point of the curve, not proven, or known already, when another change of this block came
 * first, or when the member has had as many keys as it may.
 */
export function takeKey(member: Member, proven: ProvenKey, call: BuiltInCall): Member {
  const { publicKey } = proven;
  const { address, keys } = member;
  const fromHeight = nextHeight(call);
  demandNextKey(member, proven, call);
  // The first key gives the address itself, unless an enrolment key gave it.
  const own = addressFromPublicKey(publicKey);
  if (!equalBytes(own, address)) call.state.write(rows.keyOwner(own), address);
  return { ...member, keys: [...keys, { fromHeight, publicKey }] };
}

/** The member under another certificate, which must be over its last key. */
export function certify(member: Member, judged: JudgedCertificate, call: BuiltInCall): Member {
  const { certificate, organization, role } = judged;
  const isSame = organization.name === member.organization && role === member.role;
  if (!isSame) refuseCall("MEMBERS_CERTIFICATE_OTHER", `${role} of ${organization.name}`);
  const last = member.keys.at(-1)?.publicKey;
  if (last === undefined || !equalBytes(certificate.subjectKey, last)) {
    refuseCall("MEMBERS_CERTIFICATE_OTHER", "another key");
  }
  noteCertificate(judged, member.address, call);
  return {
    ...member,
    certificateDigest: certificate.fingerprint,
    validFromMs: certificate.notBeforeMs,
    validToMs: endOfValidityMs(certificate),
  };
}

/** Notes whose a certificate is. Ends the call when its serial number is known. */
export function noteCertificate(
  { certificate, organization }: JudgedCertificate,
  address: Address,
  call: BuiltInCall,
): void {
  const serial = rows.serial(organization.name, certificate.serialNumber);
  if (call.state.read(serial) !== null) refuseCall("MEMBERS_ALREADY_ENROLLED", "serial number");
  call.state.write(serial, { address, certificateDigest: certificate.fingerprint });
  // Certificates come from the CA in force alone.
  const followed = call.state.read(authorityRows.former(organization.name))?.length ?? 0;
  const under = authorityRows.under(address);
  if ((call.state.read(under) ?? 0) !== followed) call.state.write(under, followed);
}

/** The member, unless an earlier transaction of this block ended or held its membership. */
export function readActive(address: Address, call: BuiltInCall): Member {
  const member = call.state.read(rows.member(address));
  if (member === null) refuseCall("MEMBERS_NOT_FOUND");
  if (member.status !== "active") refuseCall("MEMBERS_NOT_ACTIVE", member.status);
  return member;
}

export function store(member: Member, call: BuiltInCall): void {
  call.state.write(rows.member(member.address), member);
  call.emit(MEMBER_KEY_TOPIC, memberEvent(member));
}
