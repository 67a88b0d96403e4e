import type { MetricDefinition } from "@credlink/primitives";

/** What the control of a node counts. */
export const controlMetrics = {
  controlRequests: {
    name: "credlink_node_control_requests_total",
    kind: "counter",
    help: "Requests to change the node, by action and outcome (done or the code).",
    labels: ["action", "outcome"],
  },
  auditFaults: {
    name: "credlink_node_audit_faults_total",
    kind: "counter",
    help: "Times the audit log was found altered, or could not be written.",
  },
  mode: {
    name: "credlink_node_mode_state",
    kind: "gauge",
    help: "1 for the node's mode (running, draining, drained, standby), 0 for the others.",
    labels: ["mode"],
  },
} as const satisfies Record<string, MetricDefinition>;
