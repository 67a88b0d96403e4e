import { addressFromPublicKey, createSm2Signer, generateKeyPair } from "@credlink/crypto";
import {
  createLedger,
  createMemoryStore,
  decodeSignedTransaction,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  readyArgsCodec,
  readyKey,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import { accept, decode, encode, height, heightCodec, noLogger, toHex } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createReadiness } from "../../../src/engine/readiness.ts";
import { storageExecutor, storageGenesis } from "../../support/storage-chain.ts";

const signer = createSm2Signer(generateKeyPair().privateKey);
const address = addressFromPublicKey(signer.publicKey);
const enrolled: Member = {
  address,
  organization: "org1",
  role: "validator",
  status: "active",
  keys: [{ fromHeight: height(0), publicKey: signer.publicKey }],
  certificateDigest: null,
  enrolledBy: null,
  validFromMs: 0,
  validToMs: 4_000_000_000_000,
};

/** A node at genesis whose own member record and word are as given. */
async function openNode(member: Member | null, saidAt: number | null = null) {
  const rows = [
    ...(member === null
      ? []
      : [
          {
            contract: MEMBERS_CONTRACT,
            key: memberKey(address),
            value: encode(memberCodec, member),
          },
        ]),
    ...(saidAt === null
      ? []
      : [
          {
            contract: VALIDATORS_CONTRACT,
            key: readyKey(address),
            value: encode(heightCodec, height(saidAt)),
          },
        ]),
  ];
  const executor = {
    ...storageExecutor,
    genesis: () => [...storageExecutor.genesis(storageGenesis), ...rows],
  };
  const genesis = storageGenesis;
  const ledger = await createLedger({ store: createMemoryStore(), executor, genesis });
  const clock = createSimulatedClock();
  const submitted: Uint8Array[] = [];
  let isSyncing = false;
  const readiness = createReadiness({
    ledger,
    signer,
    random: createSeededRandom(1),
    clock: clock.process(0),
    logger: noLogger,
    self: "joiner",
    isSyncing: () => isSyncing,
    submit: async (bytes) => {
      submitted.push(bytes);
      return accept({ id: ledger.genesisDigest });
    },
  });
  const hear = (...heights: readonly number[]) => {
    for (const [index, at] of heights.entries()) readiness.onStatus(`peer${index}`, at);
  };
  const sync = (isOn: boolean) => {
    isSyncing = isOn;
  };
  return { ledger, clock, submitted, readiness, hear, sync };
}

describe("a node that waits to become a validator", () => {
  it("says ready under its own key, about its head, once a quorum was heard", async () => {
    const { ledger, submitted, readiness, hear } = await openNode(enrolled);
    hear(0, 0);
    await readiness.tick();
    expect(submitted).toEqual([]);
    hear(0, 0, 1);
    await readiness.tick();
    expect(submitted).toHaveLength(1);
    const decoded = decodeSignedTransaction(submitted[0] ?? new Uint8Array());
    if (!decoded.ok) throw new Error(decoded.code);
    const { sender, contract, method, args } = decoded.value;
    expect(toHex(sender)).toBe(toHex(address));
    expect([contract, method]).toEqual(["validators", "ready"]);
    expect(decode(readyArgsCodec, args)).toEqual({ height: 0, digest: ledger.head.digest });
  });

  it("is not held up by one liar, and waits while f + 1 claim more than it has", async () => {
    const lied = await openNode(enrolled);
    lied.hear(1_000, 0, 0);
    await lied.readiness.tick();
    expect(lied.submitted).toHaveLength(1);
    const behind = await openNode(enrolled);
    behind.hear(1_000, 2, 0);
    await behind.readiness.tick();
    expect(behind.submitted).toEqual([]);
    behind.hear(1_000, 1, 0);
    behind.sync(true);
    await behind.readiness.tick();
    expect(behind.submitted).toEqual([]);
  });

  it("repeats a word that found no block after ten seconds, and none that is fresh", async () => {
    const { clock, submitted, readiness, hear } = await openNode(enrolled);
    hear(0, 0, 0);
    await readiness.tick();
    await clock.runUntil(clock.monotonicMs() + 9_999);
    await readiness.tick();
    expect(submitted).toHaveLength(1);
    await clock.runUntil(clock.monotonicMs() + 1);
    await readiness.tick();
    expect(submitted).toHaveLength(2);
    const fresh = await openNode(enrolled, 0);
    fresh.hear(0, 0, 0);
    await fresh.readiness.tick();
    expect(fresh.submitted).toEqual([]);
  });

  it("says nothing as an observer, suspended, or unknown to the registry", async () => {
    const others = [
      { ...enrolled, role: "observer" as const },
      { ...enrolled, status: "suspended" as const },
      null,
    ];
    for (const member of others) {
      const { submitted, readiness, hear } = await openNode(member);
      hear(0, 0, 0);
      await readiness.tick();
      expect(submitted).toEqual([]);
    }
  });
});
