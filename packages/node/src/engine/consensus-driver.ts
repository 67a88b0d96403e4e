import {
  type CommitCertificate,
  type Effect,
  encodeMessage,
  type Input,
  type Message,
  type Replica,
  type ReplicaStatus,
  type SignedVote,
  signedPayload,
  type UnsignedMessage,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import {
  assertNever,
  type Clock,
  type Digest,
  type Height,
  type Logger,
  type Network,
  type PeerId,
  type Signer,
  type ValidatorIndex,
} from "@credlink/primitives";
import type { BlockPipeline } from "./block-pipeline.ts";
import { EngineError } from "./errors.ts";
import type { EngineInstruments } from "./metrics.ts";
import { CONSENSUS_PROTOCOL } from "./protocols.ts";
import type { RecentProposals } from "./recent-proposals.ts";
import { createReplicaTimers, type ReplicaTimers } from "./replica-timers.ts";
import type { StatementMemory } from "./seen-statements.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";
import type { VoteLog } from "./vote-log.ts";

/** A block that the replica decided. */
export type Decision = Extract<Effect, { readonly type: "decide" }>;

/** What the driver works with. */
export interface DriverComponents {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly replica: Replica;
  readonly pipeline: BlockPipeline;
  readonly voteLog: VoteLog;
  readonly network: Network;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly signatures: ConsensusSignatures;
  readonly proposals: RecentProposals;
  /** Hears every verified message and every one of our own. */
  readonly statements: StatementMemory;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly requestTimeoutMs: number;
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  readonly peersOf: (set: ValidatorSet, first: readonly ValidatorIndex[]) => readonly PeerId[];
  /** Signed transactions that should travel along with a proposal of ours. */
  readonly attachmentsOf: (digest: Digest) => readonly Uint8Array[];
  /** The replica decided: commit, then feed `committed`. */
  readonly onDecide: (decision: Decision) => void;
  /** The replica needs blocks up to this proven height. */
  readonly onSync: (certificate: CommitCertificate) => void;
  readonly onEvidence: (first: SignedVote, second: SignedVote) => void;
  readonly onFatal: (error: Error) => void;
}

/** Runs one replica: feeds it input by input and does what it asks, in its order. */
export interface ConsensusDriver {
  start(): void;
  /** Queues an input; it is handled before this returns unless another one is being handled. */
  feed(input: Input): void;
  /** Appends a record of the shell to the vote log, behind all that the replica asked for. */
  appendDecided(height: Height, digest: Digest): Promise<void>;
  readonly status: ReplicaStatus;
  /** Monotonic milliseconds since the replica's height last changed. */
  sinceAdvanceMs(): number;
  /** No input is handled and no timer fires from now on. */
  stop(): void;
}

class Driver implements ConsensusDriver {
  readonly #parts: DriverComponents;
  readonly #inputs: Input[] = [];
  readonly #timers: ReplicaTimers;
  #isStepping = false;
  #isStopped = false;
  #height = 0;
  #advancedAtMs = 0;
  /** Bodies being made durable: the next `persist` waits for them. */
  #bodies: Promise<void> = Promise.resolve();
  /** Appends to the vote log keep the replica's order even while one waits for bodies. */
  #appends: Promise<unknown> = Promise.resolve();
  /** Signing and sending keep the replica's order. */
  #outgoing: Promise<void> = Promise.resolve();

  constructor(parts: DriverComponents) {
    this.#parts = parts;
    this.#timers = createReplicaTimers(parts.clock, (timer) => this.feed({ type: "timer", timer }));
    this.#height = parts.replica.status.height;
    this.#advancedAtMs = parts.clock.monotonicMs();
  }

  get status(): ReplicaStatus {
    return this.#parts.replica.status;
  }

  sinceAdvanceMs(): number {
    return this.#parts.clock.monotonicMs() - this.#advancedAtMs;
  }

  start(): void {
    this.#isStepping = true;
    this.#runAll(this.#parts.replica.start(this.#parts.clock.nowMs()));
    this.#isStepping = false;
    this.#drain();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.cancelAll();
  }

  feed(input: Input): void {
    if (input.type === "message") this.#parts.statements.note(input.message);
    this.#inputs.push(input);
    if (!this.#isStepping) this.#drain();
  }

  async appendDecided(height: Height, digest: Digest): Promise<void> {
    const { voteLog } = this.#parts;
    const append = this.#appends.then(() => ({
      durable: voteLog.append([{ type: "decided", height, digest }]),
    }));
    this.#appends = append;
    await (await append).durable;
  }

  #drain(): void {
    this.#isStepping = true;
    for (;;) {
      const input = this.#inputs.shift();
      if (input === undefined || this.#isStopped) break;
      this.#runAll(this.#parts.replica.step(input, this.#parts.clock.nowMs()));
    }
    this.#isStepping = false;
    this.#observe();
  }

  #observe(): void {
    const { status } = this.#parts.replica;
    if (status.height !== this.#height) {
      this.#height = status.height;
      this.#advancedAtMs = this.#parts.clock.monotonicMs();
    }
    this.#parts.instruments.view.set(status.view);
    this.#parts.instruments.abstaining.set(status.abstaining ? 1 : 0);
  }

  #runAll(effects: readonly Effect[]): void {
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: Effect): void {
    const parts = this.#parts;
    switch (effect.type) {
      case "persist":
        this.#persist(effect);
        return;
      case "persist-body":
        this.#bodies = parts.pipeline.persistBodies(effect.digest).catch(this.#storeFailed);
        return;
      case "broadcast":
        this.#emit(effect.message, null);
        return;
      case "send":
        this.#emit(effect.message, effect.to);
        return;
      case "set-timer":
        this.#timers.set(effect.timer, effect.delayMs);
        return;
      case "cancel-timer":
        this.#timers.cancel(effect.timer);
        return;
      case "validate":
        parts.proposals.remember(effect.proposal);
        this.#answer(parts.pipeline.validate(effect));
        return;
      case "build-proposal":
        this.#answer(parts.pipeline.build(effect));
        return;
      case "fetch-proposal":
        this.#answer(this.#fetchProposal(effect));
        return;
      case "decide":
        parts.onDecide(effect);
        return;
      case "sync":
        parts.onSync(effect.certificate);
        return;
      case "evidence":
        parts.instruments.evidence.add();
        parts.onEvidence(effect.first, effect.second);
        return;
      case "report":
        this.#report(effect);
        return;
      case "halt": {
        const text = `replica halted: ${effect.code} at height ${effect.height}`;
        parts.logger.error("replica halted", { code: effect.code, height: effect.height });
        parts.onFatal(new EngineError("NODE_EXECUTION_DIVERGED", text));
        return;
      }
      default:
        assertNever(effect);
        return;
    }
  }

  #persist(effect: Extract<Effect, { readonly type: "persist" }>): void {
    const { voteLog } = this.#parts;
    const bodies = this.#bodies;
    this.#appends = this.#appends.then(async () => {
      await bodies;
      // Not awaited: the next append joins this one's sync instead of waiting for it.
      void voteLog
        .append(effect.records)
        .then(() => this.feed({ type: "persisted", lsn: effect.lsn }), this.#storeFailed);
    });
  }

  readonly #storeFailed = (cause: unknown): void => {
    const known = cause instanceof EngineError;
    const error = new EngineError("NODE_STORE_FAILED", "bodies or votes not durable", { cause });
    this.#parts.onFatal(known ? cause : error);
  };

  #emit(unsigned: UnsignedMessage, to: ValidatorIndex | null): void {
    this.#outgoing = this.#outgoing.then(async () => {
      try {
        await this.#signAndSend(unsigned, to);
      } catch (cause) {
        const text = "a consensus message was not signed";
        this.#parts.onFatal(new EngineError("NODE_SIGNER_FAILED", text, { cause }));
      }
    });
  }

  async #signAndSend(unsigned: UnsignedMessage, to: ValidatorIndex | null): Promise<void> {
    const height = unsigned.type === "decided" ? unsigned.certificate.height : unsigned.height;
    const set = this.#parts.validatorsAt(height);
    if (set === null || this.#isStopped) return;
    const message = await this.#sign(unsigned, set);
    if (this.#isStopped) return;
    if (to === null) this.feed({ type: "message", message });
    const bytes = encodeMessage(this.#withAttachments(message));
    const { network } = this.#parts;
    for (const [index, { peerId }] of set.validators.entries()) {
      if (peerId === network.self || (to !== null && index !== to)) continue;
      network.send(peerId, CONSENSUS_PROTOCOL, bytes);
    }
  }

  async #sign(unsigned: UnsignedMessage, set: ValidatorSet): Promise<Message> {
    if (unsigned.type === "decided") return unsigned;
    const { chainId, genesisDigest, signer, signatures, proposals } = this.#parts;
    const payload = signedPayload({ chainId, genesisDigest, validatorsHash: set.hash }, unsigned);
    const signature = await signer.sign(payload);
    signatures.remember({ publicKey: signer.publicKey, message: payload, signature });
    if (unsigned.type === "pre-prepare") proposals.remember(unsigned.proposal);
    return { ...unsigned, signature };
  }

  /** Small blocks carry their transactions: nobody then has to ask for them. */
  #withAttachments(message: Message): Message {
    if (message.type !== "pre-prepare" || message.transactions.length > 0) return message;
    return { ...message, transactions: this.#parts.attachmentsOf(message.digest) };
  }

  #answer(work: Promise<Input | null>): void {
    work.then(
      (input) => {
        if (input !== null) this.feed(input);
      },
      (cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        if (!this.#isStopped) this.#parts.onFatal(error);
      },
    );
  }

  async #fetchProposal(
    effect: Extract<Effect, { readonly type: "fetch-proposal" }>,
  ): Promise<Input | null> {
    const { proposals, requestTimeoutMs, peersOf } = this.#parts;
    const set = this.#parts.validatorsAt(effect.height);
    if (set === null) return null;
    const peers = peersOf(set, effect.holders);
    const proposal = await proposals.fetch(effect.digest, peers, requestTimeoutMs);
    return proposal === null ? null : { type: "proposal-fetched", proposal };
  }

  #report(effect: Extract<Effect, { readonly type: "report" }>): void {
    const { code, height, view, detail } = effect;
    this.#parts.instruments.replicaReports.add(1, { code });
    this.#parts.logger.debug("replica report", { code, height, view, detail });
  }
}

/** Makes the driver of one replica. */
export function createConsensusDriver(parts: DriverComponents): ConsensusDriver {
  return new Driver(parts);
}
