/** Evidence in blocks: what may stand there, and the rows of the state that record it. */
import type { Validator, ValidatorSet } from "@credlink/consensus-pbft";
import {
  checkEvidenceShape,
  decodeEvidence,
  type Evidence,
  MAX_EVIDENCE_BYTES,
} from "@credlink/consensus-pbft/certificates";
import { taggedSm3 } from "@credlink/crypto";
import {
  accept,
  bytes,
  bytesUpTo,
  type Codec,
  concatBytes,
  encode,
  type Height,
  heightCodec,
  height as heightOf,
  type Result,
  refuse,
  struct,
  text,
  utf8,
} from "@credlink/primitives";
import type { ExecutionContext, StateView, StateWrite } from "./executor.ts";
import { encodeU64 } from "./fixed-u64.ts";
import { VALIDATORS_CONTRACT } from "./member.ts";

/** A block takes evidence about the heights from its own down to this many below. */
export const EVIDENCE_WINDOW = 1_000;

/** A validator that contradicted itself, as the state keeps it at `evidenceKey`. */
export interface Misbehaviour {
  /** Height at which it did. */
  readonly height: Height;
  readonly nodeId: string;
  /** Its consensus key at that height, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** `encodeEvidence` of the proof. */
  readonly evidence: Uint8Array;
  /** Height of the block that recorded it. */
  readonly recordedAt: Height;
}

export const misbehaviourCodec: Codec<Misbehaviour> = struct({
  height: heightCodec,
  nodeId: text(128),
  publicKey: bytes(65),
  evidence: bytesUpTo(MAX_EVIDENCE_BYTES),
  recordedAt: heightCodec,
});

const SIGNER_DOMAIN = "credlink/evidence-signer/1";
const EVIDENCE_PREFIX = utf8("evidence/");

/** Keys of records from `from` on, up to the end: a range of `VALIDATORS_CONTRACT`'s state. */
export function evidenceRange(from: Height): {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
} {
  const to = EVIDENCE_PREFIX.slice();
  // The character after "/" ends what begins with it.
  to[to.length - 1] = 0x30;
  return { from: concatBytes(EVIDENCE_PREFIX, encodeU64(from)), to };
}

/** "evidence/" ‖ u64 height ‖ SM3("credlink/evidence-signer/1", key): one record for each, ever. */
export function evidenceKey(at: Height, publicKey: Uint8Array): Uint8Array {
  return concatBytes(EVIDENCE_PREFIX, encodeU64(at), taggedSm3(SIGNER_DOMAIN, publicKey));
}

/** What an executor writes for the evidence of a block, as its last step. */
export function evidenceWrites({
  misbehaviours = [],
}: Pick<ExecutionContext, "misbehaviours">): readonly StateWrite[] {
  return misbehaviours.map((misbehaviour) => ({
    contract: VALIDATORS_CONTRACT,
    key: evidenceKey(misbehaviour.height, misbehaviour.publicKey),
    value: encode(misbehaviourCodec, misbehaviour),
  }));
}

/** Evidence that keeps every rule, provided that its signatures verify under `validators`. */
export interface JudgedEvidence {
  readonly evidence: Evidence;
  /** V(evidence.height). */
  readonly validators: ValidatorSet;
  readonly misbehaviour: Misbehaviour;
}

/** The block that evidence is judged for. */
export interface EvidenceContext {
  /** State after the parent. */
  readonly parent: StateView;
  /** Height of the block. */
  readonly height: Height;
  /** V(height) on the parent's branch. */
  readonly validatorsOn: (height: Height) => ValidatorSet | null;
}

type Judged = Result<JudgedEvidence, "LEDGER_BLOCK_EVIDENCE">;

/** Judges one piece of evidence by every rule but its signatures' arithmetic. */
export function judgeEvidence(input: Uint8Array, context: EvidenceContext): Judged {
  const decoded = decodeEvidence(input);
  if (!decoded.ok) return refuse("LEDGER_BLOCK_EVIDENCE", decoded.detail);
  const evidence = decoded.value;
  const { parent, height } = context;
  if (evidence.height > height || evidence.height < Math.max(1, height - EVIDENCE_WINDOW)) {
    return refuse("LEDGER_BLOCK_EVIDENCE", `of height ${evidence.height}`);
  }
  const validators = context.validatorsOn(evidence.height);
  if (validators === null) return refuse("LEDGER_BLOCK_EVIDENCE", "validators unknown");
  const shape = checkEvidenceShape(evidence, validators.validators.length);
  if (!shape.ok) return refuse("LEDGER_BLOCK_EVIDENCE", shape.code);
  const signer: Validator | undefined = validators.validators[evidence.sender];
  if (signer === undefined) return refuse("LEDGER_BLOCK_EVIDENCE", "no such index");
  const { nodeId, publicKey } = signer;
  if (parent.get(VALIDATORS_CONTRACT, evidenceKey(evidence.height, publicKey)) !== null) {
    return refuse("LEDGER_BLOCK_EVIDENCE", "recorded already");
  }
  const at = heightOf(evidence.height);
  const misbehaviour = { height: at, nodeId, publicKey, evidence: input, recordedAt: height };
  return accept({ evidence, validators, misbehaviour });
}

/**
 * Judges the evidence of one block: each piece, and their order. They ascend by height and then by
 * index, so that nobody is recorded twice for one height.
 */
export function judgeBlockEvidence(
  inputs: readonly Uint8Array[],
  context: EvidenceContext,
): Result<readonly JudgedEvidence[], "LEDGER_BLOCK_EVIDENCE"> {
  const judged: JudgedEvidence[] = [];
  for (const input of inputs) {
    const verdict = judgeEvidence(input, context);
    if (!verdict.ok) return verdict;
    const before = judged.at(-1)?.evidence;
    if (before !== undefined && compareEvidence(before, verdict.value.evidence) >= 0) {
      return refuse("LEDGER_BLOCK_EVIDENCE", "not ascending");
    }
    judged.push(verdict.value);
  }
  return accept(judged);
}

/** Order of evidence in a block: by height, then by the signer's index; 0 for one misdeed. */
export function compareEvidence(a: Evidence, b: Evidence): number {
  return a.height - b.height || a.sender - b.sender;
}
