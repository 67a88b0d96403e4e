import { describe, expect, test } from "vitest";
import { faultBound, honestOne, quorum } from "../../src/quorum.ts";

/** n -> [f, q], n = 1 … 32. */
const TABLE: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 2],
  [1, 3],
  [1, 4],
  [1, 4],
  [2, 5],
  [2, 6],
  [2, 6],
  [3, 7],
  [3, 8],
  [3, 8],
  [4, 9],
  [4, 10],
  [4, 10],
  [5, 11],
  [5, 12],
  [5, 12],
  [6, 13],
  [6, 14],
  [6, 14],
  [7, 15],
  [7, 16],
  [7, 16],
  [8, 17],
  [8, 18],
  [8, 18],
  [9, 19],
  [9, 20],
  [9, 20],
  [10, 21],
  [10, 22],
];

describe("quorum", () => {
  test("known bug 3: the table of n = 1 to 32, where 2f + 1 is not always a quorum", () => {
    const table = TABLE.map((_, at) => [faultBound(at + 1), quorum(at + 1)]);
    expect(table).toEqual(TABLE);
    expect(TABLE.map((_, at) => honestOne(at + 1))).toEqual(TABLE.map(([f]) => f + 1));
  });

  test("n = 1 to 2000: two quorums meet in an honest validator, and honest ones make one", () => {
    for (let n = 1; n <= 2000; n++) {
      const f = faultBound(n);
      const q = quorum(n);
      expect(3 * f + 1).toBeLessThanOrEqual(n);
      expect(2 * q - n).toBeGreaterThanOrEqual(f + 1);
      expect(q).toBeLessThanOrEqual(n - f);
      expect(q).toBe(Math.ceil((2 * n) / 3));
    }
  });

  test("no validators is a bug of the caller", () => {
    expect(() => quorum(0)).toThrow();
    expect(() => quorum(1.5)).toThrow();
  });
});
