import {
  type Digest,
  height,
  type ValidatorIndex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  type CommitCertificate,
  checkViewChangeShape,
  createRoster,
  createValidatorSet,
  indexOfKey,
  type Justification,
  type PreparedCertificate,
  primaryOf,
  type SignableMessage,
  signatureClaims,
  signedPayload,
  type ViewChangeVote,
  verifyCommitCertificate,
  verifyJustification,
  verifyPreparedCertificate,
} from "../../src/certificates.ts";
import { fakeSignature, fakeValidator, verifyFakeSignature } from "../../src/compliance.ts";
import { exampleMessages, filled } from "../vectors/examples.ts";

const set = createValidatorSet([0, 1, 2, 3].map(fakeValidator));
const chain = { chainId: "test", genesisDigest: filled(1) };
const context = { ...chain, validatorsHash: set.hash };
const h = height(5);
const index = validatorIndex;

function sign(node: number, message: SignableMessage, under = context): Uint8Array {
  return fakeSignature(fakeValidator(node).publicKey, signedPayload(under, message), node);
}

function certify(
  type: "prepare" | "commit",
  signers: readonly number[],
  options: { view?: number; digest?: Digest; under?: typeof context; as?: readonly number[] } = {},
): CommitCertificate {
  const { under = context, as = signers } = options;
  const place = { height: h, view: view(options.view ?? 2), digest: options.digest ?? filled(7) };
  const signatures = signers.map((signer, at) => {
    const sender = index(as[at] ?? signer);
    return { index: sender, signature: sign(signer, { type, ...place, sender }, under) };
  });
  return { ...place, signatures };
}

const commit = (certificate: CommitCertificate) => {
  const verdict = verifyCommitCertificate(certificate, set, chain, verifyFakeSignature);
  return verdict.ok ? "ok" : verdict.code;
};

describe("certificates", () => {
  test("S-9.2-1: q distinct signers verify; fewer, strangers and forgeries do not", () => {
    const good = certify("commit", [0, 1, 3]);
    expect(commit(good)).toBe("ok");
    expect(commit(certify("commit", [0, 1, 2, 3]))).toBe("ok");
    expect(commit(certify("commit", [0, 1]))).toBe("CONSENSUS_CERTIFICATE_QUORUM");
    expect(commit({ ...good, signatures: [] })).toBe("CONSENSUS_CERTIFICATE_QUORUM");
    expect(commit(certify("commit", [0, 1, 3], { as: [0, 1, 4] }))).toBe(
      "CONSENSUS_CERTIFICATE_MALFORMED",
    );
    expect(commit(certify("commit", [3, 1, 0]))).toBe("CONSENSUS_CERTIFICATE_MALFORMED");
    expect(commit(certify("commit", [0, 1, 2], { as: [0, 1, 3] }))).toBe(
      "CONSENSUS_CERTIFICATE_SIGNATURE",
    );
  });

  test("known bug 67: q different signatures of one key are one signer", () => {
    const place = { height: h, view: view(2), digest: filled(7) };
    const signatures = [1, 2, 3].map((nonce) => ({
      index: index(1),
      signature: fakeSignature(
        fakeValidator(1).publicKey,
        signedPayload(context, { type: "commit", ...place, sender: index(1) }),
        nonce,
      ),
    }));
    expect(commit({ ...place, signatures })).toBe("CONSENSUS_CERTIFICATE_MALFORMED");
    const spread = signatures.map((one, at) => ({ ...one, index: index(at) }));
    expect(commit({ ...place, signatures: spread })).toBe("CONSENSUS_CERTIFICATE_SIGNATURE");
  });

  test("each signed field is bound: height, view, digest, type, chain, genesis, validators", () => {
    const good = certify("commit", [0, 1, 2]);
    const refused = "CONSENSUS_CERTIFICATE_SIGNATURE";
    expect(commit({ ...good, height: height(6) })).toBe(refused);
    expect(commit({ ...good, view: view(3) })).toBe(refused);
    expect(commit({ ...good, digest: filled(8) })).toBe(refused);
    expect(commit(certify("prepare", [0, 1, 2]))).toBe(refused);
    for (const under of [
      { ...context, chainId: "other" },
      { ...context, genesisDigest: filled(2) },
      { ...context, validatorsHash: filled(2) },
    ]) {
      expect(commit(certify("commit", [0, 1, 2], { under }))).toBe(refused);
    }
    const prepared = certify("prepare", [0, 1, 2]);
    expect(verifyPreparedCertificate(prepared, set, chain, verifyFakeSignature).ok).toBe(true);
    expect(verifyPreparedCertificate(good, set, chain, verifyFakeSignature).ok).toBe(false);
  });

  test("signatureClaims names every signature of a message, its own first", () => {
    const counts = Object.entries(exampleMessages).map(([name, message]) => [
      name,
      signatureClaims(message, context).length,
    ]);
    expect(Object.fromEntries(counts)).toEqual({
      "pre-prepare": 1 + 3 + 3,
      "pre-prepare of view 0": 1,
      prepare: 1,
      commit: 1,
      wish: 1,
      "view-change": 1 + 3,
      "view-change without certificate": 1,
      decided: 3,
      "decided without proposal": 3,
    });
    const all = Object.values(exampleMessages).flatMap((message) =>
      message.type === "decided" ? [] : [signatureClaims(message, context)[0]?.message.join()],
    );
    expect(new Set(all).size).toBe(all.length);
  });
});

