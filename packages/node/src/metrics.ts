import { controlMetrics } from "./control/metrics.ts";
import { indexMetrics } from "./credential-index/metrics.ts";
import { gatewayMetrics } from "./gateway/metrics.ts";
import { networkMetrics } from "./p2p/metrics.ts";
import { renewalMetrics } from "./renewal/metrics.ts";
import { formMetrics } from "./storage/metrics.ts";

/** Every metric of this package but those of the engine, which has its own table. */
export const nodeMetrics = {
  ...networkMetrics,
  ...gatewayMetrics,
  ...controlMetrics,
  credentialIndexHeight: indexMetrics.height,
  credentialIndexFailures: indexMetrics.failures,
  contractCacheRefusals: formMetrics.refusals,
  contractCacheFailures: formMetrics.failures,
  selfChecks: {
    name: "credlink_node_self_checks_total",
    kind: "counter",
    help: "Checks of the node's own data, by outcome (clean, polluted).",
    labels: ["outcome"],
  },
  pollutedRows: {
    name: "credlink_node_polluted_rows_total",
    kind: "counter",
    help: "Stored rows found missing or altered, by checks or by a read, by class of data.",
    labels: ["space"],
  },
  polluted: {
    name: "credlink_node_polluted_state",
    kind: "gauge",
    help: "1 while the node has isolated itself because its data were found polluted.",
  },
  certificateEnd: {
    name: "credlink_node_certificate_end_seconds",
    kind: "gauge",
    help: "Time until the node's own certificate ends; peers cut the node then.",
  },
  renewalState: renewalMetrics.state,
  renewalFailures: renewalMetrics.failures,
  renewals: renewalMetrics.renewals,
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
