import { createMemoryStore } from "@credlink/ledger";
import { accept, noLogger } from "@credlink/primitives";
import { expect, it } from "vitest";
import {
  createTransactionIntake,
  type IntakeComponents,
} from "../../../src/engine/transaction-intake.ts";
import { openStorageChain, storageTransactions } from "../../support/storage-chain.ts";

it("a verification that ends after stop is refused and reads no ledger", async () => {
  const [transaction] = storageTransactions(1, 1);
  const ledger = await openStorageChain(createMemoryStore());
  const verified = Promise.withResolvers<readonly boolean[]>();
  let reads = 0;
  // Only what submitting touches.
  const parts = {
    ledger: {
      head: ledger.head,
      judge: () => accept({ claims: [] }),
      judgeCall: () => null,
      place: () => {
        reads++;
        throw new Error("the database is closed");
      },
    },
    mempool: { probe: () => null },
    clock: { nowMs: () => 0 },
    logger: noLogger,
    instruments: { transactionsRefused: { add: () => undefined } },
    signatures: { verify: () => verified.promise },
  } as unknown as IntakeComponents;
  const intake = createTransactionIntake(parts);
  const bytes = transaction?.bytes ?? new Uint8Array(0);
  const result = intake.submit(bytes);
  intake.stop();
  verified.resolve([]);
  expect(await result).toMatchObject({ ok: false, code: "NODE_ENGINE_STOPPED" });
  expect(await intake.submit(bytes)).toMatchObject({ code: "NODE_ENGINE_STOPPED" });
  expect(reads).toBe(0);
});
