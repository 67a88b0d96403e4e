import type { MetricDefinition } from "@credlink/primitives";

/** What the files of metered contracts count. */
export const formMetrics = {
  refusals: {
    name: "credlink_node_contract_cache_refused_total",
    kind: "counter",
    help: "Files of the contract cache that were altered or damaged: refused, and derived anew.",
  },
  failures: {
    name: "credlink_node_contract_cache_failed_total",
    kind: "counter",
    help: "Files of the contract cache that could not be read, written or deleted.",
  },
} as const satisfies Record<string, MetricDefinition>;