function voteOf(
  sender: number,
  prepared: PreparedCertificate | null,
  change: Partial<ViewChangeVote> = {},
): ViewChangeVote {
  const unsigned = {
    height: h,
    view: view(3),
    preparedView: prepared?.view ?? null,
    preparedDigest: prepared?.digest ?? null,
    sender: index(sender),
    ...change,
  };
  const { height: atHeight, view: atView, preparedView, preparedDigest } = unsigned;
  const signature = sign(sender, {
    type: "view-change",
    height: atHeight,
    view: atView,
    preparedView,
    preparedDigest,
    sender: unsigned.sender,
    prepared: null,
  });
  return { signature, ...unsigned };
}

const low = certify("prepare", [0, 1, 2], { view: 0, digest: filled(8) });
const high = certify("prepare", [1, 2, 3], { view: 2, digest: filled(7) });
const place = { height: h, view: view(3) };

function judge(justification: Justification): string {
  const verdict = verifyJustification(justification, place, set, chain, verifyFakeSignature);
  if (!verdict.ok) return verdict.code;
  return verdict.value === null ? "fresh" : `block ${verdict.value[0]}`;
}

describe("justification: each rule broken is refused", () => {
  const votes = [voteOf(0, low), voteOf(1, high), voteOf(3, null)];
  const good: Justification = { viewChanges: votes, prepared: high };

  test("the highest prepared certificate obliges; none leaves the primary free", () => {
    expect(judge(good)).toBe("block 7");
    expect(judge({ viewChanges: [0, 1, 2].map((at) => voteOf(at, null)), prepared: null })).toBe(
      "fresh",
    );
    expect(judge({ viewChanges: [voteOf(0, low), ...votes.slice(2)], prepared: low })).toBe(
      "CONSENSUS_JUSTIFICATION_QUORUM",
    );
  });

  test("known bug 2448 of another chain, 44 here: a view change altered after signing", () => {
    for (const change of [
      { preparedView: view(1) },
      { preparedDigest: filled(9) },
      { signature: new Uint8Array(64) },
    ]) {
      const altered = votes.with(0, { ...voteOf(0, low), ...change });
      expect(judge({ viewChanges: altered, prepared: high })).toBe(
        "CONSENSUS_CERTIFICATE_SIGNATURE",
      );
    }
  });

  test("known bug 33: not the highest, missing, superfluous or another certificate", () => {
    const code = "CONSENSUS_JUSTIFICATION_NOT_HIGHEST";
    expect(judge({ ...good, prepared: low })).toBe(code);
    expect(judge({ ...good, prepared: null })).toBe(code);
    const none = [0, 1, 2].map((at) => voteOf(at, null));
    expect(judge({ viewChanges: none, prepared: low })).toBe(code);
    expect(judge({ ...good, prepared: { ...high, digest: filled(9) } })).toBe(code);
    expect(judge({ ...good, prepared: { ...high, height: height(4) } })).toBe(code);
    const claim = voteOf(2, { ...high, digest: filled(9) });
    expect(judge({ viewChanges: [...votes.slice(0, 2), claim], prepared: high })).toBe(code);
  });

  test("known bug 33: a prepared view that is not below the view, or half a claim", () => {
    const code = "CONSENSUS_JUSTIFICATION_MISMATCH";
    for (const change of [
      { preparedView: view(3) },
      { preparedView: view(9) },
      { preparedView: null },
      { preparedDigest: null },
      { height: height(4) },
      { view: view(2) },
    ]) {
      const odd = voteOf(0, low, change);
      expect([change, judge({ viewChanges: votes.with(0, odd), prepared: high })]).toEqual([
        change,
        code,
      ]);
    }
  });

  test("known bug 33: a view change proves exactly what it claims", () => {
    const claim = { ...voteOf(0, high), prepared: high };
    type Change = Partial<ViewChangeVote> & { readonly prepared?: PreparedCertificate | null };
    const verdict = (change: Change) => {
      const shape = checkViewChangeShape({ ...claim, ...change }, 4);
      return shape.ok ? "ok" : shape.code;
    };
    expect(verdict({})).toBe("ok");
    const mismatch = "CONSENSUS_JUSTIFICATION_MISMATCH";
    expect(verdict({ prepared: null })).toBe(mismatch);
    expect(verdict({ prepared: low })).toBe(mismatch);
    expect(verdict({ prepared: { ...high, height: height(4) } })).toBe(mismatch);
    expect(verdict({ prepared: { ...high, digest: filled(9) } })).toBe(mismatch);
    expect(verdict({ prepared: { ...high, view: view(1) } })).toBe(mismatch);
    expect(verdict({ preparedView: null, preparedDigest: null })).toBe(mismatch);
    const short = { ...high, signatures: high.signatures.slice(1) };
    expect(verdict({ prepared: short })).toBe("CONSENSUS_CERTIFICATE_QUORUM");
  });

  test("senders: too few, twice, out of order, unknown", () => {
    const code = "CONSENSUS_JUSTIFICATION_QUORUM";
    const [a, b, c] = [voteOf(0, low), voteOf(1, high), voteOf(3, null)];
    for (const viewChanges of [[a, b], [a, b, b], [b, a, c], [a, a, b, b], []]) {
      expect(judge({ viewChanges, prepared: high })).toBe(code);
    }
    expect(judge({ viewChanges: [a, b, { ...c, sender: index(4) }], prepared: high })).toBe(code);
  });

  test("the certificate inside: too few signers, mixed views, wrong signatures", () => {
    const short = { ...high, signatures: high.signatures.slice(1) };
    expect(judge({ ...good, prepared: short })).toBe("CONSENSUS_CERTIFICATE_QUORUM");
    const other = certify("prepare", [1, 2, 3], { view: 1 });
    const mixed = { ...high, signatures: [...high.signatures.slice(0, 2), ...last(other)] };
    expect(judge({ ...good, prepared: mixed })).toBe("CONSENSUS_CERTIFICATE_SIGNATURE");
    const commits = certify("commit", [1, 2, 3]);
    expect(judge({ ...good, prepared: commits })).toBe("CONSENSUS_CERTIFICATE_SIGNATURE");
  });
});

