import { compareBytes, decode, encode, equalBytes, toHex, utf8 } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EMPTY_STATE_ROOT,
  stateLeafHash,
  stateNodeHash,
  statePath,
  stateProofCodec,
  stateValueDigest,
  verifyStateProof,
} from "../../src/index.ts";
import { decodePage, encodePage, type Page } from "../../src/state-page.ts";
import { pathBit } from "../../src/state-proof.ts";
import {
  createStateProof,
  type PageSource,
  treeLeaves,
  treeRoot,
  updateTree,
} from "../../src/state-tree.ts";

interface Leaf {
  readonly path: Uint8Array;
  readonly valueDigest: Uint8Array;
}

/** The definition: no leaves, one leaf, or a node over both halves. */
function naiveRoot(leaves: readonly Leaf[], depth = 0): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return EMPTY_STATE_ROOT;
  if (leaves.length === 1) return stateLeafHash(first.path, first.valueDigest);
  const side = (bit: number) => leaves.filter(({ path }) => pathBit(path, depth) === bit);
  return stateNodeHash(naiveRoot(side(0), depth + 1), naiveRoot(side(1), depth + 1));
}

/** A tree and its pages, as they are stored: bytes under keys. */
class StoredTree implements PageSource {
  readonly rows = new Map<string, Uint8Array>();
  height = -1;

  page(key: Uint8Array): Page {
    const row = this.rows.get(toHex(key));
    if (row === undefined) throw new Error(`no page ${toHex(key)}`);
    return decodePage(row);
  }

  update(changes: readonly { path: Uint8Array; valueDigest: Uint8Array | null }[], prune: boolean) {
    const parent = this.height < 0 ? null : this.height;
    const result = updateTree(this, parent, this.height + 1, changes);
    this.height++;
    for (const { key, page } of result.pages) this.rows.set(toHex(key), encodePage(page));
    if (prune) for (const key of result.stale) this.rows.delete(toHex(key));
    return result;
  }
}

/** Paths that share long prefixes as well as random ones: every shape of tree. */
const path = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.tuple(fc.nat(255), fc.constantFrom(0, 1, 5, 31), fc.nat(255)).map(([first, at, other]) => {
    const bytes = new Uint8Array(32);
    bytes[0] = first & 0x81;
    bytes[at] = (bytes[at] ?? 0) ^ other;
    return bytes;
  }),
);

const blocks = fc.array(
  fc.array(fc.record({ path, value: fc.option(fc.nat(3), { nil: null }) }), { maxLength: 24 }),
  { minLength: 1, maxLength: 8 },
);

