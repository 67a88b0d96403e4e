import { randomBytes } from "@credlink/crypto";
import {
  MAX_ARGS_BYTES,
  MAX_SIGNATURES,
  MAX_TRANSACTION_BYTES,
  NONCE_BYTES,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  type Transaction,
  transactionCodec,
  transactionId,
  transactionSigningMessage,
} from "@credlink/ledger";
import {
  type Codec,
  compareBytes,
  type Digest,
  encode,
  equalBytes,
  height,
} from "@credlink/primitives";
import { clientError } from "./errors.ts";
import type { Identity } from "./session.ts";

/** A call that is to become a transaction. */
export interface Call {
  readonly contract: string;
  /** Version of the contract, for example `1.0.0`. */
  readonly version: string;
  readonly method: string;
  /** Canonical bytes of the method's arguments. */
  readonly args: Uint8Array;
  /** Most gas it may use; default the builder's. */
  readonly gasLimit?: number;
  /** Last height it may stand in; default the current height plus the builder's window. */
  readonly expiryHeight?: number;
  /** Co-signers beside the sender, in any order. */
  readonly coSigners?: readonly Identity[];
}

/** A transaction ready to be submitted: any node may take it, and more than one may. */
export interface SignedCall {
  readonly id: Digest;
  /** Canonical signed transaction. */
  readonly bytes: Uint8Array;
  readonly transaction: Transaction;
}

export interface TransactionBuilderOptions {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly sender: Identity;
  /** Height that expiries count from. */
  readonly currentHeight: () => number | Promise<number>;
  /** Blocks until a transaction expires. Default 500, at most 1,000. */
  readonly expiryBlocks?: number;
  /** Default `DEFAULT_GAS_LIMIT`. */
  readonly gasLimit?: number;
}

export interface TransactionBuilder {
  /** Builds and signs a call with a fresh nonce. @throws ClientError CLIENT_TRANSACTION_INVALID */
  build(call: Call): Promise<SignedCall>;
}

export const DEFAULT_EXPIRY_BLOCKS = 500;
/**
 * Several times what a credential takes. A block holds as many transactions as the sum of their
 * limits allows, so a generous limit costs everybody.
 */
export const DEFAULT_GAS_LIMIT = 2_000_000;

/** Canonical bytes of a value: what `Call.args` wants. */
export function encodeArgs<T>(codec: Codec<T>, value: T): Uint8Array {
  return encode(codec, value);
}

/** Builds transactions of one sender on one chain. */
export function createTransactionBuilder(options: TransactionBuilderOptions): TransactionBuilder {
  const window = options.expiryBlocks ?? DEFAULT_EXPIRY_BLOCKS;
  return {
    async build(call) {
      const expiry = call.expiryHeight ?? (await options.currentHeight()) + window;
      const transaction: Transaction = {
        version: TRANSACTION_VERSION,
        chainId: options.chainId,
        sender: options.sender.address,
        nonce: randomBytes(NONCE_BYTES),
        expiryHeight: height(expiry),
        contract: call.contract,
        contractVersion: call.version,
        method: call.method,
        args: call.args,
        gasLimit: call.gasLimit ?? options.gasLimit ?? DEFAULT_GAS_LIMIT,
      };
      return signTransaction(
        transaction,
        options.genesisDigest,
        options.sender,
        call.coSigners ?? [],
      );
    },
  };
}

/**
 * Signs a transaction for its sender and co-signers, who are put in the order that the envelope
 * rules demand: sender first, then ascending by address.
 *
 * @throws ClientError CLIENT_TRANSACTION_INVALID when a signer stands twice or there are too many,
 *   when the sender is not the transaction's, or when something is larger than the format allows.
 */
export async function signTransaction(
  transaction: Transaction,
  genesisDigest: Digest,
  sender: Identity,
  coSigners: readonly Identity[] = [],
): Promise<SignedCall> {
  if (!equalBytes(transaction.sender, sender.address)) throw invalid("the sender is another");
  if (transaction.args.length > MAX_ARGS_BYTES) throw invalid("the arguments are too large");
  if (coSigners.length + 1 > MAX_SIGNATURES) throw invalid(`more than ${MAX_SIGNATURES} signers`);
  const rest = [...coSigners].sort((a, b) => compareBytes(a.address, b.address));
  const signers = [sender, ...rest];
  const distinct = new Set(signers.map((signer) => signer.address.join(",")));
  if (distinct.size !== signers.length) throw invalid("a signer stands twice");
  const bytes = encode(transactionCodec, transaction);
  const message = transactionSigningMessage(genesisDigest, bytes);
  const signatures = await Promise.all(
    signers.map(async ({ address, signer }) => ({
      address,
      signature: await signer.sign(message),
    })),
  );
  const signed = encode(signedTransactionCodec, { transaction: bytes, signatures });
  if (signed.length > MAX_TRANSACTION_BYTES) throw invalid("the transaction is too large");
  return { id: transactionId(signed), bytes: signed, transaction };
}

function invalid(detail: string) {
  return clientError("CLIENT_TRANSACTION_INVALID", detail);
}
