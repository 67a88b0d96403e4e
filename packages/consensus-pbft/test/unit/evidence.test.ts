import {
  digest,
  encode,
  height,
  type ValidatorIndex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  createValidatorSet,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  evidenceCodec,
  evidenceOf,
  MAX_EVIDENCE_BYTES,
  type SignableMessage,
  signedPayload,
  type ValidatorSet,
  verifyEvidence,
} from "../../src/certificates.ts";
import { fakeSignature, fakeValidator, verifyFakeSignature } from "../../src/compliance.ts";
import type { SignedVote } from "../../src/messages.ts";
import { exampleProposal, filled, signatureOf } from "../vectors/examples.ts";

const set = createValidatorSet([0, 1, 2, 3].map(fakeValidator));
const chain = { chainId: "test", genesisDigest: filled(1) };
const h = height(5);
const signer: ValidatorIndex = validatorIndex(2);
let nonce = 0;

function signed<M extends SignableMessage>(message: M, of: ValidatorSet = set, under = chain) {
  const payload = signedPayload({ ...under, validatorsHash: of.hash }, message);
  const key = fakeValidator(message.sender).publicKey;
  return { ...message, signature: fakeSignature(key, payload, ++nonce) };
}

const place = { height: h, view: view(1), sender: signer };
const prepare = (byte: number, at = place) =>
  signed({ type: "prepare", ...at, digest: filled(byte) });
const commit = (byte: number, at = place) =>
  signed({ type: "commit", ...at, digest: filled(byte) });
const prePrepare = (byte: number, parent = 3) =>
  signed({
    type: "pre-prepare",
    ...place,
    parentDigest: filled(parent),
    digest: filled(byte),
    proposal: exampleProposal,
    transactions: [new Uint8Array(9)],
    justification: null,
  });
const entry = (at: number, prepared: number | null, byte = 7) =>
  signed({
    type: "view-change",
    ...place,
    view: view(at),
    preparedView: prepared === null ? null : view(prepared),
    preparedDigest: prepared === null ? null : filled(byte),
    prepared: null,
  });

const judge = (evidence: Evidence, of = set, under = chain) => {
  const verdict = verifyEvidence(evidence, of, under, verifyFakeSignature);
  return verdict.ok ? "ok" : verdict.code;
};
const must = (one: SignedVote, other: SignedVote): Evidence => {
  const evidence = evidenceOf(one, other);
  if (evidence === null) throw new Error("the votes exclude each other");
  return evidence;
};

const guilty: readonly (readonly [string, () => readonly [SignedVote, SignedVote]])[] = [
  ["two proposals on one parent", () => [prePrepare(1), prePrepare(2)]],
  ["two PREPAREs of one view", () => [prepare(1), prepare(2)]],
  ["two COMMITs of one view", () => [commit(1), commit(2)]],
  ["two entries of one view, prepared or not", () => [entry(4, 1), entry(4, null)]],
  ["two entries of one view, other views prepared", () => [entry(4, 1), entry(4, 2)]],
  ["two entries of one view, other blocks prepared", () => [entry(4, 1, 7), entry(4, 1, 8)]],
  ["COMMIT, then an entry that knows of nothing", () => [commit(1), entry(2, null)]],
  ["COMMIT, then an entry that knows of less", () => [commit(1), entry(3, 0)]],
];

const innocent: readonly (readonly [string, () => readonly [SignedVote, SignedVote]])[] = [
  ["a vote and the same vote again, signed anew", () => [prepare(1), prepare(1)]],
  ["a proposal sent again", () => [prePrepare(1), prePrepare(1)]],
  ["an entry sent again", () => [entry(4, 1), entry(4, 1)]],
  ["overlap: proposals on two parents", () => [prePrepare(1, 3), prePrepare(2, 4)]],
  ["PREPARE and COMMIT of different blocks", () => [prepare(1), commit(2)]],
  ["votes of two views", () => [prepare(1), prepare(2, { ...place, view: view(2) })]],
  ["votes of two heights", () => [commit(1), commit(2, { ...place, height: height(6) })]],
  ["votes of two signers", () => [commit(1), commit(2, { ...place, sender: validatorIndex(1) })]],
  ["entries of two views", () => [entry(4, 1), entry(5, 2)]],
  ["COMMIT, then an entry that says so", () => [commit(1), entry(2, 1)]],
  ["COMMIT, then an entry that knows of more", () => [commit(1), entry(4, 3)]],
  ["an entry, then COMMIT in that view", () => [entry(1, null), commit(1)]],
];

