import { describe, expect, it } from "vitest";
import { instantiateKernel } from "../../src/kernel/module.ts";
import { bytesToNumber, numberToBytes, SM2_CURVE } from "../../src/sm2-curve.ts";
import { createSeeded } from "../support/oracle.ts";
import {
  add,
  G,
  inverse,
  isAccepted,
  multiply,
  pointBytes,
  pointFrom,
  type SlowPoint,
  sumOf,
} from "../support/slow-sm2.ts";

const { n, p } = SM2_CURVE;
const wasm = instantiateKernel();
const scratch = wasm.heapBase();
const table = scratch + 4096;
wasm.memory.grow(8);
const bytes = new Uint8Array(wasm.memory.buffer);
const view = new DataView(wasm.memory.buffer);

interface Question {
  /** s·G + (r + s)·key. */
  readonly sum: SlowPoint;
  readonly e: bigint;
  readonly r: bigint;
  readonly s: bigint;
}

function setKey(key: NonNullable<SlowPoint>): void {
  bytes.set(pointBytes(key), scratch);
  expect(wasm.setKey(scratch)).toBe(1);
  wasm.buildTable(table);
}

/** Answers of all ways, for the key that was set. */
function answersOf({ e, r, s }: Question): readonly boolean[] {
  const signature = scratch + 64;
  const hash = signature + 64;
  bytes.set(numberToBytes(r), signature);
  bytes.set(numberToBytes(s), signature + 32);
  bytes.set(numberToBytes(e), hash);
  return [wasm.verifyKnown(table, signature, hash) === 1, wasm.verifyCold(signature, hash) === 1];
}

function inBatch(questions: readonly Question[]): readonly boolean[] {
  const items = wasm.itemsAddress();
  for (const [i, { e, r, s }] of questions.entries()) {
    view.setUint32(items + 100 * i, table, true);
    bytes.set(numberToBytes(r), items + 100 * i + 4);
    bytes.set(numberToBytes(s), items + 100 * i + 36);
    bytes.set(numberToBytes(e), items + 100 * i + 68);
  }
  wasm.verifyBatch(questions.length);
  const answers = wasm.answersAddress();
  return questions.map((_, i) => bytes[answers + i] === 1);
}

function digestFor(sum: SlowPoint, r: bigint): bigint {
  return sum === null ? 0n : (((r - sum.x) % n) + n) % n;
}

/** A question whose answer is yes, and the same with another digest. */
function bothOf(key: NonNullable<SlowPoint>, r: bigint, s: bigint): readonly Question[] {
  const sum = sumOf(key, r, s);
  const e = digestFor(sum, r);
  return [
    { sum, e, r, s },
    { sum, e: e ^ 1n, r, s },
  ];
}

function expectSlowAnswers(questions: readonly Question[]): number {
  let good = 0;
  for (let from = 0; from < questions.length; from += 64) {
    const some = questions.slice(from, from + 64);
    const slow = some.map(({ sum, e, r, s }) => isAccepted(sum, e, r, s));
    for (const [i, question] of some.entries()) {
      expect(answersOf(question), `r ${question.r} s ${question.s}`).toEqual([slow[i], slow[i]]);
    }
    expect(inBatch(some)).toEqual(slow);
    good += slow.filter((each) => each).length;
  }
  return good;
}

/** Scalars at the edges of range, window, digit and word. */
const edges: readonly bigint[] = [
  ...[1n, 2n, 15n, 16n, 17n, 127n, 128n, 129n, 255n, 256n, 257n],
  ...[n - 1n, n - 2n, n - 128n, n - 129n, n / 2n, n / 2n + 1n, n / 2n - 1n],
  ...[63n, 64n, 65n, 127n, 128n, 191n, 192n, 193n, 247n, 248n, 255n].map((bit) => 1n << bit),
  (1n << 255n) - 1n,
  BigInt(`0x${"80".repeat(31)}`),
  BigInt(`0x${"7f".repeat(31)}`),
  BigInt(`0x${"ff".repeat(31)}`),
  BigInt(`0x${"8100".repeat(15)}`),
];

