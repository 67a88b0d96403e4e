import {
  bankCardNumber,
  choice,
  count,
  creditCode,
  digest32,
  flag,
  identityNumber,
  listOf,
  mobileNumber,
  time,
  words,
} from "../field-kinds.ts";
import { defineSchema, type FieldLine } from "../payload.ts";

const verification: readonly FieldLine[] = [
  ["verification.method", words(64), "required"],
  ["verification.at", time, "required"],
  ["verification.result", choice("passed", "failed"), "required"],
  ["verification.authority", words(128), "optional"],
];

/** A management-and-service institution. */
export const institutionSchema = defineSchema("identity.institution", [
  ["name", words(128), "required"],
  ["uscc", creditCode, "required"],
  ["licences", listOf(words(64), 16), "required"],
  ["supervisor", words(128), "optional"],
  ["nodeIds", listOf(words(64), 16), "optional"],
  ["caSerial", words(64), "required"],
]);

/** An enterprise that has work done. */
export const enterpriseSchema = defineSchema("identity.enterprise", [
  ["name", words(128), "required"],
  ["uscc", creditCode, "required"],
  ["legalRepresentative", words(64), "optional"],
  ["registeredAddress", words(256), "optional"],
  ["businessScope", words(1_024), "optional"],
  ["establishedOn", time, "optional"],
  ["status", choice("operating", "suspended", "deregistered"), "optional"],
  ["basicAccount", words(64), "optional", 3],
  ["contactName", words(64), "optional", 3],
  ["contactPhone", mobileNumber, "optional", 3],
  ["serviceScenarios", listOf(words(64), 16), "optional"],
  ["licenceImageDigest", digest32, "required"],
  ...verification,
]);

/** A worker, verified by name; never anything of it on chain. */
export const individualSchema = defineSchema("identity.individual", [
  ["personReference", words(64), "required"],
  ["realName", words(64), "required", 3],
  ["idType", choice("identity-card"), "required"],
  ["idNumber", identityNumber, "required", 4],
  ["idValidFrom", time, "optional"],
  ["idValidTo", time, "optional"],
  ["mobile", mobileNumber, "required", 3],
  ["bankCard", bankCardNumber, "optional", 4],
  ["bankName", words(64), "optional"],
  ["faceVerification.provider", words(64), "optional", 4],
  ["faceVerification.transactionReference", words(64), "optional", 4],
  ["faceVerification.score", count, "optional", 4],
  ["faceVerification.evidenceDigest", digest32, "optional", 4],
  ["liveness", flag, "optional"],
  ["address", words(256), "optional", 3],
  ["occupation", words(64), "optional"],
  ["platformUserId", words(64), "optional"],
  ["taxResident", flag, "optional"],
  ["consent.version", words(32), "required"],
  ["consent.purposes", listOf(words(64), 16), "required"],
  ["consent.at", time, "required"],
  ["consent.receiptDigest", digest32, "required"],
  ...verification,
]);
