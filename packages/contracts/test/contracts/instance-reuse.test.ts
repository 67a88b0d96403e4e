import { createExecutor } from "@credlink/contracts-vm";
import { type ExecutionResult, type Executor, receiptCodec } from "@credlink/ledger";
import { encode, toHex } from "@credlink/primitives";
import { expect, it } from "vitest";
import { generateBusinessMonth, generateRefusedCases } from "../../../../examples/src/index.ts";
import { TestChain } from "../support/chain.ts";
import {
  createGenesis,
  DAY_MS,
  GENESIS_MS,
  keySource,
  memberKeyOf,
} from "../support/consortium.ts";
import { submitMonth } from "../support/month.ts";

/** Everything that a block's execution says, as text. */
function bytesOf({ receipts, writes, gasUsed }: ExecutionResult): readonly string[] {
  return [
    `${gasUsed}`,
    ...receipts.map((receipt) => toHex(encode(receiptCodec, receipt))),
    ...writes
      .map(({ contract, key, value }) => {
        return `${contract} ${toHex(key)} ${value === null ? "-" : toHex(value)}`;
      })
      .sort(),
  ];
}

it("a month gives the same receipts, gas and writes with and without reused instances", async () => {
  const shared = createExecutor({ reuseInstances: true });
  const fresh = createExecutor({ reuseInstances: false });
  let transactions = 0;
  const both: Executor = {
    genesis: (genesis) => shared.genesis(genesis),
    query: (view, context, call) => shared.query(view, context, call),
    judgeCall: (view, call) => shared.judgeCall(view, call),
    skipped: (view, at) => shared.skipped(view, at),
    validators: (view) => shared.validators(view),
    parameters: (view) => shared.parameters(view),
    async execute(...block) {
      const result = await shared.execute(...block);
      expect(bytesOf(result)).toEqual(bytesOf(await fresh.execute(...block)));
      transactions += result.receipts.length;
      return result;
    },
  };
  const institution = memberKeyOf("institution");
  const month = generateBusinessMonth({
    seed: "reuse",
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: institution.address,
    regulator: memberKeyOf("regulator"),
    createKey: keySource("reuse"),
  });
  const chain = await TestChain.open(await createGenesis(), both);
  expect(await submitMonth(chain, month)).toEqual([]);
  const refused = generateRefusedCases(month).map(({ sender, step }) => ({
    sender: sender ?? institution,
    method: step.method,
    args: step.args,
    coSigners: step.coSigners,
  }));
  const statuses = (await chain.block(refused)).map(({ status }) => status);
  expect(statuses).not.toContain("SUCCESS");
  expect(transactions).toBeGreaterThan(500);
});
