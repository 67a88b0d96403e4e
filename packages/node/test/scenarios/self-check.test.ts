import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BlockChecks,
  checkStateRow,
  checkStoredBlock,
  createMemoryStore,
  type Finding,
  type KeyValueStore,
  type Space,
} from "@credlink/ledger";
import {
  equalBytes,
  height,
  type Network,
  type Random,
  validatorIndex,
} from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIsolation } from "../../src/self-check/isolation.ts";
import { readMark, removeMark } from "../../src/self-check/mark.ts";
import { judgeAnswer } from "../../src/self-check/peer-check.ts";
import { createSampler } from "../../src/self-check/sampler.ts";
import { createSelfCheck } from "../../src/self-check/self-check.ts";
import { openLevelStore } from "../../src/storage/level-store.ts";
import { createRecordingLogger, createRecordingMetrics } from "../support/recording.ts";
import { commitNext, openStorageChain, storageTransactions } from "../support/storage-chain.ts";

const BLOCKS = 6;
let folder: string;
let store: KeyValueStore;
let checks: BlockChecks;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "credlink-self-check-"));
  store = await openLevelStore(join(folder, "db"), { create: true });
  const ledger = await openStorageChain(store);
  for (let at = 1; at <= BLOCKS; at++) await commitNext(ledger, storageTransactions(at, 4));
  checks = {
    genesisDigest: ledger.genesisDigest,
    validatorsAt: (at) => ledger.validatorsAt(at),
    // The chain's certificates carry fixed signatures.
    verifyCertificate: ({ signatures }) =>
      signatures.length === 3 &&
      signatures.every(
        ({ index, signature }, i) => index === i && signature.every((byte) => byte === i + 1),
      ),
  };
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every height and every row of state, as the samples of many runs together. */
async function checkAll(): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (let at = 0; at <= BLOCKS; at++) {
    findings.push(...(await checkStoredBlock(store, height(at), checks)));
  }
  for (const [key] of await store.range("state", {})) {
    const finding = checkStateRow(store, key);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}

describe("S-9.2-5: polluted rows in LevelDB", () => {
  it("are none in a good database", async () => {
    expect(await checkAll()).toEqual([]);
  });

  it.each<Space>(["blocks", "bodies", "receipts", "state", "pages", "history"])(
    "a flipped byte in a value of `%s` is found, with its class and its place",
    async (space) => {
      const rows = await store.range(space, {});
      for (let i = 0; i < 12; i++) {
        const [key, value] = rows[(i * 31) % rows.length] ?? [];
        if (key === undefined || value === undefined) throw new Error(`no rows in ${space}`);
        // Older trees' pages are served to nobody: only the head's are looked at.
        if (space === "pages" && !(await isInUse(key))) continue;
        const bad = value.slice();
        bad[(i * 97) % bad.length] = (bad[(i * 97) % bad.length] ?? 0) ^ (1 << (i % 8));
        await store.write([{ type: "put", space, key, value: bad }], { sync: false });
        const findings = await checkAll();
        expect(findings.map((found) => found.space)).toContain(space);
        const isPlace = (found: Finding) =>
          found.space === space &&
          // One root stands for all receipts of a block.
          (equalBytes(found.key, key) || (space === "receipts" && equalHeight(found, key)));
        expect(findings.some(isPlace), `${space} row ${i}`).toBe(true);
        await store.write([{ type: "put", space, key, value }], { sync: false });
      }
      expect(await checkAll()).toEqual([]);
    },
  );

  it("a certificate of others, in a row whose checksum is right, is found", async () => {
    const { decodeBlockRow, encodeBlockRow } = await import("../../../ledger/src/rows.ts");
    const [, row] = await store.range("blocks", { limit: 2 });
    if (row === undefined) throw new Error("block 1");
    const read = decodeBlockRow(row[0], row[1]);
    const signatures = read.certificate.signatures.map((each) => ({
      ...each,
      index: validatorIndex((each.index + 1) % 4),
    }));
    const certificate = { ...read.certificate, signatures };
    const value = encodeBlockRow({ ...read, certificate });
    await store.write([{ type: "put", space: "blocks", key: row[0], value }], { sync: false });
    expect(await checkAll()).toMatchObject([
      { code: "LEDGER_VERIFY_CERTIFICATE_INVALID", space: "blocks", height: 1 },
    ]);
  });

  it("a row that was taken out is found where the chain calls for it", async () => {
    for (const space of ["blocks", "bodies", "receipts", "history"] as const) {
      const rows = await store.range(space, {});
      const [key, value] = rows[2] ?? [];
      if (key === undefined || value === undefined) throw new Error(`no rows in ${space}`);
      await store.write([{ type: "delete", space, key }], { sync: false });
      expect((await checkAll()).map((found) => found.space)).toContain(space);
      await store.write([{ type: "put", space, key, value }], { sync: false });
    }
  });
});

