/**
 * The same door as the package's main entry, for browsers: plain TypeScript and noble, without
 * key files on disk and the verification pool.
 */
export * from "./common.ts";
export * from "./pure/door.ts";
export { prepareSm2Verification } from "./pure/verifier.ts";
