const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/**
 * What a node needs of its machine; docs/operations.md shows the same figures. Below `least` a node fails
 * sooner or later, below `good` it is slow or has no reserve.
 */
export const needs = {
  /** Major version of Node.js. */
  nodeVersion: { least: 24, good: 24 },
  processors: { least: 1, good: 4 },
  memoryBytes: { least: 2 * GIB, good: 8 * GIB },
  freeDiskBytes: { least: 1 * GIB, good: 50 * GIB },
  openFiles: { least: 1_024, good: 65_536 },
  /** Median of a write of 4 KiB with fdatasync, milliseconds: the most, not the least. */
  syncMs: { least: 100, good: 20 },
  /** Distance from the validators' clocks, milliseconds: the most. */
  clockOffsetMs: { least: 5_000, good: 100 },
  /** Days until a certificate ends. */
  certificateDays: { least: 0, good: 30 },
} as const;
