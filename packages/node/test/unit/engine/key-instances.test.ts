import { createSm2Signer, generateKeyPair, sm2Verify } from "@credlink/crypto";
import { decode, digest, encode, type Network, toHex } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { instanceSigningMessage } from "../../../src/engine/instance-statements.ts";
import { createInstanceWatch } from "../../../src/engine/instance-watch.ts";
import { createInstanceWitness } from "../../../src/engine/instance-witness.ts";
import {
  type InstanceReply,
  type InstanceStatement,
  type InstanceWord,
  instanceReplyCodec,
  instanceWordCodec,
  MAX_INSTANCE_BYTES,
} from "../../../src/engine/protocols.ts";
import { createConsensusSignatures } from "../../../src/engine/signature-memory.ts";
import { createRecordingLogger } from "../../support/recording.ts";

const chain = { chainId: "test", genesisDigest: digest(new Uint8Array(32).fill(7)) };
const signer = createSm2Signer(generateKeyPair().privateKey);
const stranger = createSm2Signer(generateKeyPair().privateKey);
const id = (at: number): Uint8Array => new Uint8Array(16).fill(at);

async function say(by: number, of: number, key = signer): Promise<InstanceStatement> {
  const [instance, other] = [id(by), id(of)];
  const signature = await key.sign(instanceSigningMessage(chain, { instance, other }));
  return { instance, other, signature };
}

function createWorld() {
  const clock = createSimulatedClock();
  const logger = createRecordingLogger();
  const blamed: string[] = [];
  const counted = { shared: 0, verified: 0, signed: 0 };
  const count = { add: () => {} };
  const verifier = {
    verify: async (requests: readonly Parameters<typeof check>[0][]) => requests.map(check),
  };
  const check = (one: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array }) => {
    counted.verified++;
    return sm2Verify(one.publicKey, one.message, one.signature);
  };
  const signatures = () =>
    createConsensusSignatures(verifier, { signaturesVerified: count, signaturesRemembered: count });
  const budget = {
    blame: (peer: string) => void blamed.push(peer),
    cut: (peer: string) => void blamed.push(`${peer} cut`),
    spend: () => true,
  };
  const witness = createInstanceWitness({
    chain,
    signatures: signatures(),
    budget,
    clock,
    logger,
    instruments: { peerKeysShared: { add: () => counted.shared++ } },
    keyOf: (peer) => (peer === "validator" ? signer.publicKey : null),
  });
  /** A process of the validator that asks peers which answer as given. */
  const run = (
    at: number,
    peers: Readonly<Record<string, (word: InstanceWord) => Promise<InstanceReply>>>,
  ) => {
    const words: InstanceWord[] = [];
    const proofs: InstanceStatement[] = [];
    const network: Network = {
      self: "validator",
      peers: () =>
        Object.keys(peers).map((peer) => ({
          id: peer,
          organization: "o",
          role: "validator",
          provisional: false,
        })),
      send: () => {},
      request: async (peer, _protocol, bytes) => {
        expect(bytes.length).toBeLessThanOrEqual(MAX_INSTANCE_BYTES);
        const word = decode(instanceWordCodec, bytes);
        words.push(word);
        const reply = await peers[peer]?.(word);
        if (reply === undefined) throw new Error("not connected");
        return encode(instanceReplyCodec, reply);
      },
      onMessage: () => {},
      onRequest: () => {},
      onPeerChange: () => {},
      disconnect: () => {},
    };
    const own = {
      publicKey: signer.publicKey,
      sign: (message: Uint8Array) => {
        counted.signed++;
        return signer.sign(message);
      },
    };
    const watch = createInstanceWatch({
      chain,
      instance: id(at),
      network,
      clock,
      signer: own,
      signatures: signatures(),
      budget,
      logger,
      requestTimeoutMs: 1_000,
      witnesses: () => Object.keys(peers),
      onAnswer: () => {},
      onShared: (proof) => proofs.push(proof),
    });
    watch.start();
    const tick = (): void => {
      watch.tick();
      clock.schedule(1_000, tick);
    };
    tick();
    const isClear = () => watch.isClear(Object.keys(peers).length);
    return { words, proofs, isClear, stop: () => watch.stop() };
  };
  /** Virtual time; what hangs on real signatures is waited for in between. */
  const pass = async (ms: number) => {
    const end = clock.monotonicMs() + ms;
    while (clock.monotonicMs() < end) {
      await clock.runUntil(Math.min(end, clock.monotonicMs() + 100));
      await new Promise((done) => setImmediate(done));
    }
  };
  const honest = (word: InstanceWord) => witness.hear("validator", word);
  return { clock, logger, blamed, counted, witness, run, pass, honest };
}

