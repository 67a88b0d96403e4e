import { builtInErrors, contractsVmErrors } from "@credlink/contracts-vm";
import { cryptoErrors, systemRandom } from "@credlink/crypto";
import { ledgerErrors } from "@credlink/ledger";
import { AppError, type Logger, toHex } from "@credlink/primitives";
import fastify, { type FastifyInstance } from "fastify";
import {
  buildEngine,
  buildNetwork,
  type Foundation,
  layFoundation,
  type NetworkSide,
  removeFoundation,
} from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import { engineErrors } from "./engine/errors.ts";
import type { Engine } from "./engine/types.ts";
import { NodeError, nodeErrors } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import type { GatewayComponents, GatewayOptions } from "./gateway/context.ts";
import { createRemedies } from "./gateway/errors.ts";
import { addHealth, addMetrics, createGateway, listen } from "./gateway/gateway.ts";
import { createLogger, type NodeLogger } from "./logger.ts";
import { nodeMetrics } from "./metrics.ts";
import { createStanding, type Standing } from "./standing.ts";
import { systemClock } from "./system-clock.ts";
import { VERSION } from "./version.ts";

/** A node that runs. */
export interface RunningNode {
  readonly addresses: {
    /** `http://host:port/rpc` */
    readonly rpc: string;
    /** `http://host:port/metrics` */
    readonly metrics: string;
    /** Full multiaddresses. */
    readonly p2p: readonly string[];
  };
  readonly engine: Engine;
  /**
   * Stops gracefully: no new calls, what is being written is finished, then everything is closed.
   * @throws NodeError NODE_STOP_TIMEOUT when that takes longer than `shutdownMs`
   */
  stop(): Promise<void>;
  /** Resolves when the node has stopped; with the error when a fault made it stop. */
  readonly stopped: Promise<Error | undefined>;
}

export interface StartOptions {
  /** Default: JSON lines as the configuration says. */
  readonly logger?: Logger;
  /**
   * After a fault the node stopped itself. Default: the process exits with
   * `exitCodes.fatal`, for a node that goes on in part would be worse than none.
   */
  readonly onFatal?: (error: Error) => void;
}

/** How often connections are judged again without a commit: certificates end by the clock too. */
const JUDGE_INTERVAL_MS = 2_000;

const remedyOf = createRemedies([
  ledgerErrors,
  contractsVmErrors,
  builtInErrors,
  cryptoErrors,
  engineErrors,
  nodeErrors,
]);

function gatewayOptions({ rpc }: NodeConfig): GatewayOptions {
  return {
    host: rpc.host,
    port: rpc.port,
    maxBodyBytes: rpc.maxBodyBytes,
    maxBatch: rpc.maxBatch,
    sessionMs: rpc.sessionMs,
    maxSessions: rpc.maxSessions,
    memberRate: { perSecond: rpc.memberRequestsPerSecond, burst: rpc.memberBurst },
    addressRate: { perSecond: rpc.addressRequestsPerSecond, burst: rpc.addressBurst },
    loginRate: { perSecond: rpc.loginsPerSecond, burst: rpc.loginBurst },
    maxWaiters: rpc.maxWaiters,
  };
}

/** Ports for clients and for Prometheus. */
interface FrontSide {
  readonly rpc: string;
  readonly metrics: string;
  close(): Promise<void>;
}

