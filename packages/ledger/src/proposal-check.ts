import {
  accept,
  type Digest,
  type Refusal,
  type Result,
  refuse,
  toHex,
} from "@credlink/primitives";
import {
  type BlockContext,
  readHistory,
  refuseBody,
  refuseHeader,
  refuseOutcome,
} from "./block-rules.ts";
import { type DecodedTransaction, decodeSignedTransaction } from "./decoded-transaction.ts";
import { judgeEnvelope, type SignatureClaim } from "./envelope.ts";
import type { BlockRefusalCode } from "./errors.ts";
import { type EvidenceContext, judgeBlockEvidence } from "./evidence.ts";
import type { Candidate, ExecutionRequest, ProposalCheck } from "./ledger.ts";
import type { CommittedReplayGuard } from "./replay-guard.ts";
import type { ParentTip } from "./tip.ts";

/** What a check needs of the ledger. */
export interface CheckParts {
  readonly parent: ParentTip;
  readonly rules: BlockContext;
  /** V(height − 2); null up to height 2. */
  readonly historyValidators: Parameters<ProposalCheck["verifyHistory"]>[2] | null;
  readonly genesisDigest: Digest;
  readonly replay: Pick<CommittedReplayGuard, "layer">;
  readonly evidence: EvidenceContext;
  readonly execute: (request: ExecutionRequest) => Promise<Candidate>;
}

type Refused = Refusal<BlockRefusalCode>;

/** Judges a block whose parent is known, cheap rules first; a good one was executed. */
export async function judgeBlock(
  check: ProposalCheck,
  parts: CheckParts,
): Promise<Result<Candidate, BlockRefusalCode>> {
  const { block } = check;
  const { rules } = parts;
  const transactions: DecodedTransaction[] = [];
  for (const input of check.transactions) {
    const decoded = input instanceof Uint8Array ? decodeSignedTransaction(input) : accept(input);
    if (!decoded.ok) return decoded;
    transactions.push(decoded.value);
  }
  const shape = refuseHeader(block, rules) ?? refuseBody(block, transactions, rules);
  if (shape !== null) return shape;
  const attached = (await refuseHistory(check, parts)) ?? (await refuseEvidence(check, parts));
  if (attached !== null) return attached;
  const envelopes = await refuseEnvelopes(check, transactions, parts);
  if (envelopes !== null) return envelopes;
  const { parentHash: parentDigest, height, timestampMs, proposer } = block.header;
  const { evidence, history } = block.body;
  const place = { parentDigest, height, timestampMs, proposer };
  const candidate = await parts.execute({ ...place, transactions, history, evidence });
  return refuseOutcome(block, candidate) ?? accept(candidate);
}

async function refuseHistory(check: ProposalCheck, parts: CheckParts): Promise<Refused | null> {
  const record = readHistory(check.block, parts.rules);
  if (record === null || "ok" in record) return record;
  const { historyValidators } = parts;
  if (historyValidators === null) return refuse("LEDGER_BLOCK_HISTORY", "validators unknown");
  const { height } = record.certificate;
  const holds = await check.verifyHistory(check.block.body.history, height, historyValidators);
  return holds ? null : refuse("LEDGER_BLOCK_HISTORY", "does not verify");
}

async function refuseEvidence(check: ProposalCheck, parts: CheckParts): Promise<Refused | null> {
  const judged = judgeBlockEvidence(check.block.body.evidence, parts.evidence);
  if (!judged.ok) return judged;
  for (const { evidence, validators } of judged.value) {
    const holds = await check.verifyEvidence?.(evidence, validators);
    if (holds !== true) return refuse("LEDGER_BLOCK_EVIDENCE", "does not verify");
  }
  return null;
}

async function refuseEnvelopes(
  check: ProposalCheck,
  transactions: readonly DecodedTransaction[],
  { parent, rules, genesisDigest, replay: guard }: CheckParts,
): Promise<Refused | null> {
  const { header } = check.block;
  const replay = guard.layer(parent.replay, header.height);
  const { chainId, parameters } = rules;
  const context = { parent: parent.view, header, chainId, genesisDigest, replay, parameters };
  const claims: SignatureClaim[] = [];
  for (const transaction of transactions) {
    const judged = judgeEnvelope(transaction, context);
    if (!judged.ok) return refuse(judged.code, `transaction ${toHex(transaction.id)}`);
    replay.add(transaction.sender, transaction.nonce);
    claims.push(...judged.value.claims);
  }
  if (claims.length === 0) return null;
  const verdicts = await check.verifySignatures(claims);
  const holds = verdicts.length === claims.length && verdicts.every((verdict) => verdict === true);
  return holds ? null : refuse("LEDGER_TRANSACTION_SIGNATURE_INVALID");
}
