import type { Sm2Claim, Sm2Kernel, Sm2KernelOptions } from "./kernel.ts";
import { openSm2Kernel } from "./open-kernel.ts";

/** What verifies signatures on this thread. */
export type Sm2Backend =
  | { readonly type: "kernel" }
  /** The library of the platform, because the kernel gave this error or was not needed yet. */
  | { readonly type: "library"; readonly error: Error | null };

export interface LazyVerifierOptions extends Sm2KernelOptions {
  /** The library's verification; the signature's range was checked. */
  readonly library: Sm2Kernel["verify"];
  /** Verifications that are left to the library: opening a kernel costs as much as a hundred. */
  readonly kernelAfter?: number;
  /** What opens the kernel. Default `openSm2Kernel`. */
  readonly open?: (options: Sm2KernelOptions) => Sm2Kernel;
}

/** Verifies by the library at first, then by a kernel of this thread, if that runs rightly here. */
export interface LazyVerifier {
  verify: Sm2Kernel["verify"];
  /** The same of each, for bulk: opens the kernel at once. */
  verifyAll: Sm2Kernel["verifyAll"];
  /** Opens the kernel if it is not open. @returns what verifies from here on */
  prepare(): Sm2Backend;
}

const DEFAULT_KERNEL_AFTER = 100;

/** A verifier of one thread. */
export function createLazyVerifier(options: LazyVerifierOptions): LazyVerifier {
  const { library, kernelAfter = DEFAULT_KERNEL_AFTER, open = openSm2Kernel } = options;
  let kernel: Sm2Kernel | null = null;
  let error: Error | null = null;
  let count = 0;

  const prepare = (): Sm2Backend => {
    if (kernel === null && error === null) {
      try {
        kernel = open(options);
      } catch (failure) {
        error = failure instanceof Error ? failure : new Error(String(failure));
      }
    }
    return kernel === null ? { type: "library", error } : { type: "kernel" };
  };
  const verify: Sm2Kernel["verify"] = (publicKey, message, signature) => {
    if (kernel === null && error === null && ++count > kernelAfter) prepare();
    if (kernel === null) return library(publicKey, message, signature);
    return kernel.verify(publicKey, message, signature);
  };
  return {
    verify,
    verifyAll(claims: readonly Sm2Claim[]) {
      prepare();
      if (kernel !== null) return kernel.verifyAll(claims);
      return claims.map((claim) => library(claim.publicKey, claim.message, claim.signature));
    },
    prepare,
  };
}
