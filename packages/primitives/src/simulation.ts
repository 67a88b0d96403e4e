/**
 * A door for simulators alone, whose nodes share one process and live for minutes: what one of them
 * has read, the others need not read again, and small byte arrays come out of slabs. No option of a
 * node leads here, and the house rules allow the import nowhere else.
 *
 * ```ts
 * import { cutFromSlabs, shareReadings } from "@credlink/primitives/simulation";
 *
 * shareReadings(true);
 * cutFromSlabs(true);
 * ```
 */
export { cutFromSlabs } from "./allocation.ts";
export { shareReadings } from "./shared-reading.ts";
