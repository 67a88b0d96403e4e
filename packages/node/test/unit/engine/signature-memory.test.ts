import type { SignatureClaim } from "@credlink/ledger";
import { address } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
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
