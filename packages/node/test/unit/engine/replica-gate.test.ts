import { digest } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { createReplicaGate } from "../../../src/engine/replica-gate.ts";

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
    const four = () => set(4);
    const gate = createReplicaGate("n0", four);
    expect(createReplicaGate("n0", () => set(1)).isOpen(set(1), 0)).toBe(true);
    const observing = createReplicaGate("observer", four);
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
    const gate = createReplicaGate("n0", () => set(4));
    gate.onStatus("n1", 1_000_000);
    gate.onStatus("n2", 9);
    expect(gate.isOpen(set(4), 7)).toBe(false);
    expect(gate.isOpen(set(4), 8)).toBe(true);
  });
});
