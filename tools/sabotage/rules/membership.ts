import type { BrokenRule } from "../rule.ts";
import { VM } from "./places.ts";

/** Who is a validator, and whose turn it is. */
export const membershipRules: readonly BrokenRule[] = [
  {
    id: "changes-limited",
    rule: "A block admits max(1, f) changes of the validators, f being that of the list before it.",
    broken: "f is that of the list as the block's own changes have left it, and all are admitted",
    file: `${VM}/src/built-in/validators.ts`,
    find: "  if (registry.changedAt === height) return registry.changesLeft;",
    replace: "",
    tests: [
      {
        file: `${VM}/test/unit/validator-limits.test.ts`,
        name: "a list that grows within a block",
      },
    ],
  },
];
