import { type Block, type ConsensusLedger, headerDigest, type SealedBlock } from "@credlink/ledger";
import {
  accept,
  type Digest,
  decode,
  encode,
  equalBytes,
  type Height,
  type Network,
  type Result,
  refuse,
  height as toHeight,
  toHex,
} from "@credlink/primitives";
import type { BlockPipeline } from "./block-pipeline.ts";
import { certificateRequests } from "./certified-status.ts";
import type { ChainWriter } from "./chain-writer.ts";
import { EngineError } from "./errors.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  BLOCKS_PROTOCOL,
  blockRangeReplyCodec,
  blockRangeRequestCodec,
  MAX_BLOCK_RANGE,
  MAX_BLOCKS_REPLY_BYTES,
  MAX_BLOCKS_REQUEST_BYTES,
  type TransferredBlock,
} from "./protocols.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";

/** What importing needs of the node. */
export interface ImportComponents {
  readonly ledger: ConsensusLedger;
  readonly pipeline: BlockPipeline;
  readonly writer: ChainWriter;
  readonly signatures: ConsensusSignatures;
}

/**
 * Judges a block of a peer and commits it on the head: link, validators, certificate by the same
 * verifier as consensus, then execution and roots. A refusal means that the peer lied.
 */
export async function importBlock(
  { ledger, pipeline, writer, signatures }: ImportComponents,
  { block, certificate, transactions }: TransferredBlock,
): Promise<Result<null, "NODE_SYNC_INVALID_BLOCK">> {
  const { height } = block.header;
  const { header, digest: parent } = ledger.head;
  // Consensus committed it while the range travelled.
  if (height <= header.height) return accept(null);
  const digest = headerDigest(block.header);
  const set = ledger.validatorsAt(height);
  const isLinked =
    height === header.height + 1 &&
    equalBytes(block.header.parentHash, parent) &&
    certificate.height === height &&
    equalBytes(certificate.digest, digest);
  if (!isLinked || set === null || !equalBytes(set.hash, block.header.validatorsHash)) {
    return refuse("NODE_SYNC_INVALID_BLOCK", "does not link");
  }
  const requests = certificateRequests(certificate, set, ledger);
  if (requests === null || !(await signatures.verifyAll(requests, "sync"))) {
    return refuse("NODE_SYNC_INVALID_BLOCK", "certificate does not verify");
  }
  let refusal: Result<null, "NODE_SYNC_INVALID_BLOCK"> = accept(null);
  await writer.commit("sync", height, async () => {
    const checked = await pipeline.checkDecided(block, transactions);
    if (checked.ok) return { candidate: checked.value, certificate, justification: null };
    refusal = judgeFailure(block, digest, checked.code);
    return null;
  });
  return refusal;
}

/** Failures that a liar can cause: the body and the transactions are not what was certified. */
const BODY_CODES: ReadonlySet<string> = new Set([
  "LEDGER_BLOCK_MALFORMED",
  "LEDGER_BLOCK_TRANSACTIONS_MISMATCH",
  "LEDGER_BLOCK_TRANSACTION_COUNT",
  "LEDGER_BLOCK_TRANSACTION_ROOT",
  "LEDGER_BLOCK_HISTORY_ROOT",
  "LEDGER_BLOCK_EVIDENCE_ROOT",
  "LEDGER_BLOCK_TOO_LARGE",
  "LEDGER_TRANSACTION_MALFORMED",
  "LEDGER_TRANSACTION_TOO_LARGE",
]);

function judgeFailure(
  block: Block,
  digest: Digest,
  code: string,
): Result<null, "NODE_SYNC_INVALID_BLOCK"> {
  if (BODY_CODES.has(code)) return refuse("NODE_SYNC_INVALID_BLOCK", code);
  // The header is certified by a quorum and its body is the one it names: our execution differs.
  const text = `certified block ${block.header.height}, ${toHex(digest)}, refused: ${code}`;
  throw new EngineError("NODE_EXECUTION_DIVERGED", text);
}

/** Answers peers that ask for decided blocks, as far as their budget goes. */
export function serveBlocks(network: Network, ledger: ConsensusLedger, budget: PeerBudget): void {
  const limits = { maxBytes: MAX_BLOCKS_REQUEST_BYTES };
  network.onRequest(BLOCKS_PROTOCOL, limits, async (asking, request) => {
    if (!budget.spend(asking.id, "requests") || !budget.spend(asking.id, "reply-bytes", 0)) {
      throw new EngineError("NODE_PEER_OVER_BUDGET", "blocks");
    }
    const { from, count } = decode(blockRangeRequestCodec, request, limits);
    const blocks: TransferredBlock[] = [];
    let bytes = 0;
    for (let at = from; blocks.length < Math.min(count, MAX_BLOCK_RANGE); at = next(at)) {
      const sealed = at > ledger.head.header.height ? null : await ledger.block(at);
      if (sealed === null) break;
      bytes += sizeOf(sealed);
      if (blocks.length > 0 && bytes > MAX_BLOCKS_REPLY_BYTES) break;
      const { block, certificate, transactions } = sealed;
      blocks.push({ block, certificate, transactions });
    }
    const reply = encode(blockRangeReplyCodec, blocks);
    budget.spend(asking.id, "reply-bytes", reply.length);
    return reply;
  });
}

function next(at: Height): Height {
  return toHeight(at + 1);
}

/** Bytes of a block on the wire, near enough: its parts with their frames. */
function sizeOf({ block, certificate, transactions }: SealedBlock): number {
  const body = 40 * block.body.transactionIds.length + block.body.history.length;
  const signatures = 72 * certificate.signatures.length;
  return 1_024 + body + signatures + transactions.reduce((sum, { length }) => sum + length + 8, 0);
}