async function openFront(
  config: NodeConfig,
  foundation: Foundation,
  parts: Pick<GatewayComponents, "engine" | "peers" | "facts" | "readiness" | "logger">,
): Promise<FrontSide> {
  const apps: FastifyInstance[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(apps.map((app) => app.close()));
  };
  const gateway = createGateway(gatewayOptions(config), {
    ...parts,
    ledger: foundation.ledger,
    executor: foundation.executor,
    remedyOf,
    clock: systemClock,
    random: systemRandom,
    metrics: foundation.metrics,
  });
  apps.push(gateway);
  const { host, port } = config.metrics;
  const isShared = port === null;
  if (isShared) addMetrics(gateway, foundation.metrics);
  try {
    const rpc = await listen(gateway, config.rpc);
    if (isShared) return { rpc: `${rpc}/rpc`, metrics: `${rpc}/metrics`, close };
    const scraped = fastify({ logger: false, forceCloseConnections: "idle" });
    apps.push(scraped);
    addMetrics(scraped, foundation.metrics);
    addHealth(scraped, parts.readiness);
    const metrics = await listen(scraped, { host, port });
    return { rpc: `${rpc}/rpc`, metrics: `${metrics}/metrics`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rejects with NODE_STOP_TIMEOUT when `work` takes longer than `timeoutMs`. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let cancel = (): void => undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    cancel = systemClock.schedule(timeoutMs, () =>
      reject(new NodeError("NODE_STOP_TIMEOUT", `not stopped after ${timeoutMs} ms`)),
    );
  });
  await Promise.race([work, deadline]).finally(() => cancel());
}

/** The parts of a node that has started, and how they end. */
class Node implements RunningNode {
  readonly addresses: RunningNode["addresses"];
  readonly engine: Engine;
  readonly stopped: Promise<Error | undefined>;
  readonly #config: NodeConfig;
  readonly #foundation: Foundation;
  readonly #side: NetworkSide;
  readonly #front: FrontSide;
  readonly #logger: Logger;
  readonly #settle: (error: Error | undefined) => void;
  #cancelJudging: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(parts: {
    readonly config: NodeConfig;
    readonly foundation: Foundation;
    readonly side: NetworkSide;
    readonly engine: Engine;
    readonly front: FrontSide;
    readonly logger: Logger;
  }) {
    this.engine = parts.engine;
    this.#config = parts.config;
    this.#foundation = parts.foundation;
    this.#side = parts.side;
    this.#front = parts.front;
    this.#logger = parts.logger;
    const { rpc, metrics } = parts.front;
    this.addresses = { rpc, metrics, p2p: parts.side.network.addresses() };
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.stopped = promise;
    this.#settle = resolve;
    this.engine.onCommit(() => this.#side.network.judgeAgain());
    this.#judgeByTime();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop(undefined);
    return this.#stopping;
  }

  /** Stops because of a fault, which `stopped` then resolves with. */
  fail(error: Error): Promise<void> {
    this.#stopping ??= this.#stop(error);
    return this.#stopping;
  }

  async #stop(error: Error | undefined): Promise<void> {
    this.#logger.info("node stopping");
    this.#cancelJudging();
    this.#side.revocationFiles.stop();
    try {
      await within(this.#close(), this.#config.shutdownMs);
      this.#logger.info("node stopped");
    } finally {
      this.#settle(error);
    }
  }

  async #close(): Promise<void> {
    await this.#front.close();
    await this.engine.stop();
    await this.#side.network.stop();
    await removeFoundation(this.#foundation);
  }

  #judgeByTime(): void {
    this.#cancelJudging = systemClock.schedule(JUDGE_INTERVAL_MS, () => {
      this.#side.network.judgeAgain();
      this.#judgeByTime();
    });
  }
}

function flush(logger: Logger): void {
  if ("flush" in logger) (logger as NodeLogger).flush();
}

function logStart(node: Node, foundation: Foundation, logger: Logger): void {
  const { ledger, identity, metrics } = foundation;
  const { commonName, organizationalUnit } = identity.certificate.subject;
  metrics
    .gauge(nodeMetrics.information)
    .set(1, { node: commonName, version: VERSION, chain: ledger.chainId });
  logger.info("node started", {
    ...node.addresses,
    role: organizationalUnit,
    chainId: ledger.chainId,
    genesisDigest: toHex(ledger.genesisDigest),
    height: ledger.head.header.height,
    version: VERSION,
  });
}

