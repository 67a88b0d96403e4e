import type { MethodResult } from "@credlink/api";
import {
  signatureClaims,
  type Validator,
  type ValidatorSet,
  verifyCommitCertificate,
} from "@credlink/consensus-pbft/certificates";
import { sm2Verify } from "@credlink/crypto";
import {
  type ConsensusHistory,
  consensusHistoryCodec,
  type HistoryRecord,
  historyLink,
  historyRecordCodec,
} from "@credlink/ledger";
import { type Digest, digest, equalBytes, fromHex } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError, GatewayError } from "./errors.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";
import { getValidators } from "./validators.ts";

/** How a height was decided as one node saw it; nobody can have signed for another. */
export interface VerifiedHistory {
  /** Every signature in it verified, and its block is the certified one. */
  readonly history: ConsensusHistory;
  readonly header: VerifiedHeader;
  /** V(height). */
  readonly validators: readonly Validator[];
  /**
   * The record that all nodes share, bound by the certified header two heights on; null while the
   * node's head is below that.
   */
  readonly record: HistoryRecord | null;
  /**
   * The node's link: the digest of `below` and this history, so that a node that has said it once
   * can tell no other story of this height or those below.
   */
  readonly link: Digest;
  /** The node's link of the height below; at height 1 the genesis digest. */
  readonly below: Digest;
}

/**
 * Asks a node for a height's history and believes of it what signatures and certified headers
 * prove: its block, every statement, the record in the block two heights on, and that its link is
 * of this history. A node can leave statements out; it cannot add any.
 *
 * @throws ClientError CLIENT_RECORD_ALTERED, CLIENT_CERTIFICATE_INVALID; GatewayError
 *   API_NOT_FOUND when the node does not keep it
 */
export async function getConsensusHistory(
  client: Client,
  height: number,
): Promise<VerifiedHistory> {
  const answer = await client.call("consensus.history", { height });
  const history = decodeClaim(consensusHistoryCodec, fromHex(answer.history), "history");
  const header = await client.header(height);
  const isOfBlock =
    history.height === height &&
    equalBytes(history.digest, header.digest) &&
    history.proposer === header.header.proposer;
  if (!isOfBlock) throw clientError("CLIENT_RECORD_ALTERED", "the history is of another block");
  const set = await getValidators(client, header);
  checkSignatures(client, history, set);
  const links = readLinks(client, answer);
  const record = await recordOf(client, header);
  return { history, header, validators: set.validators, record, ...links };
}

/** The answer's links, where the upper one follows from the lower one and the history. */
function readLinks(
  { genesisDigest }: Client,
  answer: MethodResult<"consensus.history">,
): Pick<VerifiedHistory, "link" | "below"> {
  const link = digest(fromHex(answer.link));
  const below = digest(fromHex(answer.below));
  if (answer.height === 1 && !equalBytes(below, genesisDigest)) {
    throw clientError("CLIENT_RECORD_ALTERED", "the first history does not stand on genesis");
  }
  if (equalBytes(link, historyLink(below, fromHex(answer.history)))) return { link, below };
  throw clientError("CLIENT_RECORD_ALTERED", `the link is not of the history of ${answer.height}`);
}

function checkSignatures(client: Client, history: ConsensusHistory, set: ValidatorSet): void {
  const { genesisDigest } = client;
  const { chainId } = client.genesis;
  const { certificate, digest: decided, height } = history;
  const isOfBlock = certificate.height === height && equalBytes(certificate.digest, decided);
  const chain = { chainId, genesisDigest };
  if (!isOfBlock || !verifyCommitCertificate(certificate, set, chain, sm2Verify).ok) {
    throw clientError("CLIENT_CERTIFICATE_INVALID", `history of block ${height}`);
  }
  const context = { ...chain, validatorsHash: set.hash };
  for (const statement of history.statements) {
    const holds =
      statement.height === height &&
      signatureClaims(statement, context).every(({ index, message, signature }) => {
        const signer = set.validators[index];
        return signer !== undefined && sm2Verify(signer.publicKey, message, signature);
      });
    if (holds) continue;
    const { type, sender, view } = statement;
    const detail = `${type} of validator ${sender} in view ${view} is not signed`;
    throw clientError("CLIENT_RECORD_ALTERED", detail);
  }
}

/**
 * What the body two heights on records of this block; its certified header binds the body. Only a
 * node whose head is lower may have none.
 */
async function recordOf(client: Client, header: VerifiedHeader): Promise<HistoryRecord | null> {
  const at = header.height + 2;
  const head = Math.max((await client.info()).height, client.provenHeight);
  if (head < at) return null;
  const above = await client.block(at).catch((cause: unknown) => {
    if (!(cause instanceof GatewayError && cause.code === "API_NOT_FOUND")) throw cause;
    const detail = `block ${at} is withheld below the head ${head}`;
    throw clientError("CLIENT_RECORD_ALTERED", detail, { cause });
  });
  const record = decodeClaim(historyRecordCodec, above.block.body.history, "record");
  if (equalBytes(record.certificate.digest, header.digest)) return record;
  throw clientError("CLIENT_RECORD_ALTERED", `block ${at} records another block`);
}