describe("two processes with one key, and a peer that both are connected to", () => {
  it("find each other out within seven seconds, and the peer reports it once", async () => {
    const { run, pass, honest, counted, blamed, logger } = createWorld();
    const first = run(1, { peer: honest });
    await pass(5_200);
    const second = run(2, { peer: honest });
    await pass(6_900);
    expect(first.proofs.map(({ instance }) => instance)).toEqual([id(2)]);
    expect(second.proofs.map(({ instance }) => instance)).toEqual([id(1)]);
    await pass(10_000);
    expect(counted.shared).toBe(1);
    expect(counted.signed).toBe(2);
    expect(blamed).toEqual([]);
    const codes = logger.entries.map(({ fields }) => fields.code).filter((code) => code);
    expect(codes).toEqual(["NODE_PEER_KEY_SHARED"]);
  });

  it("three of them are found out as well", async () => {
    const { run, pass, honest } = createWorld();
    const all = [1, 2, 3].map((at) => run(at, { peer: honest }));
    await pass(7_000);
    expect(all.map(({ proofs }) => proofs.length)).toEqual([1, 1, 1]);
  });

  it("are found out although all peers but one lie or are silent", async () => {
    const { run, pass, honest } = createWorld();
    const nothing = async () => ({ others: [], statements: [] });
    const silent = () => Promise.reject(new Error("no answer"));
    const peers = { nothing, silent, honest };
    const [first, second] = [run(1, peers), run(2, peers)];
    await pass(7_000);
    expect([first.proofs.length, second.proofs.length]).toEqual([1, 1]);
  });
});

describe("the first vote", () => {
  it("of a second process is never cast: it learns of the first one before", async () => {
    const { run, pass, honest } = createWorld();
    const first = run(1, { peer: honest });
    await pass(5_200);
    expect(first.isClear()).toBe(true);
    const second = run(2, { peer: honest });
    expect(second.isClear()).toBe(false);
    for (let at = 0; at < 70 && second.proofs.length === 0; at++) {
      await pass(100);
      if (second.isClear()) expect(second.proofs).toHaveLength(1);
    }
    expect([second.proofs.length, second.isClear()]).toEqual([1, true]);
  });

  it("waits for the answers that it needs, and asks for each every second until it comes", async () => {
    const { run, pass, honest, clock } = createWorld();
    const early = () => clock.monotonicMs() < 3_000;
    const late = (word: InstanceWord) =>
      early() ? Promise.reject(new Error("no answer")) : honest(word);
    const process = run(1, { honest, late });
    await pass(2_900);
    expect(process.isClear()).toBe(false);
    await pass(200);
    expect(process.isClear()).toBe(true);
    expect(process.words).toHaveLength(5);
  });

  it("waits ten seconds for what a liar shows and nobody proves, and no longer", async () => {
    const { run, pass } = createWorld();
    const victim = run(1, { liar: async () => ({ others: [id(9)], statements: [] }) });
    await pass(9_900);
    expect(victim.isClear()).toBe(false);
    await pass(200);
    expect([victim.isClear(), victim.proofs.length]).toEqual([true, 0]);
  });

  it("waits no longer once what was shown is gone", async () => {
    const { run, pass, clock } = createWorld();
    const others = () => (clock.monotonicMs() < 2_000 ? [id(9)] : []);
    const process = run(1, { peer: async () => ({ others: others(), statements: [] }) });
    await pass(1_900);
    expect(process.isClear()).toBe(false);
    await pass(200);
    expect(process.isClear()).toBe(true);
  });
});

