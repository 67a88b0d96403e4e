import {
  type Address,
  addressCodec,
  bytes,
  bytesUpTo,
  type Codec,
  type Height,
  heightCodec,
  list,
  struct,
  text,
  u32,
  u53,
} from "@credlink/primitives";

export const TRANSACTION_VERSION = 1;
/** Most bytes of one signed transaction on the wire. */
export const MAX_TRANSACTION_BYTES = 256 * 1024;
/** Most bytes of a call's arguments; a deployment carries its code here. */
export const MAX_ARGS_BYTES = 240 * 1024;
/** Sender and co-signers together. */
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

export const signedTransactionCodec: Codec<SignedTransaction> = struct({
  transaction: bytesUpTo(MAX_TRANSACTION_BYTES),
  signatures: list(struct({ address: addressCodec, signature: bytes(64) }), MAX_SIGNATURES),
});

/** Where a committed transaction stands. */
export interface TransactionPlace {
  readonly height: Height;
  readonly index: number;
}
