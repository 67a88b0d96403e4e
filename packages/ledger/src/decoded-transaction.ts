import {
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
  type Endorsement,
  endorsementsOf,
  envelopeCodec,
  MAX_TRANSACTION_BYTES,
  transactionCodec,
  versionOf,
} from "./transaction.ts";

/** A signed transaction, decoded once: what pools, judges and executors need of it. */
export interface DecodedTransaction extends ExecutableTransaction {
  /** The complete signed bytes, of which `id` is the digest. */
  readonly bytes: Uint8Array;
  /** The part that was signed. */
  readonly transactionBytes: Uint8Array;
  /** 1, or 2 where an account signs: says what the signatures are over. */
  readonly version: number;
  readonly chainId: string;
  readonly nonce: Uint8Array;
  readonly expiryHeight: Height;
  readonly signatures: readonly Endorsement[];
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
  const envelope = tryDecode(envelopeCodec, own);
  if (!envelope.ok) return refuse("LEDGER_TRANSACTION_MALFORMED", envelope.detail);
  const inner = tryDecode(transactionCodec, envelope.value.transaction);
  if (!inner.ok) return refuse("LEDGER_TRANSACTION_MALFORMED", inner.detail);
  const transaction = inner.value;
  const version = versionOf(envelope.value);
  if (transaction.version !== version) {
    return refuse("LEDGER_TRANSACTION_VERSION_UNKNOWN", `version ${transaction.version}`);
  }
  const signatures = endorsementsOf(envelope.value);
  if (!isInOrder(transaction.sender, signatures)) {
    return refuse("LEDGER_TRANSACTION_SIGNATURE_ORDER");
  }
  return accept({
    id: transactionId(own),
    bytes: own,
    transactionBytes: envelope.value.transaction,
    version,
    chainId: transaction.chainId,
    sender: transaction.sender,
    signers: signersOf(signatures),
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

/** Those for whom there are signatures, each once. */
function signersOf(signatures: readonly Endorsement[]): DecodedTransaction["signers"] {
  return signatures
    .filter(({ address }, at) => {
      const before = signatures[at - 1];
      return before === undefined || !equalBytes(before.address, address);
    })
    .map(({ address }) => address);
}

/** Sender first, then by ascending address; of one address by ascending signer; none twice. */
function isInOrder(sender: Uint8Array, signatures: readonly Endorsement[]): boolean {
  const [first, ...others] = signatures;
  if (first === undefined || !equalBytes(first.address, sender)) return false;
  let before = first;
  for (const next of others) {
    const isSame = equalBytes(next.address, before.address);
    if (isSame && compareBytes(before.signer, next.signer) >= 0) return false;
    if (!isSame) {
      if (equalBytes(next.address, sender)) return false;
      const isFirst = equalBytes(before.address, sender);
      if (!isFirst && compareBytes(before.address, next.address) >= 0) return false;
    }
    before = next;
  }
  return true;
}
