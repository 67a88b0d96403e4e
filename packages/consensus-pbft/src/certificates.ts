/**
 * The one verifier of certificates and justifications, for replica, ledger, sync and clients.
 */
import {
  accept,
  type Digest,
  equalBytes,
  type Height,
  type Result,
  refuse,
  type View,
} from "@credlink/primitives";
import type {
  CommitCertificate,
  IndexedSignature,
  Justification,
  PreparedCertificate,
  ViewChangeVote,
} from "./messages.ts";
import { quorum } from "./quorum.ts";
import {
  checkEvidenceShape,
  type Evidence,
  type EvidenceCode,
  evidenceClaims,
} from "./signed-evidence.ts";
import {
  type ChainContext,
  certificateClaims,
  type SignatureClaim,
  type SignatureContext,
  viewChangeClaim,
} from "./signed-payloads.ts";
import type { ValidatorSet } from "./validator-set.ts";

export { commitCertificateCodec, preparedCertificateCodec } from "./codecs.ts";
export * from "./messages.ts";
export { faultBound, honestOne, quorum } from "./quorum.ts";
export * from "./rotation.ts";
export * from "./signed-evidence.ts";
export * from "./signed-payloads.ts";
export * from "./validator-set.ts";

/** SM2 verification: never throws, false for anything malformed. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean;

/** Why a certificate is refused. */
export type CertificateCode =
  | "CONSENSUS_CERTIFICATE_MALFORMED"
  | "CONSENSUS_CERTIFICATE_QUORUM"
  | "CONSENSUS_CERTIFICATE_SIGNATURE";

/** Why a justification is refused. */
export type JustificationCode =
  | CertificateCode
  | "CONSENSUS_JUSTIFICATION_QUORUM"
  | "CONSENSUS_JUSTIFICATION_MISMATCH"
  | "CONSENSUS_JUSTIFICATION_NOT_HIGHEST";

/**
 * Counts a certificate: signers ascending (so distinct), each below `validatorCount`, a quorum at
 * least. What is counted are indices, never signatures: one key can make any number of those.
 */
export function checkCertificateShape(
  certificate: { readonly signatures: readonly IndexedSignature[] },
  validatorCount: number,
): Result<null, "CONSENSUS_CERTIFICATE_MALFORMED" | "CONSENSUS_CERTIFICATE_QUORUM"> {
  const signers = new Set<number>();
  let previous = -1;
  for (const { index } of certificate.signatures) {
    if (index <= previous) return refuse("CONSENSUS_CERTIFICATE_MALFORMED", "not ascending");
    if (index >= validatorCount) return refuse("CONSENSUS_CERTIFICATE_MALFORMED", "no such index");
    previous = index;
    signers.add(index);
  }
  if (signers.size < quorum(validatorCount)) {
    return refuse("CONSENSUS_CERTIFICATE_QUORUM", `${signers.size} of ${validatorCount}`);
  }
  return accept(null);
}

function contextOf(set: ValidatorSet, context: ChainContext): SignatureContext {
  const { chainId, genesisDigest } = context;
  return { chainId, genesisDigest, validatorsHash: set.hash };
}

function checkClaims(
  claims: readonly SignatureClaim[],
  set: ValidatorSet,
  verify: VerifySignature,
): Result<null, "CONSENSUS_CERTIFICATE_SIGNATURE"> {
  for (const { index, message, signature } of claims) {
    const signer = set.validators[index];
    if (signer === undefined || !verify(signer.publicKey, message, signature)) {
      return refuse("CONSENSUS_CERTIFICATE_SIGNATURE", `of validator ${index}`);
    }
  }
  return accept(null);
}

/**
 * Whether q of V(h) sent COMMIT for the certificate's digest in its view.
 *
 * @param set V(certificate.height).
 */
export function verifyCommitCertificate(
  certificate: CommitCertificate,
  set: ValidatorSet,
  context: ChainContext,
  verify: VerifySignature,
): Result<null, CertificateCode> {
  const shape = checkCertificateShape(certificate, set.validators.length);
  if (!shape.ok) return shape;
  const claims = certificateClaims("commit", certificate, contextOf(set, context));
  return checkClaims(claims, set, verify);
}

/**
 * Whether q of V(h) sent PREPARE for the certificate's digest in its view.
 *
 * @param set V(certificate.height).
 */
export function verifyPreparedCertificate(
  certificate: PreparedCertificate,
  set: ValidatorSet,
  context: ChainContext,
  verify: VerifySignature,
): Result<null, CertificateCode> {
  const shape = checkCertificateShape(certificate, set.validators.length);
  if (!shape.ok) return shape;
  const claims = certificateClaims("prepare", certificate, contextOf(set, context));
  return checkClaims(claims, set, verify);
}

/** Whether a view change's prepared view and digest make sense together and for its view. */
function isCoherent(vote: ViewChangeVote): boolean {
  if (vote.preparedView === null) return vote.preparedDigest === null;
  return vote.preparedDigest !== null && vote.preparedView < vote.view;
}

