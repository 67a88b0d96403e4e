import {
  type Evidence,
  encodeEvidence,
  signedPayload,
  verifyEvidence,
} from "@credlink/consensus-pbft/certificates";
import { sm2Sign, sm2Verify } from "@credlink/crypto";
import {
  type Digest,
  decode,
  digest,
  encode,
  height,
  toHex,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Block,
  blockCodec,
  createMemoryStore,
  decodeBlock,
  EVIDENCE_WINDOW,
  evidenceKey,
  evidenceRoot,
  type KeyValueStore,
  type Ledger,
  MAX_BLOCK_EVIDENCE,
  misbehaviourCodec,
  type SealedCandidate,
  VALIDATORS_CONTRACT,
  type VerifyEvidence,
  verifyChain,
} from "../../src/index.ts";
import {
  buildOn,
  commitBlock,
  commitSealed,
  createKeyValueExecutor,
  keyOf,
  openLedger,
  testGenesis,
  verifyHistory,
  verifyReally,
} from "../support.ts";

let store: KeyValueStore;
let primary: Ledger;
let replica: Ledger;

beforeEach(async () => {
  store = createMemoryStore();
  primary = await openLedger(store);
  replica = await openLedger();
  for (let at = 0; at < 3; at++) await advance();
});

const filled = (byte: number): Digest => digest(new Uint8Array(32).fill(byte));

/** Two COMMITs of one validator for two blocks, really signed. */
function evidenceOf(signer: number, at: number, chainId = testGenesis.chainId): Uint8Array {
  const set = primary.validatorsAt(height(at)) ?? primary.validatorsAt(height(1));
  if (set === null) throw new Error("validators");
  const { genesisDigest } = primary;
  const context = { chainId, genesisDigest, validatorsHash: set.hash };
  const place = { height: height(at), view: view(0), sender: validatorIndex(signer) };
  const commit = (byte: number) => {
    const voted = filled(byte);
    const message = signedPayload(context, { type: "commit", ...place, digest: voted });
    return { digest: voted, signature: sm2Sign(keyOf(100 + signer).privateKey, message) };
  };
  const evidence: Evidence = { type: "commit", ...place, first: commit(1), second: commit(2) };
  return encodeEvidence(evidence);
}

const isProof: VerifyEvidence = (evidence, validators) =>
  verifyEvidence(evidence, validators, primary, sm2Verify).ok;

function check(block: Block) {
  return replica.checkProposal({
    block,
    transactions: [],
    verifySignatures: verifyReally,
    verifyHistory,
    verifyEvidence: isProof,
  });
}

/** The primary's next block with evidence that nobody judged: as a liar would propose it. */
async function withEvidence(evidence: readonly Uint8Array[]): Promise<Block> {
  const { block } = (await buildOn(primary, primary.head, [])).sealed;
  const header = { ...block.header, evidenceRoot: evidenceRoot(evidence) };
  return { header, body: { ...block.body, evidence } };
}

async function commitBoth(candidate: SealedCandidate): Promise<void> {
  const checked = await check(candidate.sealed.block);
  if (!checked.ok) throw new Error(checked.code);
  await commitSealed(primary, candidate);
  await commitSealed(replica, checked.value);
}

async function advance(): Promise<void> {
  await commitBoth(await buildOn(primary, primary.head, []));
}

const refused = { ok: false, code: "LEDGER_BLOCK_EVIDENCE" };

