import {
  AppError,
  compareBytes,
  concatBytes,
  digest,
  equalBytes,
  fromHex,
  height,
  InvariantError,
  invariant,
  MAX_VIEW,
  toHex,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { describe, expect, it } from "vitest";

describe("ids refuse what they cannot be", () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 53])("height %s", (value) => {
    expect(() => height(value)).toThrow(RangeError);
  });
  it("view at its edge", () => {
    expect(view(MAX_VIEW)).toBe(2 ** 31);
    expect(() => view(MAX_VIEW + 1)).toThrow(RangeError);
  });
  it("validator index at its edge", () => {
    expect(validatorIndex(65_535)).toBe(65_535);
    expect(() => validatorIndex(65_536)).toThrow(RangeError);
  });
  it("digest length", () => {
    expect(() => digest(new Uint8Array(31))).toThrow(RangeError);
    expect(digest(new Uint8Array(32)).length).toBe(32);
  });
});

describe("bytes", () => {
  it("hexadecimal both ways", () => {
    expect(toHex(fromHex("00ffA5"))).toBe("00ffa5");
    expect(() => fromHex("0")).toThrow(TypeError);
    expect(() => fromHex("0g")).toThrow(TypeError);
  });
  it("order and equality", () => {
    const [a, b] = [new Uint8Array([1, 2]), new Uint8Array([1, 3])];
    expect(compareBytes(a, b)).toBeLessThan(0);
    expect(compareBytes(b, a)).toBeGreaterThan(0);
    expect(compareBytes(a, new Uint8Array([1]))).toBeGreaterThan(0);
    expect(equalBytes(a, a.slice())).toBe(true);
    expect(equalBytes(a, new Uint8Array([1]))).toBe(false);
    expect(toHex(concatBytes(a, new Uint8Array(), b))).toBe("01020103");
  });
});

describe("errors", () => {
  class SampleError extends AppError<{ readonly code: "SAMPLE_BROKEN"; readonly place: number }> {}
  it("an AppError keeps its code, details, name and cause", () => {
    const cause = new Error("below");
    const error = new SampleError({ code: "SAMPLE_BROKEN", place: 3 }, "broken", { cause });
    expect(error).toMatchObject({
      code: "SAMPLE_BROKEN",
      details: { place: 3 },
      name: "SampleError",
      cause,
    });
  });
  it("an invariant that does not hold throws", () => {
    expect(() => invariant(false, "never")).toThrow(InvariantError);
    expect(() => invariant(true, "always")).not.toThrow();
  });
});
