import {
  type Message,
  type Proposal,
  type ReplicaStart,
  type ReplicaStatus,
  type Roster,
  retransmissionTimes,
  type SignedVote,
  type VoteRecord,
} from "@credlink/consensus-pbft";
import {
  type Digest,
  equalBytes,
  type Height,
  invariant,
  type PeerId,
  refuse,
  height as toHeight,
} from "@credlink/primitives";
import { type ChainWriter, type Committed, createChainWriter } from "./chain-writer.ts";
import { type CommitReactions, createCommitReactions } from "./commit-reactions.ts";
import { type ConsensusDriver, createConsensusDriver, type Decision } from "./consensus-driver.ts";
import { holdingsOf } from "./engine-holdings.ts";
import { createEngineParts, type EngineParts } from "./engine-parts.ts";
import { EngineError } from "./errors.ts";
import { openVoteLogOf } from "./fresh-key.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { createKeySharing, type KeySharing } from "./key-sharing.ts";
import { createMessageDoor } from "./message-door.ts";
import { attachmentsOf, createProposal, createProposalOf } from "./proposal-payload.ts";
import { CONSENSUS_PROTOCOL, MAX_CONSENSUS_BYTES } from "./protocols.ts";
import { createReadiness, type Readiness } from "./readiness.ts";
import { createRecovery, type Recovery } from "./recovery.ts";
import { createReplicaGate, statusBeforeReplica } from "./replica-gate.ts";
import { replicaOptionsOf, successorOf, timingAfter } from "./replica-options.ts";
import { createSeenVotes } from "./seen-votes.ts";
import { createShownVotes, type ShownVotes } from "./shown-votes.ts";
import { createSync, type Sync } from "./sync.ts";
import type { SubmitResult } from "./transaction-intake.ts";
import type {
  CommittedBlock,
  Engine,
  EngineComponents,
  EngineHoldings,
  EngineOptions,
  EngineStatus,
  TransactionOutcome,
} from "./types.ts";
import { noteHead, type VoteLog } from "./vote-log.ts";
import { highestDecided } from "./vote-log-opening.ts";

/** Folder of the vote log on the node's disk. */
export const VOTE_LOG_FOLDER = "votes";

class NodeEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #components: EngineComponents;
  readonly #parts: EngineParts;
  readonly #writer: ChainWriter;
  readonly #sync: Sync;
  readonly #gate: ReturnType<typeof createReplicaGate>;
  readonly #seenVotes = createSeenVotes();
  readonly #shownVotes: ShownVotes;
  readonly #recovery: Recovery;
  readonly #keySharing: KeySharing;
  /** Votes shown to us that a block has made judgeable: the next block waits for their judgement. */
  #judging: Promise<void> | null = null;
  readonly #reactions: CommitReactions;
  readonly #readiness: Readiness;
  #voteLog: VoteLog | null = null;
  #driver: ConsensusDriver | null = null;
  /** The head's block while no replica runs: one that starts answers peers that still decide it. */
  #headProposal: Proposal | null = null;
  /** Transactions and pieces of evidence in blocks that are decided and not yet committed. */
  #deciding = 0;
  #stopHousekeeping: (() => void) | null = null;
  #isStopped = false;
  #stopping: Promise<void> | null = null;

  constructor(options: EngineOptions, components: EngineComponents) {
    this.#options = options;
    this.#components = components;
    this.#parts = createEngineParts(options, components, () => this.#feedWork());
    const { ledger, logger, network } = components;
    const { pipeline, consensusSignatures: signatures, directory } = this.#parts;
    this.#gate = createReplicaGate(network.self, directory.next);
    const voting = {
      ...components,
      directory,
      voteLog: () => this.#voteLog,
      replica: () => this.#driver,
      onFatal: (error: Error) => this.#fail(error),
    };
    this.#shownVotes = createShownVotes({ ...voting, signatures });
    const onAnswer = (): void => this.#tryStartReplica();
    this.#keySharing = createKeySharing({ ...options, ...this.#parts, ...voting, onAnswer });
    this.#recovery = createRecovery({
      ...components,
      address: options.nodeAddress,
      submit: (transaction) => this.submit(transaction),
      isAbstaining: () =>
        this.status().replica.abstaining &&
        !this.#keySharing.isShared &&
        directory.indexIn(directory.next()) !== null,
    });
    this.#reactions = createCommitReactions(this.#parts, components.clock, {
      appendDecided: (block) => this.#appendDecided(block),
      voteLog: () => this.#voteLog,
      onAcknowledged: () => this.#sync.announceHead(),
      onFatal: (error) => this.#fail(error),
      isStopped: () => this.#isStopped,
    });
    this.#writer = createChainWriter(
      ledger,
      {
        beforeCommit: async () => {
          await this.#judging;
          await this.#reactions.decidedDurable();
        },
        seenOf: (height) => this.#parts.statements.take(height),
        onDurable: (block) => this.#onDurable(block),
        onFatal: (error) => this.#fail(error),
      },
      logger,
    );
    this.#sync = createSync({
      ...components,
      ...this.#parts,
      pipeline,
      writer: this.#writer,
      signatures,
      requestTimeoutMs: options.requestTimeoutMs,
      seenVoteOf: (peer) => this.#seenVotes.of(peer),
      votedOnHead: (peer) => {
        const set = directory.at(ledger.head.header.height);
        return set?.validators.some(({ peerId }) => peerId === peer) ?? false;
      },
      hearsVotes: () => this.#driver !== null && directory.indexIn(directory.next()) !== null,
      onStatus: (peer, height, vote) => void this.#onStatus(peer, height, vote),
    });
    this.#readiness = this.#createReadiness();
  }

  /** A node whose key is enrolled and stands in no list says so once it has caught up. */
  #createReadiness(): Readiness {
    const { network } = this.#components;
    return createReadiness({
      ...this.#components,
      self: network.self,
      isSyncing: () => this.#sync.isSyncing,
      submit: (transaction) => this.submit(transaction),
    });
  }

  async start(): Promise<void> {
    const { ledger, disk, clock, logger, signer } = this.#components;
    const { instruments, fetcher, proposals, intake, evidence } = this.#parts;
    invariant(this.#voteLog === null, "an engine starts once");
    const voteLog = await openVoteLogOf(signer.publicKey, ledger, {
      ...{ disk, folder: VOTE_LOG_FOLDER, clock, logger, instruments },
      segmentBytes: this.#options.voteLogSegmentBytes,
    });
    await noteHead(voteLog, ledger.head.header.height, ledger.head.digest);
    this.#voteLog = voteLog;
    const sealed = await ledger.block(ledger.head.header.height);
    if (sealed !== null) {
      const bytes = sealed.transactions.reduce((sum, { length }) => sum + length, 0);
      this.#headProposal = createProposalOf(sealed.block, sealed.digest, bytes);
    }
    for (const record of voteLog.records) {
      if (record.type === "commit-voted") proposals.remember(record.proposal);
    }
    instruments.height.set(ledger.head.header.height);
    await evidence.load();
    evidence.serve();
    fetcher.serve();
    proposals.serve();
    intake.serve();
    this.#parts.clockCheck.serve();
    this.#openDoor();
    this.#sync.start();
    this.#keySharing.start();
    this.#stopHousekeeping = this.#housekeep();
    this.#tryStartReplica();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopHousekeeping?.();
    this.#driver?.stop();
    this.#parts.intake.stop();
    this.#sync.stop();
    this.#keySharing.stop();
    await this.#writer.drain();
    await this.#voteLog?.close();
    await this.#parts.evidenceFiles.close();
    this.#parts.outcomes.stop();
  }

  async submit(transaction: Uint8Array): Promise<SubmitResult> {
    if (this.#isStopped || this.#voteLog === null) return refuse("NODE_ENGINE_STOPPED");
    return this.#parts.intake.submit(transaction);
  }

  async outcome(id: Digest): Promise<TransactionOutcome> {
    return this.#parts.outcomes.of(id);
  }

  waitFor(id: Digest, timeoutMs: number): Promise<TransactionOutcome> {
    return this.#parts.outcomes.waitFor(id, timeoutMs);
  }

  status(): EngineStatus {
    const { header, digest: headDigest } = this.#components.ledger.head;
    const { mempool, waiting, clockCheck } = this.#parts;
    return {
      height: header.height,
      headDigest,
      stateRoot: header.stateRoot,
      headTimestampMs: header.timestampMs,
      replica: this.#driver?.status ?? this.#statusBefore(),
      replicaRuns: this.#driver !== null,
      syncing: this.#sync.isSyncing,
      toldHeight: this.#sync.toldHeight,
      keyShared: this.#keySharing.isShared,
      mempool: {
        transactions: mempool.size,
        bytes: mempool.bytes,
        oldestMs: Math.round(waiting.oldestMs()),
      },
      clockOffsetMs: clockCheck.offsetMs(),
    };
  }

  pending(): readonly Uint8Array[] {
    const { mempool } = this.#parts;
    return mempool.oldest(Infinity, Infinity).map(({ transaction }) => transaction.bytes);
  }

  holdings(): EngineHoldings {
    return holdingsOf(this.#parts, this.#seenVotes, this.#shownVotes);
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    return this.#reactions.onCommit(listener);
  }

  /** V(height) with its primaries, for the two heights above the head. */
  #rosterAt(height: number): Roster {
    const { ledger } = this.#components;
    const roster = ledger.rosterOn(ledger.head.digest, toHeight(height));
    invariant(roster !== null, "validators are known two heights ahead");
    return roster;
  }

  #statusBefore(): ReplicaStatus {
    const { directory } = this.#parts;
    const height = toHeight(this.#components.ledger.head.header.height + 1);
    const isUntrusted = (this.#voteLog?.abstain ?? null) !== null;
    const roster = this.#rosterAt(height);
    return statusBeforeReplica(roster, height, directory.indexIn(roster), isUntrusted);
  }

  #openDoor(): void {
    const { network, ledger } = this.#components;
    const receive = createMessageDoor({
      ...this.#components,
      ...this.#parts,
      chainId: ledger.chainId,
      genesisDigest: ledger.genesisDigest,
      signatures: this.#parts.consensusSignatures,
      status: () => this.#driver?.status ?? null,
      validatorsAt: this.#parts.directory.at,
      isConvicted: (...place) => this.#parts.evidence.isConvicted(...place),
      sinceAdvanceMs: () => this.#driver?.sinceAdvanceMs() ?? 0,
      lateMs: retransmissionTimes(this.#options.timeouts.minTimeoutMs).lateMs,
      deliver: (from, message) => {
        this.#seenVotes.note(from, message);
        this.#driver?.feed({ type: "message", message });
      },
      onAhead: (from) => this.#sync.ask(from.id),
      onLag: (height) => this.#sync.require(height),
    });
    network.onMessage(CONSENSUS_PROTOCOL, { maxBytes: MAX_CONSENSUS_BYTES }, receive);
  }

  async #onStatus(peer: PeerId, height: number, vote: Message | null): Promise<void> {
    this.#readiness.onStatus(peer, height);
    try {
      if (vote !== null) await this.#shownVotes.take(peer, vote);
    } catch (error) {
      // Not heard until it can be judged; the peer shows it again in a second.
      this.#components.logger.warn("shown vote not judged", { peer, error });
      return;
    }
    if (this.#isStopped || this.#driver !== null) return;
    this.#gate.onStatus(peer, height);
    this.#tryStartReplica();
  }

  #tryStartReplica(): void {
    const { ledger } = this.#components;
    const set = this.#parts.directory.next();
    const head = ledger.head.header.height;
    if (this.#driver !== null || this.#voteLog === null || this.#isStopped) return;
    // After a repair the chain may end below what was decided: votes there are forgotten.
    if (head < highestDecided(this.#voteLog.records)) return;
    if (!this.#gate.isOpen(set, head) || !this.#keySharing.isClear(set)) return;
    this.#driver = this.#createDriver(this.#voteLog);
    this.#headProposal = null;
    this.#driver.start();
    this.#feedWork();
    this.#components.logger.info("replica started", { height: head + 1 });
  }

  #createDriver(voteLog: VoteLog): ConsensusDriver {
    const { ledger, createReplica } = this.#components;
    const { directory, consensusSignatures: signatures } = this.#parts;
    const { header, digest } = ledger.head;
    const timing = timingAfter(ledger, digest);
    invariant(timing !== null, "the head's parameters are known");
    const options = replicaOptionsOf(ledger, this.#options, this.#components.signer.publicKey);
    const replica = createReplica(options, {
      head: { height: header.height, digest, timestampMs: header.timestampMs },
      validators: this.#rosterAt(header.height + 1),
      nextValidators: this.#rosterAt(header.height + 2),
      timing,
      ...this.#lastDecision(),
      records: voteLog.records,
      abstain: voteLog.abstain !== null,
    });
    return createConsensusDriver({
      ...this.#components,
      ...this.#parts,
      chainId: ledger.chainId,
      genesisDigest: ledger.genesisDigest,
      replica,
      voteLog,
      signatures,
      requestTimeoutMs: this.#options.requestTimeoutMs,
      validatorsAt: directory.at,
      peersOf: directory.peersOf,
      attachmentsOf: (digest) => attachmentsOf(ledger, digest),
      onDecide: (decision) => this.#onDecide(decision),
      onSync: ({ height }) => this.#sync.require(height),
      onEvidence: (first, second) => this.#onEvidence(first, second),
      onFatal: (error) => this.#fail(error),
    });
  }

  /** How the head was decided; nothing at height 0, which nobody decides. */
  #lastDecision(): Pick<ReplicaStart, "lastDecision"> {
    const { header, digest } = this.#components.ledger.head;
    const certificate = this.#components.ledger.certificate(header.height);
    const validators = this.#parts.directory.at(header.height);
    const proposal = this.#headProposal;
    if (header.height === 0 || certificate === null || validators === null) return {};
    if (proposal === null || !equalBytes(proposal.digest, digest)) return {};
    return { lastDecision: { certificate, proposal, validators } };
  }

  #onDecide({ proposal, certificate, justification }: Decision): void {
    const { ledger } = this.#components;
    this.#parts.directory.onDecided(proposal.digest);
    const sealed = ledger.candidate(proposal.digest)?.sealed;
    const carried = proposal.transactionCount + (sealed?.block.body.evidence.length ?? 0);
    this.#deciding += carried;
    void this.#writer
      .commit("consensus", proposal.height, async () => {
        const candidate = ledger.candidate(proposal.digest);
        invariant(candidate !== null, "a block is validated before it is decided");
        return { candidate, certificate, justification };
      })
      .finally(() => {
        this.#deciding -= carried;
        this.#feedWork();
      });
  }

  #onDurable(block: Committed): void {
    this.#reactions.onDurable(block);
    this.#judging = this.#shownVotes.onHead();
    if (this.#judging === null) this.#afterDurable(block);
    else this.#judging = this.#judging.then(() => this.#afterDurable(block));
  }

  #afterDurable({ height, digest, timestampMs, candidate }: Committed): void {
    const successor = successorOf(this.#components.ledger, candidate);
    invariant(successor !== null, "the block that was just committed is the head");
    const nextValidators = this.#rosterAt(height + 1);
    this.#driver?.feed({
      type: "committed",
      height,
      digest,
      timestampMs,
      nextValidators,
      successor,
    });
    this.#parts.pipeline.onHead();
    this.#parts.evidence.onCommitted(candidate.sealed.block.body.evidence);
    this.#feedWork();
    if (this.#driver !== null) return;
    this.#headProposal = createProposal(candidate);
    this.#tryStartReplica();
  }

  /** Without a replica nothing else is appended, so the log itself keeps the order. */
  async #appendDecided(block: Committed): Promise<void> {
    const { height, digest } = block;
    const record = { type: "decided", height, digest } as const;
    const witnessed = this.#recovery.witnessedBy(block);
    const { replica, keyShared } = this.status();
    if (witnessed !== null && replica.abstaining && !keyShared) {
      return this.#recover(witnessed, record);
    }
    if (this.#driver !== null) await this.#driver.appendDecided(height, digest);
    else await this.#voteLog?.append([record]);
  }

  /** A committed block holds our nonce: a new log is begun, and then we vote again. */
  async #recover(height: Height, decided: VoteRecord): Promise<void> {
    await this.#voteLog?.renew([{ type: "recovered", height }, decided]);
    this.#parts.instruments.recoveries.add();
    this.#components.logger.warn("validator recovered", { height });
    this.#driver?.feed({ type: "recovered", height });
    // A second process may have been found while the log was begun anew.
    this.#keySharing.enforce();
    this.#tryStartReplica();
  }

  #feedWork(): void {
    const pending = this.#parts.mempool.size + this.#parts.evidence.pending > this.#deciding;
    this.#parts.instruments.mempoolTransactions.set(this.#parts.mempool.size);
    this.#parts.instruments.mempoolBytes.set(this.#parts.mempool.bytes);
    this.#driver?.feed({ type: "work", pending });
  }

  #housekeep(): () => void {
    const { pusher, waiting, clockCheck, evidence } = this.#parts;
    return startHousekeeping(this.#components.clock, [
      () => pusher.pushAgain(),
      () => waiting.tick(),
      () => clockCheck.tick(),
      () => evidence.sendAgain(),
      () => void this.#readiness.tick().catch(this.#readinessFailed),
      () => this.#recovery.tick(),
      () => this.#keySharing.tick(),
    ]);
  }

  readonly #readinessFailed = (error: unknown): void => {
    this.#components.logger.error("ready could not be said", { error });
  };

  #onEvidence(first: SignedVote, second: SignedVote): void {
    const { height, sender } = first;
    this.#components.logger.error("validator contradicted itself", {
      height,
      sender,
      first: first.type,
      second: second.type,
    });
    this.#parts.evidence.found(first, second);
  }

  #fail(error: Error): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#driver?.stop();
    this.#parts.intake.stop();
    this.#sync.stop();
    this.#keySharing.stop();
    this.#stopHousekeeping?.();
    const code = error instanceof EngineError ? error.code : "unknown";
    this.#components.logger.error("engine stopped by a fault", { code, error });
    this.#components.onFatal(error);
  }
}

/**
 * Puts a node's engine together: consensus driver, mempool, block pipeline and sync over the
 * components given. It does nothing before `start`, and nothing after `stop` or a fatal fault.
 * Callers read what went wrong from `components.onFatal`: an EngineError, or an InvariantError.
 */
export function createEngine(options: EngineOptions, components: EngineComponents): Engine {
  return new NodeEngine(options, components);
}
