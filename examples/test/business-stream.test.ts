import { address, toHex } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import { numberedIdentityNumber, numberedMobileNumber } from "../src/identifiers.ts";
import { createBusinessStream, MAX_STREAM_WORKERS, STREAM_WORKER_STEPS } from "../src/index.ts";

function makeStream(seed: string) {
  return createBusinessStream({
    seed,
    startMs: Date.UTC(2026, 9, 20),
    institutionAddress: address(new Uint8Array(32).fill(1)),
    indexKey: { keyId: 1, key: new Uint8Array(32).fill(7) },
  });
}

describe("a stream of business", () => {
  const stream = makeStream("a");

  it("gives a worker's business again from seed and number, whatever was asked before", () => {
    const bytesOf = ({ worker }: typeof stream, number: number): string => {
      const { steps, relationKeys } = worker(number);
      return [...steps.map(({ args }) => args), ...relationKeys.map(({ key }) => key.privateKey)]
        .map(toHex)
        .join();
    };
    stream.worker(0);
    const third = bytesOf(stream, 3);
    expect(bytesOf(makeStream("a"), 3)).toBe(third);
    expect(bytesOf(makeStream("b"), 3)).not.toBe(third);
    expect(bytesOf(stream, 4)).not.toBe(third);
  });

  it("rests on the set-up and on earlier stages alone", () => {
    const known = new Set(stream.setUp.steps.map(({ id }) => toHex(id)));
    for (const number of [0, 1]) {
      const { steps } = stream.worker(number);
      expect(steps).toHaveLength(STREAM_WORKER_STEPS);
      const stages = new Map<string, number>();
      for (const { id, stage, dependsOn, name } of steps) {
        for (const on of dependsOn.map(toHex)) {
          expect(known.has(on) || (stages.get(on) ?? stage) < stage, name).toBe(true);
        }
        stages.set(toHex(id), stage);
      }
      expect(stages.size).toBe(STREAM_WORKER_STEPS);
    }
  });

  it("gives every worker identifiers of its own, and knows its last one", () => {
    const numbers = [0, 1, 999, 1_000, 27_999, 28_000, 335_999, 336_000, MAX_STREAM_WORKERS - 1];
    expect(new Set(numbers.map(numberedIdentityNumber)).size).toBe(numbers.length);
    expect(new Set(numbers.map(numberedMobileNumber)).size).toBe(numbers.length);
    for (const number of numbers) {
      expect(numberedIdentityNumber(number)).toMatch(/^\d{17}[\dX]$/);
      expect(numberedMobileNumber(number)).toMatch(/^1[3-9]\d{9}$/);
    }
    expect(() => stream.worker(MAX_STREAM_WORKERS)).toThrow();
    expect(() => stream.worker(-1)).toThrow();
  });
});
