import {
  contractUsageArgsCodec,
  contractUsageCodec,
  type Parameters,
  type Receipt,
  type StateUsage,
  setQuotaArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode, utf8 } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { NAME, VERSION } from "../support/assembler.ts";
import { type TestCall, TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { storageCall, storageContract } from "../support/storage-contract.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

class Quotas {
  readonly chain: TestChain;
  private readonly signers: readonly Address[];
  private readonly admins: readonly Address[];

  constructor(quota: Partial<Parameters>) {
    const { genesis, institution, admins } = consortium;
    const parameters = { ...genesis.parameters, ...quota };
    this.chain = new TestChain({ ...genesis, parameters, contracts: [storageContract()] });
    this.signers = [institution.address];
    this.admins = admins.map(({ address }) => address);
  }

  call(method: string, args: Uint8Array): TestCall {
    return { contract: NAME, version: VERSION, method, args, signers: this.signers };
  }

  async put(key: string, value: string): Promise<string> {
    const { status } = await this.chain.run(this.call("put", storageCall.put(key, value)));
    return status;
  }

  async remove(key: string): Promise<string> {
    return (await this.chain.run(this.call("remove", utf8(key)))).status;
  }

  set(quota: StateUsage | null, signers = this.admins.slice(0, 3), name = NAME): Promise<Receipt> {
    const args = encode(setQuotaArgsCodec, { name, quota });
    return this.chain.run({ contract: "contracts", method: "setQuota", args, signers });
  }

  async usage() {
    const args = encode(contractUsageArgsCodec, { name: NAME });
    const call = { contract: "contracts", method: "usage", args, signers: this.signers };
    return decode(contractUsageCodec, (await this.chain.query(call)).returnValue);
  }
}

/** What the contract's rows come to, counted one by one. */
function counted({ view }: TestChain): StateUsage {
  const rows = [...view.rows].filter(([name]) => name.startsWith(`${NAME}/`));
  const bytes = rows.reduce((sum, [, { key, value }]) => sum + key.length + value.length, 0);
  return { entries: rows.length, bytes };
}

describe("a contract's state quota", () => {
  it("ends the call that would hold one entry too many, and no other", async () => {
    const quotas = new Quotas({ contractStateEntries: 2 });
    expect(await quotas.put("a", "1")).toBe("SUCCESS");
    expect(await quotas.put("b", "1")).toBe("SUCCESS");
    expect(await quotas.put("c", "1")).toBe("VM_STATE_QUOTA");
    // A key that is there may change, and one that was deleted makes room.
    expect(await quotas.put("b", "22")).toBe("SUCCESS");
    expect(await quotas.remove("a")).toBe("SUCCESS");
    expect(await quotas.put("c", "1")).toBe("SUCCESS");
    expect((await quotas.usage()).used).toEqual({ entries: 2, bytes: 5 });
  });

  it("ends the call that would hold one byte of keys and values too many", async () => {
    const quotas = new Quotas({ contractStateBytes: 10 });
    expect(await quotas.put("key", "1234567")).toBe("SUCCESS");
    expect(await quotas.put("key", "12345678")).toBe("VM_STATE_QUOTA");
    expect(await quotas.put("k", "")).toBe("VM_STATE_QUOTA");
    expect(await quotas.put("key", "123456")).toBe("SUCCESS");
    expect(await quotas.put("k", "")).toBe("SUCCESS");
    expect((await quotas.usage()).used).toEqual({ entries: 2, bytes: 10 });
  });

  it("counts what earlier transactions of the block put, and nothing of those that failed", async () => {
    const quotas = new Quotas({ contractStateEntries: 2 });
    const puts = ["a", "b", "c", "a"].map((key) =>
      transactionOf(quotas.call("put", storageCall.put(key, "v"))),
    );
    const { receipts } = await quotas.chain.block(...puts);
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "SUCCESS",
      "VM_STATE_QUOTA",
      "SUCCESS",
    ]);
    expect((await quotas.usage()).used).toEqual(counted(quotas.chain));
  });

  it("is raised and lowered by a majority, from the next block on", async () => {
    const quotas = new Quotas({ contractStateEntries: 1 });
    await quotas.put("a", "1");
    const two = consortium.admins.slice(0, 2).map(({ address }) => address);
    const more = { entries: 2, bytes: 1_000 };
    expect((await quotas.set(more, two)).status).toBe("GOVERNANCE_VOTES_MISSING");
    const raise = transactionOf({
      contract: "contracts",
      method: "setQuota",
      args: encode(setQuotaArgsCodec, { name: NAME, quota: more }),
      signers: consortium.admins.slice(0, 3).map(({ address }) => address),
    });
    const put = transactionOf(quotas.call("put", storageCall.put("b", "1")));
    const { receipts } = await quotas.chain.block(raise, put);
    expect(receipts.map(({ status }) => status)).toEqual(["SUCCESS", "VM_STATE_QUOTA"]);
    expect(await quotas.put("b", "1")).toBe("SUCCESS");
    expect(await quotas.usage()).toMatchObject({ quota: more });
    expect((await quotas.set(null)).status).toBe("SUCCESS");
    // Above its quota now, it may shrink and change, and not grow.
    expect(await quotas.put("b", "")).toBe("SUCCESS");
    expect(await quotas.put("c", "")).toBe("VM_STATE_QUOTA");
    expect(await quotas.remove("b")).toBe("SUCCESS");
    expect((await quotas.usage()).quota.entries).toBe(1);
  });

  it.each([
    ["CONTRACTS_QUOTA_INVALID", { entries: 0, bytes: 1 }, NAME],
    ["CONTRACTS_QUOTA_INVALID", { entries: 1, bytes: 0 }, NAME],
    ["CONTRACTS_QUOTA_INVALID", { entries: 2 ** 50 + 1, bytes: 1 }, NAME],
    ["SUCCESS", { entries: 2 ** 50, bytes: 2 ** 50 }, NAME],
    ["CONTRACTS_NOT_INSTALLED", { entries: 1, bytes: 1 }, "another"],
  ])("%s for a quota of %o of %s", async (status, quota, name) => {
    const quotas = new Quotas({});
    const { chain } = quotas;
    expect((await quotas.set(quota, undefined, name)).status).toBe(status);
    expect(chain.view.height).toBe(1);
  });

  it("counts as one would, whatever 300 calls put and delete in blocks of any size", async () => {
    const quotas = new Quotas({ contractStateEntries: 12, contractStateBytes: 90 });
    let seed = 7;
    const below = (most: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % most;
    };
    let refused = 0;
    for (let block = 0; block < 60; block++) {
      const calls = Array.from({ length: 1 + below(9) }, () => {
        const key = "k".repeat(1 + below(3)) + String(below(8));
        return below(3) === 0
          ? quotas.call("remove", utf8(key))
          : quotas.call("put", storageCall.put(key, "v".repeat(below(12))));
      });
      const { receipts } = await quotas.chain.block(...calls.map(transactionOf));
      refused += receipts.filter(({ status }) => status === "VM_STATE_QUOTA").length;
      const { used } = await quotas.usage();
      expect(used, `block ${block}`).toEqual(counted(quotas.chain));
      expect(used.entries).toBeLessThanOrEqual(12);
      expect(used.bytes).toBeLessThanOrEqual(90);
    }
    expect(refused).toBeGreaterThan(5);
  });
});