describe("evidence", () => {
  test.each(guilty)("%s: proven, in either order, below the cap", (_name, votes) => {
    const [one, other] = votes();
    const evidence = must(one, other);
    expect(judge(evidence)).toBe("ok");
    const bytes = encodeEvidence(evidence);
    expect(bytes.length).toBeLessThanOrEqual(MAX_EVIDENCE_BYTES);
    expect(decodeEvidence(bytes)).toEqual({ ok: true, value: evidence });
    expect(encodeEvidence(must(other, one))).toEqual(bytes);
  });

  test.each(innocent)("%s: no evidence", (_name, votes) => {
    const [one, other] = votes();
    expect(evidenceOf(one, other)).toBe(null);
    expect(evidenceOf(other, one)).toBe(null);
  });

  test("two signatures under equal fields convict nobody, though both verify", () => {
    const [first, second] = [commit(1), commit(1)];
    expect(first.signature).not.toEqual(second.signature);
    const forged: Evidence = { type: "commit", ...place, first, second };
    expect(judge(forged)).toBe("CONSENSUS_EVIDENCE_NO_CONFLICT");
    const claims = [entry(4, 1), entry(4, 1)] as const;
    const entries: Evidence = {
      type: "view-change",
      ...place,
      view: view(4),
      first: claims[0],
      second: claims[1],
    };
    expect(judge(entries)).toBe("CONSENSUS_EVIDENCE_NO_CONFLICT");
  });

  test("amnesia needs a later view, and a claim below the COMMIT's view", () => {
    const voted = commit(1, { ...place, view: view(3) });
    const amnesia = (at: number, prepared: number | null): Evidence => {
      const { signature, preparedView, preparedDigest } = entry(at, prepared);
      const later = { view: view(at), preparedView, preparedDigest, signature };
      return { type: "amnesia", ...place, view: view(3), commit: voted, later };
    };
    expect(judge(amnesia(4, 2))).toBe("ok");
    expect(judge(amnesia(4, null))).toBe("ok");
    for (const [at, prepared] of [
      [4, 3],
      [9, 5],
      [3, null],
      [2, 1],
    ] as const) {
      expect(judge(amnesia(at, prepared))).toBe("CONSENSUS_EVIDENCE_NO_CONFLICT");
    }
  });

  test("a vote of another signer, chain or validator list convicts nobody", () => {
    const evidence = must(commit(1), commit(2));
    const refused = "CONSENSUS_CERTIFICATE_SIGNATURE";
    expect(judge({ ...evidence, sender: validatorIndex(1) })).toBe(refused);
    expect(judge(evidence, set, { ...chain, chainId: "other" })).toBe(refused);
    expect(judge(evidence, set, { ...chain, genesisDigest: filled(2) })).toBe(refused);
    const later = createValidatorSet([0, 1, 2].map(fakeValidator));
    expect(judge(evidence, later)).toBe(refused);
    expect(judge({ ...evidence, sender: validatorIndex(4) })).toBe("CONSENSUS_EVIDENCE_MALFORMED");
    const stranger = signed({ type: "commit", ...place, digest: filled(2) }, later);
    expect(judge(must(commit(1), stranger))).toBe(refused);
  });

  test("every signed field is bound: height, view, kind, digests, parent, claims", () => {
    const refused = "CONSENSUS_CERTIFICATE_SIGNATURE";
    for (const [, votes] of guilty) {
      const [one, other] = votes();
      const evidence = must(one, other);
      expect(judge({ ...evidence, height: height(6) })).toBe(refused);
      if (evidence.type === "amnesia") {
        const { later } = evidence;
        expect(judge({ ...evidence, view: view(0) })).not.toBe("ok");
        expect(judge({ ...evidence, later: { ...later, view: view(9) } })).toBe(refused);
        expect(judge({ ...evidence, commit: { ...evidence.commit, digest: filled(9) } })).toBe(
          refused,
        );
        continue;
      }
      expect(judge({ ...evidence, view: view(7) })).toBe(refused);
      if (evidence.type === "prepare") expect(judge({ ...evidence, type: "commit" })).toBe(refused);
      if (evidence.type === "pre-prepare") {
        expect(judge({ ...evidence, parentDigest: filled(9) })).toBe(refused);
      }
      if (evidence.type !== "view-change") {
        expect(judge({ ...evidence, second: { ...evidence.second, digest: filled(9) } })).toBe(
          refused,
        );
      }
    }
  });

  test("a pair in the other order is another encoding of the same: refused", () => {
    for (const [, votes] of guilty) {
      const [one, other] = votes();
      const evidence = must(one, other);
      if (evidence.type === "amnesia") continue;
      const { first, second } = evidence;
      const turned = { ...evidence, first: second, second: first } as Evidence;
      expect(judge(turned)).toBe("CONSENSUS_EVIDENCE_MALFORMED");
    }
  });

  test("the largest fields fit below the cap; bytes beyond it are refused unread", () => {
    const far = { height: height(Number.MAX_SAFE_INTEGER), view: view(2 ** 31) };
    const sender = validatorIndex(65_535);
    const claim = {
      preparedView: view(2 ** 31 - 1),
      preparedDigest: digest(filled(255)),
      signature: signatureOf(255),
    };
    const largest: Evidence = {
      type: "pre-prepare",
      ...far,
      sender,
      parentDigest: filled(255),
      first: { digest: filled(254), signature: signatureOf(255) },
      second: { digest: filled(255), signature: signatureOf(255) },
    };
    const claims: Evidence = {
      type: "view-change",
      ...far,
      sender,
      first: claim,
      second: { ...claim, preparedDigest: filled(254) },
    };
    for (const evidence of [largest, claims]) {
      expect(encodeEvidence(evidence).length).toBeLessThanOrEqual(MAX_EVIDENCE_BYTES);
    }
    const bytes = encode(evidenceCodec, largest);
    for (const bad of [new Uint8Array(MAX_EVIDENCE_BYTES + 1), bytes.slice(0, -1)]) {
      expect(decodeEvidence(bad)).toMatchObject({ code: "CONSENSUS_EVIDENCE_MALFORMED" });
    }
  });
});
