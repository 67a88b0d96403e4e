import { POINT_BYTES } from "@credlink/crypto";
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
} from "@credlink/primitives";
import {
  type CredentialRelation,
  type CredentialStatus,
  type CredentialType,
  credentialRelations,
  credentialStatuses,
  credentialTypes,
} from "./credential-types.ts";

/** Name and version under which the contract is deployed. */
export const CREDENTIAL_CONTRACT = "credential";
export const CREDENTIAL_CONTRACT_VERSION = "2.2.0";
/** Version of the record's format. */
export const CREDENTIAL_FORMAT = 2;

export const CREDENTIAL_ID_BYTES = 32;
export const MAX_CREDENTIAL_PARENTS = 32;
export const MAX_CREDENTIAL_SUBJECTS = 4;
export const MAX_CREDENTIAL_INDEXES = 4;
export const MAX_CREDENTIAL_AMOUNTS = 4;
/** Most bytes of a type's own terms. */
export const MAX_TERMS_BYTES = 512;

const idCodec = bytes(CREDENTIAL_ID_BYTES);

/** A reference from a credential to one that it depends on. */
export interface CredentialParent {
  readonly id: Uint8Array;
  readonly relation: CredentialRelation;
}

/** A blinded identifier: two credentials of one consortium cannot hold the same. */
export interface IndexEntry {
  /** Which index key it was made with. */
  readonly keyId: number;
  /** HMAC-SM3, 32 bytes. */
  readonly value: Uint8Array;
}

/**
 * What an issuer submits and the chain keeps of a credential. No field can hold personal data or
 * an amount: names come from closed lists, everything else is a digest, a point, an address or a
 * time.
 */
export interface CredentialRecord {
  readonly format: number;
  /** 32 random bytes. */
  readonly id: Uint8Array;
  readonly type: CredentialType;
  /** The type, a slash and its schema's version. */
  readonly schema: string;
  /** The institution (or regulator) that submits. */
  readonly issuer: Address;
  /** Relation keys of those it is about, enterprise before individual. */
  readonly subjects: readonly Address[];
  readonly parents: readonly CredentialParent[];
  readonly commitment: { readonly root: Digest; readonly fieldCount: number };
  readonly indexes: readonly IndexEntry[];
  /** Commitments to the type's amounts (`amountPaths`), 64 bytes each. */
  readonly amounts: readonly Uint8Array[];
  /** Digest of the salted policy document that says who may read the payload. */
  readonly policyDigest: Digest;
  /** Highest data level of the payload's schema, 1 to 4. */
  readonly level: number;
  /** When it took effect or happened, milliseconds. */
  readonly validFromMs: number;
  /** First millisecond at which it is no longer valid; null: without end. */
  readonly validToMs: number | null;
  /** Opaque locator in the issuer's store, 32 bytes; null when there is none. */
  readonly payloadReference: Uint8Array | null;
  /** Canonical bytes of the terms of a case, verdict or grant (`terms.ts`); else null. */
  readonly terms: Uint8Array | null;
}

export const credentialRecordCodec: Codec<CredentialRecord> = struct({
  format: u32,
  id: idCodec,
  type: oneOf(...credentialTypes),
  schema: text(64),
  issuer: addressCodec,
  subjects: list(addressCodec, MAX_CREDENTIAL_SUBJECTS),
  parents: list(
    struct({ id: idCodec, relation: oneOf(...credentialRelations) }),
    MAX_CREDENTIAL_PARENTS,
  ),
  commitment: struct({ root: digestCodec, fieldCount: u32 }),
  indexes: list(struct({ keyId: u32, value: bytes(32) }), MAX_CREDENTIAL_INDEXES),
  amounts: list(bytes(POINT_BYTES), MAX_CREDENTIAL_AMOUNTS),
  policyDigest: digestCodec,
  level: u32,
  validFromMs: u53,
  validToMs: nullable(u53),
  payloadReference: nullable(bytes(32)),
  terms: nullable(bytesUpTo(MAX_TERMS_BYTES)),
});

/** How a stored credential stands; the only part that ever changes. */
export interface CredentialStanding {
  readonly status: CredentialStatus;
  /** Block that gave it this status. */
  readonly height: Height;
  /** Who gave it this status. */
  readonly by: Address;
  /** Digest of a revocation's or correction's reason, or id of the risk action behind a hold. */
  readonly reason: Uint8Array | null;
  /** Id of its successor, once it is corrected. */
  readonly replacedBy: Uint8Array | null;
}

/** Where, when and by whose signatures a credential was issued. */
export interface CredentialIssue {
  readonly contractVersion: string;
  readonly height: Height;
  /** Block time, milliseconds. */
  readonly timestampMs: number;
  /** Who signed beside the issuer, in this transaction or the proposal, ascending. */
  readonly coSigners: readonly Address[];
  /** The service contract that it stands under, if one. */
  readonly contract: Uint8Array | null;
  /** Id of the credential that it corrects. */
  readonly replaces: Uint8Array | null;
}

/** A credential as the state keeps it, and as `get` returns it. */
export interface StoredCredential {
  readonly standing: CredentialStanding;
  readonly issue: CredentialIssue;
  readonly record: CredentialRecord;
}

export const storedCredentialCodec: Codec<StoredCredential> = struct({
  standing: struct({
    status: oneOf(...credentialStatuses),
    height: heightCodec,
    by: addressCodec,
    reason: nullable(bytes(32)),
    replacedBy: nullable(idCodec),
  }),
  issue: struct({
    contractVersion: text(32),
    height: heightCodec,
    timestampMs: u53,
    coSigners: list(addressCodec, 16),
    contract: nullable(idCodec),
    replaces: nullable(idCodec),
  }),
  record: credentialRecordCodec,
});
