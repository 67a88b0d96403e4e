import {
  type Address,
  accept,
  compareBytes,
  equalBytes,
  type Height,
  type Result,
  refuse,
  sharedReading,
  tryDecode,
} from "@credlink/primitives";
import { transactionId } from "./digests.ts";
import type { TransactionRefusalCode } from "./errors.ts";
import type { ExecutableTransaction } from "./executor.ts";
import {
  MAX_TRANSACTION_BYTES,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  type TransactionSignature,
  transactionCodec,
} from "./transaction.ts";

/** A signed transaction, decoded once: what pools, judges and executors need of it. */
export interface DecodedTransaction extends ExecutableTransaction {
  /** The complete signed bytes, of which `id` is the digest. */
  readonly bytes: Uint8Array;
  /** The part that was signed. */
  readonly transactionBytes: Uint8Array;
  readonly chainId: string;
  readonly nonce: Uint8Array;
  readonly expiryHeight: Height;
  readonly signatures: readonly TransactionSignature[];
}

/**
 * The stateless part of the envelope rules: size, canonical form, version, order of signers.
 * Keeps no reference into the memory around `bytes`.
 */
export const decodeSignedTransaction: (bytes: Uint8Array) => Decoded = sharedReading(decodeAfresh);

type Decoded = Result<DecodedTransaction, TransactionRefusalCode>;

function decodeAfresh(bytes: Uint8Array): Decoded {
  if (bytes.length > MAX_TRANSACTION_BYTES) {
    return refuse("LEDGER_TRANSACTION_TOO_LARGE", `${bytes.length} bytes`);
  }
  const own = bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
  const signed = tryDecode(signedTransactionCodec, own);
  if (!signed.ok) return refuse("LEDGER_TRANSACTION_MALFORMED", signed.detail);
  const inner = tryDecode(transactionCodec, signed.value.transaction);
  if (!inner.ok) return refuse("LEDGER_TRANSACTION_MALFORMED", inner.detail);
  const transaction = inner.value;
  if (transaction.version !== TRANSACTION_VERSION) {
    return refuse("LEDGER_TRANSACTION_VERSION_UNKNOWN", `version ${transaction.version}`);
  }
  const { signatures } = signed.value;
  if (!isInOrder(transaction.sender, signatures)) {
    return refuse("LEDGER_TRANSACTION_SIGNATURE_ORDER");
  }
  return accept({
    id: transactionId(own),
    bytes: own,
    transactionBytes: signed.value.transaction,
    chainId: transaction.chainId,
    sender: transaction.sender,
    signers: signatures.map((signature) => signature.address),
    signatures,
    nonce: transaction.nonce,
    expiryHeight: transaction.expiryHeight,
    contract: transaction.contract,
    contractVersion: transaction.contractVersion,
    method: transaction.method,
    args: transaction.args,
    gasLimit: transaction.gasLimit,
  });
}

function isInOrder(sender: Address, signatures: readonly TransactionSignature[]): boolean {
  const [first, ...others] = signatures;
  if (first === undefined || !equalBytes(first.address, sender)) return false;
  let previous: Address | null = null;
  for (const { address } of others) {
    if (equalBytes(address, sender)) return false;
    if (previous !== null && compareBytes(previous, address) >= 0) return false;
    previous = address;
  }
  return true;
}
