import { type CommitCertificate, decodeMessage, type Message } from "@credlink/consensus-pbft";
import {
  certificateClaims,
  checkCertificateShape,
  type ValidatorSet,
} from "@credlink/consensus-pbft/certificates";
import { type ConsensusLedger, headerDigest } from "@credlink/ledger";
import { accept, type Digest, equalBytes, type Result, refuse } from "@credlink/primitives";
import type { Status } from "./protocols.ts";
import type { ConsensusSignatures, SignatureRequest } from "./signature-memory.ts";

/** The signatures of a certificate with their signers' keys; null when its shape is wrong. */
export function certificateRequests(
  certificate: CommitCertificate,
  set: ValidatorSet,
  chain: { readonly chainId: string; readonly genesisDigest: Digest },
): readonly SignatureRequest[] | null {
  if (!checkCertificateShape(certificate, set.validators.length).ok) return null;
  const { chainId, genesisDigest } = chain;
  const context = { chainId, genesisDigest, validatorsHash: set.hash };
  return certificateClaims("commit", certificate, context).flatMap((claim) => {
    const signer = set.validators[claim.index];
    if (signer === undefined) return [];
    return [{ publicKey: signer.publicKey, message: claim.message, signature: claim.signature }];
  });
}

/** How far a status is to be believed. */
export type StatusVerdict =
  /** The certificate verifies under a validator list that we know. */
  | "proven"
  /** Too far ahead to be judged yet: worth asking for blocks, nothing more. */
  | "hint";

/** Judges a peer's claim of a head. Refusals are lies, or another chain. */
export async function judgeStatus(
  status: Status,
  ledger: ConsensusLedger,
  signatures: ConsensusSignatures,
): Promise<Result<StatusVerdict, "NODE_SYNC_INVALID_STATUS">> {
  const { header, certificate, height } = status;
  if (!equalBytes(status.genesisDigest, ledger.genesisDigest)) {
    return refuse("NODE_SYNC_INVALID_STATUS", "another chain");
  }
  if (height === 0) return accept("proven");
  if (header === null || certificate === null) {
    return refuse("NODE_SYNC_INVALID_STATUS", "no certificate");
  }
  const isCoherent =
    header.height === height &&
    certificate.height === height &&
    equalBytes(certificate.digest, headerDigest(header));
  if (!isCoherent) return refuse("NODE_SYNC_INVALID_STATUS", "certificate of something else");
  const set = ledger.validatorsAt(height);
  if (set === null) return accept("hint");
  const requests = certificateRequests(certificate, set, ledger);
  if (requests === null || !(await signatures.verifyAll(requests, "sync"))) {
    return refuse("NODE_SYNC_INVALID_STATUS", "certificate does not verify");
  }
  return accept("proven");
}

/** Our own status, with what we saw last of the peer it goes to. */
export function ownStatus(ledger: ConsensusLedger, seenVote: Uint8Array | null): Status {
  const { header } = ledger.head;
  const { height } = header;
  const { genesisDigest } = ledger;
  const certificate = height === 0 ? null : ledger.certificate(height);
  return {
    genesisDigest,
    height,
    header: certificate === null ? null : header,
    certificate,
    seenVote,
  };
}

/** A vote that a peer shows us as our own; null unless it is one. Signature not checked here. */
export function decodeSeenVote(bytes: Uint8Array | null): Message | null {
  if (bytes === null) return null;
  const decoded = decodeMessage(bytes);
  if (!decoded.ok) return null;
  const { type } = decoded.value;
  return type === "prepare" || type === "commit" || type === "view-change" ? decoded.value : null;
}
