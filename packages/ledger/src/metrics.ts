import type { Counter, Gauge, Histogram, MetricDefinition, Metrics } from "@credlink/primitives";

/** What the ledger counts. */
export const ledgerMetrics = {
  headHeight: {
    name: "credlink_ledger_head_height",
    kind: "gauge",
    help: "Height of the last committed block.",
  },
  candidates: {
    name: "credlink_ledger_candidates_count",
    kind: "gauge",
    help: "Blocks that were built or checked and are neither committed nor discarded.",
  },
  blocks: {
    name: "credlink_ledger_blocks_total",
    kind: "counter",
    help: "Blocks committed since the start.",
  },
  transactions: {
    name: "credlink_ledger_transactions_total",
    kind: "counter",
    help: "Transactions committed since the start, by outcome: success or failure.",
    labels: ["outcome"],
  },
  blocksRefused: {
    name: "credlink_ledger_blocks_refused_total",
    kind: "counter",
    help: "Blocks that broke a rule, by code.",
    labels: ["code"],
  },
  stateWrites: {
    name: "credlink_ledger_state_writes_total",
    kind: "counter",
    help: "State keys changed by committed blocks.",
  },
  pagesWritten: {
    name: "credlink_ledger_pages_written_total",
    kind: "counter",
    help: "Pages of the state tree written by committed blocks.",
  },
  commitBytes: {
    name: "credlink_ledger_commit_bytes",
    kind: "histogram",
    help: "Bytes of one committed block's batch.",
    buckets: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The ledger's instruments. */
export interface LedgerCounters {
  readonly headHeight: Gauge;
  readonly candidates: Gauge;
  readonly blocks: Counter;
  readonly transactions: Counter;
  readonly blocksRefused: Counter;
  readonly stateWrites: Counter;
  readonly pagesWritten: Counter;
  readonly commitBytes: Histogram;
}

export function createLedgerCounters(metrics: Metrics): LedgerCounters {
  return {
    headHeight: metrics.gauge(ledgerMetrics.headHeight),
    candidates: metrics.gauge(ledgerMetrics.candidates),
    blocks: metrics.counter(ledgerMetrics.blocks),
    transactions: metrics.counter(ledgerMetrics.transactions),
    blocksRefused: metrics.counter(ledgerMetrics.blocksRefused),
    stateWrites: metrics.counter(ledgerMetrics.stateWrites),
    pagesWritten: metrics.counter(ledgerMetrics.pagesWritten),
    commitBytes: metrics.histogram(ledgerMetrics.commitBytes),
  };
}
