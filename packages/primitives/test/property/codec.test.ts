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
} from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

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
