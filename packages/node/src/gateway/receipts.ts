import {
  actionOf,
  type NodeMode,
  type ReceiptStatement,
  receiptDomains,
  receiptStatementCodec,
  SIGNED_RECEIPT_VERSION,
  signedReceiptCodec,
} from "@credlink/api";
import { taggedSm3 } from "@credlink/crypto";
import {
  envelopeCodec,
  type Ledger,
  MAX_TRANSACTION_BYTES,
  transactionCodec,
  transactionId,
} from "@credlink/ledger";
import {
  type Address,
  type Clock,
  type Digest,
  encode,
  type Signer,
  tryDecode,
} from "@credlink/primitives";
import type { Engine } from "../engine/types.ts";
import { refuseCall } from "./errors.ts";

/** A node's signed word on what it was asked. @see docs/protocol/receipts.md */
export interface ReceiptDesk {
  /**
   * That it holds a transaction, or where it stands: a canonical signed receipt.
   * @throws CallError API_PARAMS_INVALID, API_RECEIPT_NONE
   */
  transaction(bytes: Uint8Array): Promise<Uint8Array>;
  /** That a signed request was carried out. `message` is what the admin's signature covers. */
  control(done: {
    readonly admin: Address;
    readonly message: Digest;
    readonly sequence: number;
    readonly mode: NodeMode;
  }): Promise<Uint8Array>;
}

/** What receipts are made of. */
export interface ReceiptParts {
  readonly ledger: Ledger;
  readonly engine: Pick<Engine, "outcome">;
  /** The node's own key and the certificates that show whose it is, as they are now. */
  readonly identity: () => { readonly signer: Signer; readonly chain: readonly Uint8Array[] };
  readonly clock: Clock;
}

function readTransaction(bytes: Uint8Array) {
  const limit = { maxBytes: MAX_TRANSACTION_BYTES };
  const signed = tryDecode(envelopeCodec, bytes, limit);
  const read = signed.ok ? tryDecode(transactionCodec, signed.value.transaction, limit) : signed;
  if (!read.ok) throw refuseCall("API_PARAMS_INVALID", `transaction: ${read.code}`);
  return read.value;
}

/** Makes the desk of one node. */
export function createReceiptDesk({ ledger, engine, identity, clock }: ReceiptParts): ReceiptDesk {
  const { genesisDigest } = ledger;
  const sign = async (statement: ReceiptStatement): Promise<Uint8Array> => {
    const bytes = encode(receiptStatementCodec, statement);
    const message = taggedSm3(receiptDomains[statement.type], bytes);
    const { signer, chain } = identity();
    return encode(signedReceiptCodec, {
      statement: bytes,
      publicKey: signer.publicKey,
      certificates: chain,
      signature: await signer.sign(message),
    });
  };
  const common = () => ({ version: SIGNED_RECEIPT_VERSION, genesisDigest, atMs: clock.nowMs() });
  return {
    async transaction(bytes) {
      const transaction = readTransaction(bytes);
      const content = transactionId(bytes);
      const about = { action: actionOf(transaction), actor: transaction.sender, content };
      const { status } = await engine.outcome(content);
      const record = await ledger.transaction(content);
      if (record !== null) {
        return sign({
          ...{ type: "decided", ...common(), ...about },
          ...{ height: record.height, block: record.digest, index: record.index },
          status: record.receipt.status,
        });
      }
      if (status !== "pending") throw refuseCall("API_RECEIPT_NONE");
      return sign({ type: "taken", ...common(), ...about, height: ledger.head.header.height });
    },
    control: ({ admin, message, sequence, mode }) =>
      sign({
        ...{ type: "configured", ...common(), action: "configure" },
        ...{ actor: admin, content: message },
        ...{ height: ledger.head.header.height, sequence, mode },
      }),
  };
}
