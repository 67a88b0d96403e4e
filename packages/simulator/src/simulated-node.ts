import { createReplica, type ReplicaOptions, type ReplicaStart } from "@credlink/consensus-pbft";
import { type ConsensusLedger, createLedger, type Executor } from "@credlink/ledger";
import {
  type CommittedBlock,
  createEngine,
  defaultEngineOptions,
  type Engine,
  type EngineComponents,
} from "@credlink/node/engine";
import { type Logger, type Network, noLogger, noMetrics, type Signer } from "@credlink/primitives";
import {
  type CrashOutcome,
  createSimulatedDisk,
  type NetworkEndpoint,
  type ProcessClock,
  type SeededRandom,
  type SimulatedClock,
  type SimulatedDisk,
  type SimulatedNetwork,
} from "@credlink/testkit";
import { openLeanLedger } from "./lean-ledger/lean-ledger.ts";
import type { SharedChain } from "./lean-ledger/shared-chain.ts";
import { MachineClock } from "./machine-clock.ts";
import { type Profile, peerName } from "./profile.ts";
import { type WatchedStep, watchReplica } from "./replica-watch.ts";
import { createSimulatedStore, type SimulatedStore } from "./simulated-store.ts";

/** What every node of a run shares. */
export interface World {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly profile: Profile;
  /** Blocks and states that all nodes share; null: each has the real ledger. */
  readonly chain: SharedChain | null;
  readonly random: SeededRandom;
  /** A segment of a vote log is full at so many bytes. */
  readonly segmentBytes: number;
  readonly logger?: Logger;
}

/** What checkers hear from a node. */
export interface NodeObserver {
  /** A process came up and opened its chain. */
  onBoot(node: SimulatedNode, ledger: ConsensusLedger): void;
  onCommit(node: SimulatedNode, block: CommittedBlock, ledger: ConsensusLedger): void;
  /** One step of the replica of a living process. */
  onStep(node: SimulatedNode, step: WatchedStep): void;
  /** The logger that the node is to use instead of this one. */
  watchLog(node: SimulatedNode, logger: Logger): Logger;
  /** The process ended itself: a fault it must not survive. */
  onFatal(node: SimulatedNode, error: Error): void;
}

/** What wraps a node that does not keep the rules. */
export type WrapNetwork = (network: Network, signer: Signer) => Network;

interface Process {
  readonly clock: ProcessClock;
  readonly endpoint: NetworkEndpoint;
  engine: Engine | null;
  ledger: ConsensusLedger | null;
}

/** One machine with its disk and database, and at most one process of the real engine on it. */
export class SimulatedNode {
  readonly index: number;
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly store: SimulatedStore;
  readonly isByzantine: boolean;
  readonly #world: World;
  readonly #observer: NodeObserver;
  readonly #wrap: WrapNetwork | null;
  readonly #random: SeededRandom;
  #process: Process | null = null;
  /** What this machine's wall clock shows, and whether anything runs on it. */
  readonly time: MachineClock;
  /** What one execution of a block takes at most, milliseconds of virtual time. */
  executionMs = 0;
  /** Whether an operation of its disk was made to fail: its process may then end itself. */
  isDiskBroken = false;
  /** Processes started so far. */
  lives = 0;

