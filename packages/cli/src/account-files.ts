import { writeFileSync } from "node:fs";
import { combineEndorsements, readDraft, readGenesis, type SignedCall } from "@credlink/client";
import { formatAddress, sm2Verify, sm3 } from "@credlink/crypto";
import { type Endorsement, endorsementMessage, type Transaction } from "@credlink/ledger";
import { type Digest, digest, equalBytes, fromHex, toHex } from "@credlink/primitives";
import { z } from "zod";
import { addressOf, demandNew, readDocument } from "./document-file.ts";
import { CliError } from "./errors.ts";

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/);
const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));

/** What an account's members are to sign. Nothing in it is secret. */
const draftSchema = z.strictObject({
  format: z.literal("credlink-transaction-draft/1"),
  genesisDigest: hexOf(32),
  transaction: hex,
});

/** One member's signature over a draft. Nothing in it is secret. */
const signatureSchema = z.strictObject({
  format: z.literal("credlink-transaction-signature/2"),
  /** SM3 of the draft's transaction. */
  draft: hexOf(32),
  for: z.string(),
  signer: z.string(),
  publicKey: hexOf(65),
  signature: hexOf(64),
});

/** A draft with its signatures, as a node takes it. */
const transactionSchema = z.strictObject({
  format: z.literal("credlink-transaction/1"),
  transaction: hex,
});

/** A draft as its file holds it. */
export interface Draft {
  readonly genesisDigest: Digest;
  readonly bytes: Uint8Array;
  readonly transaction: Transaction;
}

function write(path: string, document: object): void {
  demandNew(path);
  writeFileSync(path, `${JSON.stringify(document, null, 2)}\n`, { flag: "wx" });
}

export function writeDraft(path: string, genesisDigest: Digest, bytes: Uint8Array): void {
  const format = "credlink-transaction-draft/1";
  write(path, { format, genesisDigest: toHex(genesisDigest), transaction: toHex(bytes) });
}

/** @throws CliError CLI_FILE_…; ClientError CLIENT_TRANSACTION_INVALID */
export function loadDraft(path: string): Draft {
  const read = readDocument(path, draftSchema);
  const bytes = fromHex(read.transaction);
  const genesisDigest = digest(fromHex(read.genesisDigest));
  return { genesisDigest, bytes, transaction: readDraft(bytes) };
}

/** Ends unless the draft is for the chain of this genesis. @throws CliError CLI_FILE_MALFORMED */
export function demandChain(draft: Draft, genesisBytes: Uint8Array): void {
  const { genesis, digest: trusted } = readGenesis(genesisBytes);
  const isSame =
    equalBytes(draft.genesisDigest, trusted) && draft.transaction.chainId === genesis.chainId;
  if (!isSame) throw new CliError("CLI_FILE_MALFORMED", "the draft is for another chain");
}

export function writeEndorsement(
  path: string,
  draft: Draft,
  { address, signer, signature }: Endorsement,
  publicKey: Uint8Array,
): void {
  write(path, {
    format: "credlink-transaction-signature/2",
    draft: toHex(sm3(draft.bytes)),
    for: formatAddress(address),
    signer: formatAddress(signer),
    publicKey: toHex(publicKey),
    signature: toHex(signature),
  });
}

/**
 * A signature over this very draft, which verifies under the key that came with it. Whether that is
 * the signer's present key the chain says.
 * @throws CliError CLI_FILE_MALFORMED
 */
export function loadEndorsement(path: string, draft: Draft): Endorsement {
  const read = readDocument(path, signatureSchema);
  if (read.draft !== toHex(sm3(draft.bytes))) {
    throw new CliError("CLI_FILE_MALFORMED", `${path} is a signature over another draft`);
  }
  const address = addressOf(read.for);
  const signature = fromHex(read.signature);
  const message = endorsementMessage(draft.genesisDigest, address, draft.bytes);
  if (!sm2Verify(fromHex(read.publicKey), message, signature)) {
    throw new CliError("CLI_FILE_MALFORMED", `${path}: the signature does not verify`);
  }
  return { address, signer: addressOf(read.signer), signature };
}

export function writeTransaction(path: string, signed: SignedCall): void {
  write(path, { format: "credlink-transaction/1", transaction: toHex(signed.bytes) });
}

/** Bytes of a transaction that is signed. @throws CliError CLI_FILE_… */
export function loadTransaction(path: string): Uint8Array {
  return fromHex(readDocument(path, transactionSchema).transaction);
}

/** A draft and signatures over it as one transaction. */
export function combine(draft: Draft, paths: readonly string[]): SignedCall {
  return combineEndorsements(
    draft.bytes,
    paths.map((path) => loadEndorsement(path, draft)),
  );
}

/** What a draft does, for who shall sign it. */
export function describeDraft({ transaction, genesisDigest }: Draft) {
  const { chainId, sender, contract, contractVersion, method, args } = transaction;
  return {
    chainId,
    genesisDigest: toHex(genesisDigest),
    sender: formatAddress(sender),
    contract: `${contract}@${contractVersion}`,
    method,
    args: toHex(args),
    gasLimit: transaction.gasLimit,
    expiryHeight: transaction.expiryHeight,
  };
}
