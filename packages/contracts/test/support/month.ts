import { SUCCESS } from "@credlink/ledger";
import type { BusinessMonth } from "../../../../examples/src/index.ts";
import type { TestChain } from "./chain.ts";
import { memberKeyOf } from "./consortium.ts";

/** Submits a whole month, stage by stage; the code of every step that was refused. */
export async function submitMonth(
  chain: TestChain,
  month: BusinessMonth,
): Promise<readonly string[]> {
  const institution = memberKeyOf("institution");
  await chain.register(month.relationKeys.map(({ key, ...rest }) => ({ ...rest, ...key })));
  const refused: string[] = [];
  for (const stage of new Set(month.steps.map((step) => step.stage))) {
    const steps = month.steps.filter((step) => step.stage === stage);
    const receipts = await chain.block(
      steps.map(({ sender, method, args, coSigners }) => ({
        sender: sender ?? institution,
        method,
        args,
        coSigners,
      })),
    );
    for (const [i, { status }] of receipts.entries()) {
      if (status !== SUCCESS) refused.push(`${steps[i]?.name}: ${status}`);
    }
  }
  return refused;
}
