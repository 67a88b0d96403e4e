import { toHex } from "@credlink/primitives";
import type { CredentialStep } from "./step.ts";

/** The steps that the credential `id` rests on, in their order, itself last. */
export function stepsBehind(
  steps: readonly CredentialStep[],
  id: Uint8Array,
): readonly CredentialStep[] {
  const needed = new Set([toHex(id)]);
  for (const step of steps.toReversed()) {
    if (!needed.has(toHex(step.id))) continue;
    for (const on of step.dependsOn) needed.add(toHex(on));
  }
  return steps.filter((step) => needed.has(toHex(step.id)));
}
