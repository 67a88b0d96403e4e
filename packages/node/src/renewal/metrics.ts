/** Metrics of the automatic renewal. */
export const renewalMetrics = {
  state: {
    name: "credlink_node_renewal_state",
    kind: "gauge",
    help: "1 for what the automatic renewal of the node's certificate is at: off, resting, requesting, waiting, announcing, handing-over.",
    labels: ["state"],
  },
  failures: {
    name: "credlink_node_renewal_failures_total",
    kind: "counter",
    help: "Steps of renewals that failed, by code; an alarm is due when it grows.",
    labels: ["code"],
  },
  renewals: {
    name: "credlink_node_renewals_total",
    kind: "counter",
    help: "Certificates that the node renewed and took into use.",
  },
} as const;
