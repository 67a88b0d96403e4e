/**
 * Evidence as it travels and stands in blocks: two votes of one signer that exclude each other, by
 * their signed fields only. @see docs/protocol/consensus.md §9
 */
import {
  accept,
  bytes,
  type Codec,
  compareBytes,
  type Digest,
  digestCodec,
  encode,
  equalBytes,
  type Height,
  heightCodec,
  nullable,
  type Result,
  refuse,
  struct,
  tryDecode,
  union,
  type ValidatorIndex,
  type View,
  validatorIndexCodec,
  viewCodec,
} from "@credlink/primitives";
import type { SignedVote, ViewChangeVote } from "./messages.ts";
import {
  proposedPayload,
  type SignatureClaim,
  type SignatureContext,
  signedPayload,
  viewChangeClaim,
} from "./signed-payloads.ts";

/** Largest encoding of a piece of evidence, bytes. */
export const MAX_EVIDENCE_BYTES = 512;

/** A block that was voted for, or proposed, and the signature under that. */
export interface SignedDigest {
  readonly digest: Digest;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** What a VIEW-CHANGE says of its sender's lock, and the signature under that. */
export type SignedClaim = Pick<ViewChangeVote, "preparedView" | "preparedDigest" | "signature">;

interface Place {
  readonly height: Height;
  readonly view: View;
  /** Index in V(height). */
  readonly sender: ValidatorIndex;
}

interface DoubleVote<T> {
  readonly type: T;
  readonly first: SignedDigest;
  readonly second: SignedDigest;
}

/**
 * What one validator signed twice. `first` and `second` are in ascending order of what they say,
 * so that a pair has one encoding but for its signatures.
 */
export type Evidence =
  /** Two proposals of one view on one parent. */
  | (Place & {
      readonly type: "pre-prepare";
      readonly parentDigest: Digest;
      readonly first: SignedDigest;
      readonly second: SignedDigest;
    })
  /** Two votes of one view for different blocks. */
  | (Place & DoubleVote<"prepare">)
  | (Place & DoubleVote<"commit">)
  /** Two entries of one view with different claims. */
  | (Place & {
      readonly type: "view-change";
      readonly first: SignedClaim;
      readonly second: SignedClaim;
    })
  /** A COMMIT of `view`, and the entry of a later view that denies it. */
  | (Place & {
      readonly type: "amnesia";
      readonly commit: SignedDigest;
      readonly later: SignedClaim & { readonly view: View };
    });

const placeFields = { height: heightCodec, view: viewCodec, sender: validatorIndexCodec };
const signature = bytes(64);
const digestFields = { digest: digestCodec, signature };
const claimFields = {
  preparedView: nullable(viewCodec),
  preparedDigest: nullable(digestCodec),
  signature,
};
const signedDigestCodec: Codec<SignedDigest> = struct(digestFields);
const signedClaimCodec: Codec<SignedClaim> = struct(claimFields);
const pairOfDigests = { first: signedDigestCodec, second: signedDigestCodec };

/** Kinds of evidence; a tag is never given to another kind. */
export const EVIDENCE_TAGS = {
  "pre-prepare": 1,
  prepare: 2,
  commit: 3,
  "view-change": 5,
  amnesia: 7,
} as const satisfies Record<Evidence["type"], number>;

export const evidenceCodec: Codec<Evidence> = union<Evidence>({
  "pre-prepare": [
    EVIDENCE_TAGS["pre-prepare"],
    struct({ ...placeFields, parentDigest: digestCodec, ...pairOfDigests }),
  ],
  prepare: [EVIDENCE_TAGS.prepare, struct({ ...placeFields, ...pairOfDigests })],
  commit: [EVIDENCE_TAGS.commit, struct({ ...placeFields, ...pairOfDigests })],
  "view-change": [
    EVIDENCE_TAGS["view-change"],
    struct({ ...placeFields, first: signedClaimCodec, second: signedClaimCodec }),
  ],
  amnesia: [
    EVIDENCE_TAGS.amnesia,
    struct({
      ...placeFields,
      commit: signedDigestCodec,
      later: struct({ view: viewCodec, ...claimFields }),
    }),
  ],
});

/** Order of claims: none prepared first, then by view, then by digest. */
function compareClaims(a: SignedClaim, b: SignedClaim): number {
  const views = (a.preparedView ?? -1) - (b.preparedView ?? -1);
  const none = new Uint8Array(0);
  return views || compareBytes(a.preparedDigest ?? none, b.preparedDigest ?? none);
}

/** Whether a later VIEW-CHANGE denies having prepared as far as a COMMIT of `view` says. */
export function deniesCommit(
  view: View,
  later: Pick<ViewChangeVote, "view" | "preparedView">,
): boolean {
  return later.view > view && (later.preparedView === null || later.preparedView < view);
}

type Ordered<T> = { readonly first: T; readonly second: T } | null;

function ordered<T>(a: T, b: T, compare: (a: T, b: T) => number): Ordered<T> {
  const order = compare(a, b);
  if (order === 0) return null;
  return order < 0 ? { first: a, second: b } : { first: b, second: a };
}

const digestOf = ({ digest, signature }: SignedDigest): SignedDigest => ({ digest, signature });
const claimOf = ({ preparedView, preparedDigest, signature }: SignedClaim): SignedClaim => ({
  preparedView,
  preparedDigest,
  signature,
});
const compareDigests = (a: SignedDigest, b: SignedDigest): number =>
  compareBytes(a.digest, b.digest);

/** The evidence that two votes are, or null when one signer may have signed both. */
export function evidenceOf(one: SignedVote, other: SignedVote): Evidence | null {
  if (one.sender !== other.sender || one.height !== other.height) return null;
  if (one.type === "view-change" && other.type === "commit") return evidenceOf(other, one);
  const { height, view, sender } = one;
  const place = { height, view, sender };
  if (one.type === "commit" && other.type === "view-change") {
    if (!deniesCommit(view, other)) return null;
    const later = { view: other.view, ...claimOf(other) };
    return { type: "amnesia", ...place, commit: digestOf(one), later };
  }
  if (one.view !== other.view) return null;
  if (one.type === "view-change" && other.type === "view-change") {
    const pair = ordered(claimOf(one), claimOf(other), compareClaims);
    return pair === null ? null : { type: "view-change", ...place, ...pair };
  }
  if (one.type === "pre-prepare" && other.type === "pre-prepare") {
    const { parentDigest } = one;
    if (!equalBytes(parentDigest, other.parentDigest)) return null;
    const pair = ordered(digestOf(one), digestOf(other), compareDigests);
    return pair === null ? null : { type: "pre-prepare", ...place, parentDigest, ...pair };
  }
  if (one.type !== other.type || (one.type !== "prepare" && one.type !== "commit")) return null;
  if (other.type !== "prepare" && other.type !== "commit") return null;
  const pair = ordered(digestOf(one), digestOf(other), compareDigests);
  return pair === null ? null : { type: one.type, ...place, ...pair };
}

/** The canonical bytes of a piece of evidence. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  return encode(evidenceCodec, evidence);
}

/** Decodes evidence from a peer or a block; size first, then shape. Nothing else is judged. */
export function decodeEvidence(
  input: Uint8Array,
): Result<Evidence, "CONSENSUS_EVIDENCE_MALFORMED"> {
  const decoded = tryDecode(evidenceCodec, input, { maxBytes: MAX_EVIDENCE_BYTES });
  return decoded.ok ? decoded : refuse("CONSENSUS_EVIDENCE_MALFORMED", decoded.detail);
}

/** Why evidence is no proof. */
export type EvidenceCode =
  | "CONSENSUS_EVIDENCE_MALFORMED"
  | "CONSENSUS_EVIDENCE_NO_CONFLICT"
  | "CONSENSUS_CERTIFICATE_SIGNATURE";

/**
 * Whether the two votes exclude each other, recomputed from what they say. Two signatures under
 * equal fields are no conflict: SM2 is randomised and votes are sent again. Signatures are not
 * checked here.
 */
export function checkEvidenceShape(
  evidence: Evidence,
  validatorCount: number,
): Result<null, "CONSENSUS_EVIDENCE_MALFORMED" | "CONSENSUS_EVIDENCE_NO_CONFLICT"> {
  if (evidence.sender >= validatorCount) {
    return refuse("CONSENSUS_EVIDENCE_MALFORMED", "no such index");
  }
  if (evidence.type === "amnesia") {
    const isDenied = deniesCommit(evidence.view, evidence.later);
    return isDenied ? accept(null) : refuse("CONSENSUS_EVIDENCE_NO_CONFLICT", evidence.type);
  }
  const order =
    evidence.type === "view-change"
      ? compareClaims(evidence.first, evidence.second)
      : compareDigests(evidence.first, evidence.second);
  if (order === 0) return refuse("CONSENSUS_EVIDENCE_NO_CONFLICT", evidence.type);
  return order < 0 ? accept(null) : refuse("CONSENSUS_EVIDENCE_MALFORMED", "not ascending");
}

/**
 * Both signatures that must verify for the evidence to stand, under the signer's key in V(h).
 *
 * @param context `validatorsHash` is that of V(evidence.height).
 */
export function evidenceClaims(
  evidence: Evidence,
  context: SignatureContext,
): readonly SignatureClaim[] {
  const { height, view, sender } = evidence;
  const place = { height, view, sender };
  const claimed = (at: View, claim: SignedClaim): SignatureClaim =>
    viewChangeClaim({ ...place, view: at, ...claim }, context);
  const voted = (type: "prepare" | "commit", { digest, signature }: SignedDigest) => ({
    index: sender,
    message: signedPayload(context, { type, ...place, digest }),
    signature,
  });
  switch (evidence.type) {
    case "prepare":
    case "commit":
      return [voted(evidence.type, evidence.first), voted(evidence.type, evidence.second)];
    case "view-change":
      return [claimed(view, evidence.first), claimed(view, evidence.second)];
    case "amnesia":
      return [voted("commit", evidence.commit), claimed(evidence.later.view, evidence.later)];
    case "pre-prepare":
      return [evidence.first, evidence.second].map(({ digest, signature }) => ({
        index: sender,
        message: proposedPayload(context, {
          ...place,
          parentDigest: evidence.parentDigest,
          digest,
        }),
        signature,
      }));
  }
}
