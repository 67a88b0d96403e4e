import { afterEach, describe, expect, it } from "vitest";
import { allocateBytes, copyBytes, sharedReading } from "../../src/index.ts";
import { cutFromSlabs, shareReadings } from "../../src/simulation.ts";

afterEach(() => {
  shareReadings(false);
  cutFromSlabs(false);
});

describe("readings", () => {
  const count = () => {
    let calls = 0;
    const read = sharedReading((bytes: Uint8Array) => {
      calls++;
      return { length: bytes.length };
    });
    return { read, calls: () => calls };
  };

  it("are made afresh in a node", () => {
    const { read, calls } = count();
    const bytes = Uint8Array.of(1, 2);
    expect(read(bytes)).not.toBe(read(bytes));
    expect(calls()).toBe(2);
  });

  it("are shared in a simulation, by the very bytes and not by what they are", () => {
    shareReadings(true);
    const { read, calls } = count();
    const bytes = Uint8Array.of(1, 2);
    expect(read(bytes)).toBe(read(bytes));
    expect(read(Uint8Array.of(1, 2))).not.toBe(read(bytes));
    expect(calls()).toBe(2);
  });
});

describe("byte arrays", () => {
  it("have memory of their own in a node", () => {
    const bytes = allocateBytes(10);
    expect(bytes.buffer.byteLength).toBe(10);
    expect(copyBytes(Uint8Array.of(1, 2, 3), 1, 3)).toEqual(Uint8Array.of(2, 3));
  });

  it("are zero, of the length asked for and apart from one another when cut from slabs", () => {
    cutFromSlabs(true);
    const arrays = Array.from({ length: 2_000 }, (_, at) => allocateBytes(at % 100));
    for (const [at, bytes] of arrays.entries()) {
      expect(bytes.length).toBe(at % 100);
      bytes.fill(at & 0xff);
    }
    for (const [at, bytes] of arrays.entries()) {
      expect(bytes.every((byte) => byte === (at & 0xff))).toBe(true);
    }
    expect(allocateBytes(100).every((byte) => byte === 0)).toBe(true);
  });

  it("are cut up to 4 KiB", () => {
    cutFromSlabs(true);
    expect(allocateBytes(4_096).buffer.byteLength).toBe(64 * 1024);
    expect(allocateBytes(4_097).buffer.byteLength).toBe(4_097);
  });

  it("are copied in part", () => {
    cutFromSlabs(true);
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const copy = copyBytes(bytes, 1, 3);
    bytes.fill(0);
    expect(copy).toEqual(Uint8Array.of(2, 3));
  });
});
