import { z } from "zod";
import { algorithmsSchema } from "./algorithms.ts";

const milliseconds = z.number().int().min(1).max(86_400_000);
const count = z.number().int().min(1).max(10_000_000);
/** Of memory: up to 16 GiB. */
const bytes = z.number().int().min(1).max(17_179_869_184);
const portNumber = z.number().int().min(0).max(65_535);
const path = z.string().min(1).meta({ path: true });

const failureLimits = (maxFailures: number) =>
  z
    .strictObject({
      maxFailures: count
        .default(maxFailures)
        .describe("Failed handshakes inside the window that earn a ban."),
      windowMs: milliseconds.default(60_000).describe("The window, milliseconds."),
      banMs: milliseconds.default(60_000).describe("How long a ban lasts, milliseconds."),
    })
    .prefault({});

const identity = z.strictObject({
  certificate: path.describe(
    "PEM file: the node's certificate first, then its organisation's CA if genesis lacks it.",
  ),
  key: path.describe("The certificate's SM2 key: an encrypted PKCS#8 PEM file, mode 0600."),
  keyPasswordFile: path
    .optional()
    .describe("File whose first line is the key's password, mode 0600. Absent only with `dev`."),
});

const p2p = z
  .strictObject({
    listen: z
      .array(z.string().regex(/^\/(ip4|ip6|dns4|dns6)\/[^/]+\/tcp\/\d+$/))
      .min(1)
      .default(["/ip4/127.0.0.1/tcp/9645"])
      .describe("Multiaddresses to listen on; port 0 takes a free one."),
    announce: z
      .array(z.string())
      .default([])
      .describe("Multiaddresses told to peers instead of those listened on."),
    peers: z
      .array(
        z.string().regex(/^\/(ip4|ip6|dns4|dns6)\/[^/]+\/tcp\/\d+\/p2p\/[1-9A-HJ-NP-Za-km-z]+$/),
      )
      .default([])
      .describe("Full multiaddresses (`…/p2p/<peer id>`) of peers to keep connected to."),
    discover: z
      .boolean()
      .default(true)
      .describe("Whether to dial nodes that peers tell of, beside those configured."),
    keyFile: path
      .default("peer.key")
      .describe("The node's libp2p key; its peer id stands on chain. Mode 0600."),
    revocationLists: z
      .array(path)
      .default([])
      .describe("CRL files (PEM or DER) of organisation CAs; read again when they change."),
    maxConnections: count.default(200).describe("Most connections open at once."),
    handshakeTimeoutMs: milliseconds
      .default(5_000)
      .describe("Deadline of noise and admission together, milliseconds."),
    dialTimeoutMs: milliseconds.default(8_000).describe("Deadline of a dial, milliseconds."),
    redialFirstMs: milliseconds
      .default(250)
      .describe("First pause before a lost peer is dialled again; it doubles, milliseconds."),
    redialMaxMs: milliseconds.default(5_000).describe("Longest such pause, milliseconds."),
    silenceMs: milliseconds
      .default(15_000)
      .describe("A peer that answers no ping for so long is cut, milliseconds."),
    misbehaviourBanMs: milliseconds
      .default(60_000)
      .describe("How long a peer that broke the protocol stays away, milliseconds."),
    pendingHandshakes: count
      .default(256)
      .describe("Most inbound handshakes under way at once; what comes beyond is closed unheard."),
    pendingPerAddress: count
      .default(32)
      .describe("Most of them from one network address (of IPv6, one /64)."),
    failuresPerPeer: failureLimits(5).describe("Failed handshakes of one peer id."),
    failuresPerAddress: failureLimits(50).describe("Failed handshakes of one network address."),
    queueMessages: count.default(4_096).describe("Messages queued per peer and protocol."),
    queueBytes: bytes
      .max(1_073_741_824)
      .default(67_108_864)
      .describe("Bytes queued per peer and protocol; the oldest messages are dropped first."),
  })
  .prefault({});

const rpc = z
  .strictObject({
    host: z.string().default("127.0.0.1").describe("Address to bind; loopback unless set."),
    port: portNumber.default(8645).describe("TCP port; 0 takes a free one."),
    maxBodyBytes: count.default(4_194_304).describe("Largest request body, bytes."),
    maxBatch: count.default(64).describe("Most calls in one JSON-RPC batch."),
    sessionMs: milliseconds.default(3_600_000).describe("How long a session lasts, milliseconds."),
    maxSessions: count.default(10_000).describe("Most sessions at once; the oldest ends first."),
    memberRequestsPerSecond: count
      .default(2_000)
      .describe("Calls a second that one member may make on average."),
    memberBurst: count.default(8_000).describe("Calls a member may make at once."),
    addressRequestsPerSecond: count
      .default(5_000)
      .describe("Calls a second from one network address on average."),
    addressBurst: count.default(20_000).describe("Calls from one network address at once."),
    loginsPerSecond: count
      .default(100)
      .describe("Login calls (two a login) a second from one network address."),
    loginBurst: count.default(1_000).describe("Login calls from one network address at once."),
    maxWaiters: count.default(2_000).describe("Most calls of transaction.wait open at once."),
  })
  .prefault({});

const control = z
  .strictObject({
    auditFileBytes: z
      .number()
      .int()
      .min(65_536)
      .max(67_108_864)
      .default(8_388_608)
      .describe("A file of the audit log is full at so many bytes."),
    auditFiles: count
      .min(2)
      .max(10_000)
      .default(64)
      .describe("Files of the audit log kept; the oldest is deleted when another is begun."),
  })
  .prefault({});

