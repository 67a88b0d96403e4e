import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  generateKeyPair,
  prepareDigests,
  preparePointSums,
  prepareSm2Verification,
  sm2Sign,
} from "../../src/index.ts";
import { createSm2Kernel, type Sm2Kernel } from "../../src/kernel/kernel.ts";
import { createLazyVerifier } from "../../src/kernel/lazy-verifier.ts";
import { instantiateKernel } from "../../src/kernel/module.ts";
import { openSm2Kernel, selfTest } from "../../src/kernel/open-kernel.ts";
import { verifyWithOpenssl } from "../../src/node/sm2.ts";
import { isSignatureInRange } from "../../src/sm2-curve.ts";
import { codeModule, compileKernel, kernels } from "../../tools/build-kernel.ts";
import { generateProducts, productsPath } from "../../tools/generate-products.ts";
import { edgeCases, randomCases } from "../support/cases.ts";
import type { Case } from "../support/oracle.ts";

const TABLE_BYTES = 294_912;

function byOpenssl({ publicKey, message, signature }: Case): boolean {
  return isSignatureInRange(signature) && verifyWithOpenssl(publicKey, message, signature);
}

function oneByOne(kernel: Sm2Kernel, cases: readonly Case[]): readonly boolean[] {
  return cases.map((each) => kernel.verify(each.publicKey, each.message, each.signature));
}

/** Signatures of messages by `count` keys, the last of each spoilt. */
function signedBy(count: number, each: number): readonly Case[] {
  return Array.from({ length: count }, () => generateKeyPair()).flatMap((pair) =>
    Array.from({ length: each }, (_, i) => {
      const message = Uint8Array.of(i);
      const signature = sm2Sign(pair.privateKey, message);
      if (i === each - 1) signature[40] = (signature[40] ?? 0) ^ 1;
      return { publicKey: pair.publicKey, message, signature };
    }),
  );
}

describe("the checked-in kernels are what their sources compile to; `pnpm kernel:build`", () => {
  const folder = fileURLToPath(new URL("../..", import.meta.url));
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");

  it("products.ts", () => expect(generateProducts()).toBe(read(productsPath)));

  it.each(kernels)("$code", async (kernel) => {
    expect(codeModule(kernel, await compileKernel(kernel))).toBe(read(kernel.code));
  });
});

describe("S-9.7-1: the kernel answers as OpenSSL", () => {
  const cases = [...edgeCases(), ...randomCases(23, 300, 5)];
  const right = cases.map(byOpenssl);

  it.each([
    ["without tables", { tableBytes: 0 }],
    ["with tables from the first use on", { usesBeforeTable: 0 }],
    ["with one table for all", { usesBeforeTable: 1, tableBytes: TABLE_BYTES }],
  ])("%s, one by one and together", (_, options) => {
    const kernel = createSm2Kernel(options);
    expect(oneByOne(kernel, cases)).toEqual(right);
    expect(kernel.verifyAll(cases)).toEqual(right);
    expect(oneByOne(kernel, cases)).toEqual(right);
  });

  it("on messages of all lengths around a block and its own limit", () => {
    const kernel = createSm2Kernel();
    const pair = generateKeyPair();
    const lengths = [0, 1, 22, 23, 24, 31, 32, 86, 87, 88, 4_095, 4_096, 4_097, 70_000];
    for (const length of lengths) {
      const message = new Uint8Array(length).fill(length);
      const signature = sm2Sign(pair.privateKey, message);
      expect(kernel.verify(pair.publicKey, message, signature)).toBe(true);
      if (length === 0) continue;
      message[length - 1] = (message[length - 1] ?? 0) ^ 1;
      expect(kernel.verify(pair.publicKey, message, signature)).toBe(false);
    }
  });

  it.each([0, 1, 3, 4, 5, 63, 64, 65, 129])("in a batch of %i", (count) => {
    const kernel = createSm2Kernel({ usesBeforeTable: 0 });
    const some = cases.slice(0, count);
    expect(kernel.verifyAll(some)).toEqual(right.slice(0, count));
  });
});

