import {
  bytes,
  bytesUpTo,
  type Codec,
  digestCodec,
  heightCodec,
  list,
  mapCodec,
  nullable,
  struct,
  u32,
  u53,
  union,
  type View,
  validatorIndexCodec,
  view,
} from "@credlink/primitives";
import type { VoteRecord } from "./effects.ts";
import type {
  CommitCertificate,
  IndexedSignature,
  Justification,
  Message,
  PreparedCertificate,
  Proposal,
  ViewChangeVote,
} from "./messages.ts";
import { MAX_VALIDATORS } from "./validator-set.ts";

/** Bytes that a proposal's payload and transactions may have beyond the block limit. */
export const PROPOSAL_OVERHEAD_BYTES = 64 * 1024;
/** Largest payload that any configuration allows. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
/** Most transactions that may travel along with a pre-prepare. */
export const MAX_ATTACHED_TRANSACTIONS = 65_536;

/** r ‖ s on the wire, 64 bytes. */
export const SIGNATURE_BYTES = 64;
export const signature: Codec<Uint8Array> = bytes(SIGNATURE_BYTES);
/** `view` checks the bound: a view beyond MAX_VIEW is refused, never kept. */
export const viewCodec: Codec<View> = mapCodec(u32, view, (value) => value);

export const indexedSignatureCodec: Codec<IndexedSignature> = struct({
  index: validatorIndexCodec,
  signature,
});

const certificateFields = {
  height: heightCodec,
  view: viewCodec,
  digest: digestCodec,
  signatures: list(indexedSignatureCodec, MAX_VALIDATORS),
};

export const preparedCertificateCodec: Codec<PreparedCertificate> = struct(certificateFields);
export const commitCertificateCodec: Codec<CommitCertificate> = struct(certificateFields);

export const proposalCodec: Codec<Proposal> = struct({
  digest: digestCodec,
  parentDigest: digestCodec,
  height: heightCodec,
  proposer: validatorIndexCodec,
  timestampMs: u53,
  validatorsHash: digestCodec,
  nextValidatorsHash: digestCodec,
  transactionCount: u32,
  sizeBytes: u32,
  payload: bytesUpTo(MAX_PAYLOAD_BYTES),
});

const viewChangeFields = {
  height: heightCodec,
  view: viewCodec,
  preparedView: nullable(viewCodec),
  preparedDigest: nullable(digestCodec),
  sender: validatorIndexCodec,
  signature,
};

export const viewChangeVoteCodec: Codec<ViewChangeVote> = struct(viewChangeFields);

export const justificationCodec: Codec<Justification> = struct({
  viewChanges: list(viewChangeVoteCodec, MAX_VALIDATORS),
  prepared: nullable(preparedCertificateCodec),
});

const voteFields = {
  height: heightCodec,
  view: viewCodec,
  digest: digestCodec,
  sender: validatorIndexCodec,
  signature,
};

/** Fields of the messages that carry no block, in their order. */
export const messageFields = {
  vote: voteFields,
  wish: { height: heightCodec, view: viewCodec, sender: validatorIndexCodec, signature },
  viewChange: { ...viewChangeFields, prepared: nullable(preparedCertificateCodec) },
} as const;

/** Tags of the message types; a tag is never given to another type. */
export const MESSAGE_TAGS = {
  "pre-prepare": 1,
  prepare: 2,
  commit: 3,
  wish: 4,
  "view-change": 5,
  decided: 6,
} as const satisfies Record<Message["type"], number>;

export const messageCodec: Codec<Message> = union<Message>({
  "pre-prepare": [
    MESSAGE_TAGS["pre-prepare"],
    struct({
      height: heightCodec,
      view: viewCodec,
      parentDigest: digestCodec,
      digest: digestCodec,
      sender: validatorIndexCodec,
      signature,
      proposal: proposalCodec,
      transactions: list(bytesUpTo(MAX_PAYLOAD_BYTES), MAX_ATTACHED_TRANSACTIONS),
      justification: nullable(justificationCodec),
    }),
  ],
  prepare: [MESSAGE_TAGS.prepare, struct(messageFields.vote)],
  commit: [MESSAGE_TAGS.commit, struct(messageFields.vote)],
  wish: [MESSAGE_TAGS.wish, struct(messageFields.wish)],
  "view-change": [MESSAGE_TAGS["view-change"], struct(messageFields.viewChange)],
  decided: [
    MESSAGE_TAGS.decided,
    struct({ certificate: commitCertificateCodec, proposal: nullable(proposalCodec) }),
  ],
});

/** Type bytes of vote log records; a number is never given to another type. */
export const RECORD_TAGS = {
  proposed: 1,
  "prepare-voted": 2,
  "commit-voted": 3,
  "entered-view": 4,
  decided: 5,
  abstained: 6,
  recovered: 7,
} as const satisfies Record<VoteRecord["type"], number>;

const votedFields = { height: heightCodec, view: viewCodec, digest: digestCodec };

/** A vote record as [tag, …fields]; the vote log repeats the tag as the frame's type byte. */
export const voteRecordCodec: Codec<VoteRecord> = union<VoteRecord>({
  proposed: [RECORD_TAGS.proposed, struct({ ...votedFields, parentDigest: digestCodec })],
  "prepare-voted": [RECORD_TAGS["prepare-voted"], struct(votedFields)],
  "commit-voted": [
    RECORD_TAGS["commit-voted"],
    struct({ certificate: preparedCertificateCodec, proposal: proposalCodec }),
  ],
  "entered-view": [RECORD_TAGS["entered-view"], struct({ height: heightCodec, view: viewCodec })],
  decided: [RECORD_TAGS.decided, struct({ height: heightCodec, digest: digestCodec })],
  abstained: [RECORD_TAGS.abstained, struct({ height: heightCodec })],
  recovered: [RECORD_TAGS.recovered, struct({ height: heightCodec })],
});
