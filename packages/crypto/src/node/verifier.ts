import { hash } from "node:crypto";
import { createLazyVerifier, type LazyVerifier, type Sm2Backend } from "../kernel/lazy-verifier.ts";
import { isSignatureInRange } from "../sm2-curve.ts";
import { verifyWithOpenssl } from "./sm2.ts";

/** What verifies signatures on this thread: OpenSSL for a few, the kernel for many. */
export const verifier: LazyVerifier = createLazyVerifier({
  library: (publicKey, message, signature) =>
    isSignatureInRange(signature) && verifyWithOpenssl(publicKey, message, signature),
  sm3: (data) => hash("sm3", data, "buffer"),
});

/**
 * Tests the kernel on this machine and opens it for this thread, which some hundred verifications do
 * by themselves; the threads of a verification pool open their own.
 *
 * @returns what verifies from here on, and why it is not the kernel.
 */
export function prepareSm2Verification(): Sm2Backend {
  return verifier.prepare();
}
