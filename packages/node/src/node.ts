import type { NodeMode } from "@credlink/api";
import {
  prepareDigests,
  preparePointSums,
  prepareSm2Verification,
  systemRandom,
} from "@credlink/crypto";
import { AppError, type Logger, type Random, toHex } from "@credlink/primitives";
import { type CertificateWatch, watchCertificate } from "./certificate-watch.ts";
import { Service } from "./chain-service.ts";
import { type Foundation, layFoundation, removeFoundation } from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import { type ControlFiles, openControl } from "./control/open-control.ts";
import type { Engine } from "./engine/types.ts";
import { NodeError } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { type FrontSide, openFront } from "./front.ts";
import type { Readiness } from "./gateway/context.ts";
import { createLogger, flushLogger } from "./logger.ts";
import { nodeMetrics } from "./metrics.ts";
import { createOperation, type Operation } from "./operation.ts";
import { PeerWatch } from "./p2p/peer-watch.ts";
import { checkRenewal, openRenewal } from "./renewal/open-renewal.ts";
import type { Renewer } from "./renewal/renewer.ts";
import { faultBehind } from "./self-check/damage-watch.ts";
import { createIsolation, type Isolation } from "./self-check/isolation.ts";
import type { DataFault } from "./self-check/mark.ts";
import { createSelfCheck, type SelfCheck } from "./self-check/self-check.ts";
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
  /** Whether it may take traffic, and if not, why. */
  readiness(): Readiness;
  /** What happened to its peers and to itself. */
  readonly peerWatch: Pick<PeerWatch, "events" | "waitFor">;
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
  /** Settings that stand above changes at run time: those of environment and flags. */
  readonly fixedSettings?: ReadonlySet<string>;
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

/** Everything of a node that ends when it ends. */
interface NodeParts {
  readonly config: NodeConfig;
  readonly foundation: Foundation;
  readonly control: ControlFiles;
  readonly service: Service;
  readonly operation: Operation;
  readonly front: FrontSide;
  readonly watch: Watch;
  /** Null where certificates are renewed by hand. */
  readonly renewer: Renewer | null;
  readonly logger: Logger;
}

/** The parts of a node that has started, and how they end. */
class Node implements RunningNode {
  readonly engine: Engine;
  readonly stopped: Promise<Error | undefined>;
  readonly #parts: NodeParts;
  readonly #settle: (error: Error | undefined) => void;
  #cancelJudging: () => void = () => undefined;
  readonly #certificate: CertificateWatch;
  #stopping: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.engine = parts.service.engine;
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    this.stopped = promise;
    this.#settle = resolve;
    this.engine.onCommit(() => {
      parts.service.judgeAgain();
      parts.foundation.credentials.follow();
    });
    this.#certificate = watchCertificate(() => parts.foundation.identity.certificate, {
      clock: systemClock,
      logger: parts.logger,
      metrics: parts.foundation.metrics,
    });
    parts.control.settings.onChange(() => parts.service.judgeAgain());
    parts.foundation.credentials.follow();
    this.#judgeByTime();
    if (!parts.watch.isolation.isOn) this.#watchData();
  }

  get peerWatch(): RunningNode["peerWatch"] {
    return this.#parts.operation.operator.peerWatch;
  }

  readiness(): Readiness {
    return this.#parts.operation.readiness();
  }

  get addresses(): RunningNode["addresses"] {
    const { front, service } = this.#parts;
    return { rpc: front.rpc, metrics: front.metrics, p2p: service.addresses() };
  }

  /** What is found or met from now on ends votes, service to peers and answers to clients. */
  #watchData(): void {
    const { watch, foundation, service } = this.#parts;
    watch.check.start(service.asked, (findings) => this.isolate(findings));
    foundation.damage.onDamage((fault) => {
      foundation.metrics
        .counter(nodeMetrics.pollutedRows)
        .add(1, { space: fault.space ?? "unknown" });
      this.isolate([fault]);
    });
  }

  /** Cuts the node off from peers and clients because its own data are damaged. */
  isolate(faults: readonly DataFault[]): void {
    const { watch, service, logger } = this.#parts;
    watch.isolation
      .begin(faults, () => service.stop())
      .catch((error: unknown) => logger.error("node not isolated in full", { error }));
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
    const { config, logger } = this.#parts;
    logger.info("node stopping");
    this.#cancelJudging();
    this.#certificate.stop();
    try {
      await within(this.#close(), config.shutdownMs);
      logger.info("node stopped");
    } finally {
      this.#settle(error);
    }
  }

  async #close(): Promise<void> {
    const { front, watch, service, operation, control, foundation, renewer } = this.#parts;
    await front.close();
    await renewer?.stop();
    operation.stop();
    await watch.check.stop();
    await watch.isolation.settled;
    await service.stop();
    await control.audit.close();
    await removeFoundation(foundation);
  }

  #judgeByTime(): void {
    this.#cancelJudging = systemClock.schedule(JUDGE_INTERVAL_MS, () => {
      this.#parts.service.judgeAgain();
      this.#parts.operation.measureReach();
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