/** Whether the head's tree needs a page: the check sees it altered. */
async function isInUse(key: Uint8Array): Promise<boolean> {
  const value = store.get("pages", key);
  if (value === null) return false;
  await store.write([{ type: "delete", space: "pages", key }], { sync: false });
  const findings = await checkAll();
  await store.write([{ type: "put", space: "pages", key, value }], { sync: false });
  return findings.some((found) => found.space === "pages" && equalBytes(found.key, key));
}

function equalHeight(found: Finding, key: Uint8Array): boolean {
  return (
    key.length === 12 && found.height === new DataView(key.buffer, key.byteOffset).getUint32(4)
  );
}

describe("S-9.2-5: what is looked at", () => {
  const random: Random = {
    bytes: (length) => new Uint8Array(length).fill(0x61),
    integer: (max) => Math.floor(max / 2),
  };

  it("is bounded, has the head in it, and covers all in turn", async () => {
    const sampler = createSampler(store, random);
    const seenHeights = new Set<number>();
    const seenRows = new Set<string>();
    const rows = await store.range("state", {});
    for (let run = 0; run < Math.ceil(rows.length / 4) + 2; run++) {
      const heights = sampler.heights(BLOCKS, 4);
      expect(heights.length).toBeLessThanOrEqual(4);
      expect(heights).toContain(BLOCKS);
      for (const at of heights) seenHeights.add(at);
      const keys = await sampler.stateRows(8);
      expect(keys.length).toBeLessThanOrEqual(8);
      for (const key of keys) seenRows.add(key.join());
    }
    expect(seenHeights.size).toBe(BLOCKS + 1);
    expect(seenRows.size).toBe(rows.length);
  });

  it("is nothing of a state that is empty", async () => {
    expect(await createSampler(createMemoryStore(), random).stateRows(8)).toEqual([]);
  });

  it("a peer that answers without a valid certificate changes nothing", async () => {
    const ledger = await openStorageChain(store);
    const sealed = await ledger.block(height(2));
    if (sealed === null) throw new Error("block 2");
    const header = { ...sealed.block.header, timestampMs: 5 };
    const block = { ...sealed.block, header };
    const { certificate, transactions } = sealed;
    expect(judgeAnswer(ledger, height(2), { block, certificate, transactions })).toBeNull();
    const { headerDigest } = await import("@credlink/ledger");
    const forged = { ...certificate, digest: headerDigest(header) };
    expect(judgeAnswer(ledger, height(2), { block, certificate: forged, transactions })).toBeNull();
  });
});

describe("S-9.2-5: while a node runs", () => {
  it("the first finding cuts it off once, is marked on disk, named in the log, and counted", async () => {
    const clock = createSimulatedClock();
    const logger = createRecordingLogger();
    const metrics = createRecordingMetrics();
    const ledger = await openStorageChain(store);
    const random: Random = { bytes: (length) => new Uint8Array(length), integer: () => 0 };
    const parts = { store, ledger, random, clock, logger, metrics };
    const options = { intervalMs: 1_000, heights: 2, stateRows: 2, requestTimeoutMs: 100 };
    const check = createSelfCheck(options, parts);
    const isolation = await createIsolation({ dataDir: folder, logger, metrics });
    expect(isolation.isOn).toBe(false);
    let cuts = 0;
    const network = { peers: () => [] } as unknown as Network;
    // No key signed this chain's certificates: to the real verifier all of them are forged.
    check.start(network, (findings) => {
      void isolation.begin(findings, async () => {
        cuts++;
      });
    });
    // The check's own time is virtual, what it verifies on threads takes real time.
    const end = performance.now() + 20_000;
    while (!isolation.isOn && performance.now() < end) {
      await clock.runUntil(clock.monotonicMs() + 50);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(isolation.isOn).toBe(true);
    await isolation.settled;
    await isolation.begin([], async () => {
      cuts++;
    });
    expect(cuts).toBe(1);
    await check.stop();
    const mark = await readMark(folder);
    expect(mark?.findings[0]).toMatchObject({ space: "blocks", height: BLOCKS });
    expect(logger.entries.map(({ message }) => message)).toContain("own data polluted");
    const again = await createIsolation({ dataDir: folder, logger, metrics });
    expect(again.isOn).toBe(true);
    await removeMark(folder);
    expect((await createIsolation({ dataDir: folder, logger, metrics })).isOn).toBe(false);
  });
});
