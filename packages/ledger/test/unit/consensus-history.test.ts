import {
  type Message,
  type SignableMessage,
  type Statement,
  signedPayload,
  statementOf,
} from "@credlink/consensus-pbft";
import { sm2Sign } from "@credlink/crypto";
import { type Digest, digest, encode, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { encodeHistoryRow, splitHistoryRow } from "../../src/consensus-history.ts";
import { encodeU64 } from "../../src/fixed-u64.ts";
import {
  consensusHistoryCodec,
  createHistory,
  createLedger,
  createMemoryStore,
  historyLink,
  type KeyValueStore,
  type Ledger,
  MAX_HISTORY_BYTES,
  MAX_HISTORY_STATEMENTS,
  verifyChain,
} from "../../src/index.ts";
import {
  buildOn,
  certificateFor,
  createKeyValueExecutor,
  keyOf,
  openLedger,
  testGenesis,
  verifyReally,
} from "../support.ts";

/** A signed message of validator `sender`, as it would have come over the network. */
function signed<M extends SignableMessage>(ledger: Ledger, message: M): Statement {
  const set = ledger.validatorsAt(message.height);
  if (set === null) throw new Error("validators are known");
  const { chainId, genesisDigest } = ledger;
  const payload = signedPayload({ chainId, genesisDigest, validatorsHash: set.hash }, message);
  const signature = sm2Sign(keyOf(100 + message.sender).privateKey, payload);
  return { ...message, signature } as Statement;
}

function votes(ledger: Ledger, at: number, of: Digest): readonly Statement[] {
  const place = (sender: number, inView: number) => ({
    height: height(at),
    view: view(inView),
    sender: validatorIndex(sender),
  });
  return [
    ...[2, 0, 1].flatMap((sender) => [
      signed(ledger, { type: "commit", ...place(sender, 0), digest: of }),
      signed(ledger, { type: "prepare", ...place(sender, 0), digest: of }),
    ]),
    signed(ledger, { type: "wish", ...place(3, 1) }),
  ];
}

/** Commits `count` blocks, each with the votes for it. */
async function grow(ledger: Ledger, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const candidate = await buildOn(ledger, ledger.head, []);
    const { block, digest: of } = candidate.sealed;
    const certificate = certificateFor(of, candidate.height);
    const statements = votes(ledger, candidate.height, of);
    await ledger.commit(candidate, block, { certificate, seen: { statements, dropped: 0 } });
  }
}

async function findings(store: KeyValueStore) {
  const found = await verifyChain(store, createKeyValueExecutor(), testGenesis, {
    verifyCertificate: () => true,
    verifySignatures: verifyReally,
  });
  return found.map(({ space, height: at, detail }) => `${space} ${at ?? ""}: ${detail}`);
}

async function rewrite(
  store: KeyValueStore,
  at: number,
  change: (payload: Uint8Array, link: Digest) => Uint8Array,
): Promise<void> {
  const key = encodeU64(at);
  const row = store.get("history", key);
  if (row === null) throw new Error("a row");
  const { link, payload } = splitHistoryRow(row);
  const value = change(payload, link);
  await store.write([{ type: "put", space: "history", key, value }], { sync: true });
}

