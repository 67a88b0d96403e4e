import { encode, height, toHex, utf8 } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  createMemoryStore,
  receiptCodec,
  verifyMerkleProof,
  verifyStateProof,
} from "../../src/index.ts";
import {
  buildOn,
  commitBlock,
  commitSealed,
  createKeyValueExecutor,
  decoded,
  importBlock,
  openLedger,
  putTransaction,
  signTransaction,
  testGenesis,
} from "../support.ts";

const kv = (text: string) => ["kv", utf8(text)] as const;

describe("the chain", () => {
  it("begins with one genesis block, the same on every node", async () => {
    const [a, b] = [await openLedger(), await openLedger()];
    expect(a.head.header.height).toBe(0);
    expect(toHex(a.head.digest)).toBe(toHex(b.head.digest));
    expect(toHex(a.head.header.parentHash)).toBe(toHex(a.genesisDigest));
    expect(a.validatorsAt(height(2))?.validators.length).toBe(4);
    expect(a.validatorsAt(height(3))).toBeNull();
    expect((await a.block(height(0)))?.certificate.signatures).toEqual([]);
  });

  it("commits blocks and answers for them with proofs", async () => {
    const ledger = await openLedger();
    const first = putTransaction(ledger, "a", "1");
    const second = putTransaction(ledger, "b", "2");
    const third = decoded(signTransaction(ledger.genesisDigest, { method: "nothing" }));
    const { sealed } = await commitBlock(ledger, [first, second, third]);
    expect(toHex(ledger.head.digest)).toBe(toHex(sealed.digest));
    const record = await ledger.transaction(third.id);
    expect(record).toMatchObject({ height: 1, index: 2 });
    expect(record?.receipt.status).toBe("VM_METHOD_UNKNOWN");
    for (const [index, { id }] of [first, second, third].entries()) {
      const { transactionRoot, receiptRoot } = ledger.head.header;
      const [proof, receiptProof] = [
        await ledger.transactionProof(id),
        await ledger.receiptProof(id),
      ];
      const receipt = ledger.receipt(id);
      if (!proof || !receiptProof || !receipt) throw new Error("a committed transaction");
      const claim = { index, count: 3 };
      expect(verifyMerkleProof({ ...claim, root: transactionRoot, leaf: id, proof })).toBe(true);
      const leaf = encode(receiptCodec, receipt);
      const good = { ...claim, root: receiptRoot, leaf, proof: receiptProof };
      expect(verifyMerkleProof(good)).toBe(true);
      expect(verifyMerkleProof({ ...good, index: (index + 1) % 3 })).toBe(false);
    }
    const { value, proof, header } = ledger.state("kv", utf8("a"));
    expect(value && toHex(value)).toBe(toHex(utf8("1")));
    const claim = { root: header.stateRoot, contract: "kv", key: utf8("a"), proof };
    expect(verifyStateProof({ ...claim, value }).ok).toBe(true);
    expect(verifyStateProof({ ...claim, value: utf8("2") })).toMatchObject({
      code: "LEDGER_PROOF_INVALID",
    });
    expect(verifyStateProof({ ...claim, value: null }).ok).toBe(false);
    const absent = ledger.state("kv", utf8("zz"));
    const { stateRoot: root } = header;
    const none = { root, contract: "kv", key: utf8("zz"), value: null, proof: absent.proof };
    expect(verifyStateProof(none).ok).toBe(true);
  });

  it("does not call a transaction committed while its batch is still being made durable", async () => {
    const memory = createMemoryStore();
    const during: (() => void)[] = [];
    const store: typeof memory = {
      ...memory,
      get: (space, key) => memory.get(space, key),
      getMany: (space, keys) => memory.getMany(space, keys),
      range: (space, options) => memory.range(space, options),
      close: () => memory.close(),
      async write(operations, options) {
        await memory.write(operations, options);
        for (const look of during.splice(0)) look();
      },
    };
    const ledger = await openLedger(store);
    const put = putTransaction(ledger, "a", "1");
    const built = await buildOn(ledger, ledger.head, [put]);
    const seen: unknown[] = [];
    during.push(() => seen.push(ledger.place(put.id), ledger.receipt(put.id)));
    await commitSealed(ledger, built);
    expect(seen).toEqual([null, null]);
    expect(ledger.place(put.id)).toMatchObject({ height: 1, index: 0 });
  });

  it("S-9.3-4: a node that imports another's blocks has the same digests and roots", async () => {
    const [a, b] = [await openLedger(), await openLedger()];
    for (let i = 0; i < 6; i++) {
      await commitBlock(a, [putTransaction(a, `k${i}`, "v"), putTransaction(a, "same", `${i}`)]);
      const sealed = await a.block(a.head.header.height);
      if (sealed === null) throw new Error("a committed block");
      await importBlock(b, sealed);
      expect(toHex(b.head.digest)).toBe(toHex(a.head.digest));
    }
    expect(toHex(b.head.header.stateRoot)).toBe(toHex(a.head.header.stateRoot));
  });

  it("S-9.3-1: opens again at the last committed block, replay guard included", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    const used = putTransaction(ledger, "a", "1");
    await commitBlock(ledger, [used]);
    await commitBlock(ledger, [putTransaction(ledger, "a", null)]);
    const again = await openLedger(store);
    expect(toHex(again.head.digest)).toBe(toHex(ledger.head.digest));
    expect(again.stateAt(again.head.digest)?.get(...kv("a"))).toBeNull();
    const on = { parentDigest: again.head.digest, height: height(3), timestampMs: 1.8e12 };
    expect(again.judge(used, on)).toMatchObject({ code: "LEDGER_TRANSACTION_REPLAYED" });
    await commitBlock(again, [putTransaction(again, "b", "1")]);
    expect(again.head.header.height).toBe(3);
  });

  it("refuses a store of another genesis", async () => {
    const store = createMemoryStore();
    await openLedger(store);
    const { createLedger } = await import("../../src/index.ts");
    const genesis = { ...testGenesis, timestampMs: 1 };
    const opening = createLedger({ store, executor: createKeyValueExecutor(), genesis });
    await expect(opening).rejects.toMatchObject({ code: "LEDGER_GENESIS_MISMATCH" });
  });
});

