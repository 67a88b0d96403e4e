import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { createLedger, createMemoryStore } from "@credlink/ledger";
import { encode, height, type Network, noLogger, noMetrics } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock } from "@credlink/testkit";
import { expect, test } from "vitest";
import { createKeySharing } from "../../../src/engine/key-sharing.ts";
import { createInstruments } from "../../../src/engine/metrics.ts";
import { INSTANCE_PROTOCOL, instanceWordCodec } from "../../../src/engine/protocols.ts";
import { createConsensusSignatures } from "../../../src/engine/signature-memory.ts";
import { createValidatorDirectory } from "../../../src/engine/validator-directory.ts";
import { storageExecutor, storageGenesis } from "../../support/storage-chain.ts";

type Respond = Parameters<Network["onRequest"]>[2];

/** A node at genesis that is asked by `peer`, with as much budget as given. */
async function openDoor(budget: { left: number }) {
  const ledger = await createLedger({
    store: createMemoryStore(),
    executor: storageExecutor,
    genesis: storageGenesis,
  });
  const signer = createSm2Signer(generateKeyPair().privateKey);
  const instruments = createInstruments(noMetrics);
  const blamed: string[] = [];
  const responders = new Map<string, Respond>();
  const network: Network = {
    self: "self",
    peers: () => [],
    send: () => {},
    request: async () => new Uint8Array(0),
    onMessage: () => {},
    onRequest: (protocol, _limits, respond) => void responders.set(protocol, respond),
    onPeerChange: () => {},
    disconnect: () => {},
  };
  const sharing = createKeySharing({
    ledger,
    network,
    clock: createSimulatedClock(),
    random: createSeededRandom(1),
    signer,
    logger: noLogger,
    instruments,
    directory: createValidatorDirectory(ledger, signer.publicKey, "self"),
    consensusSignatures: createConsensusSignatures({ verify: async () => [] }, instruments),
    budget: {
      blame: (peer) => void blamed.push(peer),
      cut: () => {},
      spend: () => budget.left-- > 0,
    },
    requestTimeoutMs: 1_000,
    onAnswer: () => {},
    voteLog: () => null,
    replica: () => null,
    onFatal: () => {},
  });
  sharing.start();
  const peer = { id: "peer", organization: "o", role: "validator", provisional: false } as const;
  const ask = (word: Uint8Array) => responders.get(INSTANCE_PROTOCOL)?.(peer, word);
  return { ask, blamed, sharing, ledger };
}

const word = encode(instanceWordCodec, { instance: new Uint8Array(16), statements: [] });

test("a word that does not decode is a fault of its sender's, and gets no reply", async () => {
  const { ask, blamed } = await openDoor({ left: 10 });
  await expect(ask(word.subarray(1))).rejects.toMatchObject({
    code: "NODE_PEER_INVALID_MESSAGES",
  });
  expect(blamed).toEqual(["peer"]);
  expect((await ask(word))?.length).toBeGreaterThan(0);
  expect(blamed).toEqual(["peer"]);
});

test("words beyond the peer's budget get no reply, and are no fault", async () => {
  const { ask, blamed } = await openDoor({ left: 1 });
  await ask(word);
  await expect(ask(word)).rejects.toMatchObject({ code: "NODE_PEER_OVER_BUDGET" });
  expect(blamed).toEqual([]);
});

test("who stands in no list asks nobody, and nothing holds it up", async () => {
  const { sharing, ledger } = await openDoor({ left: 0 });
  const set = ledger.validatorsAt(height(1));
  if (set === null) throw new Error("validators of the first height are known");
  expect(set.validators.length).toBeGreaterThan(0);
  expect([sharing.isClear(set), sharing.isShared]).toEqual([true, false]);
});
