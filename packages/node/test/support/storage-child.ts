/** Commits blocks for ever and prints "height digest" once each is durable. */
import { toHex } from "@credlink/primitives";
import { openLevelStore } from "../../src/storage/level-store.ts";
import { commitNext, openStorageChain, storageTransactions } from "./storage-chain.ts";

const store = await openLevelStore(process.argv[2] ?? "", { create: true });
const ledger = await openStorageChain(store);
for (;;) {
  const next = ledger.head.header.height + 1;
  await commitNext(ledger, storageTransactions(next, 20));
  process.stdout.write(`${next} ${toHex(ledger.head.digest)}\n`);
}
