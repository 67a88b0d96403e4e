import type { MetricDefinition } from "@credlink/primitives";

/** What the peer-to-peer side counts. */
export const networkMetrics = {
  admissions: {
    name: "credlink_node_admissions_total",
    kind: "counter",
    help: "Handshakes that ended with the peer admitted, by our end of the connection.",
    labels: ["role"],
  },
  admissionRefusals: {
    name: "credlink_node_admission_refusals_total",
    kind: "counter",
    help: "Handshakes refused and connected peers cut, by code and by who refused (us or peer).",
    labels: ["code", "by"],
  },
  brokenChannels: {
    name: "credlink_node_broken_channels_total",
    kind: "counter",
    help: "Admitted connections of the gm transport that were cut because a record did not decrypt.",
  },
  bans: {
    name: "credlink_node_bans_total",
    kind: "counter",
    help: "Bans that began, by what was banned: a peer or a network address.",
    labels: ["subject"],
  },
  refusedConnections: {
    name: "credlink_node_banned_connections_total",
    kind: "counter",
    help: "Connections closed unheard because their network address is banned.",
  },
  crowdedConnections: {
    name: "credlink_node_crowded_connections_total",
    kind: "counter",
    help: "Connections closed unheard because too many handshakes were under way, by the limit (total or perAddress).",
    labels: ["limit"],
  },
  peers: {
    name: "credlink_node_peers",
    kind: "gauge",
    help: "Connected peers by standing (full or provisional).",
    labels: ["standing"],
  },
  streamsRefused: {
    name: "credlink_node_streams_refused_total",
    kind: "counter",
    help: "Streams closed unheard: the peer is not admitted, only provisionally, or its role may not.",
    labels: ["reason"],
  },
  framesRefused: {
    name: "credlink_node_frames_refused_total",
    kind: "counter",
    help: "Frames larger than their protocol allows; their streams were closed.",
    labels: ["protocol"],
  },
  messagesReceived: {
    name: "credlink_node_network_messages_received_total",
    kind: "counter",
    help: "Messages received from admitted peers, by protocol.",
    labels: ["protocol"],
  },
  bytesReceived: {
    name: "credlink_node_network_received_bytes_total",
    kind: "counter",
    help: "Payload bytes received from admitted peers, by protocol.",
    labels: ["protocol"],
  },
  messagesSent: {
    name: "credlink_node_network_messages_sent_total",
    kind: "counter",
    help: "Messages handed to the transport, by protocol.",
    labels: ["protocol"],
  },
  bytesSent: {
    name: "credlink_node_network_sent_bytes_total",
    kind: "counter",
    help: "Payload bytes handed to the transport, by protocol.",
    labels: ["protocol"],
  },
  messagesDropped: {
    name: "credlink_node_network_messages_dropped_total",
    kind: "counter",
    help: "Messages dropped before sending: the peer's queue was full, or the peer had left.",
    labels: ["protocol", "reason"],
  },
  dials: {
    name: "credlink_node_dials_total",
    kind: "counter",
    help: "Attempts to connect to a peer, by outcome (connected or failed).",
    labels: ["outcome"],
  },
  refusedOverLimit: {
    name: "credlink_node_connections_over_limit_total",
    kind: "counter",
    help: "Connections closed because p2p.maxConnections was reached.",
  },
  disconnects: {
    name: "credlink_node_peer_disconnects_total",
    kind: "counter",
    help: "Peers that left, by reason: a code, closed (by the peer or the network), or stopped.",
    labels: ["reason"],
  },
  peerConnected: {
    name: "credlink_node_peer_connected_state",
    kind: "gauge",
    help: "1 while a validator is connected, 0 when it left, by its node id.",
    labels: ["peer"],
  },
  peerRoundTrip: {
    name: "credlink_node_peer_round_trip_seconds",
    kind: "gauge",
    help: "Last round trip to a validator, by its node id.",
    labels: ["peer"],
  },
  peerReceivedBytes: {
    name: "credlink_node_peer_received_bytes_total",
    kind: "counter",
    help: "Payload bytes received, by a validator's node id; all other peers together as other.",
    labels: ["peer"],
  },
  peerSentBytes: {
    name: "credlink_node_peer_sent_bytes_total",
    kind: "counter",
    help: "Payload bytes sent, by a validator's node id; all other peers together as other.",
    labels: ["peer"],
  },
  validatorsReachable: {
    name: "credlink_node_validators_reachable",
    kind: "gauge",
    help: "Validators of the next height that are connected, ourselves included where we are one.",
  },
  partitioned: {
    name: "credlink_node_partitioned_state",
    kind: "gauge",
    help: "1 while fewer validators are reachable than a quorum: no block is decided here.",
  },
} as const satisfies Record<string, MetricDefinition>;
