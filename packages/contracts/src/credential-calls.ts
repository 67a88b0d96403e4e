import {
  type Address,
  addressCodec,
  bool,
  bytes,
  type Codec,
  concatBytes,
  type Digest,
  digestCodec,
  list,
  nullable,
  oneOf,
  struct,
  u32,
  utf8,
} from "@credlink/primitives";
import {
  type CredentialParent,
  type CredentialRecord,
  credentialRecordCodec,
  type IndexEntry,
  MAX_CREDENTIAL_PARENTS,
} from "./credential.ts";
import {
  type CredentialStatus,
  type CredentialType,
  credentialRelations,
  credentialStatuses,
  credentialTypes,
} from "./credential-types.ts";

const idCodec = bytes(32);

/** `submit`: takes `credentialRecordCodec`, and so does the third place of `correct`. */
export const submitArgsCodec: Codec<CredentialRecord> = credentialRecordCodec;

/** `get` and `status`. */
export interface CredentialIdArgs {
  readonly id: Uint8Array;
}
export const credentialIdArgsCodec: Codec<CredentialIdArgs> = struct({ id: idCodec });

/** `revoke`: by the issuer or a regulator. */
export interface RevokeArgs {
  readonly id: Uint8Array;
  /** Salted digest of the reason, which stays off chain. */
  readonly reason: Digest;
}
export const revokeArgsCodec: Codec<RevokeArgs> = struct({ id: idCodec, reason: digestCodec });

/** `correct`: `record` takes the place of `id`. By the issuer. */
export interface CorrectArgs extends RevokeArgs {
  readonly record: CredentialRecord;
}
export const correctArgsCodec: Codec<CorrectArgs> = struct({
  id: idCodec,
  reason: digestCodec,
  record: credentialRecordCodec,
});

/** `trace`: a page of what stands above a credential. */
export interface TraceArgs {
  readonly id: Uint8Array;
  /** Credentials of the walk to pass over: 0, or `next` of the page before. */
  readonly offset: number;
  /** Most credentials of this page, 1 to 256. */
  readonly limit: number;
}
export const traceArgsCodec: Codec<TraceArgs> = struct({ id: idCodec, offset: u32, limit: u32 });

const parentsCodec: Codec<readonly CredentialParent[]> = list(
  struct({ id: idCodec, relation: oneOf(...credentialRelations) }),
  MAX_CREDENTIAL_PARENTS,
);

/** One credential of a trace. */
export interface TraceItem {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly status: CredentialStatus;
  readonly parents: readonly CredentialParent[];
}

/** What `trace` returns: breadth first, each credential once, the asked one first. */
export interface TracePage {
  readonly items: readonly TraceItem[];
  /** Offset of the next page; null at the end. */
  readonly next: number | null;
}
export const tracePageCodec: Codec<TracePage> = struct({
  items: list(
    struct({
      id: idCodec,
      type: oneOf(...credentialTypes),
      status: oneOf(...credentialStatuses),
      parents: parentsCodec,
    }),
    256,
  ),
  next: nullable(u32),
});

/** What `status` returns. */
export interface CredentialStatusAnswer {
  readonly type: CredentialType;
  readonly status: CredentialStatus;
  /** Whether its validity had ended by the time of the block. */
  readonly isExpired: boolean;
  readonly replacedBy: Uint8Array | null;
}
export const credentialStatusAnswerCodec: Codec<CredentialStatusAnswer> = struct({
  type: oneOf(...credentialTypes),
  status: oneOf(...credentialStatuses),
  isExpired: bool,
  replacedBy: nullable(idCodec),
});

/** `lookup`: takes an index entry. */
export const lookupArgsCodec: Codec<IndexEntry> = struct({ keyId: u32, value: bytes(32) });
/** What `lookup` returns: the credential that holds the index value. */
export const lookupAnswerCodec: Codec<{ readonly id: Uint8Array | null }> = struct({
  id: nullable(idCodec),
});

/** Topic of the event of a new credential. */
export const SUBMITTED_TOPIC = "credential.submitted";
export interface SubmittedEvent {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly issuer: Address;
  readonly parents: readonly CredentialParent[];
  readonly replaces: Uint8Array | null;
}
export const submittedEventCodec: Codec<SubmittedEvent> = struct({
  id: idCodec,
  type: oneOf(...credentialTypes),
  issuer: addressCodec,
  parents: parentsCodec,
  replaces: nullable(idCodec),
});

/** Topic of the event of a change of status. */
export const STATUS_TOPIC = "credential.status";
export interface StatusEvent {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly status: CredentialStatus;
  readonly by: Address;
  readonly replacedBy: Uint8Array | null;
}
export const statusEventCodec: Codec<StatusEvent> = struct({
  id: idCodec,
  type: oneOf(...credentialTypes),
  status: oneOf(...credentialStatuses),
  by: addressCodec,
  replacedBy: nullable(idCodec),
});

/** The contract's state key of a credential: what a state proof of it is asked for. */
export function credentialKey(id: Uint8Array): Uint8Array {
  return concatBytes(utf8("r"), id);
}
