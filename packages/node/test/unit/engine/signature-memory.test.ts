import type { SignatureClaim } from "@credlink/ledger";
import { address, digest } from "@credlink/primitives";
import { createSeededRandom, createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { createReplicaGate } from "../../../src/engine/replica-gate.ts";
import {
  createConsensusSignatures,
  createTransactionSignatures,
  type SignatureRequest,
} from "../../../src/engine/signature-memory.ts";

const random = createSeededRandom(1);
const instruments = {
  signaturesVerified: { add: () => {} },
  signaturesRemembered: { add: () => {} },
};

/** Says yes to signatures whose first byte is even, and counts what it was asked. */
function createVerifier() {
  const calls: number[] = [];
  return {
    calls,
    verify: async (requests: readonly SignatureRequest[]) => {
      calls.push(requests.length);
      return requests.map(({ signature }) => (signature[0] ?? 1) % 2 === 0);
    },
  };
}

function request(isGood: boolean): SignatureRequest {
  const signature = random.bytes(64);
  signature[0] = isGood ? 2 : 3;
  return { publicKey: random.bytes(65), message: random.bytes(32), signature };
}

describe("signatures of transactions", () => {
  const claim = (isGood: boolean): SignatureClaim => ({
    ...request(isGood),
    address: address(random.bytes(32)),
  });

  it("verifies each once under one key, and again when the registry's key changed", async () => {
    const verifier = createVerifier();
    const signatures = createTransactionSignatures(verifier, instruments);
    const good = claim(true);
    expect(await signatures.verify([good])).toEqual([true]);
    expect(await signatures.verify([{ ...good, publicKey: good.publicKey.slice() }])).toEqual([
      true,
    ]);
    expect(verifier.calls).toEqual([1]);
    await signatures.verify([{ ...good, publicKey: random.bytes(65) }]);
    expect(verifier.calls).toEqual([1, 1]);
  });

  it("never remembers a bad one, and answers in order", async () => {
    const verifier = createVerifier();
    const signatures = createTransactionSignatures(verifier, instruments);
    const [good, bad] = [claim(true), claim(false)];
    expect(await signatures.verify([bad, good, bad])).toEqual([false, true, false]);
    expect(await signatures.verify([good, bad])).toEqual([true, false]);
    expect(verifier.calls).toEqual([3, 1]);
  });
});

describe("signatures of consensus messages", () => {
  it("remembers by key, message and signature together: none of the three may differ", async () => {
    const verifier = createVerifier();
    const signatures = createConsensusSignatures(verifier, instruments);
    const good = request(true);
    expect(await signatures.verifyAll([good], "consensus")).toBe(true);
    expect(await signatures.verifyAll([good], "sync")).toBe(true);
    expect(verifier.calls).toEqual([1]);
    await signatures.verifyAll([{ ...good, message: random.bytes(32) }], "consensus");
    await signatures.verifyAll([{ ...good, publicKey: random.bytes(65) }], "consensus");
    expect(verifier.calls).toEqual([1, 1, 1]);
  });

  it("refuses all when one is bad, and batches what arrives during a call", async () => {
    const verifier = createVerifier();
    const signatures = createConsensusSignatures(verifier, instruments);
    const answers = await Promise.all([
      signatures.verifyAll([request(true), request(false)], "consensus"),
      signatures.verifyAll([request(true)], "consensus"),
      signatures.verifyAll([request(true), request(true)], "consensus"),
    ]);
    expect(answers).toEqual([false, true, true]);
    expect(verifier.calls).toEqual([2, 3]);
  });
});

function createBudget() {
  const clock = createSimulatedClock();
  const cuts: string[] = [];
  const network = {
    self: "us",
    peers: () => [],
    send: () => {},
    request: async () => new Uint8Array(0),
    onMessage: () => {},
    onRequest: () => {},
    onPeerChange: () => {},
    disconnect: (peer: string, code: string) => cuts.push(`${peer} ${code}`),
  };
  const silent = () => {};
  const logger = {
    error: silent,
    warn: silent,
    info: silent,
    debug: silent,
    child: () => logger,
  };
  return { clock, cuts, budget: createPeerBudget(network, clock, logger) };
}

describe("peer budget", () => {
  it("cuts after more than twenty faults in a second, not at twenty", () => {
    const { budget, cuts } = createBudget();
    for (let i = 0; i < 20; i++) budget.blame("peer");
    expect(cuts).toEqual([]);
    budget.blame("peer");
    expect(cuts).toEqual(["peer NODE_PEER_INVALID_MESSAGES"]);
  });

  it("forgives what lies in an earlier second, and blames each peer for itself", async () => {
    const { budget, clock, cuts } = createBudget();
    for (let i = 0; i < 20; i++) budget.blame("peer");
    budget.blame("other");
    await clock.runUntil(1_001);
    for (let i = 0; i < 20; i++) budget.blame("peer");
    expect(cuts).toEqual([]);
  });
});

describe("allowances of a peer", () => {
  it("let a burst pass and then the rate; each is apart, and each peer's own", async () => {
    const { budget, clock, cuts } = createBudget();
    const passed = (peer: string, times: number) =>
      Array.from({ length: times }, () => budget.spend(peer, "consensus")).filter(Boolean).length;
    expect(passed("peer", 5_000)).toBe(1_200);
    expect(passed("other", 1)).toBe(1);
    expect(budget.spend("peer", "status")).toBe(true);
    await clock.runUntil(1_000);
    expect(passed("peer", 5_000)).toBe(600);
    // Whoever asks for too much is not at fault: it gets no more, and stays.
    expect(cuts).toEqual([]);
  });

  it("bear a debt that must be paid off first", async () => {
    const { budget, clock } = createBudget();
    expect(budget.spend("peer", "requests", 600)).toBe(true);
    expect(budget.spend("peer", "requests", 0)).toBe(false);
    await clock.runUntil(2_000);
    expect(budget.spend("peer", "requests")).toBe(false);
    await clock.runUntil(2_011);
    expect(budget.spend("peer", "requests")).toBe(true);
  });
});

describe("replica gate", () => {
  const set = (count: number) => ({
    hash: digest(new Uint8Array(32)),
    validators: Array.from({ length: count }, (_, i) => ({
      nodeId: `n${i}`,
      publicKey: new Uint8Array(65).fill(i),
      peerId: `n${i}`,
    })),
  });

  it("opens after q − 1 others of four, for an observer too, and at once for one validator", () => {
    const gate = createReplicaGate("n0");
    expect(createReplicaGate("n0").isOpen(set(1), 0)).toBe(true);
    const observing = createReplicaGate("observer");
    expect(observing.isOpen(set(4), 0)).toBe(false);
    observing.onStatus("n1", 0);
    observing.onStatus("n2", 0);
    observing.onStatus("n3", 0);
    expect(observing.isOpen(set(4), 0)).toBe(true);
    gate.onStatus("n1", 5);
    gate.onStatus("stranger", 5);
    expect(gate.isOpen(set(4), 5)).toBe(false);
    gate.onStatus("n2", 5);
    expect(gate.isOpen(set(4), 5)).toBe(true);
  });

  it("waits for the height that f + 1 claim, and is not held up by one liar", () => {
    const gate = createReplicaGate("n0");
    gate.onStatus("n1", 1_000_000);
    gate.onStatus("n2", 9);
    expect(gate.isOpen(set(4), 7)).toBe(false);
    expect(gate.isOpen(set(4), 8)).toBe(true);
  });
});
