import {
  type Address,
  accept,
  type Codec,
  type Digest,
  equalBytes,
  type Height,
  invariant,
  type Refusal,
  type Result,
  refuse,
  tryDecode,
} from "@credlink/primitives";
import { type Account, accountCodec, accountKey, isAccount, policyAt } from "./account.ts";
import {
  certifiedUnderCodec,
  certifiedUnderKey,
  type FormerAuthority,
  formerAuthoritiesCodec,
  formerAuthoritiesKey,
  withinAuthority,
} from "./authority-change.ts";
import { type DecodedTransaction, decodeSignedTransaction } from "./decoded-transaction.ts";
import { endorsementMessage, transactionSigningMessage } from "./digests.ts";
import { LedgerError, type TransactionRefusalCode } from "./errors.ts";
import type { StateView } from "./executor.ts";
import type { Parameters } from "./genesis.ts";
import {
  isBuiltInContract,
  isNodeRole,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  memberKeyAt,
} from "./member.ts";
import type { ReplayGuard } from "./replay-guard.ts";
import { ACCOUNT_TRANSACTION_VERSION, EXPIRY_WINDOW } from "./transaction.ts";

/** What an envelope is judged against: the state below the block, and the block's own time. */
export interface EnvelopeContext {
  /** The state after height − 1, on the block's own branch. */
  readonly parent: StateView;
  readonly header: { readonly height: Height; readonly timestampMs: number };
  readonly chainId: string;
  readonly genesisDigest: Digest;
  /** The branch's used nonces, those of earlier transactions of the same block included. */
  readonly replay: ReplayGuard;
  /** Parameters in force for the block. */
  readonly parameters: Parameters;
}

