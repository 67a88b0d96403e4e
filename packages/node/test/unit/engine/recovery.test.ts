import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import {
  createLedger,
  createMemoryStore,
  decodeSignedTransaction,
  type Receipt,
  recoverArgsCodec,
  transactionId,
} from "@credlink/ledger";
import { accept, type Digest, decode, height, noLogger, toHex } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createRecovery } from "../../../src/engine/recovery.ts";
import type { CommittedBlock } from "../../../src/engine/types.ts";
import { storageExecutor, storageGenesis } from "../../support/storage-chain.ts";

const signer = createSm2Signer(generateKeyPair().privateKey);

/** One process of a validator that must not vote, and what it has asked for. */
async function startProcess(seed: number) {
  const genesis = storageGenesis;
  const store = createMemoryStore();
  const ledger = await createLedger({ store, executor: storageExecutor, genesis });
  const asked: Uint8Array[] = [];
  const process = { isAbstaining: true };
  const recovery = createRecovery({
    ledger,
    signer,
    random: createSeededRandom(seed),
    logger: noLogger,
    isAbstaining: () => process.isAbstaining,
    submit: async (bytes) => {
      asked.push(bytes);
      return accept({ id: transactionId(bytes) });
    },
  });
  const tick = async (): Promise<void> => {
    recovery.tick();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { process, recovery, asked, tick };
}

function nonceOf(bytes: Uint8Array | undefined): string {
  const decoded = decodeSignedTransaction(bytes ?? new Uint8Array());
  if (!decoded.ok) throw new Error(decoded.code);
  expect([decoded.value.contract, decoded.value.method]).toEqual(["validators", "recover"]);
  return toHex(decode(recoverArgsCodec, decoded.value.args).nonce);
}

/** Block 5 with these transactions, each with this status. */
function blockOf(transactions: readonly Uint8Array[], status = "SUCCESS"): CommittedBlock {
  const transactionIds = transactions.map(transactionId);
  const receipt = (id: Digest): Receipt => ({
    transactionId: id,
    status,
    gasUsed: 1,
    contractVersion: "1",
    returnValue: new Uint8Array(),
    events: [],
  });
  const receipts = transactionIds.map(receipt);
  const digest = transactionId(new Uint8Array());
  return { height: height(5), digest, timestampMs: 1, transactionIds, receipts };
}

describe("a validator that lost its vote log", () => {
  it("asks once, and is witnessed by the block that holds what it asked", async () => {
    const { recovery, asked, tick } = await startProcess(1);
    await tick();
    await tick();
    expect(asked).toHaveLength(1);
    expect(recovery.witnessedBy(blockOf([]))).toBe(null);
    expect(recovery.witnessedBy(blockOf(asked))).toBe(5);
    expect(recovery.witnessedBy(blockOf(asked))).toBe(null);
  });

  it("is not witnessed by what an earlier process asked under the same key", async () => {
    const earlier = await startProcess(1);
    await earlier.tick();
    const { recovery, asked, tick } = await startProcess(2);
    await tick();
    expect(recovery.witnessedBy(blockOf(earlier.asked))).toBe(null);
    expect(recovery.witnessedBy(blockOf([...earlier.asked, ...asked]))).toBe(5);
  });

  it("is not witnessed by a request that failed, and asks again", async () => {
    const { recovery, asked, tick } = await startProcess(1);
    await tick();
    const failed = blockOf(asked, "VALIDATORS_NOT_A_VALIDATOR");
    expect(recovery.witnessedBy(failed)).toBe(null);
    await tick();
    expect(asked).toHaveLength(2);
    expect(recovery.witnessedBy(blockOf(asked.slice(1)))).toBe(5);
  });

  it("draws a nonce for each abstention, and forgets what it asked in the one before", async () => {
    const { process, recovery, asked, tick } = await startProcess(1);
    await tick();
    process.isAbstaining = false;
    await tick();
    process.isAbstaining = true;
    await tick();
    expect(asked).toHaveLength(2);
    const [first, second] = asked;
    expect(nonceOf(first)).not.toBe(nonceOf(second));
    expect(recovery.witnessedBy(blockOf(asked.slice(0, 1)))).toBe(null);
    expect(recovery.witnessedBy(blockOf(asked.slice(1)))).toBe(5);
  });
});
