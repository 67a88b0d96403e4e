/** One value of every format, with small and recognisable contents. */
import {
  type Digest,
  digest,
  height,
  type ValidatorIndex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import type {
  Justification,
  Message,
  PreparedCertificate,
  Proposal,
  ViewChangeVote,
} from "../../src/messages.ts";
import type { Evidence, SignedClaim } from "../../src/signed-evidence.ts";

export function filled(byte: number): Digest {
  return digest(new Uint8Array(32).fill(byte));
}

export function signatureOf(byte: number): Uint8Array {
  return new Uint8Array(64).fill(byte);
}

const h = height(9);
const index = (value: number): ValidatorIndex => validatorIndex(value);

export const exampleProposal: Proposal = {
  digest: filled(2),
  parentDigest: filled(3),
  height: h,
  proposer: index(1),
  timestampMs: 1_700_000_000_000,
  validatorsHash: filled(4),
  nextValidatorsHash: filled(5),
  transactionCount: 2,
  sizeBytes: 300,
  payload: Uint8Array.of(1, 2, 3),
};

export const exampleCertificate: PreparedCertificate = {
  height: h,
  view: view(0),
  digest: filled(2),
  signatures: [0, 1, 2].map((at) => ({ index: index(at), signature: signatureOf(at) })),
};

function viewChangeVote(sender: number, isPrepared: boolean): ViewChangeVote {
  return {
    height: h,
    view: view(1),
    preparedView: isPrepared ? view(0) : null,
    preparedDigest: isPrepared ? filled(2) : null,
    sender: index(sender),
    signature: signatureOf(16 + sender),
  };
}

export const exampleJustification: Justification = {
  viewChanges: [viewChangeVote(0, true), viewChangeVote(1, false), viewChangeVote(3, true)],
  prepared: exampleCertificate,
};

const place = { height: h, view: view(1), sender: index(2), signature: signatureOf(7) };

/** Named messages, one of each type and variant. */
export const exampleMessages: Readonly<Record<string, Message>> = {
  "pre-prepare": {
    type: "pre-prepare",
    ...place,
    parentDigest: filled(3),
    digest: filled(2),
    proposal: exampleProposal,
    transactions: [Uint8Array.of(9, 9), Uint8Array.of()],
    justification: exampleJustification,
  },
  "pre-prepare of view 0": {
    type: "pre-prepare",
    ...place,
    view: view(0),
    parentDigest: filled(3),
    digest: filled(2),
    proposal: exampleProposal,
    transactions: [],
    justification: null,
  },
  prepare: { type: "prepare", ...place, digest: filled(2) },
  commit: { type: "commit", ...place, digest: filled(2) },
  wish: { type: "wish", ...place },
  "view-change": {
    type: "view-change",
    ...viewChangeVote(2, true),
    prepared: exampleCertificate,
  },
  "view-change without certificate": {
    type: "view-change",
    ...viewChangeVote(2, false),
    prepared: null,
  },
  decided: { type: "decided", certificate: exampleCertificate, proposal: exampleProposal },
  "decided without proposal": {
    type: "decided",
    certificate: exampleCertificate,
    proposal: null,
  },
};

const claim = (prepared: number | null): SignedClaim => ({
  preparedView: prepared === null ? null : view(prepared),
  preparedDigest: prepared === null ? null : filled(2),
  signature: signatureOf(16),
});
const guilty = { height: h, view: view(1), sender: index(2) };
const pair = {
  first: { digest: filled(2), signature: signatureOf(7) },
  second: { digest: filled(4), signature: signatureOf(8) },
};

/** One piece of evidence of each kind. */
export const exampleEvidence: Readonly<Record<Evidence["type"], Evidence>> = {
  "pre-prepare": { type: "pre-prepare", ...guilty, parentDigest: filled(3), ...pair },
  prepare: { type: "prepare", ...guilty, ...pair },
  commit: { type: "commit", ...guilty, ...pair },
  "view-change": { type: "view-change", ...guilty, first: claim(null), second: claim(0) },
  amnesia: { type: "amnesia", ...guilty, commit: pair.first, later: { view: view(2), ...claim(0) } },
};