describe("evidence in blocks", () => {
  it("is recorded in the state of every node: who, when, and the proof itself", async () => {
    const evidence = [evidenceOf(2, 1), evidenceOf(0, 3), evidenceOf(1, 4)];
    await commitBoth(await buildOn(primary, primary.head, [], evidence));
    expect(replica.head).toEqual(primary.head);
    const { publicKey } = keyOf(100);
    const row = replica.state(VALIDATORS_CONTRACT, evidenceKey(height(3), publicKey)).value;
    expect(decode(misbehaviourCodec, row ?? utf8(""))).toEqual({
      height: 3,
      nodeId: "node0",
      publicKey,
      evidence: evidence[1],
      recordedAt: 4,
    });
  });

  it("of one signer and height is recorded once, and must be recorded", async () => {
    await commitBoth(await buildOn(primary, primary.head, [], [evidenceOf(2, 1)]));
    // Signed anew, so other bytes; the state knows the signer and height.
    expect(await check(await withEvidence([evidenceOf(2, 1)]))).toMatchObject({
      ...refused,
      detail: "recorded already",
    });
    const other = await withEvidence([evidenceOf(2, 2)]);
    expect(await check(other)).toMatchObject({ code: "LEDGER_BLOCK_STATE_ROOT" });
    await commitBoth(await buildOn(primary, primary.head, [], [evidenceOf(2, 2)]));
  });

  it("is known on the branch of a candidate that is not decided yet", async () => {
    const first = await buildOn(primary, primary.head, [], [evidenceOf(2, 1)]);
    expect(await check(first.sealed.block)).toMatchObject({ ok: true });
    const parentDigest = first.sealed.digest;
    const on = { parentDigest, height: height(5) };
    expect(replica.judgeEvidence(evidenceOf(2, 1), on)).toMatchObject(refused);
    expect(replica.judgeEvidence(evidenceOf(3, 1), on)).toMatchObject({ ok: true });
    const beside = { parentDigest: replica.head.digest, height: height(4) };
    expect(replica.judgeEvidence(evidenceOf(2, 1), beside)).toMatchObject({ ok: true });
  });

  it("must ascend by height and signer, none twice", async () => {
    const pairs = [
      [evidenceOf(1, 2), evidenceOf(0, 2)],
      [evidenceOf(0, 3), evidenceOf(0, 2)],
      [evidenceOf(0, 2), evidenceOf(0, 2)],
    ];
    for (const evidence of pairs) {
      expect(await check(await withEvidence(evidence))).toMatchObject({
        ...refused,
        detail: "not ascending",
      });
    }
    const both = [evidenceOf(0, 2), evidenceOf(1, 2)];
    expect(primary.judgeEvidence(both[0] ?? utf8(""), place()).ok).toBe(true);
    await commitBoth(await buildOn(primary, primary.head, [], both));
  });

  it("of other chains, unsigned, malformed or of unknown signers makes the block invalid", async () => {
    const good = evidenceOf(1, 2);
    const tampered = good.slice();
    tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
    for (const bad of [evidenceOf(1, 2, "another"), tampered, utf8("two votes"), good.slice(1)]) {
      expect(await check(await withEvidence([bad]))).toMatchObject(refused);
    }
    const strangers = encodeEvidence({
      type: "prepare",
      height: height(2),
      view: view(0),
      sender: validatorIndex(4),
      first: { digest: filled(1), signature: new Uint8Array(64) },
      second: { digest: filled(2), signature: new Uint8Array(64) },
    });
    expect(await check(await withEvidence([strangers]))).toMatchObject(refused);
    const block = await withEvidence([good]);
    const unverified = { block, transactions: [], verifySignatures: verifyReally, verifyHistory };
    expect(await replica.checkProposal(unverified)).toMatchObject(refused);
  });

  const place = () => ({ parentDigest: primary.head.digest, height: height(4) });

  it("the window: from the block's own height down to 1,000 below, and never height 0", async () => {
    expect(primary.judgeEvidence(evidenceOf(1, 5), place())).toMatchObject(refused);
    expect(primary.judgeEvidence(evidenceOf(1, 4), place())).toMatchObject({ ok: true });
    expect(primary.judgeEvidence(evidenceOf(1, 1), place())).toMatchObject({ ok: true });
    expect(primary.judgeEvidence(evidenceOf(1, 0), place())).toMatchObject(refused);
    while (primary.head.header.height < EVIDENCE_WINDOW + 1) await commitBlock(primary, []);
    const { digest: parentDigest } = primary.head;
    const on = { parentDigest, height: height(EVIDENCE_WINDOW + 2) };
    expect(primary.judgeEvidence(evidenceOf(1, 2), on)).toMatchObject({ ok: true });
    expect(primary.judgeEvidence(evidenceOf(1, 1), on)).toMatchObject(refused);
  });

  it("16 pieces fit into a block, 17 are no block", async () => {
    const pieces = (count: number) =>
      Array.from({ length: count }, (_, at) => evidenceOf(at % 4, 1 + Math.floor(at / 4)));
    while (primary.head.header.height < 5) await advance();
    const most = await buildOn(primary, primary.head, [], pieces(MAX_BLOCK_EVIDENCE));
    expect(await check(most.sealed.block)).toMatchObject({ ok: true });
    const { block } = most.sealed;
    expect(decodeBlock(encode(blockCodec, block)).ok).toBe(true);
    const body = { ...block.body, evidence: [...block.body.evidence, evidenceOf(0, 5)] };
    expect(() => encode(blockCodec, { ...block, body })).toThrow();
  });

  it("a stored chain with evidence verifies, and not without the means to verify it", async () => {
    await commitBoth(await buildOn(primary, primary.head, [], [evidenceOf(2, 1)]));
    const checks = { verifyCertificate: () => true, verifySignatures: verifyReally };
    const executor = createKeyValueExecutor();
    const good = { ...checks, verifyEvidence: isProof };
    expect(await verifyChain(store, executor, testGenesis, good)).toEqual([]);
    const liar = { ...checks, verifyEvidence: () => false };
    const findings = await verifyChain(store, executor, testGenesis, liar);
    expect(findings.map(({ code }) => code)).toContain("LEDGER_VERIFY_BLOCK_INVALID");
    expect(toHex(primary.head.digest)).toBe(toHex(replica.head.digest));
  });
});