describe("one process alone", () => {
  it("raises no alarm by restarts, however fast they follow one another", async () => {
    const { run, pass, honest, counted, logger } = createWorld();
    for (let life = 1; life <= 6; life++) {
      const process = run(life, { peer: honest });
      await pass(life * 400);
      process.stop();
      expect(process.proofs).toEqual([]);
    }
    expect(counted.shared).toBe(0);
    expect(logger.entries.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("signs nothing after a restart that its peers saw as the end of a connection", async () => {
    const { run, pass, honest, counted, witness } = createWorld();
    run(1, { peer: honest }).stop();
    await pass(500);
    witness.forget("validator");
    const again = run(2, { peer: honest });
    await pass(6_000);
    expect(counted.signed).toBe(0);
    expect(again.words.every(({ statements }) => statements.length === 0)).toBe(true);
  });

  it("is forgotten fifteen seconds after its last word", async () => {
    const { clock, honest } = createWorld();
    await honest({ instance: id(1), statements: [] });
    await clock.runUntil(15_000);
    expect((await honest({ instance: id(2), statements: [] })).others).toEqual([id(1)]);
    await clock.runUntil(15_001);
    expect((await honest({ instance: id(2), statements: [] })).others).toEqual([]);
  });
});

describe("a liar that wants to silence an honest validator", () => {
  const answer = (statements: readonly InstanceStatement[], others: readonly Uint8Array[] = []) => {
    return async () => ({ others, statements });
  };

  it.each([
    ["a statement about an earlier process of it", () => say(9, 2)],
    ["its own word about another process", () => say(1, 2)],
    ["a statement under another key", () => say(9, 1, stranger)],
    ["its own word about itself", () => say(1, 1)],
  ])("does not with %s", async (_name, make) => {
    const { run, pass, blamed } = createWorld();
    const victim = run(1, { liar: answer([await make()]) });
    await pass(5_500);
    expect(victim.proofs).toEqual([]);
    expect(blamed.length).toBeGreaterThan(0);
  });

  it("does not with a statement made on another chain", async () => {
    const { run, pass, blamed } = createWorld();
    const [instance, other] = [id(9), id(1)];
    const message = instanceSigningMessage({ ...chain, chainId: "other" }, { instance, other });
    const statement = { instance, other, signature: await signer.sign(message) };
    const victim = run(1, { liar: answer([statement]) });
    await pass(5_500);
    expect([victim.proofs.length, blamed.length > 0]).toEqual([0, true]);
  });

  it("does with the one statement that only a second process can have made", async () => {
    const { run, pass } = createWorld();
    const victim = run(1, { peer: answer([await say(9, 1)]) });
    await pass(5_500);
    expect(victim.proofs).toHaveLength(1);
  });

  it("has it sign four at once and then one a second, whatever it shows", async () => {
    const { run, pass, counted } = createWorld();
    const random = createSeededRandom(3);
    const victim = run(1, {
      liar: async () => ({
        others: Array.from({ length: 4 }, () => random.bytes(16)),
        statements: [],
      }),
    });
    await pass(10_000);
    expect(counted.signed).toBeLessThanOrEqual(4 + 10);
    expect(counted.signed).toBeGreaterThanOrEqual(4);
    expect(victim.proofs).toEqual([]);
    expect(victim.words.every(({ statements }) => statements.every(isBy(1)))).toBe(true);
  });
});

const isBy = (at: number) => (one: InstanceStatement) => toHex(one.instance) === toHex(id(at));

describe("a witness", () => {
  it("keeps nothing of a peer that is no validator", async () => {
    const { witness, counted } = createWorld();
    const word = { instance: id(1), statements: [await say(1, 2)] };
    expect(await witness.hear("someone", word)).toEqual({ others: [], statements: [] });
    expect(await witness.hear("someone", { ...word, instance: id(2) })).toMatchObject({
      others: [],
    });
    expect(counted.verified).toBe(0);
  });

  it("passes on no statement that is not its speaker's, and blames for it", async () => {
    const { honest, blamed } = createWorld();
    await honest({ instance: id(1), statements: [await say(3, 2)] });
    await honest({ instance: id(1), statements: [await say(1, 2, stranger)] });
    expect(blamed).toEqual(["validator", "validator"]);
    const reply = await honest({ instance: id(2), statements: [] });
    expect(reply).toEqual({ others: [id(1)], statements: [] });
  });

  it("shows the last three others at most", async () => {
    const { honest } = createWorld();
    for (let at = 1; at <= 5; at++) await honest({ instance: id(at), statements: [] });
    const { others } = await honest({ instance: id(5), statements: [] });
    expect(others).toEqual([id(2), id(3), id(4)]);
  });

  it("takes one statement for no proof that two lived at once: the other may have ended", async () => {
    const { honest, counted } = createWorld();
    await honest({ instance: id(1), statements: [] });
    await honest({ instance: id(2), statements: [await say(2, 1)] });
    expect(counted.shared).toBe(0);
    await honest({ instance: id(1), statements: [await say(1, 2)] });
    expect(counted.shared).toBe(1);
  });
});
