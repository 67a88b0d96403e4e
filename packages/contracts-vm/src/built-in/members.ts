import { addressFromPublicKey, isValidPublicKey } from "@credlink/crypto";
import {
  type ApplyArgs,
  accountSignersCodec,
  applyArgsCodec,
  bindKeyArgsCodec,
  type CreateAccountArgs,
  createAccountArgsCodec,
  type EnrollArgs,
  type EnrollExternalArgs,
  type EnrollIndividualsArgs,
  enrollArgsCodec,
  enrollExternalArgsCodec,
  enrollIndividualsArgsCodec,
  externalAuthorityNameArgsCodec,
  externalNamesCodec,
  formerAuthoritiesCodec,
  type GetMemberArgs,
  getMemberArgsCodec,
  identityCodec,
  isNodeRole,
  type ListMembersArgs,
  listMembersArgsCodec,
  listRecoveriesArgsCodec,
  MAX_ENROLMENTS,
  MAX_LISTED_MEMBERS,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  memberListCodec,
  memberRoles,
  proposeRecoveryArgsCodec,
  type RegisterRelationKeysArgs,
  type RelationKey,
  recoveryTargetCodec,
  registerExternalAuthorityArgsCodec,
  registerExternalListArgsCodec,
  registerRelationKeysArgsCodec,
  registerRevocationListArgsCodec,
  renewAccountArgsCodec,
  renewCertificateArgsCodec,
  renewExternalArgsCodec,
  replaceAuthorityArgsCodec,
  rotateKeyArgsCodec,
  setMemberStatusArgsCodec,
  setRecoveryDelayArgsCodec,
  verifyMemberArgsCodec,
} from "@credlink/ledger";
import {
  ADDRESS_BYTES,
  type Address,
  addressCodec,
  type Codec,
  encode,
  list,
  struct,
  text,
  address as toAddress,
  utf8,
} from "@credlink/primitives";
import { createAccount, renewAccount, setAccountSigners, showAccount } from "./accounts.ts";
import { replaceAuthority } from "./authority-change.ts";
import { authorityRows } from "./authority-rows.ts";
import {
  type BuiltInCall,
  type BuiltInContract,
  changing,
  reading,
  refuseCall,
} from "./built-in.ts";
import { type JudgedCertificate, judgeCertificate } from "./certificates.ts";
import { addCertified, addMember } from "./enrolling.ts";
import {
  externalMember,
  readExternalAuthority,
  registerExternalAuthority,
  registerExternalList,
  renewExternal,
  withdrawExternalAuthority,
} from "./external-authorities.ts";
import { externalRows } from "./external-rows.ts";
import { governed } from "./governed.ts";
import { bindKey, enrollIndividuals } from "./individuals.ts";
import { applicantOf, verifyMember } from "./member-identity.ts";
import { nextHeight, renewCertificate, rotateKey } from "./member-keys.ts";
import { setMemberStatus } from "./member-status.ts";
import { demandValidity } from "./member-validity.ts";
import {
  cancelRecovery,
  completeRecovery,
  listRecoveries,
  proposeRecovery,
  recoverAdmin,
  setRecoveryDelay,
} from "./recovery.ts";
import { registerRevocationList } from "./revocation.ts";
import { decodeRow } from "./row.ts";
import { organizationNamesCodec, rows } from "./rows.ts";

/** Arguments of `members.getOrganization`. */
export interface GetOrganizationArgs {
  readonly name: string;
}
export const getOrganizationArgsCodec: Codec<GetOrganizationArgs> = struct({ name: text(64) });

/** Arguments of methods that take none: the empty array. */
export const noArgsCodec: Codec<Record<string, never>> = struct({});

/** What `members.enroll` and `members.registerRelationKeys` return: addresses in their order. */
export const enrolledCodec: Codec<readonly Address[]> = list(addressCodec, MAX_ENROLMENTS);

/** What an account may be; nobody else is one. */
const accountRoles = ["enterprise", "individual", "institution"] as const;

const people = memberRoles.filter((role) => !isNodeRole(role));

