/**
 * Facts that a replica reports, for logs and counters. The constant is the report's `code`; the
 * text says what happened.
 */
export const reportCodes = {
  CONSENSUS_VIEW_ENTERED: "A quorum wished for a higher view, and the replica entered it.",
  CONSENSUS_VIEW_TIMEOUT: "The view's timer ran out; the replica wishes for the next view.",
  CONSENSUS_WISH_RAISED: "An honest validator wishes for a higher view; our wish follows.",
  CONSENSUS_PROPOSAL_REFUSED: "A pre-prepare broke a protocol rule and was not accepted.",
  CONSENSUS_PROPOSAL_UNTIMELY: "A fresh proposal's timestamp is too far from our clock.",
  CONSENSUS_PROPOSAL_INVALID: "Validation refused a proposed block.",
  CONSENSUS_PROPOSAL_UNKNOWN: "A prepared block must be proposed again, but we never saw it.",
  CONSENSUS_REPROPOSED: "The primary proposes a block again that an earlier view prepared.",
  CONSENSUS_VIEW_CHANGE_REFUSED: "A view change does not prove what it claims.",
  CONSENSUS_CERTIFICATE_REFUSED: "A certificate does not have the shape of a quorum.",
  CONSENSUS_MESSAGE_BEYOND_WINDOW: "A message is for a height or view too far ahead to keep.",
  CONSENSUS_SENDER_UNKNOWN: "A message names a sender outside the validator list.",
  CONSENSUS_LATE_MESSAGE_ANSWERED: "A peer that is behind was sent our commit certificate.",
  CONSENSUS_EVIDENCE: "One validator signed two votes that exclude each other.",
  CONSENSUS_OWN_VOTE_UNKNOWN: "We met a vote of our own that our vote log does not know.",
  CONSENSUS_KEY_SHARED: "Another process was proven to sign with our key.",
  CONSENSUS_ABSTAINING: "The replica follows by certificates and does not vote.",
  CONSENSUS_RECOVERED:
    "Others witnessed the recovery of the lost vote log; the replica votes again.",
  CONSENSUS_PEER_AHEAD: "A proven certificate is ahead of us; block sync is asked for.",
  CONSENSUS_DECIDED: "A block is decided.",
} as const;

/** A code of `reportCodes`. */
export type ReportCode = keyof typeof reportCodes;
