import {
  actionOf,
  CONTROL_DOMAIN,
  MAX_SIGNED_RECEIPT_BYTES,
  RECEIVED_CONTENT_DOMAIN,
  type ReceiptStatement,
  receiptDomains,
  receiptStatementCodec,
  SIGNED_RECEIPT_VERSION,
  type SignedReceipt,
  signedReceiptCodec,
} from "@credlink/api";
import {
  addressFromPublicKey,
  createSm3,
  parseCertificate,
  type RevocationList,
  type Role,
  sm2Verify,
  taggedSm3,
  verifyCertificateChain,
} from "@credlink/crypto";
import { envelopeCodec, type Genesis, transactionCodec, transactionId } from "@credlink/ledger";
import { type Address, type Digest, equalBytes, tryDecode } from "@credlink/primitives";
import { clientError } from "../errors.ts";
import { readGenesis } from "../header-claims.ts";
import type { CommittedTransaction } from "../records.ts";

/** Roles whose certificates may sign for a node. */
const NODE_ROLES: readonly Role[] = ["validator", "observer", "regulator-node"];

/** Who signed a receipt, as its certificates show. */
export interface ReceiptSigner {
  readonly publicKey: Uint8Array;
  /** Of the key: the signer's own address unless its key was rotated. */
  readonly address: Address;
  /** Null: no certificate came with the receipt, so only the key is known. */
  readonly certified: {
    readonly name: string;
    readonly organization: string;
    readonly role: Role;
  } | null;
}

/** A receipt whose signature holds on this chain. */
export interface VerifiedReceipt {
  readonly statement: ReceiptStatement;
  readonly signer: ReceiptSigner;
  readonly chainId: string;
}

/** Digest of content that somebody received; it may come in pieces. */
export function receivedContentDigest(pieces: Iterable<Uint8Array>): Digest {
  const sm3 = createSm3();
  for (const piece of pieces) sm3.update(piece);
  return taggedSm3(RECEIVED_CONTENT_DOMAIN, sm3.digest());
}

/** Takes a receipt apart. @throws ClientError CLIENT_RECEIPT_MALFORMED */
export function readReceipt(bytes: Uint8Array): SignedReceipt & {
  readonly read: ReceiptStatement;
} {
  const receipt = tryDecode(signedReceiptCodec, bytes, { maxBytes: MAX_SIGNED_RECEIPT_BYTES });
  if (!receipt.ok) throw clientError("CLIENT_RECEIPT_MALFORMED", receipt.detail ?? receipt.code);
  const statement = tryDecode(receiptStatementCodec, receipt.value.statement);
  if (!statement.ok) {
    throw clientError("CLIENT_RECEIPT_MALFORMED", statement.detail ?? statement.code);
  }
  const { version } = statement.value;
  if (version !== SIGNED_RECEIPT_VERSION) {
    throw clientError("CLIENT_RECEIPT_MALFORMED", `version ${version}`);
  }
  return { ...receipt.value, read: statement.value };
}

function judgeSigner(
  { publicKey, certificates, read }: ReturnType<typeof readReceipt>,
  genesis: Genesis,
  revocationLists: readonly RevocationList[],
): ReceiptSigner {
  const address = addressFromPublicKey(publicKey);
  if (certificates.length === 0 && read.type === "received") {
    return { publicKey, address, certified: null };
  }
  const parse = (der: Uint8Array) => {
    const parsed = parseCertificate(der);
    if (!parsed.ok) throw clientError("CLIENT_RECEIPT_SIGNER", parsed.code);
    return parsed.value;
  };
  const [leaf, ...intermediates] = certificates.map(parse);
  if (leaf === undefined || !equalBytes(leaf.subjectKey, publicKey)) {
    throw clientError("CLIENT_RECEIPT_SIGNER", "no certificate of the key that signed");
  }
  const known = genesis.organizations.map((each) => parse(each.authorityCertificate));
  const verdict = verifyCertificateChain({
    leaf,
    intermediates: [...intermediates, ...known],
    roots: genesis.roots.map(parse),
    revocationLists,
    atMs: read.atMs,
    ...(read.type === "received" ? {} : { role: NODE_ROLES }),
  });
  if (!verdict.ok) throw clientError("CLIENT_RECEIPT_SIGNER", verdict.code);
  const { organization, role } = verdict.value;
  return { publicKey, address, certified: { name: leaf.subject.commonName, organization, role } };
}

