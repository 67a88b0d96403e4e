import type { MetricDefinition } from "@credlink/primitives";

/** What a CA service counts. */
export const caMetrics = {
  calls: {
    name: "credlink_ca_calls_total",
    kind: "counter",
    help: "Calls of the CA service by route and outcome (ok or the error's code).",
    labels: ["route", "outcome"],
  },
  renewed: {
    name: "credlink_ca_renewed_total",
    kind: "counter",
    help: "Certificates that the service issued as renewals.",
  },
  nonces: {
    name: "credlink_ca_open_nonces",
    kind: "gauge",
    help: "Challenges that were given out and neither used nor ended.",
  },
  listDue: {
    name: "credlink_ca_list_due_seconds",
    kind: "gauge",
    help: "Seconds until the newest revocation list is due for replacement; negative when overdue.",
  },
  certificateEnd: {
    name: "credlink_ca_certificate_end_seconds",
    kind: "gauge",
    help: "Seconds until the CA's own certificate ends.",
  },
} as const satisfies Record<string, MetricDefinition>;
