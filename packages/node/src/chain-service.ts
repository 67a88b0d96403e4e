import type { Logger, PeerId } from "@credlink/primitives";
import { buildEngine, buildNetwork, type Foundation, type NetworkSide } from "./components.ts";
import type { NodeConfig } from "./config/schema.ts";
import type { Engine } from "./engine/types.ts";
import { NodeError } from "./errors.ts";
import type { ConnectedPeer } from "./p2p/peer-table.ts";
import type { PeerWatch } from "./p2p/peer-watch.ts";
import type { AskedNetwork } from "./self-check/peer-check.ts";
import { createStanding, type Standing } from "./standing.ts";

/** What a service is made of. */
export interface ServiceParts {
  readonly foundation: Foundation;
  /** Asked at every start; limits that change while it runs are read when they count. */
  readonly config: () => NodeConfig;
  readonly peerWatch: PeerWatch;
  readonly logger: Logger;
  readonly onFault: (error: Error) => void;
  readonly isPolluted: () => boolean;
}

type CommitListener = Parameters<Engine["onCommit"]>[0];

/**
 * The part of a node that takes part in the chain: peers and engine. It can be stopped and started
 * anew while keys, database, chain and gateway stay open.
 */
export class Service {
  readonly #parts: ServiceParts;
  readonly #listeners = new Set<CommitListener>();
  readonly standing: Standing;
  #side: NetworkSide;
  #built: Engine;
  #isRunning = false;
  #isUsed = false;
  /** Starts and stops, one after the other: an isolation may come while an admin starts the node. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: ServiceParts, late: { standing?: Standing }, side: NetworkSide) {
    this.#parts = parts;
    this.#side = side;
    this.#built = this.#buildEngine();
    this.standing = createStanding({
      ledger: parts.foundation.ledger,
      selfPeerId: side.network.self,
      engine: () => (this.#isRunning ? this.#built : undefined),
      peers: () => this.peers(),
      isPolluted: parts.isPolluted,
    });
    late.standing = this.standing;
  }

  /** Builds peers and engine; nothing of them is started. Throws as `buildNetwork` does. */
  static async create(parts: ServiceParts): Promise<Service> {
    const late: { standing?: Standing } = {};
    return new Service(parts, late, await buildSide(parts, () => late.standing));
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get self(): PeerId {
    return this.#side.network.self;
  }

  /** The engine that runs now, or ran last; whoever holds this holds its successors too. */
  readonly engine: Engine = {
    start: () => this.start(),
    stop: () => this.stop(),
    submit: (transaction) => this.#built.submit(transaction),
    outcome: (id) => this.#built.outcome(id),
    waitFor: (id, timeoutMs) => this.#built.waitFor(id, timeoutMs),
    status: () => this.#built.status(),
    pending: () => this.#built.pending(),
    holdings: () => this.#built.holdings(),
    onCommit: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  /** For whoever asks peers, whichever network stands now. */
  readonly asked: AskedNetwork = {
    peers: () => this.peers(),
    request: (...request) => this.#side.network.request(...request),
  };

  get certificateEndsAtMs(): number {
    return this.#side.certificateEndsAtMs;
  }

  peers(): readonly ConnectedPeer[] {
    return this.#side.network.peers();
  }

  addresses(): readonly string[] {
    return this.#side.network.addresses();
  }

  judgeAgain(): void {
    if (this.#isRunning) this.#side.network.judgeAgain();
  }

  /**
   * Throws what engine and network throw; nothing stays open then.
   * @throws NodeError NODE_DATA_POLLUTED: what is known to be altered takes no part
   */
  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  /** What is being written is finished; peers see an orderly end. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  /**
   * Stops and starts anew, if it runs: with the identity that the foundation has by now. What clients
   * handed in and no block holds yet goes on to the engine that follows.
   */
  restart(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isRunning) return;
      await this.#stop();
      const pending = this.#built.pending();
      await this.#start();
      // Peers may have put them into blocks meanwhile: then they are refused, and that is all.
      for (const transaction of pending) await this.#built.submit(transaction);
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #start(): Promise<void> {
    if (this.#isRunning) return;
    if (this.#parts.isPolluted()) {
      throw new NodeError("NODE_DATA_POLLUTED", "its own data are polluted: it stays out");
    }
    if (this.#isUsed) await this.#rebuild();
    this.#isUsed = true;
    try {
      await this.#built.start();
      this.#isRunning = true;
      await this.#side.network.start();
      this.#side.peerExchange.start();
    } catch (error) {
      await this.#stop();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    this.#isUsed = true;
    this.#isRunning = false;
    this.#side.revocationFiles.stop();
    this.#side.peerExchange.stop();
    await this.#built.stop();
    await this.#side.network.stop();
  }

  async #rebuild(): Promise<void> {
    this.#side = await buildSide(this.#parts, () => this.standing);
    this.#built = this.#buildEngine();
  }

  #buildEngine(): Engine {
    const { config, foundation, logger, onFault } = this.#parts;
    const { network } = this.#side;
    const engine = buildEngine(config, foundation, { network, logger, onFatal: onFault });
    engine.onCommit((block) => {
      for (const listener of this.#listeners) listener(block);
    });
    return engine;
  }
}

function buildSide(parts: ServiceParts, standing: () => Standing | undefined) {
  const { config, foundation, logger, peerWatch } = parts;
  return buildNetwork(config, foundation, {
    logger,
    peerWatch,
    registry: {
      memberOfKey: (key) => standing()?.registry.memberOfKey(key) ?? null,
      validatorPeerId: (key) => standing()?.registry.validatorPeerId(key) ?? null,
      validatorKeys: (peer) => standing()?.registry.validatorKeys(peer) ?? [],
      isHeadProven: () => standing()?.registry.isHeadProven() ?? false,
      headHeight: () => foundation.ledger.head.header.height,
      headTimestampMs: () => foundation.ledger.head.header.timestampMs,
    },
    isValidator: (peer) => standing()?.isValidator(peer) ?? false,
  });
}
