import { type ConsensusLedger, type Executor, genesisDigest } from "@credlink/ledger";
import { type CommittedBlock, EngineError } from "@credlink/node/engine";
import { type Digest, InvariantError, type Logger, toHex } from "@credlink/primitives";
import {
  createSimulatedNetwork,
  type SeededRandom,
  type SimulatedClock,
  type SimulatedNetwork,
} from "@credlink/testkit";
import { createByzantineNetwork } from "./byzantine.ts";
import type { ChainChecker } from "./chain-checker.ts";
import { CheckFailure } from "./checker-errors.ts";
import { Checkers } from "./checkers.ts";
import type { HealedWatch } from "./healed-watch.ts";
import { SharedChain } from "./lean-ledger/shared-chain.ts";
import type { Plan } from "./plan.ts";
import { type Profile, peerName } from "./profile.ts";
import type { WatchedStep } from "./replica-watch.ts";
import { type NodeObserver, SimulatedNode, type World } from "./simulated-node.ts";
import { Trace } from "./trace.ts";
import type { Conspiracy } from "./traitors/traitor.ts";
import type { WireChecker } from "./wire-checker.ts";

/** How long a supervisor waits before it starts a process again, milliseconds. */
const RESTART_MS = 200;

/** A network of simulated nodes with its checkers. */
export class Cluster implements NodeObserver {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly nodes: readonly SimulatedNode[];
  readonly profile: Profile;
  readonly checkers: Checkers;
  readonly trace: Trace;
  readonly genesisDigest: Digest;
  /** First broken invariant; the run ends with it. */
  failure: Error | null = null;
  /** Status -> receipts that nodes committed, all nodes together. */
  readonly receipts = new Map<string, number>();
  /** Accepted transactions -> the node and its life that accepted them, and at what height. */
  readonly accepted = new Map<
    string,
    { readonly node: SimulatedNode; readonly life: number; readonly atHeight: number }
  >();
  /** Nodes whose vote log a fault took away or rolled back. */
  readonly lostLogs = new Set<string>();
  /** False once nodes that are down must stay down. */
  mayRestart = true;
  /** Judges the healed network; null before it is healed. */
  healed: HealedWatch | null = null;
  readonly #watched: readonly string[] | null;

  constructor(parts: {
    readonly plan: Plan;
    readonly profile: Profile;
    readonly clock: SimulatedClock;
    readonly random: SeededRandom;
    /** Names of those whom traitors deceive; default: half of the honest. */
    readonly deceived?: readonly string[];
    readonly logger?: Logger;
    /** Invariants that may end the run, for negative controls; default: all. */
    readonly watched?: readonly string[];
    /** Negative control: what nodes run instead of the profile's executor. */
    readonly nodeExecutor?: (real: Executor) => Executor;
  }) {
    const { plan, profile, clock, random } = parts;
    this.#watched = parts.watched ?? null;
    this.clock = clock;
    this.profile = profile;
    this.genesisDigest = genesisDigest(profile.genesis);
    this.network = createSimulatedNetwork({
      clock,
      random: random.fork("network"),
      defaults: {
        minLatencyMs: plan.latency[0],
        maxLatencyMs: plan.latency[1],
        loss: plan.loss,
        duplication: plan.duplication,
      },
    });
    const ofNodes = profileOfNodes(profile, parts.nodeExecutor);
    const world: World = {
      clock,
      network: this.network,
      profile: ofNodes,
      chain: profile.name === "protocol" ? createSharedChain(ofNodes) : null,
      random,
      segmentBytes: plan.segmentBytes,
      ...pickLogger(parts),
    };
    const conspiracy: Conspiracy = {
      chainId: profile.genesis.chainId,
      genesisDigest: this.genesisDigest,
      validatorsAt: (height) => this.checkers.validators.at(height),
      deceived: new Set(parts.deceived ?? drawDeceived(profile, plan, random)),
      twins: new Map(),
      heard: [],
    };
    this.nodes = profile.signers.map((_, index) => {
      const strategies = plan.byzantine.get(index);
      const wrap =
        strategies === undefined
          ? null
          : createByzantineNetwork({
              strategies,
              conspiracy,
              random: random.fork(`byzantine ${index}`),
              schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
            });
      return new SimulatedNode(index, world, this, wrap);
    });
    this.checkers = new Checkers({
      profile,
      clock,
      nodes: this.nodes,
      segmentBytes: plan.segmentBytes,
      fail: (error) => this.fail(error),
    });
    this.trace = new Trace(profile.name !== "full");
    this.network.tap((message) => {
      this.trace.message(clock.monotonicMs(), message);
      this.checkers.onWire(message);
    });
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter(({ isByzantine }) => !isByzantine);
  }

