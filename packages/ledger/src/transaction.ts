import {
  type Address,
  addressCodec,
  byFieldCount,
  bytes,
  bytesUpTo,
  type Codec,
  type Height,
  heightCodec,
  list,
  mapCodec,
  type StructCodec,
  struct,
  text,
  u32,
  u53,
} from "@credlink/primitives";

export const TRANSACTION_VERSION = 1;
/** Version of transactions that an account of several members signs. */
export const ACCOUNT_TRANSACTION_VERSION = 2;
/** Most bytes of one signed transaction on the wire. */
export const MAX_TRANSACTION_BYTES = 256 * 1024;
/** Most bytes of a call's arguments; a deployment carries its code here. */
export const MAX_ARGS_BYTES = 240 * 1024;
/** Sender and co-signers together; of an account, each member that signs for it counts. */
export const MAX_SIGNATURES = 16;
export const NONCE_BYTES = 16;
/** A transaction may name an expiry at most this far above the height it is judged at. */
export const EXPIRY_WINDOW = 1_000;

/** A call of one method of one contract version, by one member. */
export interface Transaction {
  readonly version: number;
  readonly chainId: string;
  readonly sender: Address;
  /** 16 random bytes: (sender, nonce) occurs once. There is no order among nonces. */
  readonly nonce: Uint8Array;
  /** Last height at which the transaction may stand in a block. */
  readonly expiryHeight: Height;
  readonly contract: string;
  readonly contractVersion: string;
  readonly method: string;
  /** Canonical encoding of a positional array; its meaning is the method's. */
  readonly args: Uint8Array;
  readonly gasLimit: number;
}

export const transactionCodec: Codec<Transaction> = struct({
  version: u32,
  chainId: text(64),
  sender: addressCodec,
  nonce: bytes(NONCE_BYTES),
  expiryHeight: heightCodec,
  contract: text(64),
  contractVersion: text(32),
  method: text(64),
  args: bytesUpTo(MAX_ARGS_BYTES),
  gasLimit: u53,
});

export interface TransactionSignature {
  readonly address: Address;
  /** r ‖ s, 64 bytes, over `transactionSigningMessage`. */
  readonly signature: Uint8Array;
}

/** The transaction's canonical bytes and who signed them: sender first, co-signers ascending. */
export interface SignedTransaction {
  readonly transaction: Uint8Array;
  readonly signatures: readonly TransactionSignature[];
}

export const signedTransactionCodec: StructCodec<SignedTransaction> = struct({
  transaction: bytesUpTo(MAX_TRANSACTION_BYTES),
  signatures: list(struct({ address: addressCodec, signature: bytes(64) }), MAX_SIGNATURES),
});

/** One member's signature for an address: its own, or that of an account that it belongs to. */
export interface Endorsement {
  /** For whom it is. */
  readonly address: Address;
  /** Whose key made it. */
  readonly signer: Address;
  /** r ‖ s, 64 bytes, over `endorsementMessage`, in version 1 `transactionSigningMessage`. */
  readonly signature: Uint8Array;
}

/**
 * A transaction with an account among its signers: by address the sender first, then ascending;
 * of one address by signer, ascending, none twice.
 */
export interface AccountTransaction {
  readonly version: typeof ACCOUNT_TRANSACTION_VERSION;
  readonly transaction: Uint8Array;
  readonly signatures: readonly Endorsement[];
}

const accountVersionCodec: Codec<typeof ACCOUNT_TRANSACTION_VERSION> = mapCodec(
  u32,
  (version) => {
    if (version !== ACCOUNT_TRANSACTION_VERSION) throw new RangeError(`version ${version}`);
    return version;
  },
  (version) => version,
);

export const accountTransactionCodec: StructCodec<AccountTransaction> = struct({
  version: accountVersionCodec,
  transaction: bytesUpTo(MAX_TRANSACTION_BYTES),
  signatures: list(
    struct({ address: addressCodec, signer: addressCodec, signature: bytes(64) }),
    MAX_SIGNATURES,
  ),
});

/** A signed transaction of either version, as blocks and wires carry it. */
export type Envelope = SignedTransaction | AccountTransaction;

function isOfAccount(envelope: Envelope): envelope is AccountTransaction {
  return "version" in envelope;
}

export const envelopeCodec: Codec<Envelope> = byFieldCount(
  signedTransactionCodec,
  accountTransactionCodec,
  isOfAccount,
);

/** The signatures of either version, each with whose key made it and for whom. */
export function endorsementsOf(envelope: Envelope): readonly Endorsement[] {
  if (isOfAccount(envelope)) return envelope.signatures;
  return envelope.signatures.map(({ address, signature }) => ({
    address,
    signer: address,
    signature,
  }));
}

/** Version that the transaction inside must have. */
export function versionOf(envelope: Envelope): number {
  return isOfAccount(envelope) ? ACCOUNT_TRANSACTION_VERSION : TRANSACTION_VERSION;
}

/** Where a committed transaction stands. */
export interface TransactionPlace {
  readonly height: Height;
  readonly index: number;
}
