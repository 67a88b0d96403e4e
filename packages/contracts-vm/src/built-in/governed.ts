import { type DecisionClass, isNodeRole, memberRoles } from "@credlink/ledger";
import type { Codec } from "@credlink/primitives";
import { requireDecision } from "./authority.ts";
import { type BuiltInCall, type BuiltInMethod, changing, decodeArgs } from "./built-in.ts";

const people = memberRoles.filter((role) => !isNodeRole(role));

/**
 * A method that only a decision of the consortium carries out: a proposal that passed, or a
 * transaction whose signers are the decision. `run` finds no signers and the contract
 * `governance` as its caller in the first case: it judges its arguments and the state alone.
 */
export function governed<T>(
  decision: DecisionClass,
  args: Codec<T>,
  run: (args: T, call: BuiltInCall) => undefined,
): BuiltInMethod {
  const direct = changing(people, args, (values, call) => {
    requireDecision(call, decision);
    return run(values, call);
  });
  return alsoGoverned(direct, decision, args, run);
}

/** A method with rules of its own for who calls it, which a decision may carry out as well. */
export function alsoGoverned<T>(
  method: BuiltInMethod,
  decision: DecisionClass,
  args: Codec<T>,
  run: (args: T, call: BuiltInCall) => undefined,
): BuiltInMethod {
  return {
    ...method,
    act: {
      decision,
      check: (bytes) => {
        decodeArgs(args, bytes);
      },
      execute: (bytes, call) => {
        run(decodeArgs(args, bytes), call);
      },
    },
  };
}