  get chain(): ChainChecker {
    return this.checkers.chain;
  }

  get wire(): WireChecker {
    return this.checkers.wire;
  }

  /** Runs a check; the first failure is kept and ends the run. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Takes note of a broken invariant, or of a checker that broke. */
  fail(error: unknown): void {
    const isCheck = error instanceof CheckFailure;
    if (isCheck && this.#watched !== null && !this.#watched.includes(error.invariant)) return;
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }

  onBoot(node: SimulatedNode, ledger: ConsensusLedger): void {
    this.trace.event(this.clock.monotonicMs(), `boot ${node.name} ${ledger.head.header.height}`);
    this.checkers.onBoot(node.name, ledger);
  }

  onStep(node: SimulatedNode, step: WatchedStep): void {
    this.checkers.onStep(node, step);
    this.guard(() => this.healed?.onStep(node, step));
  }

  watchLog(node: SimulatedNode, logger: Logger): Logger {
    return this.checkers.watchLog(node.name, logger, () => node.isDiskBroken);
  }

  onCommit(node: SimulatedNode, block: CommittedBlock, ledger: ConsensusLedger): void {
    // Certificates of a full run are signed anew each time, and with them every digest differs.
    const digest = this.profile.name === "full" ? "" : toHex(block.digest);
    const text = `commit ${node.name} ${block.height} ${block.receipts.length} ${digest}`;
    for (const { status } of block.receipts) {
      this.receipts.set(status, (this.receipts.get(status) ?? 0) + 1);
    }
    this.trace.event(this.clock.monotonicMs(), text);
    this.checkers.onCommit(node.name, block, ledger);
    if (!node.isByzantine) this.guard(() => this.healed?.onCommit(block, ledger));
  }

  onFatal(node: SimulatedNode, error: Error): void {
    const code = error instanceof EngineError ? error.code : error.message;
    this.trace.event(this.clock.monotonicMs(), `fatal ${node.name} ${code}`);
    if (node.isDiskBroken && !(error instanceof InvariantError)) {
      this.#replace(node);
      return;
    }
    if (node.isByzantine) return;
    const failure = new CheckFailure("I17", `${node.name} stopped: ${error.message}`);
    failure.cause = error;
    this.fail(failure);
  }

  /** A process that ended itself because its disk failed is started again on the same disk. */
  #replace(node: SimulatedNode): void {
    node.mendDisk();
    node.crash();
    this.clock.schedule(RESTART_MS, () => {
      if (!node.isUp && this.mayRestart) node.boot();
    });
  }

  /** A fault took a node's vote log away, or rolled it back: it may abstain now. */
  onLogLost({ name }: SimulatedNode): void {
    this.lostLogs.add(name);
    this.checkers.wire.onLogLost(name);
  }

  /**
   * A fault put an old image of a whole machine back. What it voted since then it may contradict,
   * up to the height that anybody may have voted at by now, and it may be convicted of it.
   */
  onMachineRolledBack({ name }: SimulatedNode, height: number): void {
    this.lostLogs.add(name);
    this.checkers.onMachineRolledBack(name, height, this.chain.height + 2);
  }

  /** Submits one fresh transaction at a node; remembers it when it was accepted. */
  async submit(node: SimulatedNode): Promise<void> {
    const { engine, lives } = node;
    if (engine === null) return;
    const height = engine.status().height;
    const transaction = await this.profile.createTransaction(this.genesisDigest, height);
    const result = await engine.submit(transaction);
    if (result.ok && !node.isByzantine) {
      this.healed?.onAccepted(node, result.value.id);
      this.accepted.set(toHex(result.value.id), { node, life: lives, atHeight: height });
    }
  }
}

function profileOfNodes(profile: Profile, change?: (real: Executor) => Executor): Profile {
  if (change === undefined) return profile;
  return { ...profile, createExecutor: () => change(profile.createExecutor()) };
}

function createSharedChain({ genesis, createExecutor }: Profile): SharedChain {
  return new SharedChain(genesis, createExecutor());
}

function pickLogger(parts: { readonly logger?: Logger }): { readonly logger?: Logger } {
  return parts.logger === undefined ? {} : { logger: parts.logger };
}

/** Half of the others are shown the twin: the honest ones split as evenly as they can. */
function drawDeceived(profile: Profile, plan: Plan, random: SeededRandom): readonly string[] {
  const honest = profile.signers.flatMap((_, index) =>
    plan.byzantine.has(index) ? [] : [peerName(index)],
  );
  return random.shuffle(honest).slice(0, Math.ceil(honest.length / 2));
}
