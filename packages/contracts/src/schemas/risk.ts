import { choice, count, digest32, listOf, time, tuple, words } from "../field-kinds.ts";
import { defineSchema } from "../payload.ts";

const severity = choice("low", "medium", "high", "critical");

/** A model's or person's judgement of a subject. */
export const assessmentSchema = defineSchema("risk.assessment", [
  ["subjectReference", words(64), "required", 3],
  ["model.id", words(64), "required"],
  ["model.version", words(32), "required"],
  ["score", count, "required", 3],
  ["level", severity, "required"],
  ["factors", listOf(tuple(words(64), count), 32), "optional", 3],
  ["evidence", listOf(digest32, 24), "optional"],
  ["decidedBy", choice("automatic", "person"), "required"],
  ["validUntil", time, "optional"],
]);

/** A rule that fired. */
export const alertSchema = defineSchema("risk.alert", [
  ["ruleId", words(64), "required"],
  ["severity", severity, "required"],
  ["targets", listOf(digest32, 8), "required", 2],
  ["detectedAt", time, "required"],
  ["status", choice("open", "confirmed", "dismissed"), "optional"],
]);

/** A hold or a release. */
export const actionSchema = defineSchema("risk.action", [
  ["action", choice("hold", "release", "freeze", "report"), "required"],
  ["targetId", digest32, "required"],
  ["by", words(64), "required", 2],
  ["legalBasis", words(256), "optional"],
  ["expires", time, "optional"],
]);

/** A report of suspicious dealings. */
export const reportSchema = defineSchema("risk.report", [
  ["reportNumber", words(64), "required", 2],
  ["parties", listOf(words(64), 16), "required", 4],
  ["pattern", words(128), "required", 3],
  ["amountBand", words(64), "required", 3],
  ["narrativeDigest", digest32, "required"],
  ["submittedTo", words(128), "required"],
  ["acknowledgement", words(128), "optional"],
]);
