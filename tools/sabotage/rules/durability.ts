import type { BrokenRule } from "../rule.ts";
import { CORE, NODE, restart, restarts, voteLog } from "./places.ts";

/** The vote log, and what a restart makes of it. */
export const durabilityRules: readonly BrokenRule[] = [
  {
    id: "folder-synced",
    rule: "A new segment's folder is synced before a vote in it counts as durable.",
    broken: "only the file is",
    file: `${NODE}/src/engine/vote-log-writer.ts`,
    find: "  await file.sync();\n  await disk.syncFolder(folder);",
    replace: "  await file.sync();",
    tests: [
      {
        file: `${NODE}/test/unit/engine/vote-log-writer.test.ts`,
        name: "known bug 52:",
      },
    ],
  },
  {
    id: "torn-tail-only",
    rule: "Only a torn tail is cut; a bad record before a good one makes us abstain.",
    broken: "everything bad is cut",
    file: `${CORE}/vote-log.ts`,
    find: '  if (hasLaterFrame(rest, found.nextLsn)) return damaged("a bad frame before a good one");',
    replace: "",
    tests: [{ file: voteLog, name: "a flip of every byte is noticed" }],
  },
  {
    id: "log-not-shorter",
    rule: "A log that ends before what was durable is damaged.",
    broken: "it is read as far as it goes",
    file: `${CORE}/vote-log.ts`,
    find: '  if (found.nextLsn <= acknowledgedLsn) return damaged("ends before what was durable");',
    replace: "",
    tests: [{ file: voteLog, name: "known bug 53:" }],
  },
  {
    id: "resume-view",
    rule: "A restart resumes in exactly the view that was entered last.",
    broken: "it starts in view 0",
    file: `${CORE}/state.ts`,
    find: "    view: place.promises.view,",
    replace: "    view: VIEW_ZERO,",
    tests: [{ file: restart, name: "known bug 34:" }],
  },
  {
    id: "own-vote-unknown",
    rule: "A vote of our own that the log does not know makes us abstain.",
    broken: "it is ignored",
    file: `${CORE}/recovery.ts`,
    find: "  if (!state.abstaining && isForgotten(",
    replace: "  if (state.halted && isForgotten(",
    tests: [{ file: restart, name: "a vote of our own that our log does not know" }],
  },
  {
    id: "vote-floor",
    rule: "No vote at a height that the log knows decided.",
    broken: "the log's decisions are forgotten",
    file: `${CORE}/recovery.ts`,
    find: "      if (record.height > voteFloor) voteFloor = record.height;",
    replace: "",
    tests: [
      { file: restart, name: "a store behind the vote log" },
      { file: restarts, name: "known bug 54:" },
    ],
  },
];
