import type { ValidatorSet } from "@credlink/consensus-pbft";
import { ancestorAt, type SharedTip } from "./branches.ts";

/** V(height) on the branch that ends in `tip`; null more than two heights above it. */
export function validatorsOn(tip: SharedTip, height: number): ValidatorSet | null {
  if (height > tip.header.height + 2) return null;
  return ancestorAt(tip, Math.max(0, height - 2))?.validatorsAfterNext ?? null;
}