describe("the state tree against its definition", () => {
  it("S-9.3-4: insert, update and delete in any order lead to the root of the content", () => {
    fc.assert(
      fc.property(blocks, fc.boolean(), (history, prune) => {
        const tree = new StoredTree();
        const model = new Map<string, Leaf>();
        for (const block of history) {
          const changes = new Map<string, { path: Uint8Array; valueDigest: Uint8Array | null }>();
          for (const { path: at, value } of block) {
            const valueDigest = value === null ? null : stateValueDigest(Uint8Array.of(value));
            changes.set(toHex(at), { path: at, valueDigest });
          }
          for (const [name, change] of changes) {
            const { valueDigest } = change;
            if (valueDigest === null) model.delete(name);
            else model.set(name, { path: change.path, valueDigest });
          }
          const { root } = tree.update([...changes.values()], prune);
          expect(toHex(root)).toBe(toHex(naiveRoot([...model.values()])));
          expect(toHex(treeRoot(tree, tree.height))).toBe(toHex(root));
          const leaves = [...treeLeaves(tree, tree.height)].map((leaf) => toHex(leaf.path));
          const expected = [...model.values()].sort((a, b) => compareBytes(a.path, b.path));
          expect(leaves).toEqual(expected.map((leaf) => toHex(leaf.path)));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("stale pages are exactly those that the new tree does not use", () => {
    fc.assert(
      fc.property(blocks, (history) => {
        const tree = new StoredTree();
        for (const block of history) {
          const changes = new Map(
            block.map(({ path: at, value }) => [
              toHex(at),
              { path: at, valueDigest: value === null ? null : stateValueDigest(utf8(`${value}`)) },
            ]),
          );
          tree.update([...changes.values()], true);
        }
        // What is left is reachable: rebuilding from the leaves makes as many pages.
        const fresh = new StoredTree();
        fresh.update([...treeLeaves(tree, tree.height)], true);
        expect(tree.rows.size).toBe(fresh.rows.size);
        expect(toHex(treeRoot(tree, tree.height))).toBe(toHex(treeRoot(fresh, fresh.height)));
      }),
      { numRuns: 100 },
    );
  });

  it("an old height keeps its tree while its pages are kept", () => {
    const tree = new StoredTree();
    const roots: string[] = [];
    for (let i = 0; i < 20; i++) {
      const at = statePath("c", Uint8Array.of(i % 7));
      const { root } = tree.update(
        [{ path: at, valueDigest: stateValueDigest(utf8(`${i}`)) }],
        false,
      );
      roots.push(toHex(root));
    }
    expect(roots.map((_, i) => toHex(treeRoot(tree, i)))).toEqual(roots);
    expect(new Set(roots).size).toBe(20);
  });
});

describe("state proofs", () => {
  const keys = fc.uniqueArray(fc.string({ maxLength: 6 }), { minLength: 0, maxLength: 40 });

  it("S-9.3-5: prove presence and absence, and nothing else", () => {
    fc.assert(
      fc.property(keys, fc.string({ maxLength: 6 }), fc.nat(), (present, asked, flip) => {
        const tree = new StoredTree();
        const value = (key: string) => utf8(`value of ${key}`);
        const changes = present.map((key) => ({
          path: statePath("c", utf8(key)),
          valueDigest: stateValueDigest(value(key)),
        }));
        const { root } = tree.update(changes, false);
        const key = utf8(asked);
        const proof = createStateProof(tree, 0, statePath("c", key));
        const isPresent = present.includes(asked);
        const good = { root, contract: "c", key, value: isPresent ? value(asked) : null, proof };
        expect(verifyStateProof(good)).toMatchObject({ ok: true });
        const encoded = encode(stateProofCodec, proof);
        expect(verifyStateProof({ ...good, proof: decode(stateProofCodec, encoded) }).ok).toBe(
          true,
        );
        // The opposite claim, another value, contract, key or root.
        expect(verifyStateProof({ ...good, value: isPresent ? null : value(asked) }).ok).toBe(
          false,
        );
        expect(verifyStateProof({ ...good, value: utf8("other") }).ok).toBe(false);
        const otherKey = utf8(`${asked}!`);
        if (isPresent) {
          expect(verifyStateProof({ ...good, contract: "d" }).ok).toBe(false);
          expect(verifyStateProof({ ...good, key: otherKey }).ok).toBe(false);
        }
        const badRoot = root.slice();
        badRoot[flip % 32] = (badRoot[flip % 32] ?? 0) ^ 1;
        expect(verifyStateProof({ ...good, root: badRoot as typeof root }).ok).toBe(false);
        // Any flipped bit of the proof, where it still decodes.
        encoded[flip % encoded.length] = (encoded[flip % encoded.length] ?? 0) ^ (1 << (flip % 8));
        try {
          const mutated = decode(stateProofCodec, encoded);
          expect(verifyStateProof({ ...good, proof: mutated }).ok).toBe(false);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^PRIMITIVES_CODEC_/) });
        }
      }),
      { numRuns: 400 },
    );
  });

  it("a proof that is longer or shorter than the way is refused", () => {
    const tree = new StoredTree();
    const digestOf = (text: string) => stateValueDigest(utf8(text));
    const paths = ["a", "b", "c", "d"].map((key) => statePath("c", utf8(key)));
    const { root } = tree.update(
      paths.map((at, i) => ({ path: at, valueDigest: digestOf(`${i}`) })),
      false,
    );
    const claim = { root, contract: "c", key: utf8("a"), value: utf8("0") };
    const { leaf, siblings } = createStateProof(tree, 0, statePath("c", utf8("a")));
    expect(verifyStateProof({ ...claim, proof: { leaf, siblings } }).ok).toBe(true);
    for (const wrong of [siblings.slice(1), [...siblings, null], [...siblings, root], []]) {
      expect(verifyStateProof({ ...claim, proof: { leaf, siblings: wrong } }).ok).toBe(false);
    }
    const tooDeep = new Array<typeof root>(257).fill(root);
    expect(verifyStateProof({ ...claim, proof: { leaf, siblings: tooDeep } })).toMatchObject({
      code: "LEDGER_PROOF_MALFORMED",
    });
    const other = paths.find((at) => leaf && !equalBytes(at, leaf.path));
    const stolen = { path: other ?? root, valueDigest: digestOf("1") };
    expect(verifyStateProof({ ...claim, value: null, proof: { leaf: stolen, siblings } }).ok).toBe(
      false,
    );
  });
});

describe("pages", () => {
  it("decode what was encoded, and refuse damaged bytes by a code", () => {
    fc.assert(
      fc.property(blocks, fc.nat(), fc.nat(7), (history, offset, bit) => {
        const tree = new StoredTree();
        for (const block of history) {
          const changes = new Map(
            block.map(({ path: at, value }) => [
              toHex(at),
              { path: at, valueDigest: stateValueDigest(utf8(`${value}`)) },
            ]),
          );
          tree.update([...changes.values()], false);
        }
        for (const row of tree.rows.values()) {
          expect(encodePage(decodePage(row))).toEqual(row);
          const bad = row.slice();
          bad[offset % bad.length] = (bad[offset % bad.length] ?? 0) ^ (1 << bit);
          try {
            expect(encodePage(decodePage(bad))).toEqual(bad);
          } catch (error) {
            expect(error).toMatchObject({ code: "LEDGER_STORE_CORRUPT" });
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
