import {
  decodeEvidence,
  type Evidence,
  evidenceClaims,
  type ValidatorSet,
  verifyEvidence,
} from "@credlink/consensus-pbft/certificates";
import { sm2Verify } from "@credlink/crypto";
import {
  evidenceKey,
  listEvidenceArgsCodec,
  MAX_LISTED_EVIDENCE,
  MAX_SKIPPED_EVIDENCE,
  type Misbehaviour,
  misbehaviourCodec,
  misbehaviourListCodec,
  SUCCESS,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import {
  compareBytes,
  type Digest,
  encode,
  equalBytes,
  height as toHeight,
} from "@credlink/primitives";
import type { Client } from "./client.ts";
import { clientError } from "./errors.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";
import { getValidators } from "./validators.ts";

/** A validator that contradicted itself, as the chain recorded it; every part is proven. */
export interface ProvenEvidence {
  /** The record in the state under `head`: who, at which height, in which block. */
  readonly record: Misbehaviour;
  /** The two messages by their signed fields; both signatures verified under the signer's key. */
  readonly evidence: Evidence;
  /** What the two signatures are over, 32 bytes each, in the order of the two messages. */
  readonly signedDigests: readonly Digest[];
  /** The block at whose height it happened: its header names the signer's V(height). */
  readonly offence: VerifiedHeader;
  /** The block whose body carries the evidence. */
  readonly recorded: VerifiedHeader;
  /** The block under whose state root the record was proven. */
  readonly head: VerifiedHeader;
}

/** What is recorded of one height. */
export interface HeightEvidence {
  /** One for each validator that is convicted, in the validators' order. */
  readonly found: readonly ProvenEvidence[];
  /** Node ids of validators of that height that are proven to have no record. */
  readonly clean: readonly string[];
}

export interface EvidenceListOptions {
  /** Lowest height of an offence. Default 1. */
  readonly fromHeight?: number;
  /**
   * Records after which the answer ends, once the last one's height is told whole; 1 to
   * `MAX_EVIDENCE_PAGE`. Default 20.
   */
  readonly limit?: number;
  /** Only records of this validator. */
  readonly nodeId?: string;
}

/** One page of a listing: whole heights. */
export interface EvidencePage {
  /** Ascending by height. */
  readonly found: readonly ProvenEvidence[];
  /** Where the next page begins; null: the node says that there is none, which nothing proves. */
  readonly nextHeight: number | null;
}

/** Largest `limit` of `listEvidence`. */
export const MAX_EVIDENCE_PAGE = 100;
const DEFAULT_PAGE = 20;
/** Records of others after which a page for one validator ends. */
const MAX_SCANNED = 1_024;

/**
 * What is recorded of one height, proven whole: for each validator of that height, or the one
 * named, the state holds a record or is proven to hold none. A gateway can leave nothing out.
 *
 * @throws ClientError CLIENT_NOT_A_VALIDATOR when `nodeId` was none at that height,
 *   CLIENT_RECORD_ALTERED, CLIENT_PROOF_INVALID, …; GatewayError API_NOT_FOUND above the head
 */
export async function getEvidence(
  client: Client,
  height: number,
  nodeId?: string,
): Promise<HeightEvidence> {
  const offence = await client.header(height);
  const set = await getValidators(client, offence);
  const asked = set.validators.filter((each) => nodeId === undefined || each.nodeId === nodeId);
  if (asked.length === 0) {
    throw clientError("CLIENT_NOT_A_VALIDATOR", `${nodeId} was none at height ${height}`);
  }
  const found: ProvenEvidence[] = [];
  const clean: string[] = [];
  for (const { nodeId: id, publicKey } of asked) {
    const proven = await proveEvidence(client, { offence, set, publicKey });
    if (proven === null) clean.push(id);
    else found.push(proven);
  }
  return { found, clean };
}

/**
 * Recorded evidence from a height on. The gateway's list only says where to look: each record is
 * then proven by itself. A gateway cannot add one or alter one, but it can leave one out;
 * `getEvidence` shows for one height that it did not.
 *
 * @throws ClientError CLIENT_PARAMS_INVALID, CLIENT_RECORD_ALTERED, CLIENT_PROOF_INVALID, …
 */
export async function listEvidence(
  client: Client,
  options: EvidenceListOptions = {},
): Promise<EvidencePage> {
  const { limit = DEFAULT_PAGE, nodeId } = options;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_EVIDENCE_PAGE) {
    throw clientError("CLIENT_PARAMS_INVALID", `limit ${limit} is not 1 to ${MAX_EVIDENCE_PAGE}`);
  }
  const found: ProvenEvidence[] = [];
  let scanned = 0;
  let place: Place = { fromHeight: options.fromHeight ?? 1, skip: 0 };
  let last: Misbehaviour | null = null;
  for (;;) {
    const page = await queryPage(client, place);
    for (const hint of page) {
      if (last !== null && compareRecords(last, hint) >= 0) throw disordered(hint);
      const isNewHeight = hint.height > place.fromHeight;
      const isFull = found.length >= limit || scanned >= MAX_SCANNED;
      if (isFull && isNewHeight) return { found, nextHeight: hint.height };
      place = isNewHeight
        ? { fromHeight: hint.height, skip: 1 }
        : { ...place, skip: place.skip + 1 };
      if (place.skip > MAX_SKIPPED_EVIDENCE) throw disordered(hint);
      last = hint;
      scanned += 1;
      if (nodeId === undefined || hint.nodeId === nodeId) found.push(await proveHint(client, hint));
    }
    if (page.length < MAX_LISTED_EVIDENCE) return { found, nextHeight: null };
  }
}

