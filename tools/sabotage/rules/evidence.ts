import type { BrokenRule } from "../rule.ts";
import { byzantine, CORE } from "./places.ts";

/** What proves that a validator lied, and what becomes of the proof. */
export const evidenceRules: readonly BrokenRule[] = [
  {
    id: "amnesia-proven",
    rule: "A COMMIT and a later VIEW-CHANGE that denies it are evidence.",
    broken: "they are not compared",
    file: `${CORE}/evidence.ts`,
    find: "    if (commit !== undefined && deniesCommit(commit.view, viewChange)) {",
    replace: "    if (commit !== undefined && commit.view > viewChange.view) {",
    tests: [{ file: byzantine, name: "known bug 9" }],
  },
];
