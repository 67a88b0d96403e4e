import type { Validator } from "@credlink/consensus-pbft";
import {
  type Contribution,
  type ExecutionContext,
  type GovernanceRules,
  type Receipt,
  SUCCESS,
} from "@credlink/ledger";
import type { StateOverlay } from "../state-overlay.ts";
import { ownerOfKey } from "./key-owner.ts";
import { readRow, writeRow } from "./row.ts";
import { MAX_ORGANIZATIONS, rows } from "./rows.ts";

/** What one block adds to an organisation's contributions. */
export interface Gain {
  blocks: number;
  events: number;
  points: number;
}

/** A receipt and the organisation whose member sent the transaction. */
export interface SentReceipt {
  readonly organization: string;
  readonly receipt: Receipt;
}

/**
 * Counts what organisations do for the chain, by the rules of before the block: that their
 * validators signed the block of height − 2, as this block's history says, and that their
 * members shared data. Numbers stop at 2^53 − 1.
 */
export function countContributions(
  state: StateOverlay,
  rules: GovernanceRules,
  { signers = [] }: Pick<ExecutionContext, "signers">,
  sent: readonly SentReceipt[],
): void {
  const gains = new Map<string, Gain>();
  const gainOf = (organization: string): Gain => {
    const gain = gains.get(organization) ?? { blocks: 0, events: 0, points: 0 };
    gains.set(organization, gain);
    return gain;
  };
  for (const organization of signers.map((signer) => organizationOf(signer, state))) {
    if (organization === null) continue;
    const gain = gainOf(organization);
    gain.blocks += 1;
    gain.points += rules.pointsPerBlock;
  }
  for (const { organization, receipt } of sent) {
    if (receipt.status !== SUCCESS) continue;
    for (const { contract, topic } of receipt.events) {
      const rule = rules.sharing.find((each) => each.contract === contract && each.topic === topic);
      if (rule === undefined) continue;
      const gain = gainOf(organization);
      gain.events += 1;
      gain.points += rule.points;
    }
  }
  if (gains.size > 0) record(gains, state);
}

function organizationOf({ publicKey }: Validator, state: StateOverlay): string | null {
  return ownerOfKey(publicKey, (row) => readRow(state, row))?.organization ?? null;
}

function record(gains: ReadonlyMap<string, Gain>, state: StateOverlay): void {
  const known = readRow(state, rows.contributions) ?? [];
  writeRow(state, rows.contributions, addContributions(known, gains));
}

/** Contributions after a block: new organisations come last, as many as there is room for. */
export function addContributions(
  known: readonly Contribution[],
  gains: ReadonlyMap<string, Gain>,
): readonly Contribution[] {
  const news = [...gains.keys()]
    .filter((name) => !known.some(({ organization }) => organization === name))
    .slice(0, MAX_ORGANIZATIONS - known.length)
    .map((organization) => ({ organization, blocks: 0, events: 0, points: 0 }));
  return [...known, ...news].map((each) => {
    const gain = gains.get(each.organization);
    if (gain === undefined) return each;
    return {
      organization: each.organization,
      blocks: saturated(each.blocks + gain.blocks),
      events: saturated(each.events + gain.events),
      points: saturated(each.points + gain.points),
    };
  });
}

function saturated(sum: number): number {
  return Math.min(sum, Number.MAX_SAFE_INTEGER);
}
