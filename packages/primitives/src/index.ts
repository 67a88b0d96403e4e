/**
 * The ground every other package stands on: bytes, ids, the canonical codec, errors, and the
 * interfaces through which code reaches time, randomness, logs, metrics, disk and network.
 *
 * ```ts
 * import { decode, encode, struct, text, u32 } from "@credlink/primitives";
 *
 * const point = struct({ name: text(16), height: u32 });
 * const bytes = encode(point, { name: "head", height: 7 });
 * decode(point, bytes); // { name: "head", height: 7 }
 * ```
 */
export { allocateBytes, copyBytes } from "./allocation.ts";
export * from "./bytes.ts";
export * from "./codec.ts";
export { MAX_DEPTH, MAX_VALUES } from "./codec-scan.ts";
export * from "./disk.ts";
export * from "./errors.ts";
export * from "./errors-table.ts";
export * from "./ids.ts";
export * from "./interfaces.ts";
export * from "./network.ts";
export { sharedReading } from "./shared-reading.ts";
