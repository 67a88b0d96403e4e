import { AppError, defineErrors } from "@credlink/primitives";

/** What this package refuses, fails with, or halts on. */
export const consensusErrors = defineErrors({
  CONSENSUS_VALIDATORS_INVALID: {
    meaning: "A validator list is empty, too long, or names a node, key or peer id twice.",
    remedy: "Correct the validators in genesis or in the validator contract's call.",
  },
  CONSENSUS_NOT_BYZANTINE_TOLERANT: {
    meaning: "Two or three validators tolerate no fault, and that was not asked for explicitly.",
    remedy: "Run at least four validators, or set allowNonByzantine for development.",
  },
  CONSENSUS_MESSAGE_TOO_LARGE: {
    meaning: "A consensus message is larger than the limit of its type.",
    remedy: "Check that both nodes run the same protocol version and block limits.",
  },
  CONSENSUS_MESSAGE_MALFORMED: {
    meaning: "A consensus message is not a canonical encoding of any known type.",
    remedy: "Check that both nodes run the same protocol version.",
  },
  CONSENSUS_CERTIFICATE_MALFORMED: {
    meaning: "A certificate's signatures are not ascending by index, or name an unknown index.",
    remedy: "Fetch the certificate from another node.",
  },
  CONSENSUS_CERTIFICATE_QUORUM: {
    meaning: "A certificate has fewer distinct signers than the quorum of its validator list.",
    remedy: "Fetch the certificate from another node.",
  },
  CONSENSUS_CERTIFICATE_SIGNATURE: {
    meaning: "A signature inside a certificate or justification does not verify.",
    remedy: "Fetch it from another node; check chain id and genesis of both.",
  },
  CONSENSUS_JUSTIFICATION_MISSING: {
    meaning: "A proposal above view 0 has no justification, or one of view 0 has one.",
    remedy: "Check the primary of that view: it does not follow the protocol.",
  },
  CONSENSUS_JUSTIFICATION_QUORUM: {
    meaning: "A justification has too few view changes, or not of distinct ascending senders.",
    remedy: "Check the primary of that view: it does not follow the protocol.",
  },
  CONSENSUS_JUSTIFICATION_MISMATCH: {
    meaning:
      "A view change in a justification is for another height or view, or contradicts itself.",
    remedy: "Check the primary of that view: it does not follow the protocol.",
  },
  CONSENSUS_JUSTIFICATION_NOT_HIGHEST: {
    meaning: "A justification's prepared certificate is not the highest that its senders named.",
    remedy: "Check the primary of that view: it tried to override a prepared block.",
  },
  CONSENSUS_JUSTIFICATION_OTHER_BLOCK: {
    meaning: "A proposal is not the block that its justification obliges it to be.",
    remedy: "Check the primary of that view: it tried to override a prepared block.",
  },
  CONSENSUS_EVIDENCE_MALFORMED: {
    meaning: "Evidence is not the canonical encoding of a pair, or names an unknown validator.",
    remedy: "Look at the node it came from: an honest node never sends this.",
  },
  CONSENSUS_EVIDENCE_NO_CONFLICT: {
    meaning: "The two votes of a piece of evidence do not exclude each other.",
    remedy: "Look at the node it came from: it tried to convict an honest validator.",
  },
  CONSENSUS_EXECUTION_DIVERGED: {
    meaning:
      "A quorum committed a block that this node's own validation refused; it stopped voting.",
    remedy: "Compare software versions and state roots with other nodes; restore this node.",
  },
  CONSENSUS_FORK_DETECTED: {
    meaning:
      "Two different blocks of one height are proven decided: more validators are faulty " +
      "than the protocol tolerates.",
    remedy: "Stop the network, read the evidence, and decide in governance which branch stands.",
  },
  CONSENSUS_VOTE_LOG_IDENTITY: {
    meaning: "A vote log segment belongs to another chain, key or format version.",
    remedy: "Point the node at its own data folder; never copy vote logs between nodes.",
  },
});

/** A code of `consensusErrors`. */
export type ConsensusErrorCode = keyof typeof consensusErrors;

/** A replica or validator list could not be made. */
export class ConsensusError extends AppError<{ readonly code: ConsensusErrorCode }> {}
