import { createMemoryStore } from "@credlink/ledger";
import {
  type Digest,
  digest,
  height,
  type Result,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { createSeededRandom, SIMULATION_START_MS } from "@credlink/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { openLeanLedger } from "../../src/lean-ledger/lean-ledger.ts";
import { SharedChain } from "../../src/lean-ledger/shared-chain.ts";
import { createProtocolProfile, type Profile } from "../../src/profile.ts";

let profile: Profile;
let chain: SharedChain;

beforeEach(() => {
  profile = createProtocolProfile(createSeededRandom(1), 4, SIMULATION_START_MS);
  chain = new SharedChain(profile.genesis, profile.createExecutor());
});

const open = (store = createMemoryStore({ handedOver: true })) =>
  openLeanLedger({ chain, store, executed: () => null });

type Lean = Awaited<ReturnType<typeof open>>;

/** A block of these transactions on a parent, by whoever `ledger` belongs to. */
async function build(
  ledger: Lean,
  parentDigest: Digest,
  transactions: readonly Uint8Array[],
  laterMs = 1,
) {
  const parent = ledger.reference(parentDigest);
  if (parent === null) throw new Error("an unknown parent");
  const at = height(parent.header.height + 1);
  const timestampMs = parent.header.timestampMs + laterMs;
  const judged = transactions.map((bytes) =>
    must(ledger.judge(bytes, { parentDigest, height: at, timestampMs })),
  );
  const history = ledger.historyFor(parentDigest, at);
  if (history === null) throw new Error("no history yet");
  const candidate = await ledger.execute({
    parentDigest,
    height: at,
    timestampMs,
    proposer: validatorIndex(0),
    transactions: judged.map(({ transaction }) => transaction),
    history,
  });
  return ledger.buildBlock(candidate);
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.code);
  return result.value;
}

function certificateOf(at: number, block: Digest) {
  return { height: height(at), view: view(0), digest: block, signatures: [] };
}

async function commit(ledger: Lean, made: Awaited<ReturnType<typeof build>>) {
  const { block, digest: own } = made.sealed;
  return ledger.commit(made, block, { certificate: certificateOf(made.height, own) });
}

const check = (ledger: Lean, made: Awaited<ReturnType<typeof build>>, signed = true) =>
  ledger.checkProposal({
    block: made.sealed.block,
    transactions: made.transactions,
    verifySignatures: async (claims) => claims.map(() => signed),
    verifyHistory: () => true,
  });

const write = () => profile.createTransaction(chain.genesisDigest, 0);

