import { choice, count, digest32, listOf, words } from "../field-kinds.ts";
import { defineSchema } from "../payload.ts";

/**
 * A data subject's permission to use credentials about it, for one purpose and time. Grantee,
 * purpose and actions are at level 1: the terms on chain say them.
 */
export const grantSchema = defineSchema("grant.access", [
  ["grantor", digest32, "required"],
  ["grantee", digest32, "required"],
  ["credentialIds", listOf(digest32, 16), "required"],
  ["fields", listOf(words(128), 64), "optional", 2],
  ["purpose", words(64), "required"],
  ["actions", listOf(choice("read", "verify", "export"), 3), "required"],
  ["maxUses", count, "optional"],
  ["legalBasis", words(256), "optional"],
]);
