import {
  type CommitCertificate,
  createReplica,
  defaultTiming,
  type Effect,
  type Input,
  type Message,
  type Proposal,
  type Replica,
  type ReplicaOptions,
  type ReplicaStart,
  type Roster,
  type Successor,
  type TimerKey,
  type Timing,
  type UnsignedMessage,
  type VoteRecord,
} from "@credlink/consensus-pbft";
import { equalBytes, toHex, type ValidatorIndex } from "@credlink/primitives";

/** Blocks are so far apart that the clock moves between them. */
const BLOCK_INTERVAL_MS = 10;
/** Timing of every height. */
export const TWINS_TIMING: Timing = { ...defaultTiming, minBlockIntervalMs: BLOCK_INTERVAL_MS };

/** What an instance needs of the network that it is part of. */
export interface TwinsHost {
  readonly nowMs: number;
  readonly head: ReplicaStart["head"];
  /** V(h) of every height; that of height 1 has the primaries of the script. */
  readonly roster: Roster;
  readonly scripted: Roster;
  readonly successor: Successor;
  optionsOf(key: ValidatorIndex): ReplicaOptions;
  hasWork(height: number): boolean;
  /** An instance is in a view of the scripted height. */
  noteView(view: number): void;
  enqueue(run: () => void): void;
  nextOrder(): number;
  heardBy(to: TwinsInstance): readonly TwinsInstance[];
  broadcast(from: TwinsInstance, message: UnsignedMessage): void;
  send(from: TwinsInstance, key: ValidatorIndex, message: UnsignedMessage): void;
  newProposal(
    from: TwinsInstance,
    effect: Extract<Effect, { readonly type: "build-proposal" }>,
  ): Proposal;
  decided(node: TwinsInstance, block: CommittedBlock): void;
  convict(effect: Extract<Effect, { readonly type: "evidence" }>): void;
  halted(node: TwinsInstance, code: string): void;
}

/** A block that an instance committed, with what proved it decided. */
export interface CommittedBlock {
  readonly proposal: Proposal;
  readonly certificate: CommitCertificate;
}

/**
 * One process of a scenario: the real replica in a shell without latency. Its vote log, blocks
 * and timers are its own even where its key is another's too.
 */
export class TwinsInstance {
  readonly number: number;
  readonly key: ValidatorIndex;
  readonly isHonest: boolean;
  readonly #network: TwinsHost;
  readonly #options: ReplicaOptions;
  #replica: Replica | null = null;
  #life = 0;
  /** Durable records of the vote log. */
  log: VoteRecord[] = [];
  /** Committed blocks, that of height 1 first. */
  readonly chain: CommittedBlock[] = [];
  readonly timers = new Map<string, { readonly timer: TimerKey; dueMs: number; order: number }>();
  readonly known = new Map<string, Proposal>();
  /** The view it is, or was last, in at the scripted height: what its messages are filtered by. */
  round = 0;
  /** Height that it was told to sync to. */
  syncTarget = 0;

  constructor(network: TwinsHost, number: number, key: ValidatorIndex, isHonest: boolean) {
    this.#network = network;
    this.number = number;
    this.key = key;
    this.isHonest = isHonest;
    this.#options = network.optionsOf(key);
  }

  get isUp(): boolean {
    return this.#replica !== null;
  }

  get height(): number {
    return this.chain.length;
  }

  get isAbstaining(): boolean {
    return this.#replica?.status.abstaining ?? false;
  }

  /** Where the replica stands, for reports. */
  describe(): string {
    const status = this.#replica?.status;
    if (status === undefined) return `${this.number}: down at height ${this.height}`;
    const { height, view, phase, abstaining, halted } = status;
    const marks = `${abstaining ? " abstaining" : ""}${halted ? " halted" : ""}`;
    return `${this.number}: height ${height}, view ${view} ${phase}${marks}`;
  }

