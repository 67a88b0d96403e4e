import { createValidatorSet, type ValidatorSet } from "@credlink/consensus-pbft";
import { genesisDigest, type Ledger } from "@credlink/ledger";
import { type CommittedBlock, EngineError } from "@credlink/node/engine";
import { type Digest, type Logger, toHex } from "@credlink/primitives";
import {
  createSimulatedNetwork,
  type SeededRandom,
  type SimulatedClock,
  type SimulatedNetwork,
} from "@credlink/testkit";
import { type Conspiracy, createByzantineNetwork } from "./byzantine.ts";
import { ChainChecker } from "./chain-checker.ts";
import { CheckFailure } from "./checker-errors.ts";
import type { Plan } from "./plan.ts";
import { type Profile, peerName } from "./profile.ts";
import { type NodeObserver, SimulatedNode, type World } from "./simulated-node.ts";
import { Trace } from "./trace.ts";
import { WireChecker } from "./wire-checker.ts";

/** A network of simulated nodes with its checkers. */
export class Cluster implements NodeObserver {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly nodes: readonly SimulatedNode[];
  readonly profile: Profile;
  readonly chain: ChainChecker;
  readonly wire: WireChecker;
  readonly trace: Trace;
  readonly genesisDigest: Digest;
  /** First broken invariant; the run ends with it. */
  failure: Error | null = null;
  /** Status -> receipts that nodes committed, all nodes together. */
  readonly receipts = new Map<string, number>();
  /** Accepted transactions -> the node and its life that accepted them. */
  readonly accepted = new Map<string, { readonly node: SimulatedNode; readonly life: number }>();

  constructor(parts: {
    readonly plan: Plan;
    readonly profile: Profile;
    readonly clock: SimulatedClock;
    readonly random: SeededRandom;
    /** Names of those whom traitors deceive; default: half of the honest. */
    readonly deceived?: readonly string[];
    readonly logger?: Logger;
  }) {
    const { plan, profile, clock, random } = parts;
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
    const set = createValidatorSet(profile.genesis.validators);
    const world: World = { clock, network: this.network, profile, random, ...pickLogger(parts) };
    const drawn = createConspiracy(profile, set, plan, random);
    const deceived = parts.deceived === undefined ? drawn.deceived : new Set(parts.deceived);
    const conspiracy: Conspiracy = { ...drawn, deceived };
    this.nodes = profile.signers.map((_, index) => {
      const strategy = plan.byzantine.get(index);
      const wrap =
        strategy === undefined
          ? null
          : createByzantineNetwork(strategy, conspiracy, random.fork(`byzantine ${index}`));
      return new SimulatedNode(index, world, this, wrap);
    });
    this.chain = new ChainChecker(profile, set);
    this.wire = new WireChecker(this.nodes);
    this.trace = new Trace(profile.name === "protocol");
    this.network.tap((message) => {
      this.trace.message(clock.monotonicMs(), message);
      this.guard(() => this.wire.check(message));
    });
  }

  get honest(): readonly SimulatedNode[] {
    return this.nodes.filter(({ isByzantine }) => !isByzantine);
  }

  /** Runs a check; the first failure is kept and ends the run. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  onBoot(node: SimulatedNode, ledger: Ledger): void {
    this.trace.event(this.clock.monotonicMs(), `boot ${node.name} ${ledger.head.header.height}`);
    if (!node.isByzantine) this.guard(() => this.chain.onBoot(node.name, ledger));
  }

  onCommit(node: SimulatedNode, block: CommittedBlock, ledger: Ledger): void {
    // Certificates of a full run are signed anew each time, and with them every digest differs.
    const digest = this.profile.name === "protocol" ? toHex(block.digest) : "";
    const text = `commit ${node.name} ${block.height} ${block.receipts.length} ${digest}`;
    for (const { status } of block.receipts) {
      this.receipts.set(status, (this.receipts.get(status) ?? 0) + 1);
    }
    this.trace.event(this.clock.monotonicMs(), text);
    if (!node.isByzantine) this.guard(() => this.chain.onCommit(node.name, block, ledger));
  }

  onFatal(node: SimulatedNode, error: Error): void {
    const code = error instanceof EngineError ? error.code : error.message;
    this.trace.event(this.clock.monotonicMs(), `fatal ${node.name} ${code}`);
    if (node.isByzantine) return;
    this.failure ??= new CheckFailure("I17", `${node.name} stopped: ${error.message}`);
    this.failure.cause ??= error;
  }

  /** Submits one fresh transaction at a node; remembers it when it was accepted. */
  async submit(node: SimulatedNode): Promise<void> {
    const { engine, lives } = node;
    if (engine === null) return;
    const height = engine.status().height;
    const transaction = await this.profile.createTransaction(this.genesisDigest, height);
    const result = await engine.submit(transaction);
    if (result.ok && !node.isByzantine) {
      this.accepted.set(toHex(result.value.id), { node, life: lives });
    }
  }
}

function pickLogger(parts: { readonly logger?: Logger }): { readonly logger?: Logger } {
  return parts.logger === undefined ? {} : { logger: parts.logger };
}

/** Half of the others are shown the twin: the honest ones split as evenly as they can. */
function createConspiracy(
  profile: Profile,
  set: ValidatorSet,
  plan: Plan,
  random: SeededRandom,
): Conspiracy {
  const honest = profile.signers.flatMap((_, index) =>
    plan.byzantine.has(index) ? [] : [peerName(index)],
  );
  const deceived = random.shuffle(honest).slice(0, Math.ceil(honest.length / 2));
  return {
    chainId: profile.genesis.chainId,
    genesisDigest: genesisDigest(profile.genesis),
    set,
    deceived: new Set(deceived),
    twins: new Map(),
  };
}
