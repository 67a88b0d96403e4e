import type { MetricDefinition } from "@credlink/primitives";

/** What this package measures. */
export const cryptoMetrics = {
  verifiedSignatures: {
    name: "credlink_crypto_verified_signatures_total",
    kind: "counter",
    help: "Signatures that the verification pool has judged, by result (good, bad).",
    labels: ["result"],
  },
  refusedSignatures: {
    name: "credlink_crypto_refused_signatures_total",
    kind: "counter",
    help: "Signatures that the verification pool refused because its queue was full.",
  },
  queuedSignatures: {
    name: "credlink_crypto_queued_signatures",
    kind: "gauge",
    help: "Signatures that wait for the verification pool or are being verified.",
  },
  batchDuration: {
    name: "credlink_crypto_batch_duration_seconds",
    kind: "histogram",
    help: "Time from handing one batch to a worker thread to its answer.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  },
  workerFailures: {
    name: "credlink_crypto_worker_failures_total",
    kind: "counter",
    help: "Worker threads of the verification pool that died and were replaced.",
  },
} as const satisfies Record<string, MetricDefinition>;
