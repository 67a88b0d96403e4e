import {
  CREDENTIAL_CONTRACT,
  type CredentialRecord,
  credentialRecordCodec,
  SUBMITTED_TOPIC,
} from "@credlink/contracts";
import { sm2Verify } from "@credlink/crypto";
import {
  type Account,
  type Endorsement,
  type Envelope,
  endorsementMessage,
  endorsementsOf,
  envelopeCodec,
  isAccount,
  type Member,
  memberKeyAt,
  merkleProofCodec,
  policyAt,
  type Receipt,
  receiptCodec,
  SUCCESS,
  TRANSACTION_VERSION,
  type Transaction,
  transactionCodec,
  transactionId,
  transactionSigningMessage,
  verifyMerkleProof,
  versionOf,
} from "@credlink/ledger";
import {
  type Digest,
  encode,
  equalBytes,
  fromHex,
  toHex,
  tryDecode,
  type WireValue,
  wireValue,
} from "@credlink/primitives";
import { clientError } from "../errors.ts";
import { decodeClaim, type VerifiedHeader } from "../header-claims.ts";
import type { Line } from "./lines.ts";

/** A transaction of a package, proven in a certified block, every signature verified. */
export interface PackageTransaction {
  readonly id: Digest;
  readonly height: number;
  /** Place in the block. */
  readonly index: number;
  readonly signed: Envelope;
  readonly transaction: Transaction;
  readonly receipt: Receipt;
  /** Hexadecimal ids of credentials that its events name, each with the events' topics. */
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** A member's record, and who signs for it when it is an account. */
export interface PackageMember {
  readonly member: Member;
  readonly account: Account | null;
}

/** Where a package's members are found by hexadecimal address. */
export type MemberLookup = (address: string) => PackageMember | undefined;

/**
 * Proves a transaction in its block, and each signature under the key that counted at its height.
 * @throws ClientError CLIENT_RECORD_ALTERED, CLIENT_PROOF_INVALID, CLIENT_SIGNATURE_INVALID,
 *   CLIENT_PACKAGE_INCOMPLETE
 */
export function verifyTransactionLine(
  line: Line<"transaction">,
  block: VerifiedHeader,
  chain: { readonly chainId: string; readonly genesisDigest: Digest },
  member: MemberLookup,
): PackageTransaction {
  const bytes = fromHex(line.transaction);
  const id = transactionId(bytes);
  const signed = decodeClaim(envelopeCodec, bytes, "signed transaction");
  const transaction = decodeClaim(transactionCodec, signed.transaction, "transaction");
  const receiptBytes = fromHex(line.receipt);
  const receipt = decodeClaim(receiptCodec, receiptBytes, "receipt");
  if (!equalBytes(receipt.transactionId, id) || transaction.chainId !== chain.chainId) {
    throw clientError("CLIENT_RECORD_ALTERED", "the receipt is another transaction's");
  }
  demandIncluded(line, block, "transactionRoot", id, line.transactionProof);
  demandIncluded(line, block, "receiptRoot", receiptBytes, line.receiptProof);
  demandSigned(signed, { height: line.height, genesisDigest: chain.genesisDigest }, member);
  if (receipt.status !== SUCCESS) {
    throw clientError("CLIENT_PACKAGE_INCOMPLETE", "the transaction failed: it changed nothing");
  }
  const { height, index } = line;
  return { id, height, index, signed, transaction, receipt, names: namesIn(receipt) };
}

function demandIncluded(
  { index }: Line<"transaction">,
  { header }: VerifiedHeader,
  root: "transactionRoot" | "receiptRoot",
  leaf: Uint8Array,
  proof: string,
): void {
  const claim = {
    ...{ root: header[root], leaf, index, count: header.transactionCount },
    proof: decodeClaim(merkleProofCodec, fromHex(proof), "Merkle proof"),
  };
  if (!verifyMerkleProof(claim)) {
    throw clientError("CLIENT_PROOF_INVALID", `the proof misses the ${root}`);
  }
}

function demandSigned(
  envelope: Envelope,
  place: { readonly height: number; readonly genesisDigest: Digest },
  lookup: MemberLookup,
): void {
  const { transaction, signatures } = envelope;
  const { height, genesisDigest } = place;
  if (signatures.length === 0) throw clientError("CLIENT_SIGNATURE_INVALID", "nobody signed");
  const endorsements = endorsementsOf(envelope);
  for (const address of new Set(endorsements.map((each) => toHex(each.address)))) {
    const signers = endorsements.filter((each) => toHex(each.address) === address);
    demandAuthority(address, signers, height, lookup);
  }
  for (const { address, signer, signature } of endorsements) {
    const message =
      versionOf(envelope) === TRANSACTION_VERSION
        ? transactionSigningMessage(genesisDigest, transaction)
        : endorsementMessage(genesisDigest, address, transaction);
    const name = toHex(signer);
    const key = memberKeyAt(demandMember(name, lookup).member, height);
    if (key !== null && sm2Verify(key, message, signature)) continue;
    throw clientError("CLIENT_SIGNATURE_INVALID", `the signature of ${name}`);
  }
}

/** Who signs for an address: it does so itself, or it is an account and they are enough of its own. */
function demandAuthority(
  name: string,
  endorsements: readonly Endorsement[],
  height: number,
  lookup: MemberLookup,
): void {
  const { member, account } = demandMember(name, lookup);
  const signers = new Set(endorsements.map(({ signer }) => toHex(signer)));
  if (!isAccount(member)) {
    if (signers.size === 1 && signers.has(name)) return;
    throw clientError("CLIENT_SIGNATURE_INVALID", `somebody else signed for ${name}`);
  }
  const policy = policyAt(account, height);
  const known = new Set(policy?.signers.map(toHex) ?? []);
  const isEnough = policy !== null && signers.size >= policy.threshold;
  if (isEnough && [...signers].every((signer) => known.has(signer))) return;
  throw clientError("CLIENT_SIGNATURE_INVALID", `too few or others signed for ${name}`);
}

function demandMember(name: string, lookup: MemberLookup): PackageMember {
  const found = lookup(name);
  if (found !== undefined) return found;
  throw clientError("CLIENT_PACKAGE_INCOMPLETE", `no record of the signer ${name}`);
}

/** Credentials that a receipt's events name: the data of each begin with an id. */
function namesIn({ events }: Receipt): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const { contract, topic, data } of events) {
    const read = tryDecode(wireValue, data);
    const first: WireValue | undefined =
      contract === CREDENTIAL_CONTRACT && read.ok && Array.isArray(read.value)
        ? read.value[0]
        : undefined;
    if (!(first instanceof Uint8Array)) continue;
    const name = toHex(first);
    names.set(name, [...(names.get(name) ?? []), topic]);
  }
  return names;
}

