import type { MetricDefinition } from "@credlink/primitives";

/** Metrics of the replica; the shell counts them from effects and status. */
export const consensusMetrics = {
  height: {
    name: "credlink_consensus_height_blocks",
    kind: "gauge",
    help: "Height being decided: committed head plus one.",
  },
  view: {
    name: "credlink_consensus_view_number",
    kind: "gauge",
    help: "View entered at the height being decided; above 0 after a view change.",
  },
  abstaining: {
    name: "credlink_consensus_abstaining_state",
    kind: "gauge",
    help: "1 while the replica follows without voting because its vote log cannot be trusted.",
  },
  halted: {
    name: "credlink_consensus_halted_state",
    kind: "gauge",
    help: "1 after a safety halt: an operator must act.",
  },
  decideSeconds: {
    name: "credlink_consensus_decide_seconds",
    kind: "histogram",
    help: "Time from first activity at a height to its decision.",
    buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
  },
  reports: {
    name: "credlink_consensus_reports_total",
    kind: "counter",
    help: "Facts reported by the replica, by code.",
    labels: ["code"],
  },
  viewChanges: {
    name: "credlink_consensus_view_changes_total",
    kind: "counter",
    help: "Views above 0 entered.",
  },
  evidence: {
    name: "credlink_consensus_evidence_total",
    kind: "counter",
    help: "Pairs of excluding votes of one signer.",
  },
} as const satisfies Record<string, MetricDefinition>;