const renewal = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s/]+/)
      .nullable()
      .default(null)
      .describe("Base address of the organisation's CA service; null renews by hand."),
    acknowledgeCustody: z
      .boolean()
      .default(false)
      .describe("That the operator has read the CA's custody notice; `url` needs it."),
    codeFile: path
      .default("renewal.code")
      .describe("Where the operator puts the CA's one-time code, mode 0600."),
    leadMs: z
      .number()
      .int()
      .min(1_000)
      .max(1_096 * 86_400_000)
      .default(30 * 86_400_000)
      .describe("So long before its end the certificate is renewed, milliseconds, …"),
    leadPercent: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(33)
      .describe("… but not before this part of its validity, percent, is all that is left."),
    retryFirstMs: milliseconds
      .default(60_000)
      .describe("First pause after a failure; it doubles, milliseconds."),
    retryMaxMs: milliseconds.default(3_600_000).describe("Longest such pause, milliseconds."),
  })
  .prefault({});

const metrics = z
  .strictObject({
    host: z.string().default("127.0.0.1").describe("Address to bind for metrics."),
    port: portNumber
      .nullable()
      .default(null)
      .describe("Port of /metrics; 0 takes a free one, null serves it on the RPC port."),
  })
  .prefault({});

const engine = z
  .strictObject({
    mempoolTransactions: count.default(50_000).describe("Most transactions held."),
    mempoolBytes: bytes.default(268_435_456).describe("Most bytes held."),
    mempoolPerSender: count.default(10_000).describe("Most transactions held of one sender."),
    pushBatchBytes: count.default(65_536).describe("Transactions are pushed in such batches …"),
    pushDelayMs: milliseconds.default(5).describe("… or when this old, milliseconds."),
    requestTimeoutMs: milliseconds
      .default(3_000)
      .describe("Deadline of a request to a peer, milliseconds."),
    baseTimeoutMs: milliseconds.default(2_000).describe("View timeout at start, milliseconds."),
    minTimeoutMs: milliseconds.default(500).describe("Lower bound of its adaptation."),
    maxBaseTimeoutMs: milliseconds.default(5_000).describe("Upper bound of its adaptation."),
    maxTimeoutMs: milliseconds.default(60_000).describe("Longest timeout of any view."),
    overlap: z
      .boolean()
      .default(true)
      .describe("Whether to propose on a block that is not yet decided."),
  })
  .prefault({});

const verification = z
  .strictObject({
    threads: z
      .number()
      .int()
      .min(0)
      .max(256)
      .default(1)
      .describe("Worker threads that verify signatures; 0 verifies on the main thread."),
    maxQueued: count.default(100_000).describe("Most signatures waiting before backpressure."),
  })
  .prefault({});

const log = z
  .strictObject({
    level: z.enum(["error", "warn", "info", "debug"]).default("info").describe("Least level."),
    file: path.nullable().default(null).describe("File for JSON lines; null is standard output."),
  })
  .prefault({});

/** The one schema of a node's local configuration; genesis is apart, and the same on all nodes. */
export const configSchema = z.strictObject({
  dataDir: path.default("data").describe("Folder of the database and the vote log."),
  genesis: path.default("genesis.bin").describe("Canonical genesis, the same bytes on all nodes."),
  dev: z
    .boolean()
    .default(false)
    .describe("Permits a plaintext key file. Refused by chains whose genesis says production."),
  identity: identity.describe("The node's certificate and key."),
  renewal: renewal.describe("Automatic renewal of the node's certificate."),
  p2p: p2p.describe("Peers and admission."),
  rpc: rpc.describe("The gateway for clients."),
  metrics: metrics.describe("Prometheus."),
  control: control.describe("Control of the node by its organisation's admins."),
  engine: engine.describe("Mempool, consensus timers and sync."),
  storage: z
    .strictObject({
      cacheBytes: bytes.default(67_108_864).describe("Block cache of LevelDB."),
      contractCacheBytes: z
        .number()
        .int()
        .min(0)
        .max(2 ** 40)
        .default(268_435_456)
        .describe("Most bytes of metered contracts kept in files between starts; 0 keeps none."),
      historyHeights: z
        .number()
        .int()
        .min(0)
        .max(1_000_000_000)
        .default(100_000)
        .describe("Heights whose history of consensus is kept; 0 keeps all."),
    })
    .prefault({})
    .describe("The database."),
  selfCheck: z
    .strictObject({
      intervalMs: milliseconds
        .default(600_000)
        .describe("Pause between two checks of the node's own data, milliseconds."),
      heights: count.max(10_000).default(16).describe("Blocks that one check looks at."),
      stateRows: count.max(100_000).default(64).describe("Rows of state that it looks at."),
    })
    .prefault({})
    .describe("Checks of the stored data against certificates and roots."),
  verification: verification.describe("Signature verification."),
  algorithms: algorithmsSchema.describe("Algorithms that the node may use: an allow-list."),
  log: log.describe("The log."),
  shutdownMs: milliseconds
    .default(15_000)
    .describe("Deadline of a graceful stop, after which the process exits with code 5."),
});

/** A node's configuration, defaults filled in, paths absolute, frozen. */
export type NodeConfig = z.output<typeof configSchema>;
/** The same as an operator writes it: everything with a default may be left out. */
export type NodeConfigInput = z.input<typeof configSchema>;
