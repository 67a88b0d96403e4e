import type { MetricDefinition } from "@credlink/primitives";

/** What the gateway counts. */
export const gatewayMetrics = {
  calls: {
    name: "credlink_node_rpc_calls_total",
    kind: "counter",
    help: "JSON-RPC calls by method and outcome (ok or the error's code).",
    labels: ["method", "outcome"],
  },
  callSeconds: {
    name: "credlink_node_rpc_call_seconds",
    kind: "histogram",
    help: "Time from a call's arrival to its answer, by method.",
    labels: ["method"],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  sessions: {
    name: "credlink_node_rpc_sessions",
    kind: "gauge",
    help: "Sessions that have not ended.",
  },
  refused: {
    name: "credlink_node_rpc_refused_total",
    kind: "counter",
    help: "Calls refused before their method ran, by code.",
    labels: ["code"],
  },
} as const satisfies Record<string, MetricDefinition>;
