import {
  type ReceiptStatement,
  receiptDomains,
  receiptStatementCodec,
  SIGNED_RECEIPT_VERSION,
  signedReceiptCodec,
} from "@credlink/api";
import { taggedSm3 } from "@credlink/crypto";
import { type Address, type Digest, encode, type Signer } from "@credlink/primitives";

/** What a recipient says that it has. */
export interface Received {
  readonly genesisDigest: Digest;
  /** Who sent it. */
  readonly from: Address;
  /** `receivedContentDigest` of what came. */
  readonly content: Digest;
  /** The transaction that it belongs to, where there is one. */
  readonly transaction?: Digest;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/**
 * Signs for something received: who sent it can show, to anybody with the genesis, that it arrived.
 * @param certificates DER, of the signer's key first; none: the receipt shows the key alone
 */
export async function signReceived(
  signer: Signer,
  { genesisDigest, from, content, transaction, atMs }: Received,
  certificates: readonly Uint8Array[] = [],
): Promise<Uint8Array> {
  const said: ReceiptStatement = {
    ...{ type: "received", version: SIGNED_RECEIPT_VERSION, genesisDigest, action: "receive" },
    ...{ actor: from, content, atMs, transaction: transaction ?? null },
  };
  const statement = encode(receiptStatementCodec, said);
  const signature = await signer.sign(taggedSm3(receiptDomains.received, statement));
  const { publicKey } = signer;
  return encode(signedReceiptCodec, { statement, publicKey, certificates, signature });
}
