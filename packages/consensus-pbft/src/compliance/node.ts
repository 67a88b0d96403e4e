import {
  type Digest,
  equalBytes,
  type Height,
  height as toHeight,
  toHex,
  type ValidatorIndex,
} from "@credlink/primitives";
import type {
  Effect,
  Input,
  Replica,
  ReplicaOptions,
  ReplicaStart,
  Successor,
  TimerKey,
  Timing,
  VoteRecord,
} from "../effects.ts";
import type { CommitCertificate, Message, Proposal, UnsignedMessage } from "../messages.ts";
import { createReplica } from "../replica.ts";
import { primaryOf, type Roster, type ValidatorSet } from "../validator-set.ts";
import type { Checks } from "./checks.ts";
import { blockOf, INVALID_TRANSACTION, proposalOf } from "./fakes.ts";

/** A committed block of a test node. */
export interface StoredBlock {
  readonly proposal: Proposal;
  readonly certificate: CommitCertificate;
}

/** What a node needs of the cluster that it is part of. Times in milliseconds. */
export interface TestNodeHost {
  readonly genesisDigest: Digest;
  readonly nowMs: number;
  readonly nodes: readonly TestNode[];
  readonly checks: Checks;
  readonly options: {
    readonly trace?: boolean;
    readonly judge?: (node: number, proposal: Proposal) => boolean | undefined;
  };
  readonly timing: {
    readonly fsyncMs: (node: number) => number;
    readonly executeMs: (node: number) => number;
    readonly commitMs: (node: number) => number;
    readonly buildMs: number;
    readonly syncMs: number;
  };
  /** Clock error of a node. */
  skewOf(node: number): number;
  validatorsAt(height: number): ValidatorSet;
  rosterAt(height: number, branch: Digest): Roster;
  timingAt(height: number): Timing;
  noteTurn(proposal: Proposal): void;
  schedule(delayMs: number, run: () => void): void;
  poolOf(node: number): readonly Uint8Array[];
  canReach(from: number, to: number): boolean;
  broadcast(from: number, message: UnsignedMessage): void;
  sendTo(from: number, index: ValidatorIndex, message: UnsignedMessage): void;
  convict(effect: Extract<Effect, { readonly type: "evidence" }>): void;
}

/** One node of a test cluster: a real replica in a shell of fakes. */
export class TestNode {
  readonly number: number;
  readonly #cluster: TestNodeHost;
  readonly options: ReplicaOptions;
  /** What the running replica was started with. */
  startedWith: ReplicaStart | null = null;
  #replica: Replica | null = null;
  #epoch = 0;
  #timers = new Map<string, number>();
  #timerOrder = 0;
  /** Durable records of the vote log. */
  log: VoteRecord[] = [];
  /** Durable blocks, by height from 1. */
  readonly chain = new Map<Height, StoredBlock>();
  /** Transactions in the durable blocks. */
  readonly #committed = new Set<string>();
  head: { height: Height; digest: Digest; timestampMs: number };
  /** Every proposal seen, and those whose bodies are durable. */
  readonly known = new Map<string, Proposal>();
  readonly bodies = new Set<string>();
  readonly reports = new Map<string, number>();
  readonly evidence: Extract<Effect, { readonly type: "evidence" }>[] = [];
  readonly halts: string[] = [];
  /** Every effect since the last start, for determinism checks. */
  trace: { readonly input: Input | "start"; readonly nowMs: number; effects: readonly Effect[] }[] =
    [];

  constructor(cluster: TestNodeHost, number: number, options: ReplicaOptions) {
    this.#cluster = cluster;
    this.number = number;
    this.options = options;
    this.head = { height: toHeight(0), digest: cluster.genesisDigest, timestampMs: 0 };
  }

  get alive(): boolean {
    return this.#replica !== null;
  }

