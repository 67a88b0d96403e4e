import { randomBytes } from "@credlink/crypto";
import {
  ACCOUNT_TRANSACTION_VERSION,
  type Account,
  type AccountSigners,
  accountAddress,
  accountCodec,
  accountKey,
  accountSignersCodec,
  accountTransactionCodec,
  BUILT_IN_VERSION,
  createAccountArgsCodec,
  type Endorsement,
  endorsementMessage,
  MAX_SIGNATURES,
  MAX_TRANSACTION_BYTES,
  MEMBERS_CONTRACT,
  type MemberRole,
  renewAccountArgsCodec,
  type Transaction,
  transactionCodec,
  transactionId,
} from "@credlink/ledger";
import {
  type Address,
  compareBytes,
  type Digest,
  encode,
  equalBytes,
  tryDecode,
} from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { decodeClaim } from "./header-claims.ts";
import type { Identity } from "./session.ts";
import type { Call, SignedCall } from "./transactions.ts";

/** Room for the records of 16 signers, and for the account's own at its longest. */
const ACCOUNT_GAS = 5_000_000;

function accountCall(method: string, args: Uint8Array): Call {
  return {
    contract: MEMBERS_CONTRACT,
    version: BUILT_IN_VERSION,
    method,
    args,
    gasLimit: ACCOUNT_GAS,
  };
}

/** Signers in the order that the chain wants: ascending. */
function ordered({ threshold, signers }: AccountSigners): AccountSigners {
  return { threshold, signers: [...signers].sort(compareBytes) };
}

/** An account that is to be made: who signs for it, as what, and until when. */
export interface NewAccount extends AccountSigners {
  readonly role: MemberRole;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** The call that makes an account, and the address that it will have for life. */
export function createAccountCall(
  creator: Address,
  genesisDigest: Digest,
  account: NewAccount,
): { readonly call: Call; readonly address: Address } {
  const { role, validFromMs, validToMs } = account;
  const salt = randomBytes(16);
  const args = { salt, ...ordered(account), role, validFromMs, validToMs };
  return {
    call: accountCall("createAccount", encode(createAccountArgsCodec, args)),
    address: accountAddress(genesisDigest, creator, args),
  };
}

/** The call by which an account changes who signs for it; the account itself is its sender. */
export function setAccountSignersCall(signers: AccountSigners): Call {
  return accountCall("setAccountSigners", encode(accountSignersCodec, ordered(signers)));
}

/** The call that gives an account another end. */
export function renewAccountCall(address: Address, validToMs: number): Call {
  return accountCall("renewAccount", encode(renewAccountArgsCodec, { address, validToMs }));
}

/** Who signs for an account, with proof; null when it is proven to be none. */
export async function getAccount(client: Client, address: Address): Promise<Account | null> {
  const { value } = await client.getState(MEMBERS_CONTRACT, accountKey(address));
  return value === null ? null : decodeClaim(accountCodec, value, "account");
}

/**
 * Canonical bytes of a transaction that an account signs: what its signers sign, each at home.
 * `version` is set.
 */
export function draftTransaction(transaction: Omit<Transaction, "version">): Uint8Array {
  return encode(transactionCodec, { version: ACCOUNT_TRANSACTION_VERSION, ...transaction });
}

/**
 * Reads a draft that came from elsewhere, to be shown to who shall sign it.
 * @throws ClientError CLIENT_TRANSACTION_INVALID
 */
export function readDraft(bytes: Uint8Array): Transaction {
  const read = tryDecode(transactionCodec, bytes);
  if (!read.ok) throw invalid(read.detail ?? read.code);
  if (read.value.version !== ACCOUNT_TRANSACTION_VERSION) {
    throw invalid(`version ${read.value.version}`);
  }
  return read.value;
}

/**
 * One member's signature over a draft, for an account or, when it signs beside one, for itself.
 * Needs no connection.
 *
 * @param draft canonical bytes, as `draftTransaction` makes them.
 */
export async function endorse(
  draft: Uint8Array,
  genesisDigest: Digest,
  address: Address,
  by: Identity,
): Promise<Endorsement> {
  const message = endorsementMessage(genesisDigest, address, draft);
  return { address, signer: by.address, signature: await by.signer.sign(message) };
}

/**
 * A transaction of a draft and the signatures over it, in the order that the chain wants. Whether
 * they are enough, and verify, the chain judges.
 *
 * @throws ClientError CLIENT_TRANSACTION_INVALID when nobody signed for the sender, when somebody
 *   signed twice for the same, or when there are too many signatures or bytes.
 */
export function combineEndorsements(
  draft: Uint8Array,
  endorsements: readonly Endorsement[],
): SignedCall {
  const transaction = readDraft(draft);
  if (endorsements.length > MAX_SIGNATURES) throw invalid(`more than ${MAX_SIGNATURES} signatures`);
  const rank = ({ address }: Endorsement): number =>
    equalBytes(address, transaction.sender) ? 0 : 1;
  const signatures = [...endorsements].sort(
    (a, b) =>
      rank(a) - rank(b) || compareBytes(a.address, b.address) || compareBytes(a.signer, b.signer),
  );
  const isTwice = signatures.some((each, at) => {
    const before = signatures[at - 1];
    return (
      before !== undefined &&
      equalBytes(before.address, each.address) &&
      equalBytes(before.signer, each.signer)
    );
  });
  if (isTwice) throw invalid("a member signed twice for the same address");
  const [first] = signatures;
  if (first === undefined || rank(first) !== 0) throw invalid("nobody signed for the sender");
  const bytes = encode(accountTransactionCodec, {
    version: ACCOUNT_TRANSACTION_VERSION,
    transaction: draft,
    signatures,
  });
  if (bytes.length > MAX_TRANSACTION_BYTES) throw invalid("the transaction is too large");
  return { id: transactionId(bytes), bytes, transaction };
}

function invalid(detail: string) {
  return clientError("CLIENT_TRANSACTION_INVALID", detail);
}