/** What a credential's transactions must show together. */
export interface CredentialFacts {
  readonly record: CredentialRecord;
  readonly issuedAt: number;
  readonly coSigners: readonly Uint8Array[];
  /** Block that gave it its present status. */
  readonly standingAt: number;
}

/** What is missing of a credential's transactions; null when they show where it comes from. */
export function missingOf(
  facts: CredentialFacts,
  transactions: readonly PackageTransaction[],
): string | null {
  const { record, issuedAt, coSigners, standingAt } = facts;
  const name = toHex(record.id);
  const isSubmitted = transactions.some(
    ({ height, names }) => height === issuedAt && names.get(name)?.includes(SUBMITTED_TOPIC),
  );
  if (!isSubmitted) return `the transaction that submitted it in block ${issuedAt}`;
  if (!transactions.some(({ height }) => height === standingAt)) {
    return `the transaction that gave it its status in block ${standingAt}`;
  }
  const signers = new Set(
    transactions.flatMap(({ signed }) => signed.signatures.map(({ address }) => toHex(address))),
  );
  const absent = [record.issuer, ...coSigners].find((address) => !signers.has(toHex(address)));
  if (absent !== undefined) return `a signature of ${toHex(absent)}`;
  const bytes = encode(credentialRecordCodec, record);
  const isCarried = transactions.some(({ transaction }) => contains(transaction.args, bytes));
  return isCarried ? null : "a transaction that carries the record";
}

/** Whether `part` stands in `whole`, byte for byte. */
function contains(whole: Uint8Array, part: Uint8Array): boolean {
  const [first] = part;
  if (first === undefined) return true;
  for (let at = whole.indexOf(first); at >= 0; at = whole.indexOf(first, at + 1)) {
    if (at + part.length > whole.length) return false;
    if (equalBytes(whole.subarray(at, at + part.length), part)) return true;
  }
  return false;
}