describe("the lean ledger", () => {
  it("comes back with what was committed, and nothing else", async () => {
    const store = createMemoryStore({ handedOver: true });
    const ledger = await open(store);
    const first = await build(ledger, ledger.head.digest, [await write()]);
    await commit(ledger, first);
    const second = await build(ledger, first.sealed.digest, []);
    const again = await open(store);
    expect(again.head.digest).toEqual(first.sealed.digest);
    expect(again.candidate(second.sealed.digest)).toBe(null);
    const id = first.transactions[0]?.id ?? digest(new Uint8Array(32));
    expect(again.place(id)).toEqual({ height: 1, index: 0 });
    expect(again.receipt(id)?.status).toBe("SUCCESS");
    expect(again.body(id)).toEqual(first.transactions[0]?.bytes);
    expect((await again.block(height(1)))?.transactions.length).toBe(1);
  });

  it("chains roots: equal blocks on equal parents have one root, all others another", async () => {
    const ledger = await open();
    const bytes = await write();
    const [one, other] = [
      await build(ledger, ledger.head.digest, [bytes]),
      await build(ledger, ledger.head.digest, [await write()]),
    ];
    const same = await build(ledger, ledger.head.digest, [bytes], 2);
    expect(same.stateRoot).toEqual(one.stateRoot);
    expect(other.stateRoot).not.toEqual(one.stateRoot);
    const child = await build(ledger, one.sealed.digest, []);
    expect(child.stateRoot).not.toEqual(one.stateRoot);
  });

  it("keeps branches apart: nonces and state of a rival are not there", async () => {
    const ledger = await open();
    const bytes = await write();
    const one = await build(ledger, ledger.head.digest, [bytes]);
    const rival = await build(ledger, ledger.head.digest, []);
    const judge = (parent: typeof one) =>
      ledger.judge(bytes, {
        parentDigest: parent.sealed.digest,
        height: height(2),
        timestampMs: parent.timestampMs + 1,
      });
    expect(judge(one)).toMatchObject({ ok: false, code: "LEDGER_TRANSACTION_REPLAYED" });
    expect(judge(rival).ok).toBe(true);
    const id = one.transactions[0]?.id ?? digest(new Uint8Array(32));
    expect(one.view.get("book", id)).not.toBe(null);
    expect(rival.view.get("book", id)).toBe(null);
    await commit(ledger, rival);
    expect(ledger.candidate(one.sealed.digest)).toBe(null);
    expect(ledger.stateAt(one.sealed.digest)).toBe(null);
  });

  it("judges by the rules of blocks, and forgets nothing of a verdict that a peer brought about", async () => {
    const [proposer, peer] = [await open(), await open()];
    const made = await build(proposer, proposer.head.digest, [await write()]);
    expect(await check(peer, made, false)).toMatchObject({
      code: "LEDGER_TRANSACTION_SIGNATURE_INVALID",
    });
    const { block } = made.sealed;
    const later = { ...block.header, gasUsed: block.header.gasUsed + 1 };
    const forged = { ...made, sealed: { ...made.sealed, block: { ...block, header: later } } };
    expect(await check(peer, forged)).toMatchObject({ code: "LEDGER_BLOCK_GAS_USED" });
    const root = { ...block.header, stateRoot: digest(new Uint8Array(32)) };
    const other = { ...made, sealed: { ...made.sealed, block: { ...block, header: root } } };
    expect(await check(peer, other)).toMatchObject({ code: "LEDGER_BLOCK_STATE_ROOT" });
    const missing = { ...made, transactions: [] };
    expect(await check(peer, missing)).toMatchObject({
      code: "LEDGER_BLOCK_TRANSACTIONS_MISMATCH",
    });
    const good = await build(proposer, proposer.head.digest, [await write()], 3);
    expect(await check(peer, { ...good, transactions: [] })).toMatchObject({
      code: "LEDGER_BLOCK_TRANSACTIONS_MISMATCH",
    });
    expect((await check(peer, good)).ok).toBe(true);
    expect(peer.candidate(good.sealed.digest)).not.toBe(null);
    expect(peer.candidate(made.sealed.digest)).toBe(null);
  });

  it("commits what follows the head as it was decided, and nothing else", async () => {
    const ledger = await open();
    const one = await build(ledger, ledger.head.digest, []);
    const child = await build(ledger, one.sealed.digest, []);
    await expect(commit(ledger, child)).rejects.toMatchObject({
      code: "LEDGER_PARENT_NOT_HEAD",
    });
    const certificate = certificateOf(1, child.sealed.digest);
    await expect(ledger.commit(one, one.sealed.block, { certificate })).rejects.toMatchObject({
      code: "LEDGER_CERTIFICATE_MISMATCH",
    });
    await commit(ledger, one);
    await expect(commit(ledger, one)).rejects.toMatchObject({ code: "LEDGER_CANDIDATE_MISMATCH" });
    expect(ledger.validatorsAt(height(3))?.hash).toEqual(one.validatorsAfterNext.hash);
    expect(ledger.validatorsAt(height(4))).toBe(null);
  });

  it("writes nothing more after a write that failed", async () => {
    const store = createMemoryStore({ handedOver: true });
    const ledger = await open(store);
    const one = await build(ledger, ledger.head.digest, []);
    const real = store.write;
    store.write = () => Promise.reject(new Error("EIO"));
    await expect(commit(ledger, one)).rejects.toMatchObject({ code: "LEDGER_STORE_FAILED" });
    store.write = real;
    await expect(commit(ledger, one)).rejects.toMatchObject({ code: "LEDGER_STORE_FAILED" });
    expect(ledger.head.header.height).toBe(0);
  });
});