describe("the kernel answers as the plainest arithmetic", () => {
  const pick = createSeeded(11);
  const random = (): bigint =>
    bytesToNumber(Uint8Array.from({ length: 32 }, () => pick(256))) % n || 1n;

  it("on every edge, as s and as r + s", () => {
    const key = multiply(0x1234_5678_9abc_def0n, G) ?? expect.fail("a point");
    setKey(key);
    // Each edge as s, and as r + s.
    const questions = edges.flatMap((edge, i) => {
      const other = edges[(7 * i + 3) % edges.length] ?? 1n;
      return [...bothOf(key, other, edge), ...bothOf(key, (edge + n - other) % n || 1n, other)];
    });
    expect(expectSlowAnswers(questions)).toBeGreaterThan(50);
  });

  it.each([
    ["G", G],
    ["−G", multiply(n - 1n, G)],
    ["2G", multiply(2n, G)],
    ["G / 2", multiply(inverse(2n, n), G)],
    ["−2^8·G", multiply(n - 256n, G)],
    ["a point with a small x", pointFrom(1n)],
    ["a point with a large x", pointFrom(p - 60n)],
  ] as const)("on edges and random scalars under %s", (_, key) => {
    if (key === null) expect.fail("a point");
    setKey(key);
    const some = [...edges.slice(0, 18), random(), random()];
    expectSlowAnswers(
      some.flatMap((r) => [r, n - r, random()].flatMap((s) => bothOf(key, r, s % n))),
    );
  });

  it("on sums that are infinity, and on such with equal or opposite parts", () => {
    // Under d·G the sum is s + (r + s)·d: infinity, s·G doubled, and what the tables add alike.
    const d = 0xfeed_beefn;
    const key = multiply(d, G) ?? expect.fail("a point");
    setKey(key);
    const rFor = (t: bigint, s: bigint): bigint => (((t - s) % n) + n) % n;
    const questions = [1n, 5n, 255n, n - 3n, random(), random()].flatMap((s) => {
      const opposite = rFor((n - s) * inverse(d, n), s);
      const equal = rFor(s * inverse(d, n), s);
      return [...bothOf(key, opposite, s), ...bothOf(key, equal, s)];
    });
    expectSlowAnswers(questions);
  });

  it("on an x of the sum from n to p, and one just below p − n", () => {
    for (const from of [n, n + 5n, p - 40n, 1n, p - n - 20n]) {
      const sum = pointFrom(from);
      const [r, s] = [random(), random()];
      // The key that gives this sum: (sum − s·G) / (r + s).
      const rest = add(sum, multiply(n - s, G));
      const key = multiply(inverse((r + s) % n, n), rest) ?? expect.fail("a point");
      setKey(key);
      const e = digestFor(sum, r);
      const digests = [e, e + n < 1n << 256n ? e + n : e, (e + 1n) % n];
      const questions = digests.map((each) => ({ sum, e: each, r, s }));
      expect(expectSlowAnswers(questions)).toBeGreaterThan(0);
    }
  });

  it("on digests from 0 to 2^256 − 1", () => {
    setKey(G ?? expect.fail("a point"));
    const [r, s] = [random(), random()];
    const sum = sumOf(G, r, s);
    const digests = [0n, 1n, n - 1n, n, n + 1n, (1n << 256n) - 1n];
    const questions = digests.map((e) => ({ sum, e, r, s }));
    expectSlowAnswers(questions);
  });

  it("on r and s out of range, and on r + s = n", () => {
    setKey(G ?? expect.fail("a point"));
    const wrong = [0n, n, n + 1n, (1n << 256n) - 1n];
    const pairs = wrong.flatMap((each) => [[each, 1n] as const, [1n, each] as const]);
    const questions = [...pairs, [5n, n - 5n] as const].map(([r, s]) => ({ sum: G, e: 1n, r, s }));
    expect(expectSlowAnswers(questions)).toBe(0);
  });

  it("one whose points meet does not spoil the others of its batch", () => {
    const key = G ?? expect.fail("a point");
    setKey(key);
    // Under G and with r = n − s + s the digits of s and t are the same points.
    const meets = edges.slice(0, 4).map((s) => bothOf(key, n - 2n * s > 0n ? n - 2n * s : 1n, s));
    const others = Array.from({ length: 12 }, () => bothOf(key, random(), random()));
    expectSlowAnswers([...meets, ...others].flat());
  });

  it("refuses what is no point of the curve", () => {
    const { x, y } = pointFrom(7n);
    const wrong = [
      { x, y: y + 1n },
      { x: x + 1n, y },
      { x: 0n, y: 0n },
    ];
    for (const point of wrong) {
      bytes.set(pointBytes(point), scratch);
      expect(wasm.setKey(scratch)).toBe(0);
    }
    // x and y themselves must be below p.
    const small = pointFrom(1n);
    bytes.set(pointBytes({ x: small.x + p, y: small.y }), scratch);
    expect(wasm.setKey(scratch)).toBe(0);
    bytes.set(pointBytes({ x: small.x, y: p }), scratch);
    expect(wasm.setKey(scratch)).toBe(0);
  });
});
