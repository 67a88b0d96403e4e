import type { Effect, ValidatorSet } from "@credlink/consensus-pbft";
import {
  type ConsensusLedger,
  createReplayGuard,
  type DecodedTransaction,
  type SealedCandidate,
  type SignatureClaim,
} from "@credlink/ledger";
import { type Clock, equalBytes, invariant, type ValidatorIndex } from "@credlink/primitives";
import type { EvidencePool } from "./evidence-pool.ts";
import type { BlockCaps, Mempool } from "./mempool.ts";
import type { TransactionSignatures } from "./signature-memory.ts";

type BuildEffect = Extract<Effect, { readonly type: "build-proposal" }>;

/** Room that a block's encoding needs beside its transactions: header, history's frame, lists. */
const BLOCK_OVERHEAD_BYTES = 4 * 1024;
/** What naming one transaction costs a block, beside its own bytes. */
const PER_TRANSACTION_BYTES = 40;

/** What assembling needs of the node. */
export interface AssemblyComponents {
  readonly ledger: ConsensusLedger;
  readonly mempool: Mempool;
  readonly signatures: TransactionSignatures;
  readonly clock: Clock;
  readonly evidence: Pick<EvidencePool, "select">;
  readonly indexIn: (set: ValidatorSet) => ValidatorIndex | null;
}

/**
 * Builds a block of pending evidence and the oldest eligible transactions on the effect's parent, executes it and
 * registers it with the ledger. Null when there is nothing to propose.
 */
export async function assembleBlock(
  parts: AssemblyComponents,
  effect: BuildEffect,
): Promise<SealedCandidate | null> {
  const { ledger, clock } = parts;
  const { height, parentDigest } = effect;
  const set = ledger.validatorsOn(parentDigest, height);
  const history = ledger.historyFor(parentDigest, height);
  const proposer = set === null ? null : parts.indexIn(set);
  if (proposer === null || history === null) return null;
  const timestampMs = Math.max(clock.nowMs(), effect.parentTimestampMs + 1);
  const evidence = parts.evidence.select(parentDigest, height);
  const otherBytes = evidence.reduce((sum, { length }) => sum + length + 3, history.length);
  const transactions = await selectTransactions(parts, effect, timestampMs, otherBytes);
  const isEmpty = transactions.length === 0 && evidence.length === 0;
  if (isEmpty && !effect.allowEmpty) return null;
  const place = { parentDigest, height, timestampMs, proposer };
  const candidate = await ledger.execute({ ...place, transactions, history, evidence });
  return ledger.buildBlock(candidate);
}

/** Judges from the oldest on until a block is full, and verifies signatures whose key changed. */
async function selectTransactions(
  parts: AssemblyComponents,
  { height, parentDigest }: BuildEffect,
  timestampMs: number,
  otherBytes: number,
): Promise<readonly DecodedTransaction[]> {
  const { ledger, mempool } = parts;
  const parameters = ledger.parametersAfter(parentDigest);
  const guard = ledger.replayGuardAt(parentDigest);
  invariant(parameters !== null && guard !== null, "the parent of a proposal is known");
  const replay = createReplayGuard().layer(guard, height);
  const claimsOf = new Map<DecodedTransaction, readonly SignatureClaim[]>();
  const caps: BlockCaps = {
    maxTransactions: parameters.maxBlockTransactions,
    maxBytes: parameters.maxBlockBytes - BLOCK_OVERHEAD_BYTES - otherBytes,
    perTransactionBytes: PER_TRANSACTION_BYTES,
    maxGas: parameters.blockGasLimit,
  };
  const isOnHead = equalBytes(parentDigest, ledger.head.digest);
  const hopeless: DecodedTransaction[] = [];
  const selected = mempool.select(caps, ({ transaction }) => {
    const judged = ledger.judge(transaction, { parentDigest, height, timestampMs, replay });
    if (!judged.ok) {
      if (isOnHead) hopeless.push(transaction);
      return false;
    }
    replay.add(transaction.sender, transaction.nonce);
    claimsOf.set(transaction, judged.value.claims);
    return true;
  });
  // What the committed state refuses will hardly be taken later: it only costs every proposal.
  mempool.remove(hopeless.map(({ id }) => id));
  const transactions = selected.map(({ transaction }) => transaction);
  return keepVerified(parts, transactions, claimsOf);
}

/** Drops those whose signatures do not hold under the keys of this parent. */
async function keepVerified(
  { signatures, mempool }: AssemblyComponents,
  transactions: readonly DecodedTransaction[],
  claimsOf: ReadonlyMap<DecodedTransaction, readonly SignatureClaim[]>,
): Promise<readonly DecodedTransaction[]> {
  const claims = transactions.flatMap((transaction) => claimsOf.get(transaction) ?? []);
  const answers = await signatures.verifyUrgently(claims);
  if (answers.every((answer) => answer)) return transactions;
  const bad = new Set(claims.filter((_, at) => answers[at] !== true));
  const isGood = (transaction: DecodedTransaction): boolean =>
    (claimsOf.get(transaction) ?? []).every((claim) => !bad.has(claim));
  mempool.remove(transactions.filter((one) => !isGood(one)).map(({ id }) => id));
  return transactions.filter(isGood);
}
