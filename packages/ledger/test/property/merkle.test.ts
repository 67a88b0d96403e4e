import { sm3 } from "@credlink/crypto";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMerkleProof, merkleRoot, verifyMerkleProof } from "../../src/index.ts";

/** RFC 6962 §2.1, word for word. */
function referenceRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sm3(new Uint8Array(0));
  if (leaves.length === 1) return sm3(concatBytes(Uint8Array.of(0), first));
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  const [left, right] = [referenceRoot(leaves.slice(0, k)), referenceRoot(leaves.slice(k))];
  return sm3(concatBytes(Uint8Array.of(1), left, right));
}

const leaves = fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 70 });

describe("Merkle trees shaped as in RFC 6962", () => {
  it("have the root of the definition for every count", () => {
    for (let count = 0; count <= 70; count++) {
      const items = Array.from({ length: count }, (_, i) => utf8(`leaf ${i}`));
      expect(toHex(merkleRoot(items))).toBe(toHex(referenceRoot(items)));
    }
  });

  it("prove each leaf at its place, and at no other", () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(), (items, which, shift) => {
        const index = which % items.length;
        const leaf = items[index] ?? new Uint8Array(0);
        const count = items.length;
        const good = {
          root: merkleRoot(items),
          leaf,
          index,
          count,
          proof: createMerkleProof(items, index),
        };
        expect(verifyMerkleProof(good)).toBe(true);
        const { siblings } = good.proof;
        expect(verifyMerkleProof({ ...good, leaf: utf8("another leaf") })).toBe(false);
        expect(verifyMerkleProof({ ...good, index: count })).toBe(false);
        expect(verifyMerkleProof({ ...good, index: -1 })).toBe(false);
        expect(verifyMerkleProof({ ...good, index: 0.5 })).toBe(false);
        const longer = { siblings: [...siblings, good.root] };
        expect(verifyMerkleProof({ ...good, proof: longer })).toBe(false);
        if (siblings.length > 0) {
          expect(verifyMerkleProof({ ...good, proof: { siblings: siblings.slice(1) } })).toBe(
            false,
          );
        }
        const other = (index + 1 + (shift % Math.max(1, count - 1))) % count;
        const isSame = toHex(items[other] ?? leaf) === toHex(leaf);
        if (other !== index && !isSame) {
          expect(verifyMerkleProof({ ...good, index: other })).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
