import { taggedSm3 } from "@credlink/crypto";
import {
  type Address,
  addressCodec,
  bool,
  bytes,
  type Codec,
  type Digest,
  digestCodec,
  encode,
  type Height,
  heightCodec,
  list,
  nullable,
  oneOf,
  struct,
  text,
  u32,
  u53,
  type WireValue,
} from "@credlink/primitives";
import { type FieldDisclosure, fieldDisclosureCodec } from "./commitment.ts";
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
  type ProposalStatus,
  proposalStatuses,
} from "./credential-types.ts";
import { fieldValueCodec } from "./payload.ts";

const idCodec = bytes(32);

/** `submit`: takes `credentialRecordCodec`, and so does the third place of `correct`. */
export const submitArgsCodec: Codec<CredentialRecord> = credentialRecordCodec;

/** Most records of one `submitAll`. */
export const MAX_SUBMISSIONS = 32;

/**
 * `submitAll`: records of one issuer whose signers are the same, each judged on the state that
 * those before it leave. All are stored, or none.
 */
export interface SubmitAllArgs {
  /** 1 to `MAX_SUBMISSIONS`. */
  readonly records: readonly CredentialRecord[];
}
export const submitAllArgsCodec: Codec<SubmitAllArgs> = struct({
  records: list(credentialRecordCodec, MAX_SUBMISSIONS),
});

/** What `submitAll` returns: the ids, in their order. */
export const submittedCodec: Codec<readonly Uint8Array[]> = list(idCodec, MAX_SUBMISSIONS);

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

/** `propose`: a record that waits for signatures, each in a transaction of its own. */
export interface ProposeArgs {
  readonly record: CredentialRecord;
  /** First moment at which it can no longer be signed: at most 31 days after the block. */
  readonly untilMs: number;
  /** The credential that the record is to replace, and the digest of the reason. */
  readonly correction: RevokeArgs | null;
}
export const proposeArgsCodec: Codec<ProposeArgs> = struct({
  record: credentialRecordCodec,
  untilMs: u53,
  correction: nullable(revokeArgsCodec),
});

/** `sign`: names the digest of the record, so that nothing else can be signed unseen. */
export interface SignArgs {
  readonly id: Uint8Array;
  readonly digest: Digest;
}
export const signArgsCodec: Codec<SignArgs> = struct({ id: idCodec, digest: digestCodec });

/** What a party signs: the digest of the record's canonical bytes. */
export function recordDigest(record: CredentialRecord): Digest {
  return taggedSm3("credlink/record/1", encode(credentialRecordCodec, record));
}

/** `decline` takes what `revoke` takes; `withdraw` and `proposal` take an id. */
export const declineArgsCodec: Codec<RevokeArgs> = revokeArgsCodec;

/** A proposal as the state keeps it, and as `proposal` returns it. */
export interface Proposal {
  readonly standing: {
    readonly status: ProposalStatus;
    readonly height: Height;
    readonly by: Address;
    readonly reason: Uint8Array | null;
  };
  readonly untilMs: number;
  readonly digest: Digest;
  /** Who signed so far, ascending; the issuer did by proposing. */
  readonly signers: readonly Address[];
  readonly correction: RevokeArgs | null;
  readonly record: CredentialRecord;
}
export const proposalCodec: Codec<Proposal> = struct({
  standing: struct({
    status: oneOf(...proposalStatuses),
    height: heightCodec,
    by: addressCodec,
    reason: nullable(bytes(32)),
  }),
  untilMs: u53,
  digest: digestCodec,
  signers: list(addressCodec, 16),
  correction: nullable(revokeArgsCodec),
  record: credentialRecordCodec,
});

/** What `propose`, `sign`, `decline` and `withdraw` return. */
export interface ProposalAnswer {
  readonly id: Uint8Array;
  /** `active`: that was the last signature, and the record is a credential now. */
  readonly status: ProposalStatus | "active";
}
export const proposalAnswerCodec: Codec<ProposalAnswer> = struct({
  id: idCodec,
  status: oneOf("active", ...proposalStatuses),
});

/** `use`: one use of a grant, by its grantee. */
export interface UseArgs {
  readonly grant: Uint8Array;
  readonly target: Uint8Array;
  /** `grantActionCode` of the action. */
  readonly action: number;
  readonly purpose: string;
}
export const useArgsCodec: Codec<UseArgs> = struct({
  grant: idCodec,
  target: idCodec,
  action: u32,
  purpose: text(64),
});

/** `publish`: level-1 fields in clear, in the schema's order; replaces what was published. */
export interface PublishArgs {
  readonly id: Uint8Array;
  readonly disclosures: readonly FieldDisclosure[];
}
export const publishArgsCodec: Codec<PublishArgs> = struct({
  id: idCodec,
  disclosures: list(fieldDisclosureCodec, 16),
});

/** A field in clear. */
export interface PublicField {
  readonly path: string;
  readonly value: WireValue;
}

/** What is published of a credential, as the state keeps it. */
export const publicFieldsCodec: Codec<readonly PublicField[]> = list(
  struct({ path: text(128), value: fieldValueCodec }),
  16,
);

/** What `publicData` returns. */
export interface PublicData {
  readonly type: CredentialType;
  readonly status: CredentialStatus;
  readonly fields: readonly PublicField[];
}
export const publicDataCodec: Codec<PublicData> = struct({
  type: oneOf(...credentialTypes),
  status: oneOf(...credentialStatuses),
  fields: publicFieldsCodec,
});

/** Topic of the event of a publication. */
export const PUBLISHED_TOPIC = "credential.published";
export interface PublishedEvent {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly issuer: Address;
}
export const publishedEventCodec: Codec<PublishedEvent> = struct({
  id: idCodec,
  type: oneOf(...credentialTypes),
  issuer: addressCodec,
});

/** What `use` and `uses` return: how often the grant was used. */
export const usesAnswerCodec: Codec<{ readonly count: number }> = struct({ count: u32 });

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
  /** A proposal answers too: its own status, or `lapsed` when its time is over. */
  readonly status: CredentialStatus | ProposalStatus | "lapsed";
  /** Whether its validity had ended by the time of the block. */
  readonly isExpired: boolean;
  readonly replacedBy: Uint8Array | null;
}
export const credentialStatusAnswerCodec: Codec<CredentialStatusAnswer> = struct({
  type: oneOf(...credentialTypes),
  status: oneOf(...credentialStatuses, ...proposalStatuses, "lapsed"),
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

/** Topic of the event of a proposal: made, signed, declined or withdrawn. */
export const PROPOSAL_TOPIC = "credential.proposal";
export interface ProposalEvent {
  readonly id: Uint8Array;
  readonly type: CredentialType;
  readonly issuer: Address;
  readonly status: ProposalStatus;
  readonly by: Address;
  readonly untilMs: number;
}
export const proposalEventCodec: Codec<ProposalEvent> = struct({
  id: idCodec,
  type: oneOf(...credentialTypes),
  issuer: addressCodec,
  status: oneOf(...proposalStatuses),
  by: addressCodec,
  untilMs: u53,
});

/** Topic of the event of one use of a grant; who and what stand here, when in the block. */
export const USED_TOPIC = "credential.used";
export interface UsedEvent extends UseArgs {
  readonly by: Address;
  /** Number of the use, from 1. */
  readonly count: number;
}
export const usedEventCodec: Codec<UsedEvent> = struct({
  grant: idCodec,
  target: idCodec,
  action: u32,
  by: addressCodec,
  purpose: text(64),
  count: u32,
});