describe("S-9.2-7: the history of consensus", () => {
  it("tells each height's proposer, view, certificate and votes, linked from genesis", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    await grow(ledger, 3);
    let below: Digest = ledger.genesisDigest;
    for (let at = 1; at <= 3; at++) {
      const read = ledger.history(height(at));
      expect(read?.history).toMatchObject({ height: at, proposer: at % 4, dropped: 0 });
      expect(read?.history.digest).toEqual(ledger.header(height(at))?.digest);
      expect(read?.history.statements.map(({ type, sender }) => `${type} ${sender}`)).toEqual([
        ...["prepare 0", "prepare 1", "prepare 2", "commit 0", "commit 1", "commit 2"],
        "wish 3",
      ]);
      if (read === undefined || read === null) throw new Error("a history");
      expect(read.link).toEqual(historyLink(below, encode(consensusHistoryCodec, read.history)));
      below = read.link;
    }
    expect(ledger.history(height(4))).toBeNull();
    expect(ledger.history(height(0))).toBeNull();
    expect(await findings(store)).toEqual([]);
  });

  it("goes on from its last row after a restart", async () => {
    const store = createMemoryStore();
    await grow(await openLedger(store), 2);
    const reopened = await openLedger(store);
    await grow(reopened, 2);
    expect(reopened.history(height(3))?.history.statements).toHaveLength(7);
    expect(await findings(store)).toEqual([]);
  });

  it("keeps as many heights as it is told to, and verifies from where they begin", async () => {
    const store = createMemoryStore();
    const executor = createKeyValueExecutor();
    const open = (historyHeights: number) =>
      createLedger({ store, executor, genesis: testGenesis, historyHeights });
    await grow(await open(0), 5);
    const ledger = await open(3);
    await grow(ledger, 2);
    expect(ledger.history(height(4))).toBeNull();
    expect(ledger.history(height(5))?.history.height).toBe(5);
    expect(await store.range("history", {})).toHaveLength(3);
    expect(await findings(store)).toEqual([]);
    await rewrite(
      store,
      5,
      (payload) =>
        encodeHistoryRow(digest(new Uint8Array(32)), {
          ...createHistory(
            {
              height: height(5),
              digest: digest(payload.slice(0, 32)),
              proposer: validatorIndex(0),
              certificate: certificateFor(digest(payload.slice(0, 32)), height(5)),
            },
            { statements: [], dropped: 0 },
          ),
        }).row,
    );
    expect((await findings(store)).map((each) => each.split(":")[0])).toContain("history 5");
  });

  it("a height that a commit takes away is no longer kept, though that commit has not resolved", async () => {
    const memory = createMemoryStore();
    const seen: unknown[] = [];
    let read = (): void => undefined;
    // The batch can be read before whoever wrote it hears of it.
    const store: KeyValueStore = {
      ...{ get: memory.get.bind(memory), getMany: memory.getMany.bind(memory) },
      ...{ range: memory.range.bind(memory), close: memory.close.bind(memory) },
      write: async (operations, options) => {
        await memory.write(operations, options);
        read();
      },
    };
    const executor = createKeyValueExecutor();
    const ledger = await createLedger({ store, executor, genesis: testGenesis, historyHeights: 3 });
    await grow(ledger, 4);
    read = () => seen.push(ledger.history(height(2)), ledger.history(height(3))?.history.height);
    await grow(ledger, 1);
    expect(seen).toEqual([null, 3]);
  });

  it("names the height and the field of an edit, link recomputed or not", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    await grow(ledger, 4);
    const whole = store.snapshot();
    const read = ledger.history(height(2));
    if (read === null) throw new Error("a history");
    const below = ledger.history(height(1))?.link ?? ledger.genesisDigest;
    const [first, ...rest] = read.history.statements;
    if (first === undefined) throw new Error("a statement");
    const edits = {
      digest: { digest: digest(new Uint8Array(32).fill(1)) },
      proposer: { proposer: validatorIndex(3) },
      certificate: { certificate: { ...read.history.certificate, view: view(1) } },
      "prepare of validator 0 in view 0": {
        statements: [{ ...first, signature: new Uint8Array(64).fill(1) }, ...rest],
      },
      "prepare of validator 3 in view 0": {
        statements: [{ ...first, sender: validatorIndex(3) }, ...rest],
      },
      "prepare of validator 0 in view 5": { statements: [{ ...first, view: view(5) }, ...rest] },
      "prepare of validator 9 in view 0": {
        statements: [{ ...first, sender: validatorIndex(9) }, ...rest],
      },
    };
    for (const [field, edit] of Object.entries(edits)) {
      for (const isRelinked of [false, true]) {
        store.restore(whole);
        await rewrite(store, 2, (_payload, link) => {
          const edited = encodeHistoryRow(below, { ...read.history, ...edit }).row;
          if (!isRelinked) edited.set(link);
          return edited;
        });
        const found = await findings(store);
        expect(
          found.some((each) => each === `history 2: ${field}`),
          `${field} ${found}`,
        ).toBe(true);
        expect(found.filter((each) => !/^history [23]: /.test(each))).toEqual([]);
      }
    }
  });

  it("shows a vote that was taken out by the link, here or in the row above", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    await grow(ledger, 3);
    const whole = store.snapshot();
    const read = ledger.history(height(2));
    const below = ledger.history(height(1))?.link ?? ledger.genesisDigest;
    if (read === null) throw new Error("a history");
    const statements = read.history.statements.slice(1);
    const edited = encodeHistoryRow(below, { ...read.history, statements }).row;
    await rewrite(store, 2, (_payload, link) => {
      const kept = edited.slice();
      kept.set(link);
      return kept;
    });
    expect(await findings(store)).toEqual(["history 2: link"]);
    store.restore(whole);
    await rewrite(store, 2, () => edited);
    expect(await findings(store)).toEqual(["history 3: link"]);
  });

  it("holds a row against the record that the block two heights on carries", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    await grow(ledger, 3);
    await rewrite(store, 1, () => {
      const other = digest(new Uint8Array(32).fill(5));
      const certificate = certificateFor(other, height(1));
      const facts = { height: height(1), digest: other, proposer: validatorIndex(1), certificate };
      const edited = createHistory(facts, { statements: [], dropped: 0 });
      return encodeHistoryRow(ledger.genesisDigest, edited).row;
    });
    expect(await findings(store)).toContain("history 1: digest (recorded two blocks above)");
  });

  it("refuses to read a row that does not link", async () => {
    const store = createMemoryStore();
    const ledger = await openLedger(store);
    await grow(ledger, 2);
    await rewrite(store, 2, (payload) => new Uint8Array([...new Uint8Array(32), ...payload]));
    expect(() => ledger.history(height(2))).toThrow(
      expect.objectContaining({ code: "LEDGER_STORE_CORRUPT" }),
    );
    await store.write([{ type: "delete", space: "history", key: encodeU64(2) }], { sync: true });
    expect(() => ledger.history(height(2))).toThrow(
      expect.objectContaining({ code: "LEDGER_STORE_CORRUPT" }),
    );
  });
});

