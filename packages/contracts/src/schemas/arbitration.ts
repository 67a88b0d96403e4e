import { choice, digest32, listOf, time, tuple, words } from "../field-kinds.ts";
import { defineSchema } from "../payload.ts";

/** A dispute that a party brings before the arbitrators or the regulator. */
export const caseSchema = defineSchema("arbitration.case", [
  ["claimant", words(64), "required", 2],
  ["respondent", words(64), "required", 2],
  ["claims", listOf(words(512), 16), "required", 3],
  ["credentialIds", listOf(digest32, 16), "required"],
  ["evidencePackageDigest", digest32, "required"],
  ["filedAt", time, "required"],
  ["hearings", listOf(tuple(time, words(128)), 16), "optional", 3],
  ["ruleSet", words(128), "optional"],
]);

/** What was decided in a case, and what follows. */
export const verdictSchema = defineSchema("arbitration.verdict", [
  ["caseId", digest32, "required"],
  ["result", choice("upheld", "dismissed"), "required"],
  ["decidedBy", words(128), "required", 2],
  ["signedBy", listOf(digest32, 16), "optional", 2],
  ["reasoning", words(4_096), "required", 3],
  ["measures", listOf(tuple(digest32, choice("revoke", "amend", "hold")), 16), "optional", 2],
  ["enforcement", listOf(words(256), 8), "optional", 3],
]);
