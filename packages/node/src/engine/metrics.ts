import type { Counter, Gauge, Histogram, MetricDefinition, Metrics } from "@credlink/primitives";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the engine counts. */
export const engineMetrics = {
  committedBlocks: {
    name: "credlink_node_committed_blocks_total",
    kind: "counter",
    help: "Blocks committed since the start, by where they came from (consensus or sync).",
    labels: ["source"],
  },
  committedTransactions: {
    name: "credlink_node_committed_transactions_total",
    kind: "counter",
    help: "Transactions in committed blocks since the start, failed ones included.",
  },
  height: {
    name: "credlink_node_height_blocks",
    kind: "gauge",
    help: "Height of the committed head.",
  },
  view: {
    name: "credlink_node_view_number",
    kind: "gauge",
    help: "View of the height being decided.",
  },
  abstaining: {
    name: "credlink_node_abstaining_state",
    kind: "gauge",
    help: "1 while this validator must not vote, because its vote log is lost or too old.",
  },
  clockOffset: {
    name: "credlink_node_clock_offset_seconds",
    kind: "gauge",
    help: "How far the validators' clocks are ahead of ours, the middle one of those that answered.",
  },
  commitLatency: {
    name: "credlink_node_commit_latency_seconds",
    kind: "histogram",
    help: "From a transaction's entry into this mempool to its durable commit.",
    buckets: SECONDS,
  },
  blockInterval: {
    name: "credlink_node_block_interval_seconds",
    kind: "histogram",
    help: "Between the commits of consecutive blocks.",
    buckets: SECONDS,
  },
  executionTime: {
    name: "credlink_node_block_execution_seconds",
    kind: "histogram",
    help: "Execution of one proposal, own or received.",
    buckets: SECONDS,
  },
  voteLogSync: {
    name: "credlink_node_vote_log_sync_seconds",
    kind: "histogram",
    help: "One group commit of the vote log: write and sync.",
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  },
  mempoolTransactions: {
    name: "credlink_node_mempool_transactions",
    kind: "gauge",
    help: "Transactions waiting in the mempool.",
  },
  mempoolBytes: {
    name: "credlink_node_mempool_bytes",
    kind: "gauge",
    help: "Bytes of the transactions waiting in the mempool.",
  },
  mempoolOldest: {
    name: "credlink_node_mempool_oldest_seconds",
    kind: "gauge",
    help: "How long the transaction that waits longest has waited in the mempool; 0 when none waits.",
  },
  transactionsRefused: {
    name: "credlink_node_transactions_refused_total",
    kind: "counter",
    help: "Transactions refused at the door, by code.",
    labels: ["code"],
  },
  signaturesVerified: {
    name: "credlink_node_signatures_verified_total",
    kind: "counter",
    help: "Signatures that were verified, by kind (transaction, consensus, sync).",
    labels: ["kind"],
  },
  signaturesRemembered: {
    name: "credlink_node_signatures_remembered_total",
    kind: "counter",
    help: "Signatures that were known to be good and not verified again, by kind.",
    labels: ["kind"],
  },
  messagesReceived: {
    name: "credlink_node_messages_received_total",
    kind: "counter",
    help: "Consensus messages handed to the replica, by type.",
    labels: ["type"],
  },
  messagesDropped: {
    name: "credlink_node_messages_dropped_total",
    kind: "counter",
    help: "Messages of peers that were dropped, by protocol and reason.",
    labels: ["protocol", "reason"],
  },
  replicaReports: {
    name: "credlink_node_replica_reports_total",
    kind: "counter",
    help: "Facts that the replica reported, by code.",
    labels: ["code"],
  },
  evidence: {
    name: "credlink_node_evidence_total",
    kind: "counter",
    help: "Pairs of contradicting votes of one signer.",
  },
  recoveries: {
    name: "credlink_node_recoveries_total",
    kind: "counter",
    help: "Times that this validator votes again after its vote log was lost.",
  },
  keyShared: {
    name: "credlink_node_key_shared_state",
    kind: "gauge",
    help: "1 once another process was proven to use this validator's key; until the restart.",
  },
  peerKeysShared: {
    name: "credlink_node_peer_keys_shared_total",
    kind: "counter",
    help: "Times that two processes with one peer's key were found to live at once.",
  },
  evidencePending: {
    name: "credlink_node_evidence_pending_pieces",
    kind: "gauge",
    help: "Proofs of misbehaviour that wait for a block.",
  },
  evidenceRecorded: {
    name: "credlink_node_evidence_recorded_total",
    kind: "counter",
    help: "Proofs of misbehaviour in blocks committed since the start.",
  },
  transactionsFetched: {
    name: "credlink_node_transactions_fetched_total",
    kind: "counter",
    help: "Transactions of proposals that had to be fetched from peers.",
  },
  syncRequests: {
    name: "credlink_node_sync_requests_total",
    kind: "counter",
    help: "Block ranges asked of peers, by outcome (blocks, empty, failed, invalid).",
    labels: ["outcome"],
  },
} satisfies Record<string, MetricDefinition>;

type Instrument<K> = K extends "counter" ? Counter : K extends "gauge" ? Gauge : Histogram;

/** The engine's instruments, made once. */
export type EngineInstruments = {
  readonly [K in keyof typeof engineMetrics]: Instrument<(typeof engineMetrics)[K]["kind"]>;
};

/** Makes every instrument of `engineMetrics` on `metrics`. */
export function createInstruments(metrics: Metrics): EngineInstruments {
  const m = engineMetrics;
  return {
    committedBlocks: metrics.counter(m.committedBlocks),
    committedTransactions: metrics.counter(m.committedTransactions),
    height: metrics.gauge(m.height),
    view: metrics.gauge(m.view),
    abstaining: metrics.gauge(m.abstaining),
    clockOffset: metrics.gauge(m.clockOffset),
    commitLatency: metrics.histogram(m.commitLatency),
    blockInterval: metrics.histogram(m.blockInterval),
    executionTime: metrics.histogram(m.executionTime),
    voteLogSync: metrics.histogram(m.voteLogSync),
    mempoolTransactions: metrics.gauge(m.mempoolTransactions),
    mempoolBytes: metrics.gauge(m.mempoolBytes),
    mempoolOldest: metrics.gauge(m.mempoolOldest),
    transactionsRefused: metrics.counter(m.transactionsRefused),
    signaturesVerified: metrics.counter(m.signaturesVerified),
    signaturesRemembered: metrics.counter(m.signaturesRemembered),
    messagesReceived: metrics.counter(m.messagesReceived),
    messagesDropped: metrics.counter(m.messagesDropped),
    replicaReports: metrics.counter(m.replicaReports),
    evidence: metrics.counter(m.evidence),
    recoveries: metrics.counter(m.recoveries),
    keyShared: metrics.gauge(m.keyShared),
    peerKeysShared: metrics.counter(m.peerKeysShared),
    evidencePending: metrics.gauge(m.evidencePending),
    evidenceRecorded: metrics.counter(m.evidenceRecorded),
    transactionsFetched: metrics.counter(m.transactionsFetched),
    syncRequests: metrics.counter(m.syncRequests),
  };
}
