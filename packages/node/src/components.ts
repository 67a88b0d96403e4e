import { join } from "node:path";
import { createReplica } from "@credlink/consensus-pbft";
import { createExecutor } from "@credlink/contracts-vm";
import { createVerificationPool, type VerificationPool } from "@credlink/crypto";
import { checkRandomness, checkRandomnessQuickly } from "@credlink/crypto/randomness";
import {
  createLedger,
  type Executor,
  type Genesis,
  type KeyValueStore,
  type Ledger,
  transportOf,
} from "@credlink/ledger";
import type { Disk, Logger, Network, Random } from "@credlink/primitives";
import { permitsTransport } from "./config/algorithms.ts";
import type { NodeConfig } from "./config/schema.ts";
import {
  type CredentialIndex,
  createCredentialIndex,
} from "./credential-index/credential-index.ts";
import { openIndexStore } from "./credential-index/index-store.ts";
import { createEngine } from "./engine/index.ts";
import { ownAddress } from "./engine/own-transactions.ts";
import type { Engine, EngineOptions } from "./engine/types.ts";
import { NodeError } from "./errors.ts";
import { createFileDisk } from "./file-disk.ts";
import { loadGenesis, loadOwnIdentity, type OwnIdentity, readAnchors } from "./identity-files.ts";
import { createMetricsRegistry, type MetricsRegistry } from "./metrics-registry.ts";
import { createNetwork } from "./p2p/create-network.ts";
import { createIdentityJudge, type RegistryView } from "./p2p/identity.ts";
import type { Libp2pNetwork, NetworkOptions } from "./p2p/network-parts.ts";
import { NonceMemory } from "./p2p/nonce-memory.ts";
import { createPeerExchange, type PeerExchange } from "./p2p/peer-exchange.ts";
import { loadPeerKey } from "./p2p/peer-key.ts";
import type { PeerWatch } from "./p2p/peer-watch.ts";
import { finishSwitch } from "./renewal/folder.ts";
import { type RevocationFiles, watchRevocationFiles } from "./revocation-files.ts";
import { createDamageWatch, type DamageWatch } from "./self-check/damage-watch.ts";
import { readMark } from "./self-check/mark.ts";
import { StorageError } from "./storage/errors.ts";
import { type FolderLock, lockFolder } from "./storage/folder-lock.ts";
import { createFormFiles, type FormFiles } from "./storage/form-files.ts";
import { openLevelStore } from "./storage/level-store.ts";
import { systemClock } from "./system-clock.ts";

/** Everything of a node that stands before it speaks to anybody. */
export interface Foundation {
  readonly genesis: Genesis;
  /** Replaced when the certificate is renewed: what is built from then on has the new one. */
  readonly identity: OwnIdentity;
  readonly replaceIdentity: (identity: OwnIdentity) => void;
  readonly executor: Executor;
  readonly store: KeyValueStore;
  /** Stands around database, chain and executor. */
  readonly damage: DamageWatch;
  readonly disk: Disk;
  /** Keeps the vote log for this process, whatever database it stands beside. */
  readonly votesLock: FolderLock;
  readonly ledger: Ledger;
  readonly index: KeyValueStore;
  /** Over `index`; follows the chain once the node has started. */
  readonly credentials: CredentialIndex;
  readonly verifier: VerificationPool;
  readonly metrics: MetricsRegistry;
  readonly random: Random;
  /** Settles once `random` was tested, beside the rest of the start; rejects when it failed. */
  readonly randomness: Promise<unknown>;
  /** Metered contracts in files; null: none are kept. */
  readonly forms: FormFiles | null;
}

/** Folders below `dataDir`. */
const DATABASE_FOLDER = "db";
const VOTES_FOLDER = "consensus";
const FORMS_FOLDER = "contracts";

function checkDevelopment(config: NodeConfig, genesis: Genesis): void {
  if (config.dev && genesis.production) {
    throw new NodeError("NODE_START_DEV_REFUSED", "this chain's genesis says production");
  }
}

function checkTransport({ algorithms }: NodeConfig, genesis: Genesis): void {
  const transport = transportOf(genesis);
  if (permitsTransport(algorithms, transport)) return;
  throw new NodeError("NODE_START_TRANSPORT_REFUSED", `genesis says ${transport}`);
}

async function openVotesDisk(path: string): Promise<Disk> {
  try {
    return await createFileDisk(path);
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new StorageError({ code: "NODE_STORAGE_FAILED" }, `${path}: ${reason}`, { cause });
  }
}

function openForms(
  { dataDir, storage }: NodeConfig,
  { sealKey: key }: OwnIdentity,
  metrics: MetricsRegistry,
  parent: Logger,
): FormFiles | null {
  if (storage.contractCacheBytes === 0) return null;
  const folder = join(dataDir, FORMS_FOLDER);
  const logger = parent.child({ component: "contract-cache" });
  return createFormFiles({ folder, key, maxBytes: storage.contractCacheBytes, logger, metrics });
}

