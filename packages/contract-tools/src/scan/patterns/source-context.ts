import type { DataFlow } from "../source/data-flow.ts";
import type { Guards } from "../source/guards.ts";
import type { SourceFunction, SourceProgram } from "../source/program.ts";
import type { FlowContext } from "./flow-patterns.ts";

/** Sources with all that was worked out about them. */
export interface SourceContext extends FlowContext {
  readonly program: SourceProgram;
  readonly values: DataFlow;
  readonly guards: Guards;
}

/** The contract's own functions: those that are not the SDK's. */
export function ownFunctions({ program }: SourceContext): readonly SourceFunction[] {
  return [...program.functions.values()].filter(({ isSdk }) => !isSdk);
}
