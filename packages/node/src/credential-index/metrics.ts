import type { MetricDefinition } from "@credlink/primitives";

/** What the index of credentials counts. */
export const indexMetrics = {
  height: {
    name: "credlink_node_credential_index_height",
    kind: "gauge",
    help: "Highest block whose credentials are in the index; −1 before the first.",
  },
  failures: {
    name: "credlink_node_credential_index_failures_total",
    kind: "counter",
    help: "Times that the index could not be extended; it is tried again at the next block.",
  },
} as const satisfies Record<string, MetricDefinition>;
