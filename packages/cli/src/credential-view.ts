import type { CommittedTransaction, ProvenCredential } from "@credlink/client";
import type { CredentialRecord } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";

const iso = (ms: number): string => new Date(ms).toISOString();

/** A record as people and JSON see it, whether a credential's or a proposal's. */
export function describeRecord(record: CredentialRecord) {
  return {
    id: toHex(record.id),
    type: record.type,
    schema: record.schema,
    issuer: formatAddress(record.issuer),
    subjects: record.subjects.map(formatAddress),
    parents: record.parents.map(({ id, relation }) => ({ id: toHex(id), relation })),
    commitment: { root: toHex(record.commitment.root), fieldCount: record.commitment.fieldCount },
    indexes: record.indexes.map(({ keyId, value }) => ({ keyId, value: toHex(value) })),
    amounts: record.amounts.map(toHex),
    policyDigest: toHex(record.policyDigest),
    level: record.level,
    validFrom: iso(record.validFromMs),
    validTo: record.validToMs === null ? null : iso(record.validToMs),
    terms: record.terms === null ? null : toHex(record.terms),
  };
}

/** A credential as people and JSON see it. */
export function describeCredential({ stored, header }: ProvenCredential) {
  const { record, standing, issue } = stored;
  const { id, type, schema, ...rest } = describeRecord(record);
  return {
    id,
    type,
    schema,
    status: standing.status,
    ...rest,
    contractVersion: issue.contractVersion,
    issuedAt: { height: issue.height, time: iso(issue.timestampMs) },
    coSigners: issue.coSigners.map(formatAddress),
    replacedBy: standing.replacedBy === null ? null : toHex(standing.replacedBy),
    proof: { height: header.height, block: toHex(header.digest) },
    verified: true,
  };
}

/** What a commit proves. */
export function describeCommit(committed: CommittedTransaction) {
  return {
    transaction: toHex(committed.id),
    status: committed.receipt.status,
    height: committed.header.height,
    block: toHex(committed.header.digest),
    gasUsed: committed.receipt.gasUsed,
    verified: true,
  };
}
