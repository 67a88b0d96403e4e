/** p50, p95 and p99 of a sample, and its maximum, in the sample's unit; zero when it is empty. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * The value that `share` of the sample does not exceed: nearest rank, no interpolation.
 * @param sorted ascending.
 */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? 0;
}

export function percentiles(sample: readonly number[]): Percentiles {
  const sorted = [...sample].sort((a, b) => a - b);
  return {
    p50: round(percentile(sorted, 0.5)),
    p95: round(percentile(sorted, 0.95)),
    p99: round(percentile(sorted, 0.99)),
    max: round(sorted.at(-1) ?? 0),
  };
}

/** To a tenth: what a report needs. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The middle of a sample in any order. */
export function median(sample: readonly number[]): number {
  return percentile(
    [...sample].sort((a, b) => a - b),
    0.5,
  );
}

/** Processor time of this process for a task, milliseconds. */
export function cpuMs(task: () => void): number {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