async function start(
  config: NodeConfig,
  foundation: Foundation,
  logger: Logger,
  onFault: (error: Error) => void,
): Promise<Node> {
  const startedMs = systemClock.monotonicMs();
  let engine: Engine | undefined;
  let side: NetworkSide | undefined;
  const { subject } = foundation.identity.certificate;
  try {
    const late: { standing?: Standing } = {};
    side = await buildNetwork(config, foundation, {
      logger,
      registry: {
        member: (address) => late.standing?.registry.member(address) ?? null,
        validatorPeerId: (key) => late.standing?.registry.validatorPeerId(key) ?? null,
        isHeadProven: () => late.standing?.registry.isHeadProven() ?? false,
        headTimestampMs: () => foundation.ledger.head.header.timestampMs,
      },
      isValidator: (peer) => late.standing?.isValidator(peer) ?? false,
    });
    const { network } = side;
    const peers = () => network.peers();
    const standing = createStanding({
      ledger: foundation.ledger,
      selfPeerId: network.self,
      engine: () => engine,
      peers,
    });
    late.standing = standing;
    const built = buildEngine(config, foundation, { network, logger, onFatal: onFault });
    await built.start();
    engine = built;
    await network.start();
    const front = await openFront(config, foundation, {
      engine,
      peers,
      readiness: standing.readiness,
      logger: logger.child({ component: "gateway" }),
      facts: {
        nodeId: subject.commonName,
        peerId: network.self,
        role: subject.organizationalUnit,
        version: VERSION,
        startedMs,
      },
    });
    return new Node({ config, foundation, side, engine, front, logger });
  } catch (error) {
    await engine?.stop();
    side?.revocationFiles.stop();
    await side?.network.stop();
    throw error;
  }
}

/**
 * Starts one node: opens keys, database and chain, then engine, peers and gateway. Signals are
 * the caller's: `runNode` handles them.
 *
 * @throws NodeError, ConfigError, NetworkError, StorageError, CryptoError, LedgerError; whatever
 *   was opened is closed again
 */
export async function startNode(
  config: NodeConfig,
  options: StartOptions = {},
): Promise<RunningNode> {
  const logger = options.logger ?? createLogger({ level: config.log.level, file: config.log.file });
  const foundation = await layFoundation(config, logger);
  const exit = (): void => {
    flush(logger);
    process.exit(exitCodes.fatal);
  };
  const onFatal = options.onFatal ?? exit;
  let node: Node | undefined;
  let isFaulty = false;
  const onFault = (error: Error): void => {
    if (isFaulty) return;
    isFaulty = true;
    const code = error instanceof AppError ? error.code : "NODE_FATAL";
    logger.error("fatal fault, stopping", { code, error });
    if (node === undefined) onFatal(error);
    else
      void node.fail(error).then(
        () => onFatal(error),
        () => onFatal(error),
      );
  };
  try {
    node = await start(config, foundation, logger, onFault);
  } catch (error) {
    await removeFoundation(foundation);
    throw error;
  }
  logStart(node, foundation, logger);
  return node;
}

/**
 * Runs one node until SIGTERM or SIGINT, then stops it gracefully.
 * @returns the process's exit code, one of `exitCodes`
 */
export async function runNode(config: NodeConfig, options: StartOptions = {}): Promise<number> {
  const signals = ["SIGTERM", "SIGINT"] as const;
  const logger = options.logger ?? createLogger({ level: config.log.level, file: config.log.file });
  let faulty: Error | undefined;
  const onFatal = (error: Error): void => {
    faulty = error;
    options.onFatal?.(error);
  };
  let node: RunningNode;
  try {
    node = await startNode(config, { logger, onFatal });
  } catch (error) {
    const code = error instanceof AppError ? error.code : "NODE_FATAL";
    logger.error("node cannot start", { code, error });
    flush(logger);
    return exitCodes.startFailed;
  }
  const asked = Promise.withResolvers<void>();
  const ask = (): void => asked.resolve();
  for (const signal of signals) process.once(signal, ask);
  try {
    await Promise.race([asked.promise, node.stopped]);
    await node.stop();
    return faulty === undefined ? exitCodes.stopped : exitCodes.fatal;
  } catch (error) {
    logger.error("node did not stop in time", { code: "NODE_STOP_TIMEOUT", error });
    return faulty === undefined ? exitCodes.stopTimeout : exitCodes.fatal;
  } finally {
    for (const signal of signals) process.removeListener(signal, ask);
    flush(logger);
  }
}
