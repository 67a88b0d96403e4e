import type { BrokenRule } from "../rule.ts";
import { agreement, byzantine, CORE, order, restarts, viewChange } from "./places.ts";

/** Voting within a view. */
export const votingRules: readonly BrokenRule[] = [
  {
    id: "one-prepare",
    rule: "One PREPARE for each (height, view), across restarts.",
    broken: "the log's PREPAREs are not replayed",
    file: `${CORE}/recovery.ts`,
    find: "      promises.prepared.set(record.view, record.digest);",
    replace: "",
    tests: [
      { file: byzantine, name: "a PREPARE is remembered across a restart" },
      { file: restarts, name: "known bug 54" },
    ],
  },
  {
    id: "persist-before-send",
    rule: "A vote leaves only after its record is durable.",
    broken: "it is broadcast at once",
    file: `${CORE}/emit.ts`,
    find: '  step.effects.push({ type: "persist", lsn, records: [record] });',
    replace:
      '  step.effects.push({ type: "persist", lsn, records: [record] });\n' +
      '  step.effects.push({ type: "broadcast", message });',
    tests: [{ file: order, name: "no vote leaves before its record is durable" }],
  },
  {
    id: "body-before-commit",
    rule: "The bodies of a block are durable before the promise to commit it.",
    broken: "they are not stored",
    file: `${CORE}/normal-case.ts`,
    find: '  step.effects.push({ type: "persist-body", digest });',
    replace: "",
    tests: [{ file: order, name: "a body is durable before the promise" }],
  },
  {
    id: "execute-before-prepare",
    rule: "Only a block that was executed and found valid gets a PREPARE.",
    broken: "every accepted block does",
    file: `${CORE}/normal-case.ts`,
    find: '  if (candidateOf(current, digest)?.verdict !== "valid") return false;\n  promises.prepared',
    replace: "  promises.prepared",
    tests: [
      { file: byzantine, name: "S-9.2-2: an invalid block gets no PREPARE" },
      { file: agreement, name: "known bug 61" },
    ],
  },
  {
    id: "no-fast-path",
    rule: "q PREPAREs lock a block; only q COMMITs decide it.",
    broken: "a quorum of PREPAREs decides",
    file: `${CORE}/deciding.ts`,
    find: "  for (const [view, votes] of current.commits) {",
    replace: "  for (const [view, votes] of [...current.commits, ...current.prepares]) {",
    tests: [{ file: agreement, name: "known bug 5" }],
  },
  {
    id: "header-rules",
    rule: "A proposal's header must fit the height's parent and validator lists.",
    broken: "the validators' digest is not compared",
    file: `${CORE}/normal-case.ts`,
    find: '  if (!equalBytes(proposal.validatorsHash, place.validators.hash)) return "validators";',
    replace: "",
    tests: [{ file: byzantine, name: "known bug 43" }],
  },
  {
    id: "timely",
    rule: "A fresh proposal's time is near the receiver's clock.",
    broken: "any time will do",
    file: `${CORE}/normal-case.ts`,
    find: "  return Math.abs(timestampMs - receivedMs) <= precisionMs + delay;",
    replace: "  return timestampMs + receivedMs + precisionMs + delay > 0;",
    tests: [{ file: byzantine, name: "known bug 43" }],
  },
  {
    id: "timely-fresh-only",
    rule: "A block that is proposed again is never too old.",
    broken: "its time is judged again",
    file: `${CORE}/normal-case.ts`,
    find: "  if (verdict.fresh && !isTimely(",
    replace: "  if (!isTimely(",
    tests: [{ file: viewChange, name: "known bug 16" }],
  },
  {
    id: "halt-on-divergence",
    rule: "A certified block that our execution refuses stops us.",
    broken: "the refusal is ignored",
    file: `${CORE}/deciding.ts`,
    find: '    halt(step, "CONSENSUS_EXECUTION_DIVERGED");',
    replace: "",
    tests: [{ file: byzantine, name: "known bug 59: q commits for a block" }],
  },
  {
    id: "head-durable",
    rule: "No vote for a height before the store holds the one below it.",
    broken: "votes do not wait for the store",
    file: `${CORE}/normal-case.ts`,
    find: "  if (self === null || !state.headDurable || accepted === undefined) return false;",
    replace: "  if (self === null || accepted === undefined) return false;",
    tests: [{ file: order, name: "nothing of the next height is prepared" }],
  },
];
