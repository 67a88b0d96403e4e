import { primaryOf, type Roster, type Validator } from "@credlink/consensus-pbft";
import {
  type Digest,
  decode,
  type Height,
  invariant,
  type ValidatorIndex,
  view as viewOf,
} from "@credlink/primitives";
import { ANCESTOR_WINDOW, type ExecutionContext } from "./executor.ts";
import type { ExecutionRequest } from "./ledger.ts";
import { historyRecordCodec } from "./rows.ts";
import type { Tip } from "./tip.ts";

const VIEW_ZERO = viewOf(0);

/** What a block's execution is told beyond its transactions comes from here. */
export interface ContextParts extends Pick<ExecutionContext, "chainId" | "genesisDigest"> {
  /** V(height) with its primaries. */
  readonly roster: Roster | null;
  /** Digest at a height of the branch that ends in the parent; asked for its last blocks only. */
  readonly branch: (height: Height) => Digest | null;
  readonly signers: readonly Validator[];
  readonly misbehaviours: NonNullable<ExecutionContext["misbehaviours"]>;
}

/** Describes the place of a block that is to be executed. */
export function executionContext(
  { height, timestampMs, proposer }: ExecutionRequest,
  { chainId, genesisDigest, roster, branch, signers, misbehaviours }: ContextParts,
): ExecutionContext {
  invariant(roster !== null, "the validators above a known block are known");
  const nodeIdOf = (index: ValidatorIndex): string => {
    const validator = roster.validators[index];
    invariant(validator !== undefined, "a proposer is a validator of its height");
    return validator.nodeId;
  };
  return {
    chainId,
    genesisDigest,
    height,
    timestampMs,
    ancestorDigest: (at) => (at < height && at + ANCESTOR_WINDOW >= height ? branch(at) : null),
    turn: {
      primary: nodeIdOf(primaryOf(roster, height, VIEW_ZERO)),
      proposer: nodeIdOf(proposer),
      validatorCount: roster.validators.length,
    },
    signers,
    misbehaviours,
  };
}

/** The validators that a block's history shows to have signed; `validators` are V(height − 2). */
export function historySigners(
  history: Uint8Array,
  validators: readonly Validator[],
): readonly Validator[] {
  if (history.length === 0) return [];
  const { certificate } = decode(historyRecordCodec, history);
  return certificate.signatures.flatMap(({ index }) => validators[index] ?? []);
}

/**
 * Digest at a height of the branch that ends in `parent`.
 * @param committed digest of the committed block at a height
 */
export function ancestorOf(
  parent: Tip,
  at: Height,
  committed: (height: Height) => Digest | null,
): Digest | null {
  for (let tip: Tip | null = parent; tip !== null; tip = tip.execution?.parent ?? null) {
    if (tip.header.height === at) return tip.digest;
  }
  return committed(at);
}