describe("candidates", () => {
  it("live side by side, on the head and on each other", async () => {
    const ledger = await openLedger();
    const { head } = ledger;
    const a = await buildOn(ledger, head, [putTransaction(ledger, "k", "a")]);
    const b = await buildOn(ledger, head, [putTransaction(ledger, "k", "b")]);
    const parent = { digest: a.sealed.digest, header: a.sealed.block.header };
    const aa = await buildOn(ledger, parent, [putTransaction(ledger, "only-aa", "1")]);
    const read = (candidate: typeof a, key: string) => {
      const value = candidate.view.get(...kv(key));
      return value && String.fromCharCode(...value);
    };
    expect([read(a, "k"), read(b, "k"), read(aa, "k")]).toEqual(["a", "b", "a"]);
    expect(ledger.stateAt(head.digest)?.get(...kv("k"))).toBeNull();
    await commitSealed(ledger, a);
    expect(ledger.candidate(b.sealed.digest)).toBeNull();
    expect(ledger.candidate(aa.sealed.digest)).not.toBeNull();
    expect(read(b, "k")).toBe("b");
    await commitSealed(ledger, aa);
    expect(read(aa, "only-aa")).toBe("1");
    // Views of superseded blocks keep answering with their own state.
    expect([read(a, "only-aa"), read(b, "only-aa"), read(a, "k")]).toEqual([null, null, "a"]);
  });

  it("a view of an old head stays what it was, values and ranges", async () => {
    const ledger = await openLedger();
    await commitBlock(ledger, [putTransaction(ledger, "a", "1"), putTransaction(ledger, "c", "1")]);
    const old = ledger.stateAt(ledger.head.digest);
    if (old === null) throw new Error("the head's state");
    const range = { contract: "kv", from: utf8("a"), to: utf8("z"), limit: 256 };
    await commitBlock(ledger, [
      putTransaction(ledger, "a", null),
      putTransaction(ledger, "b", "2"),
    ]);
    await commitBlock(ledger, [putTransaction(ledger, "c", "3")]);
    await old.loadRange(range);
    const entries = old.range(range).map(({ key, value }) => toHex(key) + toHex(value));
    expect(entries).toEqual(["6131", "6331"]);
    expect(old.get(...kv("b"))).toBeNull();
    const now = ledger.stateAt(ledger.head.digest);
    await now?.loadRange(range);
    expect(now?.range(range).map(({ key }) => toHex(key))).toEqual(["62", "63"]);
  });

  it("a block is committed on the head only, as it was built, with its own certificate", async () => {
    const ledger = await openLedger();
    const a = await buildOn(ledger, ledger.head, []);
    const parent = { digest: a.sealed.digest, header: a.sealed.block.header };
    const b = await buildOn(ledger, parent, []);
    await expect(commitSealed(ledger, b)).rejects.toMatchObject({ code: "LEDGER_PARENT_NOT_HEAD" });
    const { certificateFor } = await import("../support.ts");
    const wrong = { certificate: certificateFor(b.sealed.digest, height(1)) };
    await expect(ledger.commit(a, a.sealed.block, wrong)).rejects.toMatchObject({
      code: "LEDGER_CERTIFICATE_MISMATCH",
    });
    ledger.discard(a.sealed.digest);
    await expect(commitSealed(ledger, a)).rejects.toMatchObject({
      code: "LEDGER_CANDIDATE_MISMATCH",
    });
    expect(ledger.candidate(b.sealed.digest)).toBeNull();
  });

  it("after a failed write nothing is written any more", async () => {
    const inner = createMemoryStore();
    let isBroken = false;
    const write: typeof inner.write = (operations, options) =>
      isBroken ? Promise.reject(new Error("disk full")) : inner.write(operations, options);
    const ledger = await openLedger({ ...inner, write });
    const a = await buildOn(ledger, ledger.head, [putTransaction(ledger, "a", "1")]);
    isBroken = true;
    await expect(commitSealed(ledger, a)).rejects.toMatchObject({ code: "LEDGER_STORE_FAILED" });
    isBroken = false;
    await expect(commitSealed(ledger, a)).rejects.toMatchObject({ code: "LEDGER_STORE_FAILED" });
    expect(ledger.head.header.height).toBe(0);
    expect((await openLedger(inner)).head.header.height).toBe(0);
  });

  it("validators named by block h stand from h + 2 on", async () => {
    const ledger = await openLedger();
    const args = Uint8Array.of(0x91, 0xa1, 0x78);
    const join = signTransaction(ledger.genesisDigest, {
      contract: "validators",
      method: "join",
      args,
    });
    await commitBlock(ledger, [decoded(join)]);
    expect(ledger.validatorsAt(height(2))?.validators.length).toBe(4);
    expect(ledger.validatorsAt(height(3))?.validators.length).toBe(5);
    await commitBlock(ledger, []);
    await commitBlock(ledger, []);
    const hashes = [2, 3].map((at) => ledger.header(height(at))?.header);
    expect(toHex(hashes[0]?.nextValidatorsHash ?? utf8(""))).toBe(
      toHex(hashes[1]?.validatorsHash ?? utf8("?")),
    );
    expect(ledger.validatorsAt(height(1))?.validators.length).toBe(4);
    expect(ledger.validatorsAt(height(3))?.validators.length).toBe(5);
    expect(ledger.validatorsAt(height(5))?.validators.length).toBe(5);
  });
});
