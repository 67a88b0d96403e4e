import type { BrokenRule } from "../rule.ts";
import { byzantine, CORE, certificates, messages, settings, UNIT } from "./places.ts";

/** Thresholds and certificates: what makes two quorums meet in an honest validator. */
export const certificateRules: readonly BrokenRule[] = [
  {
    id: "quorum",
    rule: "A certificate takes ⌊(n + f) / 2⌋ + 1 distinct validators.",
    broken: "one fewer",
    file: `${CORE}/quorum.ts`,
    find: "faultBound(validatorCount)) / 2) + 1;",
    replace: "faultBound(validatorCount)) / 2);",
    tests: [
      { file: `${UNIT}/quorum.test.ts`, name: "known bug 3: the table" },
      { file: settings, name: "known bug 3: even halves" },
    ],
  },
  {
    id: "distinct-signers",
    rule: "Signers are counted, not signatures: indices ascend strictly.",
    broken: "an index may come twice",
    file: `${CORE}/certificates.ts`,
    find: "if (index <= previous) return",
    replace: "if (index < previous) return",
    tests: [{ file: certificates, name: "known bug 67" }],
  },
  {
    id: "distinct-voters",
    rule: "A validator's second vote of a view does not count.",
    broken: "votes are kept under their signature",
    file: `${CORE}/normal-case.ts`,
    find: "  if (first === undefined) votes.set(vote.sender, vote);",
    replace:
      "  if (first !== undefined && !isEquivocation(first, vote)) votes.set((1000 + votes.size) as never, vote);\n" +
      "  if (first === undefined) votes.set(vote.sender, vote);",
    tests: [{ file: byzantine, name: "known bugs 62 and 67" }],
  },
  {
    id: "index-bound",
    rule: "An index at or beyond n is nobody.",
    broken: "any index counts as a signer",
    file: `${CORE}/certificates.ts`,
    find: 'if (index >= validatorCount) return refuse("CONSENSUS_CERTIFICATE_MALFORMED", "no such index");',
    replace: "",
    tests: [{ file: certificates, name: "S-9.2-1: q distinct signers verify" }],
  },
  {
    id: "view-signed",
    rule: "The view is part of what PREPARE and COMMIT sign.",
    broken: "it is left out",
    file: `${CORE}/signed-payloads.ts`,
    find: "  const fields = { ...message, ...pickContext(context) };",
    replace: "  const fields = { ...message, view: 0 as View, ...pickContext(context) };",
    tests: [{ file: certificates, name: "each signed field is bound" }],
  },
  {
    id: "claims-complete",
    rule: "Every signature inside a justification is verified, not its own alone.",
    broken: "a view change's certificate is believed",
    file: `${CORE}/signed-payloads.ts`,
    find: "return [ownClaim(message, context), ...preparedClaims(message.prepared, context)];",
    replace: "return [ownClaim(message, context)];",
    tests: [
      { file: certificates, name: "signatureClaims names every signature" },
      { file: messages, name: "known bug 44" },
    ],
  },
];
