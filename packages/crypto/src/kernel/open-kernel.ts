import { fromHex, utf8 } from "@credlink/primitives";
import { CryptoError } from "../errors.ts";
import { createSm2Kernel, type Sm2Claim, type Sm2Kernel, type Sm2KernelOptions } from "./kernel.ts";

/** The known answer of GB/T 32918.5-2017 (and GM/T 0003.5), annex A. */
const KNOWN: Sm2Claim = {
  publicKey: fromHex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" +
      "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13",
  ),
  message: utf8("message digest"),
  signature: fromHex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3" +
      "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa",
  ),
};

/** Signatures of a batch of the test: good ones, and one spoilt at each of some places. */
const TESTED = 16;

function spoil(bytes: Uint8Array, at: number): Uint8Array {
  const other = bytes.slice();
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

/** The known signature, and spoilt ones at every odd place. */
const testClaims: readonly Sm2Claim[] = Array.from({ length: TESTED }, (_, i) => {
  if (i % 2 === 0) return KNOWN;
  return i % 4 === 1
    ? { ...KNOWN, signature: spoil(KNOWN.signature, 4 * i) }
    : { ...KNOWN, message: spoil(KNOWN.message, i % KNOWN.message.length) };
});

/** Which way gives a wrong answer, or null: without a table, with one, in a batch. */
export function selfTest(kernel: Sm2Kernel): string | null {
  const ways = ["without a table", "with a table", "in a batch"];
  for (const way of ways) {
    const answers =
      way === "in a batch"
        ? kernel.verifyAll(testClaims)
        : testClaims.map((claim) => kernel.verify(claim.publicKey, claim.message, claim.signature));
    if (answers.some((isGood, i) => isGood !== (i % 2 === 0))) return way;
  }
  return null;
}

/**
 * A kernel that was tested on this machine.
 * @throws CryptoError CRYPTO_KERNEL_UNUSABLE when WebAssembly is missing or gives a wrong answer.
 */
export function openSm2Kernel(options: Sm2KernelOptions = {}): Sm2Kernel {
  let wrong: string | null;
  try {
    const kernel = createSm2Kernel(options);
    wrong = selfTest(kernel);
    if (wrong === null) return kernel;
  } catch (error) {
    throw new CryptoError("CRYPTO_KERNEL_UNUSABLE", "the kernel does not run", { cause: error });
  }
  throw new CryptoError("CRYPTO_KERNEL_UNUSABLE", `the kernel is wrong ${wrong}`);
}
