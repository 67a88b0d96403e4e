import { createLazyVerifier, type LazyVerifier, type Sm2Backend } from "../kernel/lazy-verifier.ts";
import { isSignatureInRange } from "../sm2-curve.ts";
import { verifyWithNoble } from "./sm2.ts";

/** What verifies signatures on this thread: noble for a few, the kernel for many. */
export const verifier: LazyVerifier = createLazyVerifier({
  library: (publicKey, message, signature) =>
    isSignatureInRange(signature) && verifyWithNoble(publicKey, message, signature),
  // Noble takes as long for twenty as the kernel to open.
  kernelAfter: 20,
});

/** As at Node's door; what verifies instead of the kernel is noble. */
export function prepareSm2Verification(): Sm2Backend {
  return verifier.prepare();
}
