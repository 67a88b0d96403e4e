import type { Ledger } from "@credlink/ledger";
import type { CommittedBlock } from "@credlink/node/engine";
import { type Digest, height } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { ChainChecker } from "../../src/chain-checker.ts";
import { KnownValidators } from "../../src/known-validators.ts";
import { block, brokenBy, createBench } from "./helpers.ts";

const bench = createBench();

interface Shown {
  readonly digest?: number;
  readonly parent?: number;
  readonly stateRoot?: number;
  readonly timestampMs?: number;
  readonly validatorsHash?: Digest;
  readonly nextValidatorsHash?: Digest;
  readonly signers?: readonly number[];
}

/** A chain of block digests 1, 2, 3 … as one node shows it; `wrong` changes what it shows. */
async function shows(upTo: number, wrong: ReadonlyMap<number, Shown> = new Map()) {
  const headers = new Map<number, { readonly digest: Digest; readonly header: unknown }>();
  const certificates = new Map<number, unknown>();
  for (let at = 1; at <= upTo; at++) {
    const change = wrong.get(at) ?? {};
    const digest = block(change.digest ?? at);
    headers.set(at, {
      digest,
      header: {
        height: height(at),
        parentHash: block(change.parent ?? at - 1),
        stateRoot: block(change.stateRoot ?? at),
        timestampMs: change.timestampMs ?? at * 10,
        validatorsHash: change.validatorsHash ?? bench.set.hash,
        nextValidatorsHash: change.nextValidatorsHash ?? bench.set.hash,
      },
    });
    const signers = change.signers ?? [0, 1, 2];
    certificates.set(at, await bench.certificate("commit", at, 0, digest, signers));
  }
  return {
    head: headers.get(upTo) ?? { digest: block(0), header: { height: height(0) } },
    header: (at: number) => headers.get(at) ?? null,
    certificate: (at: number) => certificates.get(at) ?? null,
    validatorsAt: () => bench.set,
  } as unknown as Ledger;
}

function committed(at: number, transaction = at, status = "SUCCESS"): CommittedBlock {
  return {
    height: height(at),
    digest: block(at),
    timestampMs: at * 10,
    transactionIds: [block(transaction)],
    receipts: [{ status }],
  } as unknown as CommittedBlock;
}

const createChecker = () => new ChainChecker(bench.profile, new KnownValidators(bench.set));

/** What is broken when node-0 shows a good chain of two, and then this one is shown. */
async function judge(wrong: Shown, at = 2, node = "node-1"): Promise<string | null> {
  const checker = createChecker();
  const good = await shows(2);
  const bad = await shows(at, new Map([[at, wrong]]));
  return brokenBy(() => {
    for (const h of [1, 2]) checker.onCommit("node-0", committed(h), good);
    if (node !== "node-0") for (let h = 1; h < at; h++) checker.onCommit(node, committed(h), good);
    checker.onCommit(node, committed(at), bad);
  });
}

describe("negative control: the chain of all honest nodes", () => {
  it("a good chain passes", async () => {
    expect(await judge({})).toBe(null);
    expect(await judge({}, 3, "node-0")).toBe(null);
  });

  it("I1: another block at a height", async () => {
    expect(await judge({ digest: 9 })).toBe("I1");
  });

  it("I2: another parent, or other validators than the chain named", async () => {
    expect(await judge({ parent: 7 }, 3, "node-0")).toBe("I2");
    expect(await judge({ validatorsHash: block(9) }, 3, "node-0")).toBe("I2");
    expect(await judge({ nextValidatorsHash: block(9) }, 3, "node-0")).toBe("I2");
  });

  it("I4: a height twice, a gap, and a durable block that is gone after a restart", async () => {
    const good = await shows(3);
    const after = (heights: readonly number[]) => {
      const checker = createChecker();
      return brokenBy(() => {
        for (const h of heights) checker.onCommit("node-0", committed(h), good);
      });
    };
    expect(after([1, 2, 3])).toBe(null);
    expect(after([1, 1])).toBe("I4");
    expect(after([1, 3])).toBe("I4");
    const checker = createChecker();
    for (const h of [1, 2]) checker.onCommit("node-0", committed(h), good);
    const [same, shorter] = [await shows(2), await shows(1)];
    expect(brokenBy(() => checker.onBoot("node-0", same))).toBe(null);
    expect(brokenBy(() => checker.onBoot("node-0", shorter))).toBe("I4");
    // A machine that a fault put back to then has not forgotten it.
    checker.onRolledBack("node-0", 0);
    expect(brokenBy(() => checker.onBoot("node-0", shorter))).toBe(null);
  });

  it("I9: a certificate of too few", async () => {
    expect(await judge({ signers: [0, 1] })).toBe("I9");
  });

  it("I12: one transaction in two blocks, or executed before", async () => {
    const good = await shows(2);
    const run = (second: CommittedBlock) => {
      const checker = createChecker();
      return brokenBy(() => {
        checker.onCommit("node-0", committed(1), good);
        checker.onCommit("node-0", second, good);
      });
    };
    expect(run(committed(2))).toBe(null);
    expect(run(committed(2, 1))).toBe("I12");
    expect(run(committed(2, 2, "BOOK_TWICE"))).toBe("I12");
  });

  it("I14: another state under one block", async () => {
    expect(await judge({ stateRoot: 9 })).toBe("I14");
  });

  it("I15: a block that is not later than its parent", async () => {
    expect(await judge({ timestampMs: 20 }, 3, "node-0")).toBe("I15");
  });
});
