import {
  type Address,
  addressCodec,
  bytes,
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  type Height,
  heightCodec,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
  u53,
  union,
} from "@credlink/primitives";
import { type NodeMode, nodeModes } from "./control-methods.ts";
import { type ReceiptAction, receiptActions } from "./receipt-actions.ts";

/** Version of a signed receipt's form. */
export const SIGNED_RECEIPT_VERSION = 1;
/** Most bytes of a canonical statement. */
export const MAX_STATEMENT_BYTES = 1_024;
/** The signer's certificate and the CAs above it, without the root. */
export const MAX_RECEIPT_CERTIFICATES = 4;
/** Most bytes of a canonical signed receipt. */
export const MAX_SIGNED_RECEIPT_BYTES = 20 * 1_024;
/** Domain of the digest of what a recipient got. */
export const RECEIVED_CONTENT_DOMAIN = "credlink/received-content/1";

/** What every statement says. */
interface StatementBase {
  readonly version: number;
  /** Of the chain that it is made on. */
  readonly genesisDigest: Digest;
  readonly action: ReceiptAction;
  /** Whose act it was: the transaction's sender, the request's admin, who sent what was received. */
  readonly actor: Address;
  /** Digest of what the actor signed or sent. */
  readonly content: Digest;
  /** By the signer's clock, milliseconds since 1970. */
  readonly atMs: number;
}

/** A node has a transaction and waits for its block; `content` is the transaction's id. */
export interface TakenStatement extends StatementBase {
  readonly type: "taken";
  /** Of the node's head then. */
  readonly height: Height;
}

/** A transaction stands in a certified block; `content` is its id. */
export interface DecidedStatement extends StatementBase {
  readonly type: "decided";
  readonly height: Height;
  /** Digest of the block's header. */
  readonly block: Digest;
  /** Place in the block. */
  readonly index: number;
  /** What became of its execution: `SUCCESS` or a code. */
  readonly status: string;
}

/** A node did what a signed request asked; `content` is what the admin's signature covers. */
export interface ConfiguredStatement extends StatementBase {
  readonly type: "configured";
  /** Of the node's head then. */
  readonly height: Height;
  /** The entry of the node's audit log that says it was accepted. */
  readonly sequence: number;
  /** Mode of the node afterwards. */
  readonly mode: NodeMode;
}

/** A recipient has what somebody sent; `content` is the digest of that. */
export interface ReceivedStatement extends StatementBase {
  readonly type: "received";
  /** The transaction that it belongs to, where there is one. */
  readonly transaction: Digest | null;
}

export type ReceiptStatement =
  | TakenStatement
  | DecidedStatement
  | ConfiguredStatement
  | ReceivedStatement;
export type ReceiptType = ReceiptStatement["type"];

/** Domain of the signature under a statement; each type has its own. */
export const receiptDomains: Readonly<Record<ReceiptType, string>> = {
  taken: "credlink/receipt-taken/1",
  decided: "credlink/receipt-decided/1",
  configured: "credlink/receipt-configured/1",
  received: "credlink/receipt-received/1",
};

const base = {
  version: u32,
  genesisDigest: digestCodec,
  action: oneOf(...receiptActions),
  actor: addressCodec,
  content: digestCodec,
  atMs: u53,
};

export const receiptStatementCodec: Codec<ReceiptStatement> = union<ReceiptStatement>({
  taken: [0, struct({ ...base, height: heightCodec })],
  decided: [
    1,
    struct({ ...base, height: heightCodec, block: digestCodec, index: u32, status: text(64) }),
  ],
  configured: [
    2,
    struct({ ...base, height: heightCodec, sequence: u53, mode: oneOf(...nodeModes) }),
  ],
  received: [3, struct({ ...base, transaction: nullable(digestCodec) })],
});

/** A statement under a signature, and who signed. */
export interface SignedReceipt {
  /** Canonical statement. */
  readonly statement: Uint8Array;
  /** The key that signed, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** DER, of that key first, then the CAs above it; a recipient may have none. */
  readonly certificates: readonly Uint8Array[];
  /** r ‖ s of SM2 over SM3-tagged(domain of the type, statement). */
  readonly signature: Uint8Array;
}

export const signedReceiptCodec: Codec<SignedReceipt> = struct({
  statement: bytesUpTo(MAX_STATEMENT_BYTES),
  publicKey: bytes(65),
  certificates: list(bytesUpTo(4 * 1_024), MAX_RECEIPT_CERTIFICATES),
  signature: bytes(64),
});
