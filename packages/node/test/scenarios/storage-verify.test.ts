import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChainChecks, type Space, verifyChain } from "@credlink/ledger";
import { equalBytes } from "@credlink/primitives";
import { expect, it } from "vitest";
import { openLevelStore } from "../../src/storage/level-store.ts";
import {
  commitNext,
  openStorageChain,
  storageExecutor,
  storageGenesis,
  storageTransactions,
} from "../support/storage-chain.ts";

/** The test's certificates carry fixed signatures, and its transactions too. */
const checks: ChainChecks = {
  verifyCertificate: ({ signatures }) =>
    signatures.length === 3 &&
    signatures.every(({ index, signature }, i) => {
      return index === i && signature.every((byte) => byte === i + 1);
    }),
  verifySignatures: async (claims) => claims.map(() => true),
};

const FLIPS = 36;
const kinds: readonly Space[] = [
  "blocks",
  "bodies",
  "receipts",
  "state",
  "pages",
  "index",
  "metadata",
];

it("S-9.3-5: a flipped byte in a LevelDB value is found, with its place", async () => {
  const folder = await mkdtemp(join(tmpdir(), "credlink-verify-"));
  const store = await openLevelStore(join(folder, "db"), { create: true });
  try {
    const ledger = await openStorageChain(store);
    for (let at = 1; at <= 6; at++) await commitNext(ledger, storageTransactions(at, 4));
    const verify = () => verifyChain(store, storageExecutor, storageGenesis, checks);
    expect(await verify()).toEqual([]);
    for (let i = 0; i < FLIPS; i++) {
      const space = kinds[i % kinds.length] ?? "blocks";
      const rows = await store.range(space, {});
      const [key, value] = rows[(i * 31) % rows.length] ?? [];
      if (key === undefined || value === undefined) throw new Error(`no rows in ${space}`);
      const bad = value.length === 0 ? Uint8Array.of(1) : value.slice();
      const place = (i * 97) % bad.length;
      bad[place] = (bad[place] ?? 0) ^ (1 << (i % 8));
      await store.write([{ type: "put", space, key, value: bad }], { sync: false });
      const findings = await verify();
      const hits = findings.filter((found) => found.space === space && equalBytes(found.key, key));
      expect(hits.length, `${space} row, byte ${place}`).toBeGreaterThan(0);
      await store.write([{ type: "put", space, key, value }], { sync: false });
    }
    expect(await verify()).toEqual([]);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
