import { prepareSm2Verification, systemRandom } from "@credlink/crypto";
import { AppError, type Logger, type Random, toHex } from "@credlink/primitives";
import { type CertificateWatch, watchCertificate } from "./certificate-watch.ts";
import {
  buildEngine,
  buildNetwork,
  type Foundation,
  layFoundation,
  type NetworkSide,
  removeFoundation,
} from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import type { Engine } from "./engine/types.ts";
import { NodeError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FrontSide, openFront } from "./front.ts";
import { createLogger, flushLogger } from "./logger.ts";
import { nodeMetrics } from "./metrics.ts";
import { faultBehind } from "./self-check/damage-watch.ts";
import { createIsolation, type Isolation } from "./self-check/isolation.ts";
import type { DataFault } from "./self-check/mark.ts";
import { createSelfCheck, type SelfCheck } from "./self-check/self-check.ts";
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
  /** Where nonces and challenges come from, tested at the start. Default: the machine's own. */
  readonly random?: Random;
}

/** How often connections are judged again without a commit: certificates end by the clock too. */
const JUDGE_INTERVAL_MS = 2_000;

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
  readonly #watch: Watch;
  readonly #logger: Logger;
  readonly #settle: (error: Error | undefined) => void;
  #cancelJudging: () => void = () => undefined;
  readonly #certificate: CertificateWatch;
  #stopping: Promise<void> | undefined;

  constructor(parts: {
    readonly config: NodeConfig;
    readonly foundation: Foundation;
    readonly side: NetworkSide;
    readonly engine: Engine;
    readonly front: FrontSide;
    readonly watch: Watch;
    readonly logger: Logger;
  }) {
    this.engine = parts.engine;
    this.#config = parts.config;
    this.#foundation = parts.foundation;
    this.#side = parts.side;
    this.#front = parts.front;
    this.#watch = parts.watch;
    this.#logger = parts.logger;
    const { rpc, metrics } = parts.front;
    this.addresses = { rpc, metrics, p2p: parts.side.network.addresses() };
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.stopped = promise;
    this.#settle = resolve;
    this.engine.onCommit(() => {
      this.#side.network.judgeAgain();
      this.#foundation.credentials.follow();
    });
    this.#foundation.credentials.follow();
    this.#certificate = watchCertificate(parts.foundation.identity.certificate, {
      clock: systemClock,
      logger: parts.logger,
      metrics: parts.foundation.metrics,
    });
    this.#judgeByTime();
    if (!this.#watch.isolation.isOn) this.#watchData();
  }

  /** What is found or met from now on ends votes, service to peers and answers to clients. */
  #watchData(): void {
    this.#watch.check.start(this.#side.network, (findings) => this.isolate(findings));
    this.#foundation.damage.onDamage((fault) => {
      this.#foundation.metrics
        .counter(nodeMetrics.pollutedRows)
        .add(1, { space: fault.space ?? "unknown" });
      this.isolate([fault]);
    });
  }

  /** Cuts the node off from peers and clients because its own data are damaged. */
  isolate(faults: readonly DataFault[]): void {
    const cutOff = async (): Promise<void> => {
      await this.engine.stop();
      await this.#side.network.stop();
    };
    this.#watch.isolation.begin(faults, cutOff).catch((error: unknown) => {
      this.#logger.error("node not isolated in full", { error });
    });
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
    this.#certificate.stop();
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
    await this.#watch.check.stop();
    await this.#watch.isolation.settled;
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

/** What keeps an eye on the node's own data. */
interface Watch {
  readonly check: SelfCheck;
  readonly isolation: Isolation;
}

/** Checks the data before anything of them is served, unless they are marked already. */
async function watchData(
  config: NodeConfig,
  foundation: Foundation,
  logger: Logger,
): Promise<Watch> {
  const { store, ledger, metrics } = foundation;
  const { dataDir, engine, selfCheck } = config;
  const { requestTimeoutMs } = engine;
  const check = createSelfCheck(
    { ...selfCheck, requestTimeoutMs },
    { store, ledger, random: foundation.random, clock: systemClock, logger, metrics },
  );
  const isolation = await createIsolation({ dataDir, logger, metrics });
  if (!isolation.isOn) {
    const findings = await check.run(null);
    if (findings.length > 0) await isolation.begin(findings, async () => undefined);
  }
  return { check, isolation };
}

function logStart(node: Node, foundation: Foundation, logger: Logger): void {
  const { ledger, identity, metrics } = foundation;
  const { commonName, organizationalUnit } = identity.certificate.subject;
  metrics
    .gauge(nodeMetrics.information)
    .set(1, { node: commonName, version: VERSION, chain: ledger.chainId });
  const backend = prepareSm2Verification();
  if (backend.type === "library") {
    logger.warn("OpenSSL verifies signatures in place of the kernel", {
      reason: backend.error?.message ?? null,
    });
  }
  logger.info("node started", {
    ...node.addresses,
    verification: backend.type === "kernel" ? "kernel" : "OpenSSL",
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
    const watch = await watchData(config, foundation, logger.child({ component: "self-check" }));
    const isPolluted = (): boolean => watch.isolation.isOn;
    const late: { standing?: Standing } = {};
    side = await buildNetwork(config, foundation, {
      logger,
      registry: {
        memberOfKey: (key) => late.standing?.registry.memberOfKey(key) ?? null,
        validatorPeerId: (key) => late.standing?.registry.validatorPeerId(key) ?? null,
        validatorKeys: (peer) => late.standing?.registry.validatorKeys(peer) ?? [],
        isHeadProven: () => late.standing?.registry.isHeadProven() ?? false,
        headHeight: () => foundation.ledger.head.header.height,
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
      isPolluted,
    });
    late.standing = standing;
    const built = buildEngine(config, foundation, { network, logger, onFatal: onFault });
    // Nothing is signed or sent before the generator is known to be good.
    await foundation.randomness;
    // A node with polluted data speaks to nobody but its operator.
    if (!isPolluted()) {
      await built.start();
      engine = built;
      await network.start();
    }
    const front = await openFront(config, foundation, {
      engine: built,
      peers,
      readiness: standing.readiness,
      isPolluted,
      logger: logger.child({ component: "gateway" }),
      facts: {
        nodeId: subject.commonName,
        peerId: network.self,
        role: subject.organizationalUnit,
        version: VERSION,
        startedMs,
      },
    });
    return new Node({ config, foundation, side, engine: built, front, watch, logger });
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
  const foundation = await layFoundation(config, logger, options.random ?? systemRandom);
  const exit = (): void => {
    flushLogger(logger);
    process.exit(exitCodes.fatal);
  };
  const onFatal = options.onFatal ?? exit;
  let node: Node | undefined;
  let isFaulty = false;
  const onFault = (error: Error): void => {
    if (isFaulty) return;
    const fault = faultBehind(error);
    // A node that met damage in its own data stays up, cut off, and tells its operator.
    if (node !== undefined && fault !== null) {
      node.isolate([fault]);
      return;
    }
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
