import type { StateEntry, StateRange } from "@credlink/ledger";
import { toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  assemble,
  call,
  contractOf,
  i32,
  manifestOf,
  NAME,
  VERSION,
} from "../support/assembler.ts";
import { MemoryView, TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";

const DROP = 0x1a;
const RANGES = 12;

/** Asks for one range after the other. */
function walker() {
  const ask = (limit: number) => [i32(0), i32(0), i32(0), i32(1), i32(limit), call(0), DROP];
  const code = Array.from({ length: RANGES }, (_, index) => ask(index + 1));
  return contractOf(
    assemble({ imports: ["state_range"], functions: [{ name: "main", code }] }),
    manifestOf(["main"]),
  );
}

/** Remembers the last ranges that were loaded, as a node's view does, but far fewer. */
class Forgetful extends MemoryView {
  private readonly last: string[] = [];
  private readonly most: number;
  /** @param most how many. */
  constructor(of: MemoryView, most: number) {
    super(of.height, of.timestampMs, of.rows, []);
    this.most = most;
  }

  override range(range: StateRange): readonly StateEntry[] {
    // The one above throws what says that it is to be loaded.
    if (this.last.includes(nameOf(range))) return super.range(range);
    return new MemoryView(this.height, this.timestampMs, [], []).range(range);
  }

  override async loadRange(range: StateRange): Promise<void> {
    await super.loadRange(range);
    this.last.push(nameOf(range));
    this.last.splice(0, this.last.length - this.most);
  }
}

function nameOf({ from, to, limit }: StateRange): string {
  return `${toHex(from)} ${toHex(to)} ${limit}`;
}

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium({ contracts: [walker()] });
});

function open(most: number) {
  const chain = new TestChain(consortium.genesis);
  const view = new Forgetful(chain.view, most);
  const transaction = transactionOf({
    ...{ contract: NAME, version: VERSION, method: "main" },
    signers: [consortium.institution.address],
  });
  return { view, run: () => chain.executor.execute(view, chain.context(), [transaction]) };
}

describe("a transaction that asks for more ranges than the view remembers", () => {
  it("loads each of them once, and comes to the receipt of any other node", async () => {
    const wide = open(RANGES);
    const narrow = open(3);
    const [expected] = (await wide.run()).receipts;
    const [receipt] = (await narrow.run()).receipts;
    expect(receipt?.status).toBe("SUCCESS");
    expect(receipt?.gasUsed).toBe(expected?.gasUsed);
    expect(narrow.view.loads).toBe(RANGES);
  });

  it("fails on a view that never answers, and ends", async () => {
    await expect(open(0).run()).rejects.toMatchObject({ code: "VM_HOST_FAILURE" });
  });
});
