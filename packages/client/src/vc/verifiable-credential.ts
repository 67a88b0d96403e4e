import type { Member, MemberStatus } from "@credlink/ledger";
import { equalBytes, toHex } from "@credlink/primitives";
import { z } from "zod";
import type { Client } from "../client.ts";
import { type ClientError, clientError } from "../errors.ts";
import { exportCredential, type Opening } from "../package/export.ts";
import { MAX_PACKAGE_LINE_BYTES, MAX_PACKAGE_LINES, PACKAGE_FORMAT } from "../package/lines.ts";
import { type PackageReport, verifyPackage } from "../package/verify.ts";
import { didOf, keyIdOf } from "./did.ts";
import { buildDocument } from "./document.ts";
import { canonicalBytes, createProof, proofSchema, verifyProof } from "./suite.ts";

/** A verifiable credential as JSON. */
export type VerifiableCredential = Readonly<Record<string, unknown>>;

/** What a verified document proves. */
export interface VerifiedCredential {
  /** What the chain says of it, as of the head that the document names. */
  readonly report: PackageReport;
  /** The document without its proof. */
  readonly document: VerifiableCredential;
  /** When its issuer says that it signed. */
  readonly created: string;
}

/** What of a document is looked at before it is made again from its own chain proof. */
const documentSchema = z.looseObject({
  evidence: z.tuple([
    z.strictObject({
      type: z.tuple([z.literal("CredlinkChainProof")]),
      format: z.literal(PACKAGE_FORMAT),
      lines: z.array(z.string().max(MAX_PACKAGE_LINE_BYTES)).max(MAX_PACKAGE_LINES),
    }),
  ]),
  proof: proofSchema,
});

/**
 * A credential as a W3C verifiable credential: fields that are opened as its claims, its chain proof
 * inside, signed by its issuer. It is verified as a stranger would before it is returned.
 *
 * @throws ClientError CLIENT_KEY_MISSING unless the client is its issuer; CLIENT_VC_INACTIVE; what
 *   `exportCredential` throws
 */
export async function exportVerifiableCredential(
  client: Client,
  opening: Opening,
  nowMs: number,
): Promise<VerifiableCredential> {
  const { identity } = client;
  if (identity === undefined || !equalBytes(identity.address, opening.file.record.issuer)) {
    throw clientError("CLIENT_KEY_MISSING", "only its issuer signs a verifiable credential");
  }
  const { lines, report } = await exportCredential(client, opening);
  const document = buildDocument(report, lines);
  const { method } = issuerKey(report);
  const created = new Date(nowMs).toISOString();
  const settings = { created, verificationMethod: method };
  const proof = await createProof(document, settings, identity.signer);
  const signed = { ...document, proof };
  // As others will get it: what cannot stand in JSON would be lost on the way.
  const parsed: unknown = JSON.parse(JSON.stringify(signed));
  await verifyVerifiableCredential(client.genesisBytes, parsed, report.head.header.timestampMs);
  return signed;
}

/**
 * Verifies a document with the genesis alone: its chain proof, that it says what this proves, its
 * issuer's signature, that credential and issuer were active, and that `atMs` lies inside its
 * validity.
 *
 * @throws ClientError CLIENT_VC_MALFORMED, CLIENT_VC_MISMATCH, CLIENT_SIGNATURE_INVALID,
 *   CLIENT_VC_INACTIVE, CLIENT_VC_EXPIRED, and what `verifyPackage` throws
 */
export async function verifyVerifiableCredential(
  genesis: Uint8Array,
  json: unknown,
  atMs: number,
): Promise<VerifiedCredential> {
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) {
    throw clientError("CLIENT_VC_MALFORMED", z.prettifyError(parsed.error));
  }
  const { proof, ...document } = parsed.data;
  const { lines } = document.evidence[0];
  const report = await verifyPackage(genesis, lines);
  demandSame(document, buildDocument(report, lines));
  const { method, publicKey, status } = issuerKey(report);
  if (proof.verificationMethod !== method) {
    throw clientError("CLIENT_VC_MISMATCH", `verificationMethod is not ${method}`);
  }
  if (!verifyProof(document, proof, publicKey)) {
    throw clientError("CLIENT_SIGNATURE_INVALID", "the issuer's proof");
  }
  demandGood(report, status, atMs);
  return { report, document, created: proof.created };
}

/** @throws ClientError CLIENT_VC_MISMATCH that names the first property which differs */
function demandSame(document: VerifiableCredential, expected: VerifiableCredential): void {
  const names = new Set([...Object.keys(expected), ...Object.keys(document)]);
  for (const name of names) {
    const [said, proven] = [document[name], expected[name]];
    const isSame =
      said !== undefined &&
      proven !== undefined &&
      equalBytes(canonicalBytes(said), canonicalBytes(proven));
    if (!isSame) throw clientError("CLIENT_VC_MISMATCH", `${name} is not what the chain proves`);
  }
}

/** The issuer's key that counts at the head. */
function issuerKey({ chainId, credentials, members, head }: PackageReport): {
  readonly method: string;
  readonly publicKey: Uint8Array;
  readonly status: MemberStatus;
} {
  const issuer = credentials[0]?.stored.record.issuer;
  const member: Member | undefined = members.find(
    ({ address }) => issuer !== undefined && equalBytes(address, issuer),
  );
  const key = member?.keys.findLast(({ fromHeight }) => fromHeight <= head.height);
  if (member === undefined || key === undefined) {
    throw clientError("CLIENT_VC_MALFORMED", "no key of the issuer");
  }
  const method = keyIdOf(didOf(chainId, member.address), key.fromHeight);
  return { method, publicKey: key.publicKey, status: member.status };
}

function demandGood({ credentials, head }: PackageReport, issuer: MemberStatus, atMs: number) {
  const stored = credentials[0]?.stored;
  if (stored === undefined) throw clientError("CLIENT_VC_MALFORMED", "no credential");
  const { record, standing } = stored;
  const name = toHex(record.id);
  if (standing.status !== "active") throw inactive(`${name} is ${standing.status}`, head.height);
  if (issuer !== "active") throw inactive(`its issuer is ${issuer}`, head.height);
  const isOver = record.validToMs !== null && atMs >= record.validToMs;
  if (isOver || atMs < record.validFromMs) {
    throw clientError("CLIENT_VC_EXPIRED", `${name} at ${new Date(atMs).toISOString()}`);
  }
}

function inactive(what: string, height: number): ClientError {
  return clientError("CLIENT_VC_INACTIVE", `${what} in block ${height}`);
}
