/** What the package offers without a file system: everything but the compiled contract. */
export * from "./amounts.ts";
export * from "./check-digits.ts";
export * from "./commitment.ts";
export * from "./credential.ts";
export * from "./credential-calls.ts";
export { type CredentialRefusalCode, credentialErrors } from "./credential-errors.ts";
export * from "./credential-file.ts";
export * from "./credential-rules.ts";
export * from "./credential-types.ts";
export * from "./errors.ts";
export * from "./identifier-index.ts";
export {
  type DataLevel,
  type FieldKind,
  type Payload,
  type PayloadField,
  type PayloadRefusalCode,
  type PayloadSchema,
  validatePayload,
} from "./payload.ts";
export * from "./policy.ts";
export * from "./registered-schema.ts";
export * from "./schema-registry.ts";
export { payloadSchemas } from "./schemas/index.ts";
export * from "./state-keys.ts";
export * from "./terms.ts";
