import {
  type Address,
  accept,
  type Digest,
  type Height,
  type Refusal,
  type Result,
  refuse,
  tryDecode,
} from "@credlink/primitives";
import { type DecodedTransaction, decodeSignedTransaction } from "./decoded-transaction.ts";
import { transactionSigningMessage } from "./digests.ts";
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
import { EXPIRY_WINDOW } from "./transaction.ts";

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
  const message = signingMessage(context.genesisDigest, transaction);
  const claims: SignatureClaim[] = [];
  for (const [index, { address, signature }] of transaction.signatures.entries()) {
    const member = readMember(context.parent, address);
    if (member === null) {
      const code =
        index === 0 ? "LEDGER_TRANSACTION_SENDER_UNKNOWN" : "LEDGER_TRANSACTION_SIGNER_UNKNOWN";
      return refuse(code);
    }
    const publicKey = judgeSigner(member, context.header);
    if (!(publicKey instanceof Uint8Array)) return publicKey;
    if (isNodeRole(member.role) && !isBuiltInContract(transaction.contract)) {
      return refuse("LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED");
    }
    claims.push({ address, publicKey, message, signature });
  }
  return accept({ transaction, claims });
}

interface SignedMessage {
  readonly genesisDigest: Digest;
  readonly message: Digest;
}

/** An envelope is judged several times on its way into a block; what was signed stays the same. */
const signedMessages = new WeakMap<DecodedTransaction, SignedMessage>();

function signingMessage(genesisDigest: Digest, transaction: DecodedTransaction): Digest {
  const known = signedMessages.get(transaction);
  if (known?.genesisDigest === genesisDigest) return known.message;
  const message = transactionSigningMessage(genesisDigest, transaction.transactionBytes);
  signedMessages.set(transaction, { genesisDigest, message });
  return message;
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

/** The key that counts at the block's height, or why this member may not sign. */
function judgeSigner(member: Member, header: EnvelopeContext["header"]): Uint8Array | Refused {
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
  if (header.timestampMs < member.validFromMs || header.timestampMs >= member.validToMs) {
    return refuse("LEDGER_TRANSACTION_SIGNER_OUTSIDE_VALIDITY");
  }
  return memberKeyAt(member, header.height) ?? refuse("LEDGER_TRANSACTION_SIGNER_WITHOUT_KEY");
}

/** State values are immutable once written, so a value's own memory names its decoding. */
const decodedMembers = new WeakMap<Uint8Array, Member>();

/**
 * The registry's record of one address, or null.
 * @throws LedgerError LEDGER_STORE_CORRUPT when the stored record is not a member.
 */
export function readMember(view: StateView, address: Address): Member | null {
  const value = view.get(MEMBERS_CONTRACT, memberKey(address));
  if (value === null) return null;
  const known = decodedMembers.get(value);
  if (known !== undefined) return known;
  const member = tryDecode(memberCodec, value);
  if (!member.ok) {
    throw new LedgerError({ code: "LEDGER_STORE_CORRUPT" }, "a member's record does not decode");
  }
  decodedMembers.set(value, member.value);
  return member.value;
}
