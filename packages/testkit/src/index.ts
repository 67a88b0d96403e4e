/**
 * Deterministic stand-ins for time, randomness, network and disk, and the suites that hold them
 * and the real ones to the same behaviour.
 *
 * ```ts
 * import { createSeededRandom, createSimulatedClock, createSimulatedDisk } from "@credlink/testkit";
 *
 * const clock = createSimulatedClock();
 * const disk = createSimulatedDisk({ clock, random: createSeededRandom(7) });
 * const file = await disk.mount().open("votes", { create: true });
 * await file.write(0, Uint8Array.of(1)); // lost, kept or torn if disk.crash() comes now
 * ```
 */
export * from "./disk-compliance.ts";
export * from "./errors.ts";
export * from "./long-certificate.ts";
export * from "./seeded-random.ts";
export * from "./simulated-clock.ts";
export * from "./simulated-disk.ts";
export { type CrashOutcome, crashOutcomes, SECTOR_BYTES } from "./simulated-file.ts";
export * from "./simulated-network.ts";
