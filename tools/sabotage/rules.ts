import type { BrokenRule } from "./rule.ts";
import { certificateRules } from "./rules/certificates.ts";
import { durabilityRules } from "./rules/durability.ts";
import { evidenceRules } from "./rules/evidence.ts";
import { membershipRules } from "./rules/membership.ts";
import { nodeRules } from "./rules/node.ts";
import { oneProcessRules } from "./rules/one-process.ts";
import { progressRules } from "./rules/progress.ts";
import { recoveryRules } from "./rules/recovery.ts";
import { viewRules } from "./rules/views.ts";
import { votingRules } from "./rules/voting.ts";

/** Every rule that is shown to be guarded. `pnpm sabotage` breaks them one by one. */
export const brokenRules: readonly BrokenRule[] = [
  ...certificateRules,
  ...votingRules,
  ...viewRules,
  ...membershipRules,
  ...durabilityRules,
  ...progressRules,
  ...evidenceRules,
  ...recoveryRules,
  ...nodeRules,
  ...oneProcessRules,
];
