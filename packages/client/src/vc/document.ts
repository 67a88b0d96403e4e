import {
  type CredentialRecord,
  credentialRecordCodec,
  type FieldJson,
  fieldToJson,
  payloadSchemas,
  schemaDigest,
} from "@credlink/contracts";
import { sm3 } from "@credlink/crypto";
import { concatBytes, type Digest, encode, toHex } from "@credlink/primitives";
import { clientError } from "../errors.ts";
import { PACKAGE_FORMAT } from "../package/lines.ts";
import type { PackageReport } from "../package/verify.ts";
import { credentialUrl, didOf } from "./did.ts";
import { toMultibase } from "./suite.ts";

/** W3C's own context, and W3C's context for terms that nobody defined. */
const CONTEXTS = [
  "https://www.w3.org/ns/credentials/v2",
  "https://www.w3.org/ns/credentials/undefined-terms/v2",
] as const;

/** Multihash of SM3: code 0x534d as a varint, then the length. @see multicodec table, sm3-256 */
const SM3_MULTIHASH = Uint8Array.of(0xcd, 0xa6, 0x01, 32);

/** Digest of the fields of the version that a record names, as the registry of schemas has it. */
function schemaDigestOf({ schemas }: PackageReport, { type, schema }: CredentialRecord): Digest {
  const builtIn = payloadSchemas[type];
  if (builtIn.id === schema) return schemaDigest(builtIn.fields);
  const found = schemas.find(({ id }) => id === schema);
  if (found === undefined) throw clientError("CLIENT_VC_MALFORMED", `no schema ${schema}`);
  return found.digest;
}

function multihash(digest: Uint8Array): string {
  return toMultibase(concatBytes(SM3_MULTIHASH, digest));
}

/** `transaction.task` -> `TransactionTaskCredential`. */
function typeName(type: string): string {
  const words = type.split(/[.-]/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join("")}Credential`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * The verifiable credential that a package of one credential stands behind, without its proof. It
 * follows from the package alone, so whoever verifies makes it again and compares.
 *
 * @see W3C Verifiable Credentials Data Model 2.0
 */
export function buildDocument(
  report: PackageReport,
  lines: readonly string[],
): Readonly<Record<string, unknown>> {
  const [own, ...others] = report.credentials;
  if (report.purpose !== "credential" || own === undefined) {
    throw clientError("CLIENT_VC_MALFORMED", "the chain proof is not of one credential");
  }
  const { record, standing } = own.stored;
  const { chainId } = report;
  const issuer = didOf(chainId, record.issuer);
  const id = credentialUrl(issuer, toHex(record.id));
  const subjects = record.subjects.map((subject) => didOf(chainId, subject));
  const claims: Record<string, FieldJson> = Object.fromEntries(
    report.disclosures.map(({ path, value }) => [path, fieldToJson(value)]),
  );
  const records = new Map(others.map(({ stored }) => [toHex(stored.record.id), stored.record]));
  return {
    "@context": CONTEXTS,
    id,
    type: ["VerifiableCredential", typeName(record.type)],
    issuer,
    validFrom: iso(record.validFromMs),
    ...(record.validToMs === null ? {} : { validUntil: iso(record.validToMs) }),
    credentialSubject: { id: subjects[0] ?? issuer, subjects, claims },
    credentialSchema: {
      id: `urn:credlink:schema:${record.schema}`,
      type: "CredlinkPayloadSchema",
      digestMultibase: multihash(schemaDigestOf(report, record)),
    },
    credentialStatus: {
      id: `${id}#status`,
      type: "CredlinkStatusEntry",
      chainId,
      genesisDigest: toHex(report.genesisDigest),
      height: report.head.height,
      block: toHex(report.head.digest),
      status: standing.status,
    },
    relatedResource: record.parents.map((parent) =>
      relatedResource(chainId, parent.relation, records.get(toHex(parent.id))),
    ),
    evidence: [{ type: ["CredlinkChainProof"], format: PACKAGE_FORMAT, lines }],
  };
}

function relatedResource(chainId: string, relation: string, parent: CredentialRecord | undefined) {
  if (parent === undefined)
    throw clientError("CLIENT_VC_MALFORMED", "a parent's record is missing");
  return {
    id: credentialUrl(didOf(chainId, parent.issuer), toHex(parent.id)),
    relation,
    mediaType: "application/vnd.credlink.record",
    digestMultibase: multihash(sm3(encode(credentialRecordCodec, parent))),
  };
}