describe("tables", () => {
  it("come with use, and no more of them than fit", () => {
    const kernel = createSm2Kernel({ usesBeforeTable: 2, tableBytes: 3 * TABLE_BYTES + 1 });
    const cases = signedBy(5, 4);
    const right = cases.map((_, i) => i % 4 !== 3);
    expect(oneByOne(kernel, cases.slice(0, 2))).toEqual([true, true]);
    expect(kernel.tables).toBe(0);
    for (let round = 0; round < 3; round++) {
      expect(oneByOne(kernel, cases)).toEqual(right);
      expect(kernel.tables).toBe(3);
      // Keys that take each other's tables within one batch.
      expect(kernel.verifyAll(cases)).toEqual(right);
      expect(kernel.tables).toBe(3);
    }
  });

  it.each([0, 2])("are as many as the machine gives memory for: %i", (given) => {
    const wasm = instantiateKernel();
    const most = wasm.heapBase() + (given + 0.9) * TABLE_BYTES;
    const memory = {
      get buffer() {
        return wasm.memory.buffer;
      },
      grow(pages: number): number {
        if (wasm.memory.buffer.byteLength + 65_536 * pages > most)
          throw new RangeError("no memory");
        return wasm.memory.grow(pages);
      },
    };
    const kernel = createSm2Kernel({ usesBeforeTable: 0 }, { ...wasm, memory });
    const cases = signedBy(4, 2);
    for (let round = 0; round < 2; round++) {
      expect(oneByOne(kernel, cases)).toEqual(cases.map((_, i) => i % 2 === 0));
      expect(kernel.verifyAll(cases)).toEqual(cases.map((_, i) => i % 2 === 0));
      expect(kernel.tables).toBe(given);
    }
  });

  it("go on when more keys come than are remembered", () => {
    const kernel = createSm2Kernel({ usesBeforeTable: 0, tableBytes: TABLE_BYTES, keys: 2 });
    const cases = signedBy(4, 2);
    for (let round = 0; round < 2; round++) {
      expect(oneByOne(kernel, cases)).toEqual(cases.map((_, i) => i % 2 === 0));
    }
  });
});

describe("where the kernel does not run rightly", () => {
  const honest = openSm2Kernel();
  const liar = (wrong: Partial<Sm2Kernel>): Sm2Kernel => ({
    tables: 0,
    verify: (...claim) => honest.verify(...claim),
    verifyAll: (claims) => honest.verifyAll(claims),
    ...wrong,
  });

  it("its test says so", () => {
    expect(selfTest(honest)).toBeNull();
    expect(selfTest(liar({ verify: () => true }))).toBe("without a table");
    expect(selfTest(liar({ verify: () => false }))).toBe("without a table");
    const yes = (claims: readonly unknown[]): boolean[] => claims.map(() => true);
    expect(selfTest(liar({ verifyAll: yes }))).toBe("in a batch");
    let calls = 0;
    const later: Sm2Kernel["verify"] = (...claim) => calls++ > 20 || honest.verify(...claim);
    expect(selfTest(liar({ verify: later }))).toBe("with a table");
  });

  it("the library verifies, from the first to the last, and the reason is told once", () => {
    let opened = 0;
    const [good, bad] = signedBy(1, 2);
    if (good === undefined || bad === undefined) expect.fail("two signatures");
    const verifier = createLazyVerifier({
      library: (publicKey, message, signature) => byOpenssl({ publicKey, message, signature }),
      kernelAfter: 1,
      open: () => {
        opened++;
        throw new Error("no WebAssembly");
      },
    });
    for (let i = 0; i < 4; i++) {
      expect(verifier.verify(good.publicKey, good.message, good.signature)).toBe(true);
      expect(verifier.verifyAll([bad, good])).toEqual([false, true]);
    }
    expect(opened).toBe(1);
    expect(verifier.prepare()).toMatchObject({
      type: "library",
      error: new Error("no WebAssembly"),
    });
  });

  it("few verifications do not open it", () => {
    let opened = 0;
    const [good] = signedBy(1, 1);
    if (good === undefined) expect.fail("a signature");
    const verifier = createLazyVerifier({
      library: () => false,
      kernelAfter: 3,
      open: (options) => {
        opened++;
        return openSm2Kernel(options);
      },
    });
    for (let i = 0; i < 3; i++) verifier.verify(good.publicKey, good.message, good.signature);
    expect(opened).toBe(0);
    expect(verifier.verify(good.publicKey, good.message, good.signature)).toBe(false);
    expect(opened).toBe(1);
    expect(verifier.prepare()).toEqual({ type: "kernel" });
  });

  it("this machine runs it", () => {
    expect(prepareSm2Verification()).toEqual({ type: "kernel" });
    expect([prepareDigests(), preparePointSums()]).toEqual([true, true]);
  });
});
