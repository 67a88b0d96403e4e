import {
  createValidatorSet,
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
  historyRecordCodec,
} from "@credlink/ledger";
import { type Digest, digest, equalBytes, fromHex } from "@credlink/primitives";
import { decodeClaim, type VerifiedHeader } from "./chain-verifier.ts";
import type { Client } from "./client.ts";
import { clientError, GatewayError } from "./errors.ts";

/** How a height was decided as one node saw it; nobody can have signed for another. */
export interface VerifiedHistory {
  /** Every signature in it verified, and its block is the certified one. */
  readonly history: ConsensusHistory;
  readonly header: VerifiedHeader;
  /** V(height). */
  readonly validators: readonly Validator[];
  /** The record that all nodes share, in the body two heights on; null while there is none. */
  readonly record: HistoryRecord | null;
  /** The node's link; it binds this history and those below it. */
  readonly link: Digest;
}

/**
 * Asks a node for a height's history and believes of it what signatures prove. A node can leave
 * statements out; it cannot add any.
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
  const set = await validatorsOf(client, header);
  checkSignatures(client, history, set);
  const record = await recordOf(client, header);
  const link = digest(fromHex(answer.link));
  return { history, header, validators: set.validators, record, link };
}

/** V(height): the certified header names the list's digest. */
async function validatorsOf(client: Client, { header }: VerifiedHeader): Promise<ValidatorSet> {
  const { validators } = await client.call("chain.validators", { height: header.height });
  const set = createValidatorSet(
    validators.map(({ publicKey, ...rest }) => ({ ...rest, publicKey: fromHex(publicKey) })),
  );
  if (equalBytes(set.hash, header.validatorsHash)) return set;
  throw clientError("CLIENT_VALIDATORS_UNKNOWN", `not V(${header.height})`);
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

/** What the body two heights on records of this one. */
async function recordOf(client: Client, header: VerifiedHeader): Promise<HistoryRecord | null> {
  const above = await client.block(header.height + 2).catch((error: unknown) => {
    if (error instanceof GatewayError && error.code === "API_NOT_FOUND") return null;
    throw error;
  });
  if (above === null) return null;
  const record = decodeClaim(historyRecordCodec, above.block.body.history, "record");
  if (equalBytes(record.certificate.digest, header.digest)) return record;
  throw clientError("CLIENT_RECORD_ALTERED", `block ${header.height + 2} records another block`);
}