  get replica(): Replica {
    if (this.#replica === null) throw new Error(`node ${this.number} is down`);
    return this.#replica;
  }

  start(abstain = false): void {
    const { height } = this.head;
    this.trace = [];
    const last = this.chain.get(height);
    const startedWith: ReplicaStart = {
      head: this.head,
      ...(last === undefined
        ? {}
        : { lastDecision: { ...last, validators: this.#cluster.validatorsAt(height) } }),
      validators: this.#cluster.rosterAt(height + 1, this.head.digest),
      nextValidators: this.#cluster.rosterAt(height + 2, this.head.digest),
      timing: this.#cluster.timingAt(height + 1),
      records: [...this.log],
      abstain,
    };
    this.startedWith = startedWith;
    this.#replica = createReplica(this.options, startedWith);
    const nowMs = this.#cluster.nowMs + this.#cluster.skewOf(this.number);
    const effects = this.#replica.start(nowMs);
    this.trace.push({ input: "start", nowMs, effects });
    this.#interpret(effects);
    this.feedWork();
  }

  /** What is not durable is gone, timers too. */
  crash(): void {
    this.#replica = null;
    this.#epoch++;
    this.#timers.clear();
  }

  feed(input: Input): void {
    if (this.#replica === null) return;
    const nowMs = this.#cluster.nowMs + this.#cluster.skewOf(this.number);
    const effects = this.#replica.step(input, nowMs);
    if (this.#cluster.options.trace) this.trace.push({ input, nowMs, effects });
    this.#interpret(effects);
  }

  feedWork(): void {
    this.feed({ type: "work", pending: this.#pendingOn(this.head.digest).length > 0 });
  }

  /** Transactions of the pool that are in no block up to `parent`. */
  #pendingOn(parent: Digest): readonly Uint8Array[] {
    const speculative = new Set<string>();
    let at: Digest = parent;
    for (;;) {
      const proposal = this.known.get(toHex(at));
      if (proposal === undefined || proposal.height <= this.head.height) break;
      collect(speculative, proposal);
      at = proposal.parentDigest;
    }
    const pool = this.#cluster.poolOf(this.number);
    return pool.filter((transaction) => {
      const text = toHex(transaction);
      return !this.#committed.has(text) && !speculative.has(text);
    });
  }

  /** Runs later unless the node crashes before. */
  #later(delayMs: number, run: () => void): void {
    const epoch = this.#epoch;
    this.#cluster.schedule(delayMs, () => {
      if (this.#epoch === epoch) run();
    });
  }

  #interpret(effects: readonly Effect[]): void {
    for (const effect of effects) this.#interpretOne(effect);
  }

  #interpretOne(effect: Effect): void {
    const { timing } = this.#cluster;
    switch (effect.type) {
      case "persist":
        this.#later(timing.fsyncMs(this.number), () => {
          this.log.push(...effect.records);
          this.feed({ type: "persisted", lsn: effect.lsn });
        });
        return;
      case "persist-body":
        this.bodies.add(toHex(effect.digest));
        return;
      case "broadcast":
        this.#broadcast(effect.message);
        return;
      case "send":
        this.#cluster.sendTo(this.number, effect.to, effect.message);
        return;
      case "set-timer":
        this.#setTimer(effect.timer, effect.delayMs);
        return;
      case "cancel-timer":
        this.#timers.delete(timerText(effect.timer));
        return;
      case "validate":
        this.known.set(toHex(effect.proposal.digest), effect.proposal);
        this.#later(timing.executeMs(this.number), () => this.#validate(effect.proposal));
        return;
      case "build-proposal":
        this.#later(timing.buildMs, () => this.#build(effect));
        return;
      case "decide":
        this.#commit(effect.proposal, effect.certificate);
        return;
      case "sync":
        this.#later(timing.syncMs, () => this.syncTo(effect.certificate.height));
        return;
      case "fetch-proposal":
        this.#later(timing.syncMs, () => this.#fetch(effect.digest));
        return;
      case "evidence":
        this.evidence.push(effect);
        this.#cluster.convict(effect);
        return;
      case "report":
        this.reports.set(effect.code, (this.reports.get(effect.code) ?? 0) + 1);
        return;
      case "halt":
        this.halts.push(effect.code);
        return;
    }
  }

  #broadcast(message: UnsignedMessage): void {
    this.#cluster.checks.vote(this.number, message, this.log);
    this.#cluster.broadcast(this.number, message);
  }

