import {
  certificateClaims,
  checkJustificationShape,
  type ValidatorSet,
  viewChangeClaim,
} from "@credlink/consensus-pbft/certificates";
import { type HistoryRecord, historyRecordCodec, type ProposalCheck } from "@credlink/ledger";
import { type Digest, equalBytes, type Height, tryDecode } from "@credlink/primitives";
import { certificateRequests } from "./certified-status.ts";
import type { ConsensusSignatures, SignatureRequest } from "./signature-memory.ts";

type Chain = { readonly chainId: string; readonly genesisDigest: Digest };

/** Every signature of a record with its signer's key; null when the record is not a proof. */
function requestsOf(
  { certificate, justification }: HistoryRecord,
  height: Height,
  set: ValidatorSet,
  chain: Chain,
): readonly SignatureRequest[] | null {
  const requests = certificateRequests(certificate, set, chain);
  if (requests === null || justification === null) return requests;
  const { view, digest } = certificate;
  const place = { height, view };
  const shape = checkJustificationShape(justification, place, set.validators.length);
  if (!shape.ok || (shape.value !== null && !equalBytes(shape.value, digest))) return null;
  const { chainId, genesisDigest } = chain;
  const context = { chainId, genesisDigest, validatorsHash: set.hash };
  const claims = justification.viewChanges.map((vote) => viewChangeClaim(vote, context));
  if (justification.prepared !== null) {
    claims.push(...certificateClaims("prepare", justification.prepared, context));
  }
  const more = claims.flatMap(({ index, message, signature }) => {
    const signer = set.validators[index];
    return signer === undefined ? [] : [{ publicKey: signer.publicKey, message, signature }];
  });
  return more.length === claims.length ? [...requests, ...more] : null;
}

/**
 * Judges the record of height − 2 that a block carries by the one certificate verifier. Most of
 * its signatures were seen as votes and cost nothing.
 */
export function createHistoryVerifier(
  chain: Chain,
  signatures: ConsensusSignatures,
): ProposalCheck["verifyHistory"] {
  return async (history, height, validators) => {
    const record = tryDecode(historyRecordCodec, history);
    if (!record.ok) return false;
    const requests = requestsOf(record.value, height, validators, chain);
    return requests !== null && (await signatures.verifyAll(requests, "consensus"));
  };
}
