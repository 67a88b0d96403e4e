import type { PackageReport } from "@credlink/client";
import { fieldToJson } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { renderTable } from "./network/status.ts";

/** What a verified package proves, as JSON shows it. */
export function describePackage(report: PackageReport) {
  const { head, credentials, members, disclosures } = report;
  return {
    purpose: report.purpose,
    chainId: report.chainId,
    genesisDigest: toHex(report.genesisDigest),
    height: head.height,
    block: toHex(head.digest),
    time: new Date(head.header.timestampMs).toISOString(),
    certifiedBy: head.certificate?.signatures.map(({ index }) => index) ?? [],
    credentials: credentials.map(({ id, stored, transactions }) => ({
      id: toHex(id),
      type: stored.record.type,
      status: stored.standing.status,
      issuer: formatAddress(stored.record.issuer),
      issuedAt: stored.issue.height,
      parents: stored.record.parents.map((parent) => toHex(parent.id)),
      transactions: transactions.map(({ id: transaction, height, signed }) => ({
        id: toHex(transaction),
        height,
        signers: signed.signatures.map(({ address }) => formatAddress(address)),
      })),
    })),
    schemas: report.schemas.map(({ id, digest, publisher, height, status }) => {
      return { id, digest: toHex(digest), publisher: formatAddress(publisher), height, status };
    }),
    members: members.map(({ address, organization, role, status }) => {
      return { address: formatAddress(address), organization, role, status };
    }),
    disclosures: disclosures.map(({ credential, path, value }) => {
      return { credential: toHex(credential), path, value: fieldToJson(value) };
    }),
    lines: report.lines,
    digest: report.digest,
    verified: true,
  };
}

/** The same for people. */
export function renderPackage(value: ReturnType<typeof describePackage>): string {
  const rows = value.credentials.map(({ type, id, status, issuedAt, transactions }) => [
    type,
    id.slice(0, 16),
    status,
    String(issuedAt),
    String(transactions.length),
  ]);
  const head = ["type", "id", "status", "block", "transactions"];
  return [
    renderTable(head, rows),
    ...value.disclosures.map(({ credential, path, value: shown }) => {
      return `${credential.slice(0, 16)} ${path}: ${JSON.stringify(shown)}`;
    }),
    `proven as of block ${value.height} of ${value.chainId} (${value.time}), from genesis ${value.genesisDigest}`,
    `package digest ${value.digest}`,
  ].join("\n");
}
