/**
 * The credential contract, and the formats that those who submit and verify credentials share
 * with it: records, calls, payload schemas, field commitments and identifier indexes.
 *
 * ```ts
 * import { randomBytes } from "@credlink/crypto";
 * import { commitPayload, createSalts, payloadSchemas, verifyPayload } from "@credlink/contracts";
 *
 * const schema = payloadSchemas["risk.alert"];
 * const payload = {
 *   ruleId: "night-burst/1", severity: "high", targets: [randomBytes(32)],
 *   detectedAt: 1_790_000_000_000n,
 * };
 * const salts = createSalts(payload, randomBytes);
 * const commitment = commitPayload(schema, payload, salts); // what the chain keeps
 * verifyPayload(schema, payload, salts, commitment); // { ok: true, … }
 * ```
 */
export * from "./browser.ts";
export { type ContractArtifact, loadCredentialContract, sdkFolder } from "./load.ts";