function logStart(node: Node, foundation: Foundation, mode: NodeMode, logger: Logger): void {
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
  if (!prepareDigests()) logger.warn("digests of trees go one by one: no vectors here", {});
  if (!preparePointSums()) logger.warn("sums of amounts go without their kernel", {});
  logger.info("node started", {
    ...node.addresses,
    verification: backend.type === "kernel" ? "kernel" : "OpenSSL",
    role: organizationalUnit,
    mode,
    chainId: ledger.chainId,
    genesisDigest: toHex(ledger.genesisDigest),
    height: ledger.head.header.height,
    version: VERSION,
  });
}

/** Opens what stands around the chain, then takes part in it, unless the node is to stand by. */
async function start(
  config: NodeConfig,
  foundation: Foundation,
  control: ControlFiles,
  logger: Logger,
  onFault: (error: Error) => void,
): Promise<Node> {
  let service: Service | undefined;
  let operation: Operation | undefined;
  try {
    const watch = await watchData(config, foundation, logger.child({ component: "self-check" }));
    const isPolluted = (): boolean => watch.isolation.isOn;
    const peerWatch = new PeerWatch({
      clock: systemClock,
      metrics: foundation.metrics,
      isValidator: (peer) => service?.standing.isValidator(peer) ?? false,
    });
    service = await Service.create({
      foundation,
      config: () => control.settings.current,
      peerWatch,
      logger,
      onFault,
      isPolluted,
    });
    operation = await createOperation({ foundation, control, service, peerWatch, logger, config });
    await checkRenewal(config);
    // Nothing is signed or sent before the generator is known to be good.
    await foundation.randomness;
    // A node with polluted data speaks to nobody but its operator.
    if (!isPolluted() && control.mode.wanted !== "standby") await service.start();
    const { peers, readiness, facts, door, operator } = operation;
    const front = await openFront(() => control.settings.current, foundation, {
      ...{ engine: door.engine, peers, facts, operator, readiness, isPolluted },
      logger: logger.child({ component: "gateway" }),
    });
    operation.addresses.rpc = front.rpc;
    operation.addresses.metrics = front.metrics;
    const renewer = await openRenewal({ config, foundation, service, peerWatch, logger, onFault });
    return new Node({
      ...{ config, foundation, control, service, operation, front, watch, renewer, logger },
    });
  } catch (error) {
    operation?.stop();
    await service?.stop();
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
  let control: ControlFiles | undefined;
  try {
    const fixed = options.fixedSettings ?? new Set<string>();
    control = await openControl(config, foundation, { logger, fixed });
    node = await start(config, foundation, control, logger, onFault);
  } catch (error) {
    await control?.audit.close();
    await removeFoundation(foundation);
    throw error;
  }
  logStart(node, foundation, control.mode.mode, logger);
  return node;
}