/**
 * Opens keys, vote log, database and chain; their locks keep a second process out.
 * @throws NodeError, ConfigError, StorageError, LedgerError; nothing stays open then
 */
export async function layFoundation(
  config: NodeConfig,
  logger: Logger,
  random: Random,
): Promise<Foundation> {
  const genesis = await loadGenesis(config.genesis);
  const randomness = genesis.production ? checkRandomness(random) : checkRandomnessQuickly(random);
  // Whoever starts the node waits for it; a start that fails before then reports its own reason.
  randomness.catch(() => undefined);
  checkDevelopment(config, genesis);
  checkTransport(config, genesis);
  await finishSwitch(config.identity);
  let identity = await loadOwnIdentity(config);
  const metrics = createMetricsRegistry(systemClock);
  const damage = createDamageWatch();
  // The disk's folder is made first: the database's lies in it.
  const disk = await openVotesDisk(join(config.dataDir, VOTES_FOLDER));
  // Where data are marked as polluted, a database that is missing is no new one.
  const isMarked = (await readMark(config.dataDir)) !== null;
  const database = await openLevelStore(join(config.dataDir, DATABASE_FOLDER), {
    create: !isMarked,
    cacheBytes: config.storage.cacheBytes,
  });
  const store = damage.store(database);
  let votesLock: FolderLock | undefined;
  let index: KeyValueStore | undefined;
  try {
    votesLock = await lockFolder(join(config.dataDir, VOTES_FOLDER));
    const forms = openForms(config, identity, metrics, logger);
    const executor = createExecutor({
      metrics,
      logger: logger.child({ component: "executor" }),
      ...(forms === null ? {} : { forms }),
    });
    const chain = await createLedger({
      store,
      executor,
      genesis,
      metrics,
      logger: logger.child({ component: "ledger" }),
      historyHeights: config.storage.historyHeights,
    });
    index = await openIndexStore(config.dataDir, logger);
    const credentials = await createCredentialIndex({
      store: index,
      ledger: damage.over(chain),
      clock: systemClock,
      logger: logger.child({ component: "credential-index" }),
      metrics,
    });
    const { threads, maxQueued } = config.verification;
    const verifier = createVerificationPool({ threads, maxQueuedSignatures: maxQueued, metrics });
    return {
      ...{ genesis, store, damage, disk, votesLock, verifier, metrics, forms },
      ...{ random, randomness },
      get identity() {
        return identity;
      },
      replaceIdentity(next) {
        identity = next;
      },
      executor: damage.over(executor),
      ledger: damage.over(chain),
      index,
      credentials,
    };
  } catch (error) {
    await index?.close();
    await store.close();
    await votesLock?.release();
    metrics.close();
    throw error;
  }
}

/** Closes what `layFoundation` opened. */
export async function removeFoundation(foundation: Foundation): Promise<void> {
  await foundation.credentials.stop();
  await foundation.index.close();
  await foundation.ledger.close();
  await foundation.store.close();
  await foundation.verifier.close();
  await foundation.forms?.close();
  await foundation.votesLock.release();
  foundation.metrics.close();
}

function networkOptions(config: () => NodeConfig, genesis: Genesis): NetworkOptions {
  const { p2p } = config();
  return {
    transport: transportOf(genesis),
    listen: p2p.listen,
    announce: p2p.announce,
    peers: p2p.peers,
    get maxConnections() {
      return config().p2p.maxConnections;
    },
    admission: {
      perPeer: p2p.failuresPerPeer,
      perAddress: p2p.failuresPerAddress,
      pending: { total: p2p.pendingHandshakes, perAddress: p2p.pendingPerAddress },
      handshakeTimeoutMs: p2p.handshakeTimeoutMs,
    },
    dialSchedule: { firstDelayMs: p2p.redialFirstMs, maxDelayMs: p2p.redialMaxMs },
    dialTimeoutMs: p2p.dialTimeoutMs,
    silenceMs: p2p.silenceMs,
    misbehaviourBanMs: p2p.misbehaviourBanMs,
    queue: { maxMessages: p2p.queueMessages, maxBytes: p2p.queueBytes },
  };
}

/**
 * Warns an operator whose certificate peers will refuse; their clocks decide, not ours.
 * @returns the first end of a certificate on its path, or its own end where there is no path
 */