/**
 * Verifies a receipt with the genesis alone: its form, its chain, its signature, and that the signer's
 * certificate was good at the time that the receipt states.
 *
 * @param revocationLists lists that the certificates must not stand in; what the chain's registry says
 *   of the signer is not looked at
 * @throws ClientError CLIENT_RECEIPT_MALFORMED, CLIENT_RECEIPT_OTHER_CHAIN, CLIENT_RECEIPT_SIGNATURE,
 *   CLIENT_RECEIPT_SIGNER
 */
export function verifyReceipt(
  genesisBytes: Uint8Array,
  receiptBytes: Uint8Array,
  revocationLists: readonly RevocationList[] = [],
): VerifiedReceipt {
  const { genesis, digest } = readGenesis(genesisBytes);
  const receipt = readReceipt(receiptBytes);
  const { read, statement, publicKey, signature } = receipt;
  if (!equalBytes(read.genesisDigest, digest)) {
    throw clientError("CLIENT_RECEIPT_OTHER_CHAIN", `not of ${genesis.chainId}`);
  }
  const message = taggedSm3(receiptDomains[read.type], statement);
  if (!sm2Verify(publicKey, message, signature)) {
    throw clientError("CLIENT_RECEIPT_SIGNATURE", read.type);
  }
  const signer = judgeSigner(receipt, genesis, revocationLists);
  return { statement: read, signer, chainId: genesis.chainId };
}

/** The signed transaction in `bytes`, as far as a receipt speaks of it. */
function aboutTransaction(bytes: Uint8Array) {
  const signed = tryDecode(envelopeCodec, bytes);
  const read = signed.ok ? tryDecode(transactionCodec, signed.value.transaction) : signed;
  if (!read.ok) throw clientError("CLIENT_RECEIPT_CONTENT", "no signed transaction");
  return { content: transactionId(bytes), actor: read.value.sender, action: actionOf(read.value) };
}

/**
 * Checks that a statement is about this content: a signed transaction for `taken` and `decided`, a canonical
 * request for `configured`, whatever was sent for `received`.
 * @throws ClientError CLIENT_RECEIPT_CONTENT
 */
export function checkReceiptContent(statement: ReceiptStatement, content: Uint8Array): void {
  const { type } = statement;
  const isTransaction = type === "taken" || type === "decided";
  const about = isTransaction ? aboutTransaction(content) : undefined;
  const digest =
    about?.content ??
    (type === "configured" ? taggedSm3(CONTROL_DOMAIN, content) : receivedContentDigest([content]));
  if (!equalBytes(digest, statement.content)) {
    throw clientError("CLIENT_RECEIPT_CONTENT", "the receipt is of something else");
  }
  if (about === undefined) return;
  if (!equalBytes(about.actor, statement.actor) || about.action !== statement.action) {
    throw clientError("CLIENT_RECEIPT_CONTENT", "actor or action are not the transaction's");
  }
}

/**
 * Checks that a statement says of a committed transaction what its block proves.
 * @throws ClientError CLIENT_RECEIPT_CONTENT
 */
export function checkReceiptOutcome(
  statement: ReceiptStatement,
  { header, index, receipt }: CommittedTransaction,
): void {
  const isSame =
    statement.type === "decided" &&
    statement.height === header.height &&
    equalBytes(statement.block, header.digest) &&
    statement.index === index &&
    statement.status === receipt.status;
  if (!isSame) throw clientError("CLIENT_RECEIPT_CONTENT", "the block proves something else");
}
