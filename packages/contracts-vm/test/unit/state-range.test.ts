import type { Receipt } from "@credlink/ledger";
import { concatBytes, decode, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { hostCosts } from "../../src/gas-schedule.ts";
import {
  MAX_KEY_BYTES,
  MAX_PAGE_BYTES,
  pageOf,
  type StatePage,
  statePageCodec,
} from "../../src/state-page.ts";
import { NAME, VERSION } from "../support/assembler.ts";
import { TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { storageCall, storageContract } from "../support/storage-contract.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

function open() {
  const chain = new TestChain({ ...consortium.genesis, contracts: [storageContract()] });
  const call = (method: string, args: Uint8Array) => ({
    ...{ contract: NAME, version: VERSION, method, args },
    signers: [consortium.institution.address],
  });
  return { chain, call };
}

function pageIn(receipt: Receipt): StatePage {
  expect(receipt.status).toBe("SUCCESS");
  return decode(statePageCodec, receipt.returnValue);
}

const END = Uint8Array.of(0xff);

describe("pages of a contract's state", () => {
  it("follow each other by their continuation until it is null, whatever the keys", async () => {
    const { chain, call } = open();
    // The longest keys there are, one the beginning of another, and an empty value.
    const longest = new Uint8Array(MAX_KEY_BYTES).fill(0x61);
    const keys = [
      utf8("a"),
      utf8("aa"),
      longest.slice(1),
      longest,
      concatBytes(longest.slice(1), Uint8Array.of(0x62)),
    ];
    const puts = keys.map((key) => transactionOf(call("put", storageCall.put(key, ""))));
    await chain.block(...puts);
    for (const limit of [1, 2, 4, 5, 6, 256]) {
      const found: Uint8Array[] = [];
      let pages = 0;
      for (let from: Uint8Array | null = new Uint8Array(0); from !== null; pages++) {
        const page = pageIn(await chain.run(call("list", storageCall.list(from, END, limit))));
        found.push(...page.entries.map(({ key }) => key));
        from = page.next;
      }
      expect(found, `limit ${limit}`).toEqual(keys);
      expect(pages, `limit ${limit}`).toBe(Math.floor(keys.length / limit) + 1);
    }
  });

  it("end before they would hold more than a mebibyte", () => {
    const entry = (first: number, length: number) => ({
      key: Uint8Array.of(first),
      value: new Uint8Array(length),
    });
    const half = MAX_PAGE_BYTES / 2;
    const fits = pageOf([entry(1, half - 1), entry(2, half - 1)], 5);
    expect(fits.entries).toHaveLength(2);
    expect(fits.next).toBe(null);
    expect(fits.sizeBytes).toBe(MAX_PAGE_BYTES);
    const cut = pageOf([entry(1, half - 1), entry(2, half), entry(3, 0)], 5);
    expect(cut.entries).toHaveLength(1);
    expect(cut.next).toEqual(Uint8Array.of(1, 0));
    expect(pageOf([], 5)).toMatchObject({ entries: [], next: null, sizeBytes: 0 });
  });

  it("are paid by the entry asked for, by the byte handed over, and by the key deleted", async () => {
    const { chain, call } = open();
    const keys = [10, 11, 12, 13].map((key) => Uint8Array.of(key));
    const puts = keys.map((key) => transactionOf(call("put", storageCall.put(key, "value"))));
    await chain.block(...puts);
    const gasOf = async (method: string, limit: number, to = END): Promise<number> => {
      const args = storageCall.list(new Uint8Array(0), to, limit);
      const { view } = chain;
      const context = { ...chain.context() };
      const { receipts } = await chain.executor.execute(view, context, [
        transactionOf(call(method, args)),
      ]);
      return receipts[0]?.gasUsed ?? 0;
    };
    const { rangeEntry, stateRange, buffer, returnValue } = hostCosts;
    const perByte = stateRange.perByte * 6 + (buffer.perByte + returnValue.perByte) * 11;
    const [two, three] = [await gasOf("list", 2), await gasOf("list", 3)];
    // An entry: its own charge, 1 + 5 bytes, and 11 bytes of encoding to copy and to return.
    expect(three - two).toBe(rangeEntry.base + perByte);
    // One entry more that is not there costs its own charge, and no continuation is returned.
    const continuation = (buffer.perByte + returnValue.perByte) * 3;
    expect((await gasOf("list", 6)) - (await gasOf("list", 5))).toBe(rangeEntry.base);
    expect((await gasOf("list", 5)) - (await gasOf("list", 4))).toBe(
      rangeEntry.base - continuation,
    );
    // 200 keys were deleted in the call, all of them inside the range, or none.
    const all = await gasOf("clear", 5);
    const none = await gasOf("clear", 5, Uint8Array.of(0));
    expect(all - none).toBe(200 * rangeEntry.base);
  });

  it("need a load for 256 deletions, not one for each", async () => {
    const { chain, call } = open();
    const puts = Array.from({ length: 220 }, (_, key) =>
      transactionOf(call("put", storageCall.put(Uint8Array.of(key), "v"))),
    );
    await chain.block(...puts);
    const before = chain.view;
    const args = storageCall.list(new Uint8Array(0), END, 1);
    const page = pageIn(await chain.run(call("clear", args)));
    expect(page.entries.map(({ key }) => key[0])).toEqual([200]);
    expect(before.loads).toBe(1);
  });

  it.each([
    ["a from of 130 bytes", new Uint8Array(MAX_KEY_BYTES + 2), END, 1],
    ["a to of 130 bytes", new Uint8Array(0), new Uint8Array(MAX_KEY_BYTES + 2), 1],
    ["a limit of 0", new Uint8Array(0), END, 0],
    ["a limit of 257", new Uint8Array(0), END, 257],
  ])("refuse %s", async (_, from, to, limit) => {
    const { chain, call } = open();
    const receipt = await chain.run(call("list", storageCall.list(from, to, limit)));
    expect(receipt.status).toBe("VM_HOST_ARGUMENT");
  });

  it("are empty where the end lies before the beginning", async () => {
    const { chain, call } = open();
    await chain.run(call("put", storageCall.put("b", "v")));
    const page = pageIn(await chain.run(call("list", storageCall.list("c", "a", 5))));
    expect(page).toEqual({ entries: [], next: null });
  });
});
