import { type BlockPipeline, createBlockPipeline } from "./block-pipeline.ts";
import { type ClockCheck, createClockCheck } from "./clock-check.ts";
import { createEvidenceFiles, type EvidenceFiles } from "./evidence-files.ts";
import { createEvidencePool, createEvidenceVerifier, type EvidencePool } from "./evidence-pool.ts";
import { createHistoryVerifier } from "./history-verifier.ts";
import { createMempool, type Mempool } from "./mempool.ts";
import { createInstruments, type EngineInstruments } from "./metrics.ts";
import { createOutcomes, type Outcomes } from "./outcomes.ts";
import { createPeerBudget, type PeerBudget } from "./peer-budget.ts";
import { createRecentProposals, type RecentProposals } from "./recent-proposals.ts";
import { createStatementMemory, type StatementMemory } from "./seen-statements.ts";
import {
  type ConsensusSignatures,
  createConsensusSignatures,
  createTransactionSignatures,
  type TransactionSignatures,
} from "./signature-memory.ts";
import { createTransactionFetcher, type TransactionFetcher } from "./transaction-fetch.ts";
import { createTransactionIntake, type TransactionIntake } from "./transaction-intake.ts";
import { createTransactionPusher, type TransactionPusher } from "./transaction-push.ts";
import type { EngineComponents, EngineOptions } from "./types.ts";
import { createValidatorDirectory, type ValidatorDirectory } from "./validator-directory.ts";
import { createWaitingWatch, type WaitingWatch } from "./waiting-watch.ts";

/** The parts of an engine that need nothing of its running replica. */
export interface EngineParts {
  readonly instruments: EngineInstruments;
  readonly mempool: Mempool;
  readonly outcomes: Outcomes;
  readonly budget: PeerBudget;
  readonly directory: ValidatorDirectory;
  readonly consensusSignatures: ConsensusSignatures;
  readonly transactionSignatures: TransactionSignatures;
  readonly proposals: RecentProposals;
  readonly statements: StatementMemory;
  readonly fetcher: TransactionFetcher;
  readonly pipeline: BlockPipeline;
  readonly evidence: EvidencePool;
  readonly evidenceFiles: EvidenceFiles;
  readonly pusher: TransactionPusher;
  readonly intake: TransactionIntake;
  readonly waiting: WaitingWatch;
  readonly clockCheck: ClockCheck;
}

/** Puts the parts together; `onAdded` hears when there is more to propose than before. */
export function createEngineParts(
  options: EngineOptions,
  components: EngineComponents,
  onAdded: () => void,
): EngineParts {
  const { ledger, network, clock, logger, signer, verifier } = components;
  const instruments = createInstruments(components.metrics);
  const mempool = createMempool(options.mempool);
  const directory = createValidatorDirectory(ledger, signer.publicKey, network.self);
  const consensusSignatures = createConsensusSignatures(verifier, instruments);
  const transactionSignatures = createTransactionSignatures(verifier, instruments);
  const budget = createPeerBudget(network, clock, logger);
  const shared = { ledger, mempool, network, clock, logger, instruments };
  const { requestTimeoutMs } = options;
  const fetcher = createTransactionFetcher({ ...shared, budget, requestTimeoutMs });
  const pusher = createTransactionPusher({
    ...shared,
    targets: () => directory.peersOf(directory.next(), []),
    batchBytes: options.pushBatchBytes,
    delayMs: options.pushDelayMs,
  });
  const signatures = transactionSignatures;
  const evidenceFiles = createEvidenceFiles(components.disk, logger);
  const evidence = createEvidencePool({
    ...shared,
    signatures: consensusSignatures,
    budget,
    directory,
    files: evidenceFiles,
    onAdded,
  });
  return {
    instruments,
    mempool,
    outcomes: createOutcomes(ledger, mempool, clock),
    budget,
    directory,
    consensusSignatures,
    transactionSignatures,
    proposals: createRecentProposals(network, logger, budget),
    statements: createStatementMemory(),
    fetcher,
    pipeline: createBlockPipeline({
      ...shared,
      fetcher,
      signatures,
      verifyHistory: createHistoryVerifier(ledger, consensusSignatures),
      verifyEvidence: createEvidenceVerifier(ledger, consensusSignatures),
      evidence,
      peersOf: directory.peersOf,
      indexIn: directory.indexIn,
    }),
    evidence,
    evidenceFiles,
    pusher,
    intake: createTransactionIntake({ ...shared, signatures, pusher, budget, onAdded }),
    waiting: createWaitingWatch(mempool, clock, logger, instruments),
    clockCheck: createClockCheck({
      ...shared,
      budget,
      validators: () => directory.peersOf(directory.next(), []),
      requestTimeoutMs,
    }),
  };
}