/** Where a query begins: behind so many records of a height. */
interface Place {
  readonly fromHeight: number;
  readonly skip: number;
}

function compareRecords(a: Misbehaviour, b: Misbehaviour): number {
  return compareBytes(evidenceKey(a.height, a.publicKey), evidenceKey(b.height, b.publicKey));
}

function disordered({ height }: Misbehaviour) {
  return clientError("CLIENT_RECORD_ALTERED", `the list of evidence is not ascending at ${height}`);
}

async function queryPage(
  client: Client,
  { fromHeight, skip }: Place,
): Promise<readonly Misbehaviour[]> {
  const { status, returnValue } = await client.queryContract({
    contract: VALIDATORS_CONTRACT,
    method: "evidence",
    args: encode(listEvidenceArgsCodec, { fromHeight: toHeight(fromHeight), skip }),
  });
  if (status !== SUCCESS) throw clientError("CLIENT_RESPONSE_MALFORMED", `evidence: ${status}`);
  return decodeClaim(misbehaviourListCodec, returnValue, "evidence");
}

async function proveHint(client: Client, hint: Misbehaviour): Promise<ProvenEvidence> {
  const offence = await client.header(hint.height);
  const set = await getValidators(client, offence);
  const { publicKey, nodeId, height } = hint;
  const proven = await proveEvidence(client, { offence, set, publicKey });
  if (proven !== null && proven.record.nodeId === nodeId) return proven;
  throw clientError("CLIENT_RECORD_ALTERED", `no record of ${nodeId} at height ${height}`);
}

interface Suspect {
  readonly offence: VerifiedHeader;
  /** V(offence.height). */
  readonly set: ValidatorSet;
  readonly publicKey: Uint8Array;
}

/** The record of one signer and height with everything it claims, or null: proven absent. */
async function proveEvidence(
  client: Client,
  { offence, set, publicKey }: Suspect,
): Promise<ProvenEvidence | null> {
  const key = evidenceKey(offence.height, publicKey);
  const { value, header: head } = await client.getState(VALIDATORS_CONTRACT, key);
  if (value === null) return null;
  const record = decodeClaim(misbehaviourCodec, value, "record of evidence");
  const evidence = judge(client, record, { offence, set, publicKey });
  const block = await client.block(record.recordedAt);
  const isCarried = block.block.body.evidence.some((each) => equalBytes(each, record.evidence));
  if (!isCarried) throw contradicted(record, `block ${record.recordedAt} does not carry it`);
  const { chainId } = client.genesis;
  const context = { chainId, genesisDigest: client.genesisDigest, validatorsHash: set.hash };
  const signedDigests = evidenceClaims(evidence, context).map(({ message }) => message);
  return { record, evidence, signedDigests, offence, recorded: block.header, head };
}

/** That the two messages exclude each other and that the record's validator signed both. */
function judge(client: Client, record: Misbehaviour, suspect: Suspect): Evidence {
  const { set, publicKey, offence } = suspect;
  const decoded = decodeEvidence(record.evidence);
  if (!decoded.ok) throw contradicted(record, decoded.code);
  const evidence = decoded.value;
  const signer = set.validators[evidence.sender];
  const isOfSigner =
    evidence.height === offence.height &&
    record.height === offence.height &&
    signer?.nodeId === record.nodeId &&
    equalBytes(signer.publicKey, publicKey) &&
    equalBytes(record.publicKey, publicKey);
  if (!isOfSigner) throw contradicted(record, "it is of another validator or height");
  const chain = { chainId: client.genesis.chainId, genesisDigest: client.genesisDigest };
  const verdict = verifyEvidence(evidence, set, chain, sm2Verify);
  if (!verdict.ok) throw contradicted(record, verdict.code);
  return evidence;
}

function contradicted({ nodeId, height }: Misbehaviour, why: string) {
  const detail = `evidence against ${nodeId} at height ${height}: ${why}`;
  return clientError("CLIENT_RECORD_ALTERED", detail);
}