/** The registry of organisations and members. */
export const membersContract: BuiltInContract = new Map([
  ["enroll", changing(["admin", "institution"], enrollArgsCodec, enroll)],
  [
    "registerRelationKeys",
    changing(["institution"], registerRelationKeysArgsCodec, registerRelationKeys),
  ],
  [
    "enrollIndividuals",
    changing(["admin", "institution"], enrollIndividualsArgsCodec, enrollWithoutKeys),
  ],
  ["bindKey", changing(people, bindKeyArgsCodec, bindKey)],
  ["apply", changing(["admin", "institution"], applyArgsCodec, apply)],
  ["verify", changing(["admin", "institution"], verifyMemberArgsCodec, verifyMember)],
  ["createAccount", changing(["admin", "institution"], createAccountArgsCodec, addAccount)],
  ["setAccountSigners", changing(accountRoles, accountSignersCodec, setAccountSigners)],
  ["renewAccount", changing(["admin", "institution"], renewAccountArgsCodec, renewAccount)],
  ["account", reading(getMemberArgsCodec, showAccount)],
  [
    "proposeRecovery",
    changing(["admin", "institution"], proposeRecoveryArgsCodec, proposeRecovery),
  ],
  ["recoverAdmin", governed("ordinary", proposeRecoveryArgsCodec, recoverAdmin)],
  ["cancelRecovery", changing(people, recoveryTargetCodec, cancelRecovery)],
  ["completeRecovery", changing(people, recoveryTargetCodec, completeRecovery)],
  ["setRecoveryDelay", governed("constitutional", setRecoveryDelayArgsCodec, setRecoveryDelay)],
  ["replaceAuthority", governed("constitutional", replaceAuthorityArgsCodec, replaceAuthority)],
  [
    "formerAuthorities",
    reading(getOrganizationArgsCodec, ({ name }, call) => {
      if (call.state.read(rows.organization(name)) === null) {
        refuseCall("MEMBERS_ORGANIZATION_UNKNOWN");
      }
      return encode(formerAuthoritiesCodec, call.state.read(authorityRows.former(name)) ?? []);
    }),
  ],
  ["recoveries", reading(listRecoveriesArgsCodec, listRecoveries)],
  ["setStatus", changing(people, setMemberStatusArgsCodec, setMemberStatus)],
  ["rotateKey", changing(memberRoles, rotateKeyArgsCodec, rotateKey)],
  ["renewCertificate", changing(memberRoles, renewCertificateArgsCodec, renewCertificate)],
  [
    "registerRevocationList",
    changing(["admin"], registerRevocationListArgsCodec, registerRevocationList),
  ],
  [
    "registerExternalAuthority",
    governed("constitutional", registerExternalAuthorityArgsCodec, registerExternalAuthority),
  ],
  [
    "withdrawExternalAuthority",
    governed("ordinary", externalAuthorityNameArgsCodec, withdrawExternalAuthority),
  ],
  ["enrollExternal", changing(["admin"], enrollExternalArgsCodec, enrollExternal)],
  ["renewExternal", changing(people, renewExternalArgsCodec, renewExternal)],
  [
    "registerExternalList",
    changing(["admin"], registerExternalListArgsCodec, registerExternalList),
  ],
  ["externalAuthority", reading(externalAuthorityNameArgsCodec, readExternalAuthority)],
  [
    "externalAuthorities",
    reading(noArgsCodec, (_, call) =>
      encode(externalNamesCodec, call.state.read(externalRows.names) ?? []),
    ),
  ],
  [
    "get",
    reading(getMemberArgsCodec, ({ address }, call) => {
      const { contract, key } = rows.member(address);
      return call.state.get(contract, key) ?? refuseCall("MEMBERS_NOT_FOUND");
    }),
  ],
  ["identity", reading(getMemberArgsCodec, readIdentity)],
  ["list", reading(listMembersArgsCodec, listMembers)],
  [
    "getOrganization",
    reading(getOrganizationArgsCodec, ({ name }, call) => {
      const { contract, key } = rows.organization(name);
      return call.state.get(contract, key) ?? refuseCall("MEMBERS_ORGANIZATION_UNKNOWN");
    }),
  ],
  [
    "organizations",
    reading(noArgsCodec, (_, call) =>
      encode(organizationNamesCodec, call.state.read(rows.organizationNames) ?? []),
    ),
  ],
]);