  constructor(index: number, world: World, observer: NodeObserver, wrap: WrapNetwork | null) {
    this.index = index;
    this.name = peerName(index);
    this.#world = world;
    this.#observer = observer;
    this.#wrap = wrap;
    this.isByzantine = wrap !== null;
    this.#random = world.random.fork(this.name);
    this.time = new MachineClock(world.clock);
    const clock = this.time.forDevices();
    this.disk = createSimulatedDisk({ clock, random: this.#random.fork("disk") });
    this.store = createSimulatedStore(clock, this.#random.fork("store"));
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  get engine(): Engine | null {
    return this.#process?.engine ?? null;
  }

  get ledger(): ConsensusLedger | null {
    return this.#process?.ledger ?? null;
  }

  /** Starts a process; it opens its chain and joins in virtual time. */
  boot(): void {
    const { network } = this.#world;
    const endpoint = this.time.endpoint(
      network.attach({
        id: this.name,
        organization: this.name,
        role: "validator",
        provisional: false,
      }),
    );
    const process: Process = {
      clock: this.time.process(),
      endpoint,
      engine: null,
      ledger: null,
    };
    this.lives++;
    this.#process = process;
    this.#run(process).catch((error: unknown) => {
      if (this.#process === process) this.#observer.onFatal(this, toError(error));
    });
  }

  async #run(process: Process): Promise<void> {
    const { profile } = this.#world;
    const ledger = await this.#openLedger(process.clock);
    if (this.#process !== process) return;
    process.ledger = ledger;
    this.#observer.onBoot(this, ledger);
    const signer = profile.signers[this.index];
    if (signer === undefined) throw new Error("every node has a key");
    const network = this.#wrap?.(process.endpoint, signer) ?? process.endpoint;
    const components: EngineComponents = {
      ledger,
      network,
      disk: this.disk.mount(),
      clock: process.clock,
      random: this.#random,
      signer,
      verifier: profile.verifier,
      logger: this.#observer.watchLog(
        this,
        this.#world.logger?.child({ node: this.name }) ?? noLogger,
      ),
      metrics: noMetrics,
      createReplica: (options: ReplicaOptions, start: ReplicaStart) =>
        watchReplica(createReplica(options, start), (step) => {
          if (this.#process === process) this.#observer.onStep(this, step);
        }),
      onFatal: (error) => {
        if (this.#process === process) this.#observer.onFatal(this, error);
      },
    };
    const engine = createEngine(
      {
        ...defaultEngineOptions,
        nodeId: this.name,
        chainId: ledger.chainId,
        genesisDigest: ledger.genesisDigest,
        nodeAddress: profile.addressOf(this.index),
        requestTimeoutMs: 500,
        voteLogSegmentBytes: this.#world.segmentBytes,
      },
      components,
    );
    process.engine = engine;
    engine.onCommit((block) => {
      if (this.#process === process) this.#observer.onCommit(this, block, ledger);
    });
    await engine.start();
  }

  #openLedger(processClock: ProcessClock): Promise<ConsensusLedger> {
    const { profile, chain, clock } = this.#world;
    const store = this.store.mount();
    const executed = (): Promise<void> | null => this.#executed(processClock);
    if (chain !== null) return openLeanLedger({ chain, store, executed });
    const real = profile.createExecutor();
    const executor = profile.name === "full" ? waitedFor(real, clock) : real;
    const execute: Executor["execute"] = async (...args) => {
      await executed();
      return executor.execute(...args);
    };
    return createLedger({ store, executor: { ...executor, execute }, genesis: profile.genesis });
  }

  /** Execution takes its time on this machine; null where it takes none. */
  #executed(clock: ProcessClock): Promise<void> | null {
    if (this.executionMs === 0) return null;
    const delayMs = this.#random.between(0, this.executionMs);
    return new Promise((resolve) => {
      clock.schedule(delayMs, resolve);
    });
  }

  /** Its disk fails no more, neither now nor by a fault that is still to strike. */
  mendDisk(): void {
    this.isDiskBroken = false;
    this.disk.failNext("sync", "none", 0);
    this.disk.failNext("write", "none", 0);
    this.disk.failNext("read", "none", 0);
    this.store.failNextRead(0);
  }

  /**
   * Power goes: nothing of the process lives on, what was not synced is lost, kept or torn.
   * Without an outcome one is drawn for every file and batch.
   */
  crash(outcome?: CrashOutcome): void {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    process.clock.stop();
    process.endpoint.close();
    this.disk.crash(outcome);
    this.store.crash(outcome);
  }
}

/** Compiling contracts happens outside virtual time, which waits for it. */
function waitedFor(executor: Executor, clock: SimulatedClock): Executor {
  return {
    genesis: (genesis) => executor.genesis(genesis),
    judgeCall: (view, call) => executor.judgeCall(view, call),
    skipped: (view, at) => executor.skipped(view, at),
    validators: (view) => executor.validators(view),
    parameters: (view) => executor.parameters(view),
    query: (...args) => clock.external(executor.query(...args)),
    execute: (...args) => clock.external(executor.execute(...args)),
  };
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
