import { digest, encode, height, utf8, validatorIndex, view } from "@credlink/primitives";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Block,
  blockCodec,
  type DecodedTransaction,
  decodeBlock,
  evidenceRoot,
  type Header,
  historyRecordCodec,
  historyRoot,
  type Ledger,
  type SealedCandidate,
  transactionRoot,
} from "../../src/index.ts";
import {
  buildOn,
  certificateFor,
  commitBlock,
  commitSealed,
  importBlock,
  openLedger,
  putTransaction,
  verifyHistory,
  verifyReally,
} from "../support.ts";

/** A primary three blocks up, a replica beside it, and the primary's next block. */
let primary: Ledger;
let replica: Ledger;
let transactions: readonly DecodedTransaction[];
let candidate: SealedCandidate;

beforeEach(async () => {
  [primary, replica] = [await openLedger(), await openLedger()];
  for (let i = 0; i < 3; i++) {
    await commitBlock(primary, [putTransaction(primary, `k${i}`, "v")]);
    const sealed = await primary.block(primary.head.header.height);
    if (sealed === null) throw new Error("a committed block");
    await importBlock(replica, sealed);
  }
  transactions = ["a", "b", "c"].map((key) => putTransaction(primary, key, "1"));
  candidate = await buildOn(primary, primary.head, transactions);
});

type Changes = { readonly header?: Partial<Header>; readonly body?: Partial<Block["body"]> };

function changed({ header = {}, body = {} }: Changes): Block {
  const { block } = candidate.sealed;
  return { header: { ...block.header, ...header }, body: { ...block.body, ...body } };
}

function check(block: Block, at: Partial<Parameters<Ledger["checkProposal"]>[0]> = {}) {
  return replica.checkProposal({
    block,
    transactions,
    verifySignatures: verifyReally,
    verifyHistory,
    ...at,
  });
}

const other = digest(new Uint8Array(32).fill(9));
const ids = () => transactions.map(({ id }) => id);
const record = (at: number, of = replica.header(height(at))?.digest ?? other) =>
  encode(historyRecordCodec, { certificate: certificateFor(of, height(at)), justification: null });
const withHistory = (history: Uint8Array): Changes => ({
  header: { historyRoot: historyRoot(history) },
  body: { history },
});

const breaches: readonly (readonly [code: string, changes: () => Changes])[] = [
  ["LEDGER_BLOCK_VERSION_UNKNOWN", () => ({ header: { version: 2 } })],
  ["LEDGER_BLOCK_WRONG_CHAIN", () => ({ header: { chainId: "another" } })],
  ["LEDGER_BLOCK_PARENT_UNKNOWN", () => ({ header: { parentHash: other } })],
  ["LEDGER_BLOCK_HEIGHT", () => ({ header: { height: height(5) } })],
  ["LEDGER_BLOCK_TIMESTAMP", () => ({ header: { timestampMs: primary.head.header.timestampMs } })],
  ["LEDGER_BLOCK_PROPOSER", () => ({ header: { proposer: validatorIndex(4) } })],
  ["LEDGER_BLOCK_TRANSACTION_COUNT", () => ({ header: { transactionCount: 2 } })],
  ["LEDGER_BLOCK_TRANSACTION_ROOT", () => ({ header: { transactionRoot: other } })],
  ["LEDGER_BLOCK_TRANSACTION_ROOT", () => ({ body: { transactionIds: ids().reverse() } })],
  [
    "LEDGER_BLOCK_TRANSACTIONS_MISMATCH",
    () => {
      const transactionIds = ids().reverse();
      const root = transactionRoot(transactionIds);
      return { header: { transactionRoot: root }, body: { transactionIds } };
    },
  ],
  [
    "LEDGER_BLOCK_TRANSACTION_DUPLICATE",
    () => {
      const [a = other, b = other] = ids();
      const transactionIds = [a, b, a];
      const root = transactionRoot(transactionIds);
      return { header: { transactionRoot: root }, body: { transactionIds } };
    },
  ],
  ["LEDGER_BLOCK_GAS_USED", () => ({ header: { gasUsed: 1 } })],
  ["LEDGER_BLOCK_STATE_ROOT", () => ({ header: { stateRoot: other } })],
  ["LEDGER_BLOCK_RECEIPT_ROOT", () => ({ header: { receiptRoot: other } })],
  ["LEDGER_BLOCK_VALIDATORS_HASH", () => ({ header: { validatorsHash: other } })],
  ["LEDGER_BLOCK_NEXT_VALIDATORS_HASH", () => ({ header: { nextValidatorsHash: other } })],
  ["LEDGER_BLOCK_HISTORY_ROOT", () => ({ header: { historyRoot: other } })],
  ["LEDGER_BLOCK_HISTORY_ROOT", () => ({ body: { history: new Uint8Array(0) } })],
  ["LEDGER_BLOCK_HISTORY", () => withHistory(new Uint8Array(0))],
  ["LEDGER_BLOCK_HISTORY", () => withHistory(utf8("no record"))],
  ["LEDGER_BLOCK_HISTORY", () => withHistory(record(1))],
  ["LEDGER_BLOCK_HISTORY", () => withHistory(record(3))],
  ["LEDGER_BLOCK_HISTORY", () => withHistory(record(2, other))],
  ["LEDGER_BLOCK_EVIDENCE_ROOT", () => ({ header: { evidenceRoot: other } })],
  [
    "LEDGER_BLOCK_EVIDENCE",
    () => {
      const evidence = [utf8("unproven")];
      return { header: { evidenceRoot: evidenceRoot(evidence) }, body: { evidence } };
    },
  ],
];

