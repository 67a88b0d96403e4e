import { parseRevocationList, type RevocationList, verifySignatureOf } from "@credlink/crypto";
import type { FormerAuthority, RegisterRevocationListArgs } from "@credlink/ledger";
import { encode, equalBytes, text } from "@credlink/primitives";
import { CERTIFICATE_GAS, REVOCATION_GAS } from "../gas-schedule.ts";
import { authorityRows } from "./authority-rows.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { parseRegistered } from "./certificates.ts";
import { isFinal } from "./member-status.ts";
import { type Organization, rows } from "./rows.ts";

/** Topic of the event of a registered list; data: the organisation's name, encoded. */
export const REVOCATION_LIST_TOPIC = "revocation-list";

/**
 * `members.registerRevocationList`: from here on the list counts on chain. Members whose
 * certificates it names are revoked for good, whatever later lists say.
 */
export function registerRevocationList(
  { revocationList }: RegisterRevocationListArgs,
  call: BuiltInCall,
): undefined {
  call.gas.charge(CERTIFICATE_GAS);
  const parsed = parseRevocationList(revocationList);
  if (!parsed.ok) refuseCall("MEMBERS_REVOCATION_LIST_MALFORMED", parsed.code);
  const list = parsed.value;
  call.gas.charge(REVOCATION_GAS * list.revoked.size);
  const organization = call.state.read(rows.organization(list.issuer.organization));
  if (organization === null) refuseCall("MEMBERS_ORGANIZATION_UNKNOWN", list.issuer.organization);
  if (organization.name !== call.caller.organization) refuseCall("MEMBERS_ROLE_FORBIDDEN");
  const former = call.state.read(authorityRows.former(organization.name)) ?? [];
  const at = former.findIndex((one) => isListOf(one, list, call.block.timestampMs));
  const issuer = former[at];
  if (issuer === undefined) {
    checkList(list, organization, call.block.timestampMs);
    call.state.write(rows.revocationList(organization.name), revocationList);
    call.state.write(rows.organization(organization.name), {
      ...organization,
      revocationListMs: list.thisUpdateMs,
    });
  } else {
    demandFresh(list, issuer.revocationListMs, call.block.timestampMs);
    const noted = { ...issuer, revocationListMs: list.thisUpdateMs };
    call.state.write(authorityRows.former(organization.name), former.with(at, noted));
  }
  revokeMembers(list, { organization, followed: issuer === undefined ? former.length : at }, call);
  call.emit(REVOCATION_LIST_TOPIC, encode(text(64), organization.name));
}

/** A CA that another one followed issues lists until what it certified ends. */
function isListOf(former: FormerAuthority, list: RevocationList, nowMs: number): boolean {
  const mayIssue = former.signsLists && nowMs < former.untilMs;
  return mayIssue && verifySignatureOf(list, former.publicKey);
}

function checkList(list: RevocationList, organization: Organization, nowMs: number): void {
  const authority = parseRegistered(organization.authorityCertificate);
  const isIssuer =
    equalBytes(authority.subjectDer, list.issuerDer) && authority.keyUsage.has("cRLSign");
  if (!isIssuer || !verifySignatureOf(list, authority.subjectKey)) {
    refuseCall("MEMBERS_REVOCATION_LIST_REFUSED", "not signed by the organisation's CA");
  }
  demandFresh(list, organization.revocationListMs, nowMs);
}

function demandFresh(list: RevocationList, lastMs: number, nowMs: number): void {
  if (list.nextUpdateMs !== undefined && nowMs > list.nextUpdateMs) {
    refuseCall("MEMBERS_REVOCATION_LIST_REFUSED", "stale");
  }
  if (list.thisUpdateMs <= lastMs) refuseCall("MEMBERS_REVOCATION_LIST_OLD");
}

/** @param issuer whose list it is: a CA revokes what it certified, `followed` being its place. */
function revokeMembers(
  list: RevocationList,
  issuer: { readonly organization: Organization; readonly followed: number },
  call: BuiltInCall,
): void {
  const { organization, followed } = issuer;
  for (const { serialNumber } of list.revoked.values()) {
    const holder = call.state.read(rows.serial(organization.name, serialNumber));
    const member = holder === null ? null : call.state.read(rows.member(holder.address));
    if (holder === null || member === null || isFinal(member)) continue;
    // A certificate that another one replaced is revoked without its holder.
    const present = member.certificateDigest;
    if (present === null || !equalBytes(present, holder.certificateDigest)) continue;
    if ((call.state.read(authorityRows.under(member.address)) ?? 0) !== followed) continue;
    // No event each: a list may name more members than a transaction has events.
    call.state.write(rows.member(member.address), { ...member, status: "revoked" });
  }
}