/**
 * Whether a view change proves what it claims: the certificate is for exactly its height,
 * prepared view and digest. Signatures are not checked here.
 */
export function checkViewChangeShape(
  vote: ViewChangeVote & { readonly prepared: PreparedCertificate | null },
  validatorCount: number,
): Result<null, JustificationCode> {
  if (!isCoherent(vote)) return refuse("CONSENSUS_JUSTIFICATION_MISMATCH", "incoherent claim");
  const { prepared, preparedView, preparedDigest } = vote;
  if (preparedDigest === null || prepared === null) {
    if (preparedDigest === null && prepared === null) return accept(null);
    return refuse("CONSENSUS_JUSTIFICATION_MISMATCH", "claim and certificate do not go together");
  }
  const fits =
    prepared.height === vote.height &&
    prepared.view === preparedView &&
    equalBytes(prepared.digest, preparedDigest);
  if (!fits) return refuse("CONSENSUS_JUSTIFICATION_MISMATCH", "certificate of something else");
  return checkCertificateShape(prepared, validatorCount);
}

/** Highest prepared view that any of the view changes names, or null. */
export function highestPreparedView(votes: readonly ViewChangeVote[]): View | null {
  let highest: View | null = null;
  for (const { preparedView } of votes) {
    if (preparedView !== null && (highest === null || preparedView > highest)) {
      highest = preparedView;
    }
  }
  return highest;
}

/**
 * Recomputes what a justification obliges the primary of (height, view) to propose: the digest of
 * the highest prepared certificate among q distinct view changes, or null for a fresh block.
 * A receiver's own lock does not matter: were it for a committed block, the highest certificate
 * of any q view changes would be for the same block. Signatures are not checked here.
 */
export function checkJustificationShape(
  justification: Justification,
  place: { readonly height: Height; readonly view: View },
  validatorCount: number,
): Result<Digest | null, JustificationCode> {
  const { viewChanges, prepared } = justification;
  const senders = new Set<number>();
  let previous = -1;
  for (const vote of viewChanges) {
    if (vote.sender <= previous || vote.sender >= validatorCount) {
      return refuse("CONSENSUS_JUSTIFICATION_QUORUM", "senders not distinct and ascending");
    }
    previous = vote.sender;
    senders.add(vote.sender);
    const fits = vote.height === place.height && vote.view === place.view && isCoherent(vote);
    if (!fits) return refuse("CONSENSUS_JUSTIFICATION_MISMATCH", `view change of ${vote.sender}`);
  }
  if (senders.size < quorum(validatorCount)) {
    return refuse("CONSENSUS_JUSTIFICATION_QUORUM", `${senders.size} of ${validatorCount}`);
  }
  const highest = highestPreparedView(viewChanges);
  if (highest === null || prepared === null) {
    if (highest === null && prepared === null) return accept(null);
    return refuse("CONSENSUS_JUSTIFICATION_NOT_HIGHEST", "certificate missing or superfluous");
  }
  if (prepared.height !== place.height || prepared.view !== highest) {
    return refuse("CONSENSUS_JUSTIFICATION_NOT_HIGHEST", `highest prepared view is ${highest}`);
  }
  for (const { preparedView, preparedDigest } of viewChanges) {
    if (preparedView !== highest || preparedDigest === null) continue;
    if (!equalBytes(preparedDigest, prepared.digest)) {
      return refuse("CONSENSUS_JUSTIFICATION_NOT_HIGHEST", "two digests in the highest view");
    }
  }
  const shape = checkCertificateShape(prepared, validatorCount);
  return shape.ok ? accept(prepared.digest) : shape;
}

/**
 * `checkJustificationShape` and every signature inside.
 *
 * @param set V(place.height).
 * @returns the digest that must be proposed, or null when a fresh block may be.
 */
export function verifyJustification(
  justification: Justification,
  place: { readonly height: Height; readonly view: View },
  set: ValidatorSet,
  context: ChainContext,
  verify: VerifySignature,
): Result<Digest | null, JustificationCode> {
  const shape = checkJustificationShape(justification, place, set.validators.length);
  if (!shape.ok) return shape;
  const signed = contextOf(set, context);
  const { viewChanges, prepared } = justification;
  const claims = viewChanges.map((vote) => viewChangeClaim(vote, signed));
  if (prepared !== null) claims.push(...certificateClaims("prepare", prepared, signed));
  const signatures = checkClaims(claims, set, verify);
  return signatures.ok ? shape : signatures;
}

/**
 * Whether one validator signed both of two votes that exclude each other.
 *
 * @param set V(evidence.height): its hash is part of what was signed, so that no vote of another
 *   list, or chain, counts.
 */
export function verifyEvidence(
  evidence: Evidence,
  set: ValidatorSet,
  context: ChainContext,
  verify: VerifySignature,
): Result<null, EvidenceCode> {
  const shape = checkEvidenceShape(evidence, set.validators.length);
  if (!shape.ok) return shape;
  return checkClaims(evidenceClaims(evidence, contextOf(set, context)), set, verify);
}
