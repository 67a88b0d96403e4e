import { gatewayMetrics } from "./gateway/metrics.ts";
import { networkMetrics } from "./p2p/metrics.ts";

/** Every metric of this package but those of the engine, which has its own table. */
export const nodeMetrics = {
  ...networkMetrics,
  ...gatewayMetrics,
  uptime: {
    name: "credlink_node_uptime_seconds",
    kind: "gauge",
    help: "Time since the node started.",
  },
  eventLoopLag: {
    name: "credlink_node_event_loop_lag_seconds",
    kind: "gauge",
    help: "Delay of the event loop over the last scrape interval, by quantile (p50, p99, max).",
    labels: ["quantile"],
  },
  information: {
    name: "credlink_node_information",
    kind: "gauge",
    help: "Always 1; its labels name the node, its version and its chain.",
    labels: ["node", "version", "chain"],
  },
} as const;
