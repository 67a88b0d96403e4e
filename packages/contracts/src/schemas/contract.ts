import { choice, digest32, listOf, time, tuple, words } from "../field-kinds.ts";
import { defineSchema, type FieldLine, type Payload } from "../payload.ts";

/** Relation key, role, time and digest of the signature under the text. */
const party = tuple(digest32, choice("enterprise", "individual", "institution"), time, digest32);

const common: readonly FieldLine[] = [
  ["contractNumber", words(64), "required", 2],
  ["kind", choice("framework", "service", "consent", "rule-notice"), "required"],
  ["parties", listOf(party, 4), "required", 2],
  ["title", words(128), "optional"],
  ["bodyDigest", digest32, "required"],
  ["attachments", listOf(digest32, 16), "optional"],
  ["scene", words(64), "required"],
  ["priceRule", words(256), "optional", 3],
  ["settlementCycle", words(64), "optional"],
  ["taxMode", words(64), "optional"],
  ["effectiveFrom", time, "required"],
  ["effectiveTo", time, "required"],
  ["terminationReason", words(256), "optional"],
  ["versionOf", digest32, "optional"],
  ["signatureProvider", words(64), "optional"],
  // Whose relation key is whose: attested here, by the institution, and nowhere on chain.
  ["relationKeys", listOf(tuple(digest32, words(64)), 4), "required", 3],
];

function judgeWindow(payload: Payload): string | null {
  const { effectiveFrom, effectiveTo } = payload;
  const isOrdered =
    typeof effectiveFrom === "bigint" &&
    typeof effectiveTo === "bigint" &&
    effectiveFrom < effectiveTo;
  return isOrdered ? null : "effectiveTo is not after effectiveFrom";
}

/** Between an enterprise and an institution. */
export const frameworkSchema = defineSchema(
  "contract.framework",
  [...common, ["feeRule", words(256), "optional", 3], ["dataTermsDigest", digest32, "optional"]],
  judgeWindow,
);

/** Between an institution and a worker, under a framework. */
export const serviceSchema = defineSchema("contract.service", common, judgeWindow);