describe("block rules", () => {
  it("accept the primary's block, and answer again from memory", async () => {
    const verdict = await check(candidate.sealed.block);
    expect(verdict.ok).toBe(true);
    const verifySignatures = () => Promise.reject(new Error("asked again"));
    expect(await check(candidate.sealed.block, { verifySignatures })).toEqual(verdict);
  });

  it.each(breaches)("%s", async (code, changes) => {
    expect(await check(changed(changes()))).toMatchObject({ ok: false, code });
  });

  it("known bug 58: a history whose signatures do not verify makes the block invalid", async () => {
    const asked: number[] = [];
    const verdict = await check(candidate.sealed.block, {
      verifyHistory: (_history, at, validators) => {
        asked.push(at, validators.validators.length);
        return false;
      },
    });
    expect(verdict).toMatchObject({ code: "LEDGER_BLOCK_HISTORY" });
    expect(asked).toEqual([2, 4]);
  });

  it("known bug 57: block time is the header's own and must pass the parent's", async () => {
    const { timestampMs } = primary.head.header;
    for (const wrong of [timestampMs - 1, timestampMs, 0]) {
      const block = changed({ header: { timestampMs: wrong } });
      expect(await check(block)).toMatchObject({ code: "LEDGER_BLOCK_TIMESTAMP" });
    }
  });

  it("a justification may stand only where the view is above 0", async () => {
    const justification = { viewChanges: [], prepared: null };
    const of = replica.header(height(2))?.digest ?? other;
    const certificate = certificateFor(of, height(2));
    const zero = encode(historyRecordCodec, { certificate, justification });
    expect(await check(changed(withHistory(zero)))).toMatchObject({ code: "LEDGER_BLOCK_HISTORY" });
    const later = encode(historyRecordCodec, {
      certificate: { ...certificate, view: view(1) },
      justification,
    });
    expect(await check(changed(withHistory(later)))).toMatchObject({ ok: true });
  });

  it("limits of count, bytes and gas are the chain's", async () => {
    const many = { ...primary.genesis.parameters };
    const limits = [
      ["LEDGER_BLOCK_TOO_MANY_TRANSACTIONS", { ...many, maxBlockTransactions: 2 }],
      ["LEDGER_BLOCK_TOO_LARGE", { ...many, maxBlockBytes: 1_000 }],
      ["LEDGER_BLOCK_GAS_LIMIT", { ...many, blockGasLimit: 2_999 }],
    ] as const;
    const { refuseBody } = await import("../../src/block-rules.ts");
    const { block } = candidate.sealed;
    const validators = replica.validatorsAt(height(4));
    if (validators === null) throw new Error("validators of height 4");
    const context = {
      chainId: "test-chain",
      parent: replica.head,
      validators,
      nextValidators: validators,
      grandparent: null,
    };
    for (const [code, parameters] of limits) {
      expect(refuseBody(block, transactions, { ...context, parameters })).toMatchObject({ code });
    }
    const parameters = { ...many, blockGasLimit: 3_000, maxBlockTransactions: 3 };
    expect(refuseBody(block, transactions, { ...context, parameters })).toBeNull();
  });

  it("overlap: the next block is judged on a candidate, and on two while heights catch up", async () => {
    const next = [putTransaction(primary, "next", "1")];
    await commitSealed(primary, candidate);
    const above = await buildOn(primary, primary.head, next);
    await commitSealed(primary, above);
    const top = await buildOn(primary, primary.head, []);
    const blocks = [candidate, above, top] as const;
    for (const { sealed, transactions: of } of blocks) {
      expect(await check(sealed.block, { transactions: of })).toMatchObject({ ok: true });
    }
    expect(replica.head.header.height).toBe(3);
    // A replay of what an uncommitted ancestor holds is one, on that branch.
    const replay = await buildOn(primary, primary.head, next);
    expect(await check(replay.sealed.block, { transactions: next })).toMatchObject({
      code: "LEDGER_TRANSACTION_REPLAYED",
    });
    for (const { sealed } of blocks) {
      const checked = replica.candidate(sealed.digest);
      if (checked === null) throw new Error("a checked candidate");
      await commitSealed(replica, checked);
    }
    expect(replica.head.header.stateRoot).toEqual(top.stateRoot);
    expect(replica.state("kv", utf8("next")).value).toEqual(utf8("1"));
  });

  it("bytes that are no block are refused by a code", () => {
    const bytes = encode(blockCodec, candidate.sealed.block);
    expect(decodeBlock(bytes)).toMatchObject({ ok: true });
    for (const at of [0, 1, 50, bytes.length - 1]) {
      expect(decodeBlock(bytes.subarray(0, at))).toMatchObject({ code: "LEDGER_BLOCK_MALFORMED" });
    }
  });
});