  /** Starts the replica on the vote log as it is; `shown` are votes of its key that peers saw. */
  start(shown: readonly Message[] = []): void {
    const { head, roster, scripted } = this.#network;
    const last = this.chain.at(-1);
    const start: ReplicaStart = {
      head: last?.proposal ?? head,
      ...(last === undefined ? {} : { lastDecision: { ...last, validators: roster } }),
      validators: last === undefined ? scripted : roster,
      nextValidators: roster,
      timing: TWINS_TIMING,
      records: [...this.log],
      abstain: false,
    };
    this.#replica = createReplica(this.#options, start);
    const effects = this.#replica.start(this.#network.nowMs);
    // The shell sends nothing before peers have shown what they saw of this key.
    const answers = shown.map((message) => this.#step({ type: "message", message }));
    if (!this.isAbstaining) this.#interpret(effects);
    for (const answer of answers) this.#interpret(answer);
    this.feedWork();
  }

  /** Remembers a block that came along with a pre-prepare, for whoever must fetch it. */
  note(proposal: Proposal): void {
    this.known.set(toHex(proposal.digest), proposal);
  }

  /** The process is gone, with everything that waited for it. */
  stop(): void {
    this.#replica = null;
    this.#life++;
    this.timers.clear();
  }

  feedWork(): void {
    this.feed({ type: "work", pending: this.#network.hasWork(this.height) });
  }

  feed(input: Input): void {
    this.#interpret(this.#step(input));
  }

  #step(input: Input): readonly Effect[] {
    if (this.#replica === null) return [];
    const effects = this.#replica.step(input, this.#network.nowMs);
    const { status } = this.#replica;
    if (status.height === 1) this.#enter(status.view);
    return effects;
  }

  #enter(view: number): void {
    this.round = view;
    this.#network.noteView(view);
  }

  /** Feeds later, when what is on its way already has arrived. */
  #later(input: Input, before?: () => void): void {
    const life = this.#life;
    this.#network.enqueue(() => {
      if (life !== this.#life) return;
      before?.();
      this.feed(input);
    });
  }

  #interpret(effects: readonly Effect[]): void {
    for (const effect of effects) this.#interpretOne(effect);
  }

  #interpretOne(effect: Effect): void {
    switch (effect.type) {
      case "persist":
        this.#later({ type: "persisted", lsn: effect.lsn }, () => this.log.push(...effect.records));
        return;
      case "persist-body":
      case "report":
        return;
      case "broadcast":
        this.#network.broadcast(this, effect.message);
        return;
      case "send":
        this.#network.send(this, effect.to, effect.message);
        return;
      case "set-timer":
        this.timers.set(timerText(effect.timer), {
          timer: effect.timer,
          dueMs: this.#network.nowMs + effect.delayMs,
          order: this.#network.nextOrder(),
        });
        return;
      case "cancel-timer":
        this.timers.delete(timerText(effect.timer));
        return;
      case "validate":
        this.#validate(effect.proposal);
        return;
      case "build-proposal":
        this.#build(effect);
        return;
      case "decide":
        this.#later({ type: "work", pending: false }, () => this.commit(effect));
        return;
      case "sync":
        this.syncTarget = Math.max(this.syncTarget, effect.certificate.height);
        return;
      case "fetch-proposal":
        this.#fetch(effect.digest);
        return;
      case "evidence":
        this.#network.convict(effect);
        return;
      case "halt":
        this.#network.halted(this, effect.code);
        return;
    }
  }

  #validate(proposal: Proposal): void {
    const { height, digest } = proposal;
    this.known.set(toHex(digest), proposal);
    const outcome = { valid: true, successor: this.#network.successor } as const;
    this.#later({ type: "validated", height, digest, outcome });
  }

  #build(effect: Extract<Effect, { readonly type: "build-proposal" }>): void {
    const { height, view, parentDigest } = effect;
    const isIdle = !this.#network.hasWork(this.height) && !effect.allowEmpty;
    const proposal = isIdle ? null : this.#network.newProposal(this, effect);
    if (proposal !== null) this.known.set(toHex(proposal.digest), proposal);
    this.#later({ type: "proposal-built", height, view, parentDigest, proposal });
  }

  #fetch(digest: Proposal["digest"]): void {
    const key = toHex(digest);
    const source = this.#network.heardBy(this).find(({ known }) => known.has(key));
    const proposal = source?.known.get(key);
    if (proposal !== undefined) this.#later({ type: "proposal-fetched", proposal });
  }

  /** Makes a block durable and tells the replica. */
  commit({ proposal, certificate }: CommittedBlock): void {
    const { height, digest, timestampMs } = proposal;
    if (height <= this.height) return;
    this.#network.decided(this, { proposal, certificate });
    this.chain.push({ proposal, certificate });
    this.log.push({ type: "decided", height, digest });
    const { successor } = this.#network;
    this.feed({ type: "committed", height, digest, timestampMs, successor });
    this.feedWork();
  }

  /** Block sync: takes from a peer that it hears what it was told of, or is two blocks behind. */
  catchUp(): boolean {
    const before = this.height;
    for (const peer of this.#network.heardBy(this)) {
      const wanted = peer.height >= this.height + 2 ? peer.height : this.syncTarget;
      while (this.height < Math.min(wanted, peer.height)) {
        const next = peer.chain[this.height];
        if (next === undefined || !this.#follows(next)) break;
        this.commit(next);
      }
    }
    return this.height > before;
  }

  #follows({ proposal }: CommittedBlock): boolean {
    const head = this.chain.at(-1)?.proposal.digest ?? this.#network.head.digest;
    return equalBytes(proposal.parentDigest, head);
  }
}

function timerText({ kind, height, view }: TimerKey): string {
  return `${kind}/${height}/${view}`;
}
