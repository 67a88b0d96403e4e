import type { BrokenRule } from "../rule.ts";
import { amnesia, byzantine, CORE, LEDGER, settings, UNIT, VM } from "./places.ts";

/** What proves that a validator lied, and what becomes of the proof. */
export const evidenceRules: readonly BrokenRule[] = [
  {
    id: "amnesia-proven",
    rule: "A COMMIT and a later VIEW-CHANGE that denies it are evidence.",
    broken: "they are not compared",
    file: `${CORE}/evidence.ts`,
    find: "?.find((each) => deniesCommit(commit.view, each));",
    replace: "?.find((each) => commit.view > each.view);",
    tests: [{ file: byzantine, name: "known bug 9:" }],
  },
  {
    id: "claims-kept",
    rule: "Two VIEW-CHANGEs of one view convict, whatever their signer says of higher views between.",
    broken: "only the last one is compared",
    file: `${CORE}/view-change.ts`,
    find: "  const other = keepClaim(current.claims, message);",
    replace:
      "  const last = current.viewChanges.get(message.sender);\n  const other = last !== undefined && last.view > message.view ? null : keepClaim(current.claims, message);",
    tests: [
      {
        file: `${UNIT}/amnesia.test.ts`,
        name: "convict although the same signer sent one of a higher view between them",
      },
    ],
  },
  {
    id: "early-votes-kept",
    rule: "Two votes of one view of the next height convict, whatever their signer votes in higher views between.",
    broken: "only the vote of the highest view is compared",
    file: `${CORE}/evidence.ts`,
    find: "  kept.set(vote.sender, ascending.slice(-MAX_EARLY_VOTES));",
    replace: "  kept.set(vote.sender, ascending.slice(-1));",
    tests: [
      {
        file: `${UNIT}/amnesia.test.ts`,
        name: "although the same signer voted in a higher view between them",
      },
    ],
  },
  {
    id: "denials-kept",
    rule: "A VIEW-CHANGE that denies COMMITs is kept whatever its signer says after it.",
    broken: "only what it said last is held against it",
    file: `${CORE}/evidence.ts`,
    find: "  const ascending = [...rest, { ...message, prepared: null }]",
    replace: "  const ascending = [{ ...message, prepared: null }]",
    tests: [{ file: amnesia, name: "a COMMIT, the entry that denies it, and a later one" }],
  },
  {
    id: "only-different-votes",
    rule: "Two votes of one view are evidence only when they name different blocks.",
    broken: "a vote that comes twice convicts",
    file: `${CORE}/evidence.ts`,
    find: "  return first.view === second.view && !equalBytes(first.digest, second.digest);",
    replace: "  return first.view === second.view;",
    tests: [{ file: settings, name: "known bug 21:" }],
  },
  {
    id: "evidence-conflicts",
    rule: "Equal fields under two signatures prove nothing.",
    broken: "they convict",
    file: `${CORE}/signed-evidence.ts`,
    find: '  if (order === 0) return refuse("CONSENSUS_EVIDENCE_NO_CONFLICT", evidence.type);',
    replace: "  if (order === 0) return accept(null);",
    tests: [{ file: `${UNIT}/evidence.test.ts`, name: "two signatures under equal fields" }],
  },
  {
    id: "evidence-signed",
    rule: "Both signatures of evidence are verified.",
    broken: "one of them is",
    file: `${CORE}/certificates.ts`,
    find: "  return checkClaims(evidenceClaims(evidence, contextOf(set, context)), set, verify);",
    replace:
      "  return checkClaims(evidenceClaims(evidence, contextOf(set, context)).slice(1), set, verify);",
    tests: [{ file: `${UNIT}/evidence.test.ts`, name: "every signed field is bound" }],
  },
  {
    id: "evidence-judged",
    rule: "A block with evidence that does not verify is invalid.",
    broken: "the evidence is believed",
    file: `${LEDGER}/src/proposal-check.ts`,
    find: '    if (holds !== true) return refuse("LEDGER_BLOCK_EVIDENCE", "does not verify");',
    replace:
      '    if (holds === undefined) return refuse("LEDGER_BLOCK_EVIDENCE", "does not verify");',
    tests: [{ file: `${LEDGER}/test/unit/evidence.test.ts`, name: "of other chains, unsigned" }],
  },
  {
    id: "evidence-once",
    rule: "A signer is recorded once for a height, ever.",
    broken: "again in every block",
    file: `${LEDGER}/src/evidence.ts`,
    find: "  if (parent.get(VALIDATORS_CONTRACT, evidenceKey(evidence.height, publicKey)) !== null) {",
    replace: "  if (parent.get(VALIDATORS_CONTRACT, evidenceKey(height, publicKey)) !== null) {",
    tests: [
      {
        file: `${LEDGER}/test/unit/evidence.test.ts`,
        name: "of one signer and height is recorded once",
      },
    ],
  },
  {
    id: "evidence-ascends",
    rule: "A block names a signer once for a height.",
    broken: "twice",
    file: `${LEDGER}/src/evidence.ts`,
    find: "compareEvidence(before, verdict.value.evidence) >= 0",
    replace: "compareEvidence(before, verdict.value.evidence) > 0",
    tests: [
      { file: `${LEDGER}/test/unit/evidence.test.ts`, name: "must ascend by height and signer" },
    ],
  },
  {
    id: "evidence-window",
    rule: "Evidence is about one of the last 1,000 heights.",
    broken: "of any height",
    file: `${LEDGER}/src/evidence.ts`,
    find: "evidence.height < Math.max(1, height - EVIDENCE_WINDOW)",
    replace: "evidence.height < 1",
    tests: [{ file: `${LEDGER}/test/unit/evidence.test.ts`, name: "the window" }],
  },
  {
    id: "evidence-recorded",
    rule: "Evidence of a block is recorded in the state.",
    broken: "it is forgotten",
    file: `${VM}/src/built-in/end-of-block.ts`,
    find: "  recordEvidence(state, block);\n  removeLapsed",
    replace: "  removeLapsed",
    tests: [{ file: `${VM}/test/unit/evidence.test.ts`, name: "lists what blocks recorded" }],
  },
];