  #setTimer(timer: TimerKey, delayMs: number): void {
    const order = ++this.#timerOrder;
    this.#timers.set(timerText(timer), order);
    this.#later(delayMs, () => {
      if (this.#timers.get(timerText(timer)) !== order) return;
      this.#timers.delete(timerText(timer));
      this.feed({ type: "timer", timer });
    });
  }

  #validate(proposal: Proposal): void {
    const { height, digest } = proposal;
    const block = blockOf(proposal);
    const isInvalid =
      block === null || block.transactions.some((one) => equalBytes(one, INVALID_TRANSACTION));
    const valid = this.#cluster.options.judge?.(this.number, proposal) ?? !isInvalid;
    const outcome = valid
      ? ({ valid, successor: this.#successorOf(proposal) } as const)
      : ({ valid, code: "TEST_INVALID" } as const);
    this.feed({ type: "validated", height, digest, outcome });
  }

  /** What the state after a block names for the heights above it. */
  #successorOf(proposal: Proposal): Successor {
    const { height, digest } = proposal;
    this.#cluster.noteTurn(proposal);
    return {
      validatorsAfterNext: this.#cluster.rosterAt(height + 2, digest),
      timing: this.#cluster.timingAt(height + 1),
    };
  }

  #build(effect: Extract<Effect, { readonly type: "build-proposal" }>): void {
    const { height, view, parentDigest, parentTimestampMs, allowEmpty } = effect;
    const transactions = this.#pendingOn(parentDigest);
    const validators = this.#cluster.rosterAt(height, parentDigest);
    const nowMs = this.#cluster.nowMs + this.#cluster.skewOf(this.number);
    const proposal =
      transactions.length === 0 && !allowEmpty
        ? null
        : proposalOf({
            height,
            parentDigest,
            proposer: primaryOf(validators, height, view),
            timestampMs: Math.max(nowMs, parentTimestampMs + 1),
            validatorsHash: validators.hash,
            nextValidatorsHash: this.#cluster.validatorsAt(height + 1).hash,
            transactions,
          });
    if (proposal !== null) this.known.set(toHex(proposal.digest), proposal);
    this.feed({ type: "proposal-built", height, view, parentDigest, proposal });
  }

  #commit(proposal: Proposal, certificate: CommitCertificate): void {
    this.#later(this.#cluster.timing.commitMs(this.number), () => {
      if (proposal.height <= this.head.height) return;
      this.store({ proposal, certificate });
    });
  }

  /** Makes a block durable and tells the replica. */
  store({ proposal, certificate }: StoredBlock): void {
    const { height, digest, timestampMs } = proposal;
    this.#cluster.checks.decision(this.number, this.head.height, proposal, certificate);
    this.chain.set(height, { proposal, certificate });
    collect(this.#committed, proposal);
    this.head = { height, digest, timestampMs };
    this.log.push({ type: "decided", height, digest });
    const successor = this.#successorOf(proposal);
    this.feed({ type: "committed", height, digest, timestampMs, successor });
    this.feedWork();
  }

  /** Block sync: copies what a reachable node has, up to `height`. */
  syncTo(height: number): void {
    if (this.head.height >= height) return;
    const wanted = toHeight(this.head.height + 1);
    const source = this.#cluster.nodes.find(
      (node) => node.chain.has(wanted) && this.#cluster.canReach(node.number, this.number),
    );
    const block = source?.chain.get(wanted);
    if (block !== undefined) this.store(block);
    this.#later(block === undefined ? 200 : 1, () => this.syncTo(height));
  }

  #fetch(digest: Digest): void {
    const key = toHex(digest);
    const source = this.#cluster.nodes.find(
      (node) => node.known.has(key) && this.#cluster.canReach(node.number, this.number),
    );
    const proposal = source?.known.get(key);
    if (proposal !== undefined) this.feed({ type: "proposal-fetched", proposal });
  }

  /** A message from the wire whose signatures were found good. */
  receive(message: Message): void {
    if (message.type === "pre-prepare" || message.type === "decided") {
      const { proposal } = message;
      if (proposal !== null) {
        if (blockOf(proposal) === null) return;
        this.known.set(toHex(proposal.digest), proposal);
      }
    }
    this.feed({ type: "message", message });
  }
}

function collect(into: Set<string>, proposal: Proposal): void {
  for (const transaction of blockOf(proposal)?.transactions ?? []) into.add(toHex(transaction));
}

function timerText({ kind, height, view }: TimerKey): string {
  return `${kind}/${height}/${view}`;
}