describe("bounds of a row of history", () => {
  const facts = {
    height: height(1),
    digest: digest(new Uint8Array(32)),
    proposer: validatorIndex(0),
    certificate: certificateFor(digest(new Uint8Array(32)), height(1)),
  };
  const vote = (inView: number): Message => ({
    type: "commit",
    height: height(1),
    view: view(inView),
    digest: digest(new Uint8Array(32)),
    sender: validatorIndex(0),
    signature: new Uint8Array(64),
  });
  const many = (count: number): readonly Statement[] =>
    Array.from({ length: count }, (_, at) => statementOf(vote(at))).filter((one) => one !== null);

  it("keeps exactly as many statements as the bound, of the latest views", () => {
    const full = createHistory(facts, { statements: many(MAX_HISTORY_STATEMENTS), dropped: 2 });
    expect(full).toMatchObject({ dropped: 2 });
    expect(full.statements).toHaveLength(MAX_HISTORY_STATEMENTS);
    const over = createHistory(facts, { statements: many(MAX_HISTORY_STATEMENTS + 3), dropped: 2 });
    expect(over.dropped).toBe(5);
    expect(over.statements[0]?.view).toBe(3);
    expect(over.statements.at(-1)?.view).toBe(MAX_HISTORY_STATEMENTS + 2);
  });

  it("keeps no more bytes than the bound, however large the proofs", () => {
    const signatures = Array.from({ length: 128 }, (_, index) => ({
      index: validatorIndex(index),
      signature: new Uint8Array(64),
    }));
    const proven = Array.from(
      { length: 300 },
      (_, at): Statement => ({
        type: "view-change",
        height: height(1),
        view: view(at + 1),
        preparedView: view(0),
        preparedDigest: facts.digest,
        sender: validatorIndex(at % 128),
        signature: new Uint8Array(64),
        prepared: { height: height(1), view: view(0), digest: facts.digest, signatures },
      }),
    );
    const history = createHistory(facts, { statements: proven, dropped: 0 });
    expect(history.dropped).toBe(300 - history.statements.length);
    expect(history.dropped).toBeGreaterThan(0);
    const { row } = encodeHistoryRow(facts.digest, history);
    expect(row.length).toBeLessThan(MAX_HISTORY_BYTES + 16_384);
    expect(history.statements.at(-1)?.view).toBe(300);
  });
});
