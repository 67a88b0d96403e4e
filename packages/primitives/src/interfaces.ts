/** Wall time and timers, so that pure and simulated code never touches the machine's own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may jump either way. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary origin: for durations only. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** Randomness fit for keys and nonces in production, seeded in the simulator. */
export interface Random {
  bytes(length: number): Uint8Array;
  /** Uniform integer in [0, exclusiveMax). */
  integer(exclusiveMax: number): number;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message and fields. Never keys, payloads or secrets. */
export interface Logger {
  /** An operator must act. */
  error(message: string, fields?: LogFields): void;
  /** Something is degraded. */
  warn(message: string, fields?: LogFields): void;
  /** A rare change of state. */
  info(message: string, fields?: LogFields): void;
  /** Per message or transaction. */
  debug(message: string, fields?: LogFields): void;
  child(bindings: LogFields): Logger;
}

export type MetricLabels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number, labels?: MetricLabels): void;
}

export interface Gauge {
  set(value: number, labels?: MetricLabels): void;
}

export interface Histogram {
  observe(value: number, labels?: MetricLabels): void;
}

/** How a metric is declared, in its package's `metrics.ts` and in docs/metrics.md alike. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in the metric's unit. */
  readonly buckets?: readonly number[];
}

export interface Metrics {
  counter(definition: MetricDefinition): Counter;
  gauge(definition: MetricDefinition): Gauge;
  histogram(definition: MetricDefinition): Histogram;
}

const silent = (): void => {};

/** Discards everything: for callers who do not want a log. */
export const noLogger: Logger = {
  error: silent,
  warn: silent,
  info: silent,
  debug: silent,
  child: () => noLogger,
};

/** Counts nothing: for callers who do not want metrics. */
export const noMetrics: Metrics = {
  counter: () => ({ add: silent }),
  gauge: () => ({ set: silent }),
  histogram: () => ({ observe: silent }),
};

/** Signs with one SM2 key whose custody is behind this interface (a file now, a token later). */
export interface Signer {
  /** Uncompressed point, 65 bytes: 0x04 ‖ x ‖ y. */
  readonly publicKey: Uint8Array;
  /** SM2-with-SM3 under the default ID over `message`: r ‖ s, 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}
