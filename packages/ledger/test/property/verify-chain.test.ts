import { createValidatorSet } from "@credlink/consensus-pbft";
import { equalBytes, height, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type ChainChecks,
  createMemoryStore,
  type MemoryStoreSnapshot,
  type Space,
  spaces,
  verifyChain,
} from "../../src/index.ts";
import {
  certificateFor,
  commitBlock,
  createKeyValueExecutor,
  decoded,
  openLedger,
  putTransaction,
  signTransaction,
  testGenesis,
  validatorOf,
  verifyReally,
} from "../support.ts";

const checks: ChainChecks = {
  // The tests' certificates are a function of their digest: any change of one is seen.
  verifyCertificate: (certificate, { hash }) => {
    const good = certificateFor(certificate.digest, certificate.height);
    const isSame =
      certificate.view === 0 &&
      certificate.signatures.length === good.signatures.length &&
      certificate.signatures.every(({ index, signature }, i) => {
        const other = good.signatures[i];
        return other && other.index === index && equalBytes(other.signature, signature);
      });
    const sets = [4, 5].map((n) =>
      createValidatorSet(Array.from({ length: n }, (_, i) => validatorOf(i))),
    );
    return isSame && sets.some((set) => equalBytes(set.hash, hash));
  },
  verifySignatures: async (claims) => claims.map(() => true),
};

const verify = (store: ReturnType<typeof createMemoryStore>, changes: Partial<ChainChecks> = {}) =>
  verifyChain(store, createKeyValueExecutor(), testGenesis, { ...checks, ...changes });

let snapshot: MemoryStoreSnapshot;

beforeAll(async () => {
  const store = createMemoryStore();
  const ledger = await openLedger(store);
  for (let i = 0; i < 5; i++) {
    await commitBlock(ledger, [
      putTransaction(ledger, `key${i}`, `value${i}`),
      putTransaction(ledger, "shared", `${i}`),
      putTransaction(ledger, `key${i - 1}`, i % 2 === 0 ? null : "again"),
    ]);
  }
  const args = Uint8Array.of(0x91, 0xa1, 0x78);
  const join = { contract: "validators", method: "join", args };
  await commitBlock(ledger, [decoded(signTransaction(ledger.genesisDigest, join))]);
  await commitBlock(ledger, []);
  snapshot = store.snapshot();
});

/** The store with one row changed, put back elsewhere, or taken out. */
function altered(space: Space, at: number, change: (key: Uint8Array, value: Uint8Array) => Row) {
  const rows = [...(snapshot.get(space) ?? [])];
  const row = rows[at];
  if (row === undefined) throw new Error("no such row");
  const result = change(row[0].slice(), row[1].slice());
  rows.splice(at, 1, ...(result === null ? [] : [result]));
  const store = createMemoryStore();
  store.restore(new Map([...snapshot, [space, rows]]));
  return { store, key: row[0], newKey: result?.[0] ?? null };
}
type Row = readonly [Uint8Array, Uint8Array] | null;

const anyRow = () =>
  fc
    .constantFrom(...spaces)
    .chain((space) =>
      fc.record({ space: fc.constant(space), at: fc.nat((snapshot.get(space)?.length ?? 1) - 1) }),
    );

describe("chain verification", () => {
  it("S-9.3-2: a good chain replays from genesis to its head without a finding", async () => {
    const store = createMemoryStore();
    store.restore(snapshot);
    const heights: number[] = [];
    const onProgress = (progress: { readonly height: number }) => heights.push(progress.height);
    const verifySignatures = verifyReally;
    expect(await verify(store, { onProgress, verifySignatures })).toEqual([]);
    expect(heights).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("S-9.3-5: a flipped bit of any stored value is found, with its place", async () => {
    await fc.assert(
      fc.asyncProperty(anyRow(), fc.nat(), fc.nat(7), async ({ space, at }, offset, bit) => {
        const { store, key } = altered(space, at, (rowKey, value) => {
          if (value.length === 0) return [rowKey, Uint8Array.of(1 << bit)];
          const place = offset % value.length;
          value[place] = (value[place] ?? 0) ^ (1 << bit);
          return [rowKey, value];
        });
        const findings = await verify(store);
        const hits = findings.filter((finding) => equalBytes(finding.key, key));
        expect(hits.map((finding) => finding.space)).toContain(space);
      }),
      { numRuns: 250 },
    );
  });

  it("S-9.3-5: a flipped bit of any stored key is found, with its place", async () => {
    await fc.assert(
      fc.asyncProperty(anyRow(), fc.nat(), fc.nat(7), async ({ space, at }, offset, bit) => {
        const { store, key, newKey } = altered(space, at, (rowKey, value) => {
          const place = offset % rowKey.length;
          rowKey[place] = (rowKey[place] ?? 0) ^ (1 << bit);
          return [rowKey, value];
        });
        const findings = await verify(store);
        const isPlace = (place: Uint8Array) =>
          equalBytes(place, key) || (newKey !== null && equalBytes(place, newKey));
        expect(findings.some((found) => found.space === space && isPlace(found.key))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("S-9.3-5: a row that is missing is found, and so is one too many", async () => {
    await fc.assert(
      fc.asyncProperty(anyRow(), async ({ space, at }) => {
        const { store, key } = altered(space, at, () => null);
        const findings = await verify(store);
        expect(findings.some((found) => equalBytes(found.key, key))).toBe(true);
      }),
      { numRuns: 60 },
    );
    for (const space of spaces) {
      const store = createMemoryStore();
      store.restore(snapshot);
      const key = utf8("not of this chain");
      await store.write([{ type: "put", space, key, value: utf8("x") }], { sync: true });
      expect(await verify(store)).toMatchObject([{ code: "LEDGER_VERIFY_ROW_UNKNOWN", space }]);
    }
  });

  it("names block, contract and key", async () => {
    const rows = snapshot.get("state") ?? [];
    const at = rows.findIndex(([key]) => String.fromCharCode(...key).endsWith("shared"));
    const { store } = altered("state", at, (key) => [key, utf8("5")]);
    expect(await verify(store)).toMatchObject([
      {
        code: "LEDGER_VERIFY_ROW_ALTERED",
        space: "state",
        contract: "kv",
        stateKey: utf8("shared"),
      },
    ]);
    const verifyCertificate = ({ height: of }: { readonly height: number }) => of !== 4;
    const good = createMemoryStore();
    good.restore(snapshot);
    // Height 4's certificate is also the history of height 6.
    expect((await verify(good, { verifyCertificate }))[0]).toMatchObject({
      code: "LEDGER_VERIFY_CERTIFICATE_INVALID",
      height: 4,
    });
  });

  it("an altered transaction signature is found even where all digests were made to fit", async () => {
    const store = createMemoryStore();
    store.restore(snapshot);
    const verifySignatures: ChainChecks["verifySignatures"] = async (claims) =>
      claims.map((_, i) => i !== 1);
    expect((await verify(store, { verifySignatures }))[0]).toMatchObject({
      code: "LEDGER_VERIFY_BLOCK_INVALID",
      height: 1,
      detail: "LEDGER_TRANSACTION_SIGNATURE_INVALID",
    });
  });

  it("verifies a chain whose stale pages were pruned", async () => {
    const store = createMemoryStore();
    store.restore(snapshot);
    const ledger = await openLedger(store);
    expect(await ledger.pruneStale(height(4))).toBeGreaterThan(0);
    expect(await verify(store)).toEqual([]);
    await commitBlock(ledger, [putTransaction(ledger, "after", "pruning")]);
    expect(await verify(store)).toEqual([]);
  });
});
