import { sm2SignatureToDer } from "@credlink/crypto";
import type { Signer } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import { mutateBytes, mutateTree, treeOf } from "./der-mutations.ts";
import { type DerNode, nodesOf, writeTree } from "./der-tree.ts";

/** SEQUENCE { what is signed, algorithm, signature }, and who can sign it again. */
export interface SignedSample {
  readonly der: Uint8Array;
  readonly signer: Signer | undefined;
}

async function signAgain(tree: DerNode, signer: Signer): Promise<void> {
  const [signed, , signature] = tree.children ?? [];
  if (signed === undefined || signature === undefined) return;
  const made = sm2SignatureToDer(await signer.sign(writeTree(signed)));
  if (!made.ok) throw new Error(made.code);
  signature.children = undefined;
  signature.content = Uint8Array.from([0, ...made.value]);
}

/** Makes inputs out of samples: now and then as they are, mostly changed, a third of those signed again. */
export function createMutator(samples: readonly SignedSample[]) {
  const donor = samples.flatMap(({ der }) => nodesOf(treeOf(der)));
  return async (random: SeededRandom): Promise<Uint8Array> => {
    const { der, signer } = random.pick(samples);
    if (random.chance(0.02)) return der;
    if (random.chance(0.15)) return mutateBytes(der, random);
    const tree = treeOf(der);
    if (signer !== undefined && random.chance(0.35)) {
      const [signed] = tree.children ?? [];
      if (signed !== undefined) mutateTree(signed, random, donor);
      await signAgain(tree, signer);
      return writeTree(tree);
    }
    mutateTree(tree, random, donor);
    const bytes = writeTree(tree);
    return random.chance(0.05) ? mutateBytes(bytes, random) : bytes;
  };
}
