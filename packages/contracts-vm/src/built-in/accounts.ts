import {
  type Account,
  type AccountSigners,
  accountAddress,
  accountCodec,
  accountSignersCodec,
  type CreateAccountArgs,
  type GetMemberArgs,
  isAccount,
  isNodeRole,
  MAX_ACCOUNT_POLICIES,
  type Member,
  type RenewAccountArgs,
} from "@credlink/ledger";
import { type Address, addressCodec, compareBytes, encode, struct } from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { nextHeight, readActive } from "./member-keys.ts";
import { isFinal, readMember } from "./member-status.ts";
import { actorsFor } from "./member-transitions.ts";
import { demandValidity } from "./member-validity.ts";
import { memberEvent, rows } from "./rows.ts";

/** Topic of the event of an account's signers; data: `accountEventCodec`. */
export const ACCOUNT_TOPIC = "account";
/** Topic of the event of an account's new end; data: `memberEvent`. */
export const ACCOUNT_RENEWED_TOPIC = "renewed";

/** Which account, and who signs for it from the next height on. */
export const accountEventCodec = struct<{ account: Address; signers: AccountSigners }>({
  account: addressCodec,
  signers: accountSignersCodec,
});

/** The record of an account that its organisation makes. It has no key, now or later. */
export function createAccount(args: CreateAccountArgs, call: BuiltInCall): Member {
  const { role, validFromMs, validToMs } = args;
  const { caller, block } = call;
  const isOpen = role === "enterprise" || role === "individual";
  if (!isOpen && !(role === "institution" && caller.role === "admin")) {
    refuseCall("MEMBERS_ROLE_FORBIDDEN", role);
  }
  demandValidity(args, block.timestampMs);
  const address = accountAddress(block.genesisDigest, caller.address, args);
  if (call.state.read(rows.member(address)) !== null) refuseCall("MEMBERS_ALREADY_ENROLLED");
  setPolicy(address, [], args, call);
  return {
    address,
    organization: caller.organization,
    role,
    status: "active",
    keys: [],
    certificateDigest: null,
    enrolledBy: caller.address,
    validFromMs,
    validToMs,
  };
}

/** `members.setAccountSigners`, by the account itself, as its present signers sign for it. */
export function setAccountSigners(args: AccountSigners, call: BuiltInCall): undefined {
  const { address } = readActive(call.caller.address, call);
  const { policies } = readAccount(address, call);
  if (policies.length >= MAX_ACCOUNT_POLICIES) refuseCall("MEMBERS_ACCOUNT_FULL");
  if (policies.at(-1)?.fromHeight === nextHeight(call)) refuseCall("MEMBERS_KEY_CHANGED_ALREADY");
  setPolicy(address, policies, args, call);
}

/** `members.renewAccount`: another end, by those who manage it. */
export function renewAccount(
  { address, validToMs }: RenewAccountArgs,
  call: BuiltInCall,
): undefined {
  const member = readMember(address, call);
  readAccount(address, call);
  const actors = actorsFor(member, call.caller);
  if (!actors.includes("admin") && !actors.includes("institution")) {
    refuseCall("MEMBERS_ROLE_FORBIDDEN");
  }
  if (isFinal(member)) refuseCall("MEMBERS_STATUS_FINAL");
  const { timestampMs } = call.block;
  demandValidity({ validFromMs: timestampMs, validToMs }, timestampMs);
  const renewed = { ...member, validToMs };
  call.state.write(rows.member(address), renewed);
  call.emit(ACCOUNT_RENEWED_TOPIC, memberEvent(renewed));
}

/** `members.account`, read-only: `accountCodec`. */
export function showAccount({ address }: GetMemberArgs, call: BuiltInCall): Uint8Array {
  return encode(accountCodec, readAccount(address, call));
}

function readAccount(address: Address, call: BuiltInCall): Account {
  return call.state.read(rows.account(address)) ?? refuseCall("MEMBERS_NO_ACCOUNT");
}

function setPolicy(
  address: Address,
  before: Account["policies"],
  { threshold, signers }: AccountSigners,
  call: BuiltInCall,
): void {
  if (signers.length === 0 || threshold < 1 || threshold > signers.length) {
    refuseCall("MEMBERS_ACCOUNT_INVALID", `${threshold} of ${signers.length}`);
  }
  const isAscending = signers.every((signer, at) => {
    const previous = signers[at - 1];
    return previous === undefined || compareBytes(previous, signer) < 0;
  });
  if (!isAscending) refuseCall("MEMBERS_ACCOUNT_INVALID", "signers are not ascending");
  for (const signer of signers) {
    const member = call.state.read(rows.member(signer));
    const holds =
      member !== null &&
      member.status === "active" &&
      !isAccount(member) &&
      !isNodeRole(member.role);
    if (!holds) refuseCall("MEMBERS_ACCOUNT_INVALID", "a signer is no active member with a key");
  }
  const policy = { fromHeight: nextHeight(call), threshold, signers };
  call.state.write(rows.account(address), { policies: [...before, policy] });
  const data = { account: address, signers: { threshold, signers } };
  call.emit(ACCOUNT_TOPIC, encode(accountEventCodec, data));
}