function last(certificate: PreparedCertificate) {
  return certificate.signatures.slice(-1);
}

describe("validator sets", () => {
  test("empty, doubled or oversized lists are refused by code", () => {
    const [a, b] = [fakeValidator(0), fakeValidator(1)];
    const refused = expect.objectContaining({ details: { code: "CONSENSUS_VALIDATORS_INVALID" } });
    for (const list of [
      [],
      [a, a],
      [a, { ...b, nodeId: a.nodeId }],
      [a, { ...b, publicKey: a.publicKey }],
      [a, { ...b, peerId: a.peerId }],
      Array.from({ length: 257 }, (_, at) => fakeValidator(at)),
    ]) {
      expect(() => createValidatorSet(list)).toThrow(refused);
    }
  });

  test("the hash depends on order and every field", () => {
    const [a, b] = [fakeValidator(0), fakeValidator(1)];
    const lists = [[a, b], [b, a], [a], [a, { ...b, peerId: "x" }], [a, { ...b, nodeId: "x" }]];
    const hashes = lists.map((list) => createValidatorSet(list).hash.join());
    expect(new Set(hashes).size).toBe(lists.length);
  });

  test("index by key, primary by height and view", () => {
    expect(indexOfKey(set, fakeValidator(2).publicKey)).toBe(2);
    expect(indexOfKey(set, fakeValidator(9).publicKey)).toBe(null);
    const primariesOf = (skipped: readonly string[]) => {
      const roster = createRoster(set, skipped);
      return [0, 1, 2, 3, 4].map((v): ValidatorIndex => primaryOf(roster, h, view(v)));
    };
    expect(primariesOf([])).toEqual([1, 2, 3, 0, 1]);
    expect(primariesOf(["node1", "stranger"])).toEqual([3, 0, 2, 3, 0]);
    const all = set.validators.map(({ nodeId }) => nodeId);
    expect(() => createRoster(set, all)).toThrow("somebody is primary");
  });
});