/** One signature that must verify for the envelope to stand. */
export interface SignatureClaim {
  /** Whose key it is. */
  readonly address: Address;
  /** The signer's key in the parent state, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: `transactionSigningMessage`. */
  readonly message: Uint8Array;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** An envelope that keeps every rule, provided that its claims verify. */
export interface JudgedEnvelope {
  readonly transaction: DecodedTransaction;
  readonly claims: readonly SignatureClaim[];
}

type Refused = Refusal<TransactionRefusalCode>;

/**
 * Judges a transaction's envelope by every rule but the signatures' arithmetic, which whoever
 * calls this verifies by the claims (`LEDGER_TRANSACTION_SIGNATURE_INVALID`). The same function
 * serves the door and proposals: a breach in a block makes the block invalid.
 */
export function judgeEnvelope(
  input: Uint8Array | DecodedTransaction,
  context: EnvelopeContext,
): Result<JudgedEnvelope, TransactionRefusalCode> {
  const decoded = input instanceof Uint8Array ? decodeSignedTransaction(input) : accept(input);
  if (!decoded.ok) return decoded;
  const transaction = decoded.value;
  const refusal = refuseFields(transaction, context);
  if (refusal !== null) return refusal;
  const messages = signingMessages(context.genesisDigest, transaction);
  const keys: Uint8Array[] = [];
  for (const [index, address] of transaction.signers.entries()) {
    const member = readMember(context.parent, address);
    if (member === null) return unknownSigner(index === 0);
    const signers = transaction.signatures
      .filter((each) => equalBytes(each.address, address))
      .map(({ signer }) => signer);
    const judged = judgeSigners(member, signers, context);
    if (!judged.ok) return judged;
    if (isNodeRole(member.role) && !isBuiltInContract(transaction.contract)) {
      return refuse("LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED");
    }
    keys.push(...judged.value);
  }
  const claims = transaction.signatures.map(({ signer, signature }, at) => {
    const [publicKey, message] = [keys[at], messages[at]];
    invariant(publicKey !== undefined && message !== undefined, "a key for each signature");
    return { address: signer, publicKey, message, signature };
  });
  return accept({ transaction, claims });
}

function unknownSigner(isSender: boolean): Refused {
  return refuse(
    isSender ? "LEDGER_TRANSACTION_SENDER_UNKNOWN" : "LEDGER_TRANSACTION_SIGNER_UNKNOWN",
  );
}

/** The keys under which the signatures for one address must verify, in their order. */
function judgeSigners(
  member: Member,
  signers: readonly Address[],
  context: EnvelopeContext,
): Result<readonly Uint8Array[], TransactionRefusalCode> {
  const standing = refuseStanding(member, context.header);
  if (standing !== null) return standing;
  if (isAccount(member)) return judgeAccount(member, signers, context);
  if (!signers.every((signer) => equalBytes(signer, member.address))) {
    return refuse("LEDGER_TRANSACTION_SIGNER_FOREIGN");
  }
  const key = memberKeyAt(member, context.header.height);
  return key === null ? refuse("LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY") : accept([key]);
}

/** An account signs by as many of its members as its threshold says, or more; all of them must stand. */
function judgeAccount(
  { address }: Member,
  signers: readonly Address[],
  { parent, header }: EnvelopeContext,
): Result<readonly Uint8Array[], TransactionRefusalCode> {
  const policy = policyAt(readAccount(parent, address), header.height);
  if (policy === null) return refuse("LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY");
  const known = policy.signers;
  if (!signers.every((signer) => known.some((each) => equalBytes(each, signer)))) {
    return refuse("LEDGER_TRANSACTION_SIGNER_FOREIGN");
  }
  // The order of signatures has none twice: these are so many members.
  if (signers.length < policy.threshold) {
    const detail = `${signers.length} of ${policy.threshold}`;
    return refuse("LEDGER_TRANSACTION_SIGNATURES_MISSING", detail);
  }
  const keys: Uint8Array[] = [];
  for (const signer of signers) {
    const member = readMember(parent, signer);
    if (member === null) return refuse("LEDGER_TRANSACTION_SIGNER_UNKNOWN");
    const standing = refuseStanding(member, header);
    if (standing !== null) return standing;
    const key = memberKeyAt(member, header.height);
    if (key === null) return refuse("LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY");
    keys.push(key);
  }
  return accept(keys);
}

interface SignedMessages {
  readonly genesisDigest: Digest;
  readonly messages: readonly Digest[];
}

/** An envelope is judged several times on its way into a block; what was signed stays the same. */
const signedMessages = new WeakMap<DecodedTransaction, SignedMessages>();

/** What each signature is over. */
function signingMessages(
  genesisDigest: Digest,
  transaction: DecodedTransaction,
): readonly Digest[] {
  const known = signedMessages.get(transaction);
  if (known?.genesisDigest === genesisDigest) return known.messages;
  const { signatures, transactionBytes, version } = transaction;
  let messages: readonly Digest[];
  if (version === ACCOUNT_TRANSACTION_VERSION) {
    messages = signatures.map(({ address }) =>
      endorsementMessage(genesisDigest, address, transactionBytes),
    );
  } else {
    const message = transactionSigningMessage(genesisDigest, transactionBytes);
    messages = signatures.map(() => message);
  }
  signedMessages.set(transaction, { genesisDigest, messages });
  return messages;
}

/** Rules over the transaction's own fields and the branch's used nonces. */
function refuseFields(transaction: DecodedTransaction, context: EnvelopeContext): Refused | null {
  const { height } = context.header;
  if (transaction.chainId !== context.chainId) return refuse("LEDGER_TRANSACTION_WRONG_CHAIN");
  if (transaction.expiryHeight < height) return refuse("LEDGER_TRANSACTION_EXPIRED");
  if (transaction.expiryHeight > height + EXPIRY_WINDOW) {
    return refuse("LEDGER_TRANSACTION_EXPIRY_TOO_FAR");
  }
  const { gasLimit } = transaction;
  if (gasLimit < 1 || gasLimit > context.parameters.transactionGasLimit) {
    return refuse("LEDGER_TRANSACTION_GAS_LIMIT", `${gasLimit}`);
  }
  if (context.replay.includes(transaction.sender, transaction.nonce, height)) {
    return refuse("LEDGER_TRANSACTION_REPLAYED");
  }
  return null;
}

/** Why a member may not sign now; null when it may, given a key that counts. */
function refuseStanding(member: Member, header: EnvelopeContext["header"]): Refused | null {
  switch (member.status) {
    case "applied":
    case "verified":
      return refuse("LEDGER_TRANSACTION_SIGNER_UNVERIFIED");
    case "suspended":
      return refuse("LEDGER_TRANSACTION_SIGNER_SUSPENDED");
    case "left":
      return refuse("LEDGER_TRANSACTION_SIGNER_LEFT");
    case "revoked":
      return refuse("LEDGER_TRANSACTION_SIGNER_REVOKED");
    case "active":
      break;
  }
  const { timestampMs } = header;
  const isValid = member.validFromMs <= timestampMs && timestampMs < member.validToMs;
  return isValid ? null : refuse("LEDGER_TRANSACTION_SIGNER_OUTSIDE_VALIDITY");
}

/** State values are immutable once written, so a value's own memory names its decoding. */
const decodedMembers = new WeakMap<Uint8Array, Member>();
const decodedAccounts = new WeakMap<Uint8Array, Account>();

const decodedFormer = new WeakMap<Uint8Array, readonly FormerAuthority[]>();

/**
 * The registry's record of one address, with the validity that its CA leaves it, or null.
 * @throws LedgerError LEDGER_STORE_CORRUPT when the stored record is not a member.
 */
export function readMember(view: StateView, address: Address): Member | null {
  const member = readOnce(view, memberKey(address), memberCodec, decodedMembers);
  if (member === null) return null;
  return withinAuthority(member, {
    formerAuthorities: (organization) =>
      readOnce(view, formerAuthoritiesKey(organization), formerAuthoritiesCodec, decodedFormer),
    certifiedUnder: (certified) => {
      const value = view.get(MEMBERS_CONTRACT, certifiedUnderKey(certified));
      return value === null ? null : readRow(certifiedUnderCodec, value);
    },
  });
}

/**
 * Who signs for an account, or null when there is no such account.
 * @throws LedgerError LEDGER_STORE_CORRUPT when the stored record is not an account.
 */
export function readAccount(view: StateView, address: Address): Account | null {
  return readOnce(view, accountKey(address), accountCodec, decodedAccounts);
}

function readOnce<T extends object>(
  view: StateView,
  key: Uint8Array,
  codec: Codec<T>,
  decoded: WeakMap<Uint8Array, T>,
): T | null {
  const value = view.get(MEMBERS_CONTRACT, key);
  if (value === null) return null;
  const known = decoded.get(value);
  if (known !== undefined) return known;
  const read = readRow(codec, value);
  decoded.set(value, read);
  return read;
}

function readRow<T>(codec: Codec<T>, value: Uint8Array): T {
  const read = tryDecode(codec, value);
  if (read.ok) return read.value;
  throw new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a row of the members");
}
