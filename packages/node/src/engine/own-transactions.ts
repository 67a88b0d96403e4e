import { addressFromPublicKey } from "@credlink/crypto";
import {
  BUILT_IN_VERSION,
  type ConsensusLedger,
  memberOfKey,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  type Transaction,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import {
  type Address,
  encode,
  type Random,
  type Signer,
  height as toHeight,
} from "@credlink/primitives";

/** Several times what a built-in call of a node takes. */
const GAS_LIMIT = 1_000_000;
const NONCE_BYTES = 16;

/** What a node needs to act on chain in its own name. */
export interface OwnTransactionParts {
  readonly ledger: ConsensusLedger;
  readonly signer: Signer;
  readonly random: Random;
  /** Address of the signer's member; default: the one that the registry names for its key. */
  readonly address?: Address;
}

/**
 * The address under which the registry knows a node's key: of its first one, where it was rotated.
 * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID
 */
export function ownAddress(
  ledger: Pick<ConsensusLedger, "head" | "stateAt">,
  { publicKey }: Pick<Signer, "publicKey">,
): Address {
  const view = ledger.stateAt(ledger.head.digest);
  const member = view === null ? null : memberOfKey(view, publicKey);
  return member?.address ?? addressFromPublicKey(publicKey);
}

/**
 * A transaction under the node's own key: a call of a built-in contract.
 *
 * @param validBlocks blocks after the head within which it may be committed.
 * @param gasLimit default: several times what a small call takes.
 */
export async function signOwnTransaction(
  { ledger, signer, random, address: known }: OwnTransactionParts,
  call: Pick<Transaction, "contract" | "method" | "args">,
  validBlocks: number,
  gasLimit = GAS_LIMIT,
): Promise<Uint8Array> {
  const address = known ?? ownAddress(ledger, signer);
  const { transactionGasLimit } =
    ledger.parametersAfter(ledger.head.digest) ?? ledger.genesis.parameters;
  const transaction = encode(transactionCodec, {
    version: TRANSACTION_VERSION,
    chainId: ledger.chainId,
    sender: address,
    nonce: random.bytes(NONCE_BYTES),
    expiryHeight: toHeight(ledger.head.header.height + validBlocks),
    ...call,
    contractVersion: BUILT_IN_VERSION,
    gasLimit: Math.min(gasLimit, transactionGasLimit),
  });
  const message = transactionSigningMessage(ledger.genesisDigest, transaction);
  const signatures = [{ address, signature: await signer.sign(message) }];
  return encode(signedTransactionCodec, { transaction, signatures });
}