function checkOwnCertificate(
  judge: ReturnType<typeof createIdentityJudge>,
  chain: readonly Uint8Array[],
  peerId: string,
  logger: Logger,
): number | null {
  const verdict = judge.judgeCertificates(peerId, chain);
  if (verdict.ok) return verdict.value.validToMs;
  const { code, detail } = verdict;
  logger.error("own certificate will be refused by peers", {
    code: "NODE_START_CERTIFICATE_REFUSED",
    reason: code,
    detail,
  });
  return null;
}

/** The peer-to-peer side of a node, not started. */
export interface NetworkSide {
  readonly network: Libp2pNetwork;
  readonly revocationFiles: RevocationFiles;
  readonly peerExchange: PeerExchange;
  /** First end of a certificate on the way from our own to the root, milliseconds since 1970. */
  readonly certificateEndsAtMs: number;
}

/**
 * @param config asked again where a limit may have changed
 * @throws NetworkError NODE_NETWORK_PEER_KEY_INVALID; ConfigError
 */
export async function buildNetwork(
  config: () => NodeConfig,
  foundation: Foundation,
  parts: {
    readonly peerWatch: PeerWatch;
    readonly registry: RegistryView;
    readonly isValidator: (peer: string) => boolean;
    readonly logger: Logger;
  },
): Promise<NetworkSide> {
  const { genesis, identity, ledger, metrics } = foundation;
  const logger = parts.logger.child({ component: "network" });
  const { p2p, engine } = config();
  const peerKey = await loadPeerKey(p2p.keyFile);
  // The files' changes are told to a network that exists by the time they are looked at.
  const changed = { tell: (): void => undefined };
  const revocationFiles = await watchRevocationFiles(p2p.revocationLists, {
    clock: systemClock,
    logger,
    onChange: () => changed.tell(),
  });
  const judge = createIdentityJudge({
    anchors: { ...readAnchors(genesis), revocationLists: revocationFiles.current },
    registry: parts.registry,
    clock: systemClock,
  });
  const network = await createNetwork(networkOptions(config, genesis), {
    peerKey,
    admission: {
      chainId: ledger.chainId,
      genesisDigest: ledger.genesisDigest,
      certificates: identity.chain,
      signer: identity.signer,
      judge,
      nonces: new NonceMemory(),
      random: foundation.random,
      clock: systemClock,
    },
    peerWatch: parts.peerWatch,
    isValidator: parts.isValidator,
    clock: systemClock,
    random: foundation.random,
    logger,
    metrics,
  });
  changed.tell = () => network.judgeAgain();
  const endMs = checkOwnCertificate(judge, identity.chain, network.self, logger);
  const certificateEndsAtMs = endMs ?? identity.certificate.notAfterMs;
  const peerExchange = createPeerExchange({
    network,
    isOn: p2p.discover,
    requestTimeoutMs: engine.requestTimeoutMs,
    clock: systemClock,
    random: foundation.random,
    logger,
  });
  return { network, revocationFiles, peerExchange, certificateEndsAtMs };
}

/** Limits of the mempool may change while it holds transactions. */
function mempoolLimits(config: () => NodeConfig): EngineOptions["mempool"] {
  return {
    get maxTransactions() {
      return config().engine.mempoolTransactions;
    },
    get maxBytes() {
      return config().engine.mempoolBytes;
    },
    get maxPerSender() {
      return config().engine.mempoolPerSender;
    },
  };
}

function engineOptions(config: () => NodeConfig, foundation: Foundation): EngineOptions {
  const { engine } = config();
  return {
    nodeId: foundation.identity.certificate.subject.commonName,
    chainId: foundation.ledger.chainId,
    genesisDigest: foundation.ledger.genesisDigest,
    nodeAddress: ownAddress(foundation.ledger, foundation.identity.signer),
    mempool: mempoolLimits(config),
    pushBatchBytes: engine.pushBatchBytes,
    pushDelayMs: engine.pushDelayMs,
    requestTimeoutMs: engine.requestTimeoutMs,
    timeouts: {
      baseTimeoutMs: engine.baseTimeoutMs,
      minTimeoutMs: engine.minTimeoutMs,
      maxBaseTimeoutMs: engine.maxBaseTimeoutMs,
      maxTimeoutMs: engine.maxTimeoutMs,
    },
    overlap: engine.overlap,
  };
}

/** The engine over all that was opened, not started. */
export function buildEngine(
  config: () => NodeConfig,
  foundation: Foundation,
  parts: {
    readonly network: Network;
    readonly logger: Logger;
    readonly onFatal: (error: Error) => void;
  },
): Engine {
  const { ledger, disk, identity, verifier, metrics } = foundation;
  return createEngine(engineOptions(config, foundation), {
    ledger,
    network: parts.network,
    disk,
    clock: systemClock,
    random: foundation.random,
    signer: identity.signer,
    verifier,
    logger: parts.logger.child({ component: "engine" }),
    metrics,
    createReplica,
    onFatal: parts.onFatal,
  });
}
