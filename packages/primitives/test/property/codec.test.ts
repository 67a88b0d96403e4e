import {
  bool,
  bytes,
  bytesUpTo,
  type Codec,
  CodecError,
  decode,
  encode,
  list,
  nullable,
  struct,
  text,
  tryDecode,
  u32,
  u53,
  u64,
  type WireValue,
  wireValue,
} from "@credlink/primitives";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { scanWire } from "../../src/codec-scan.ts";

/** A codec together with an arbitrary of its values, nested up to `depth`. */
interface Sample {
  readonly codec: Codec<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

function sample<T>(codec: Codec<T>, values: fc.Arbitrary<T>): Sample {
  return { codec: codec as Codec<unknown>, values };
}

const leaves: fc.Arbitrary<Sample> = fc.constantFrom(
  sample(u32, fc.nat({ max: 0xffff_ffff })),
  sample(u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  sample(u53, fc.maxSafeNat()),
  sample(bool, fc.boolean()),
  sample(bytes(3), fc.uint8Array({ minLength: 3, maxLength: 3 })),
  sample(bytesUpTo(400), fc.uint8Array({ maxLength: 400 })),
  sample(
    text(1_200),
    fc.string({ unit: "grapheme", maxLength: 80 }).filter((s) => s.isWellFormed()),
  ),
);

const samples: fc.Arbitrary<Sample> = fc.letrec<{ any: Sample }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    leaves,
    tie("any").map(({ codec, values }) => sample(nullable(codec), fc.option(values))),
    tie("any").map(({ codec, values }) =>
      sample(
        list(codec, 20),
        fc.array(values, { maxLength: 20 }) as fc.Arbitrary<readonly unknown[]>,
      ),
    ),
    fc
      .tuple(tie("any"), tie("any"))
      .map(([first, second]) =>
        sample(
          struct({ first: first.codec, second: second.codec }) as Codec<object>,
          fc.record({ first: first.values, second: second.values }),
        ),
      ),
  ),
})).any;

const sampled = samples.chain(({ codec, values }) =>
  values.map((value) => ({ codec, value, encoded: encode(codec, value) })),
);

describe("canonical codec", () => {
  it("decode after encode is the identity", () => {
    fc.assert(
      fc.property(sampled, ({ codec, value, encoded }) => {
        expect(decode(codec, encoded)).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it("one changed byte is refused or gives another value that encodes to those bytes", () => {
    fc.assert(
      fc.property(sampled, fc.nat(), fc.integer({ min: 1, max: 255 }), (made, place, change) => {
        const bent = made.encoded.slice();
        const at = place % bent.length;
        bent[at] = (bent[at] as number) ^ change;
        const result = tryDecode(made.codec, bent);
        if (result.ok) expect(encode(made.codec, result.value)).toEqual(bent);
      }),
      { numRuns: 2_000 },
    );
  });

  it("any bytes are decoded or refused, and nothing but a refusal comes out", () => {
    fc.assert(
      fc.property(samples, fc.uint8Array({ maxLength: 200 }), ({ codec }, input) => {
        try {
          expect(encode(codec, decode(codec, input))).toEqual(input);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
      { numRuns: 4_000 },
    );
  });
});

const packr = new Packr({ useRecords: false, int64AsType: "bigint", variableMapSize: false });

const wireValues: fc.Arbitrary<WireValue> = fc.letrec<{ any: WireValue }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, false, true),
    fc.nat({ max: 0xffff_ffff }),
    fc.integer({ min: 0, max: 70_000 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 0, max: 70_000 }).map((length) => new Uint8Array(length)),
    fc.string({ unit: "grapheme", maxLength: 80 }).filter((s) => s.isWellFormed()),
    fc.integer({ min: 0, max: 70_000 }).map((length) => "x".repeat(length)),
    fc.array(tie("any"), { maxLength: 20 }),
    fc.integer({ min: 0, max: 70_000 }).map((length) => new Array<number>(length).fill(7)),
  ),
})).any;

describe("against msgpackr", () => {
  const big = { maxBytes: 64 * 1024 * 1024 };

  it("writes the same bytes and reads what it wrote", () => {
    fc.assert(
      fc.property(wireValues, (value) => {
        const packed = new Uint8Array(packr.pack(value));
        expect(Buffer.compare(encode(wireValue, value), packed)).toBe(0);
        expect(decode(wireValue, packed, big)).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it("accepts exactly what msgpackr reads and writes back unchanged", () => {
    fc.assert(
      fc.property(
        wireValues,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, place, change) => {
          const bent = new Uint8Array(packr.pack(value));
          const at = place % Math.min(bent.length, 64);
          bent[at] = (bent[at] as number) ^ change;
          const isRead = tryDecode(wireValue, bent, big).ok;
          expect(isRead).toBe(isCanonical(bent));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** The codec's rule with msgpackr as the judge: of the used kinds, and its own re-encoding. */
function isCanonical(input: Uint8Array): boolean {
  if (scanWire(input) !== null) return false;
  const value: unknown = packr.unpack(input);
  return !hasNegative(value) && Buffer.compare(packr.pack(value), input) === 0;
}

function hasNegative(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasNegative);
  return typeof value === "bigint" && value < 0n;
}
