import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bytes,
  type Codec,
  concatBytes,
  type Digest,
  encode,
  type Height,
  heightCodec,
  list,
  oneOf,
  struct,
  address as toAddress,
  u32,
  u53,
  utf8,
} from "@credlink/primitives";
import { type Member, type MemberRole, memberRoles } from "./member.ts";
import { MAX_SIGNATURES } from "./transaction.ts";

/** Most members of one account: all of them fit into one transaction. */
export const MAX_ACCOUNT_SIGNERS = MAX_SIGNATURES;
/** Most times that an account's signers are set, the first included: the record stays provable. */
export const MAX_ACCOUNT_POLICIES = 32;

/** Who signs for an account, and how many of them it takes. */
export interface AccountSigners {
  /** 1 to the number of signers. */
  readonly threshold: number;
  /** 1 to `MAX_ACCOUNT_SIGNERS` members with keys of their own, ascending, none twice. */
  readonly signers: readonly Address[];
}

const accountSignersFields = {
  threshold: u32,
  signers: list(addressCodec, MAX_ACCOUNT_SIGNERS),
};
export const accountSignersCodec: Codec<AccountSigners> = struct(accountSignersFields);

export interface AccountPolicy extends AccountSigners {
  /** First height at which envelopes are judged by it. */
  readonly fromHeight: Height;
}

/**
 * What an account adds to its member's record, at `accountKey(address)` in `MEMBERS_CONTRACT`. That
 * record has no key: several members sign for it.
 */
export interface Account {
  /** Ascending by height; the last one at or below the judged height counts. */
  readonly policies: readonly AccountPolicy[];
}
export const accountCodec: Codec<Account> = struct({
  policies: list(
    struct({ fromHeight: heightCodec, ...accountSignersFields }),
    MAX_ACCOUNT_POLICIES,
  ),
});

/**
 * Whether a member that is or was active is an account: it alone has no key of its own then. Who is
 * enrolled before it has a key is not active.
 */
export function isAccount({ keys }: Pick<Member, "keys">): boolean {
  return keys.length === 0;
}

/** Who signs for an account at a height; null when nobody does yet, or there is no account. */
export function policyAt(account: Account | null, at: number): AccountPolicy | null {
  return account?.policies.findLast(({ fromHeight }) => fromHeight <= at) ?? null;
}

/** State key in `MEMBERS_CONTRACT` of an account: "account/" and its address. */
export function accountKey(address: Address): Uint8Array {
  return concatBytes(ACCOUNT_PREFIX, address);
}

const ACCOUNT_PREFIX = utf8("account/");

/**
 * `members.createAccount`, by an admin or an institution for its own organisation: an address that
 * `threshold` of `signers` sign for. `role` is `enterprise` or `individual`, by an admin
 * `institution` too.
 */
export interface CreateAccountArgs extends AccountSigners {
  /** 16 random bytes: the same creator makes as many accounts as it wants. */
  readonly salt: Uint8Array;
  readonly role: MemberRole;
  readonly validFromMs: number;
  readonly validToMs: number;
}
export const createAccountArgsCodec: Codec<CreateAccountArgs> = struct({
  salt: bytes(16),
  ...accountSignersFields,
  role: oneOf(...memberRoles),
  validFromMs: u53,
  validToMs: u53,
});

/** `members.renewAccount`, by its organisation's admin or who created it: another end. */
export interface RenewAccountArgs {
  readonly address: Address;
  readonly validToMs: number;
}
export const renewAccountArgsCodec: Codec<RenewAccountArgs> = struct({
  address: addressCodec,
  validToMs: u53,
});

const foundingCodec = struct<AccountSigners & { creator: Address; salt: Uint8Array }>({
  creator: addressCodec,
  salt: bytes(16),
  ...accountSignersFields,
});

/** The address of an account, for life: who made it, on which chain, and who signed for it first. */
export function accountAddress(
  genesisDigest: Digest,
  creator: Address,
  { salt, threshold, signers }: Pick<CreateAccountArgs, "salt" | "threshold" | "signers">,
): Address {
  const founding = encode(foundingCodec, { creator, salt, threshold, signers });
  return toAddress(taggedSm3("credlink/account/1", genesisDigest, founding));
}