function enroll({ certificates }: EnrollArgs, call: BuiltInCall): Uint8Array {
  const addresses = certificates.map((der) => {
    const judged = judgeCertificate(der, call);
    checkAuthority(judged, call);
    return addCertified(judged, call, call.caller.address);
  });
  return encode(enrolledCodec, addresses);
}

/**
 * Admins enrol for their own organisation, institutions the individuals among them. An enrolled
 * validator follows like an observer: a vote is the validator registry's majority to give.
 */
function checkAuthority({ organization, role }: JudgedCertificate, call: BuiltInCall): void {
  const isOwn = organization.name === call.caller.organization;
  const isOpen = call.caller.role === "admin" || role === "individual";
  if (!isOwn || !isOpen) refuseCall("MEMBERS_ROLE_FORBIDDEN", role);
}

function enrollExternal(args: EnrollExternalArgs, call: BuiltInCall): Uint8Array {
  const member = externalMember(args, call);
  addMember(member, call);
  return encode(enrolledCodec, [member.address]);
}

function apply(args: ApplyArgs, call: BuiltInCall): Uint8Array {
  checkRelationKey(args, call.block.timestampMs);
  const member = applicantOf(args, call);
  addMember(member, call);
  return encode(enrolledCodec, [member.address]);
}

function enrollWithoutKeys(args: EnrollIndividualsArgs, call: BuiltInCall): Uint8Array {
  demandValidity(args, call.block.timestampMs);
  return enrollIndividuals(args, call);
}

function addAccount(args: CreateAccountArgs, call: BuiltInCall): Uint8Array {
  const member = createAccount(args, call);
  addMember(member, call);
  return encode(enrolledCodec, [member.address]);
}

function readIdentity({ address }: GetMemberArgs, call: BuiltInCall): Uint8Array {
  const { contract, key } = rows.identity(address);
  return call.state.get(contract, key) ?? encode(identityCodec, []);
}

/** Members by address; each with its last key alone, so that a page has a bound. */
function listMembers({ from, limit }: ListMembersArgs, call: BuiltInCall): Uint8Array {
  if (limit < 1 || limit > MAX_LISTED_MEMBERS) refuseCall("MEMBERS_LIST_LIMIT", `${limit}`);
  const entries = call.state.range({
    contract: MEMBERS_CONTRACT,
    from: memberKey(from ?? FIRST_ADDRESS),
    to: AFTER_MEMBERS,
    limit,
  });
  const members = entries.map(({ key, value }) => {
    const row = { contract: MEMBERS_CONTRACT, key, codec: memberCodec };
    const member = decodeRow(row, value);
    return { ...member, keys: member.keys.slice(-1) };
  });
  return encode(memberListCodec, members);
}

const FIRST_ADDRESS = toAddress(new Uint8Array(ADDRESS_BYTES));
/** "member" and the character after the slash. */
const AFTER_MEMBERS = utf8("member0");

function registerRelationKeys({ keys }: RegisterRelationKeysArgs, call: BuiltInCall): Uint8Array {
  const addresses = keys.map((key) => {
    checkRelationKey(key, call.block.timestampMs);
    const address = addressFromPublicKey(key.publicKey);
    const member: Member = {
      address,
      organization: call.caller.organization,
      role: key.role,
      status: "active",
      keys: [{ fromHeight: nextHeight(call), publicKey: key.publicKey }],
      certificateDigest: null,
      enrolledBy: call.caller.address,
      validFromMs: key.validFromMs,
      validToMs: key.validToMs,
    };
    addMember(member, call);
    return address;
  });
  return encode(enrolledCodec, addresses);
}

function checkRelationKey(key: RelationKey, nowMs: number): void {
  if (key.role !== "enterprise" && key.role !== "individual") {
    refuseCall("MEMBERS_ROLE_FORBIDDEN", key.role);
  }
  demandValidity(key, nowMs);
  if (!isValidPublicKey(key.publicKey)) refuseCall("MEMBERS_KEY_INVALID");
}
