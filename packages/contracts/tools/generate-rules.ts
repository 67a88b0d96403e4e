import type { Role } from "@credlink/crypto";
import {
  type CredentialType,
  credentialRelations,
  credentialTypes,
  encodeSchemaFields,
  formRules,
  parentUses,
  payloadSchemas,
  publicTypes,
  referenceRules,
  schemaDigest,
} from "../src/index.ts";

/*
 * Writes the contract's tables as AssemblyScript from the data of src/: one source for the
 * contract, its documents and its tests.
 */

/** Bits of the roles that the contract knows, as in assembly/credential/types.ts. */
const roleBits: Partial<Record<Role, number>> = {
  institution: 1,
  regulator: 2,
  enterprise: 4,
  individual: 8,
  auditor: 16,
};

function rolesMask(roles: readonly Role[]): number {
  return roles.reduce((mask, role) => {
    const bit = roleBits[role];
    if (bit === undefined) throw new Error(`the contract knows no role ${role}`);
    return mask | bit;
  }, 0);
}

function typesMask(types: readonly CredentialType[]): number {
  return types.reduce((mask, type) => mask | (1 << credentialTypes.indexOf(type)), 0);
}

function table(name: string, comment: string, rows: readonly string[]): string {
  return `/** ${comment} */\nexport const ${name}: StaticArray<i32> = [\n${rows.join("\n")}\n];\n`;
}

function referenceRows(): readonly string[] {
  return referenceRules.map(({ child, relation, parents, fewest, most, use }) => {
    const cells = [
      credentialTypes.indexOf(child),
      credentialRelations.indexOf(relation),
      typesMask(parents),
      fewest,
      most,
      use === null ? 0 : parentUses.indexOf(use) + 1,
    ];
    return `  ${cells.join(", ")}, // ${child} ${relation}`;
  });
}

function formRows(): readonly string[] {
  return credentialTypes.map((type) => {
    const { issuers, fewestIndexes, mostIndexes, amounts } = formRules[type];
    const { fields, level } = payloadSchemas[type];
    const cells = [fields.length, level, rolesMask(issuers), fewestIndexes, mostIndexes, amounts];
    return `  ${cells.join(", ")}, // ${type}`;
  });
}

/** The built-in schemas' field lists, one behind the other, with where each begins. */
function schemaData(): string {
  const lists = credentialTypes.map((type) => encodeSchemaFields(payloadSchemas[type].fields));
  const starts: number[] = [0];
  for (const list of lists) starts.push((starts.at(-1) ?? 0) + list.length);
  const bytes = lists.flatMap((list) => [...list]);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 24)
    lines.push(`  ${bytes.slice(at, at + 24).join(", ")},`);
  const digests = credentialTypes.flatMap((type) => [...schemaDigest(payloadSchemas[type].fields)]);
  const digestLines: string[] = [];
  for (let at = 0; at < digests.length; at += 32) {
    digestLines.push(`  ${digests.slice(at, at + 32).join(", ")},`);
  }
  return [
    table("SCHEMA_STARTS", "Where each built-in schema's list begins; one more at the end.", [
      `  ${starts.join(", ")},`,
    ]),
    `/** Field lists of the built-in schemas. */`,
    `export const SCHEMA_LISTS: StaticArray<u8> = [\n${lines.join("\n")}\n];\n`,
    `/** Digests of the built-in schemas, 32 bytes each. */`,
    `export const SCHEMA_DIGESTS: StaticArray<u8> = [\n${digestLines.join("\n")}\n];\n`,
  ].join("\n");
}

/** Where the tables stand in the package's folder. */
export const rulesPath = "assembly/credential/tables.ts";

/** The text of assembly/credential/tables.ts. */
export function generateRules(): string {
  return [
    "/*\n * Written by `pnpm contracts:build` from src/credential-rules.ts and src/schemas: change those.\n */\n",
    table(
      "REFERENCES",
      "Rows: child type, relation, mask of parent types, fewest, most, use.",
      referenceRows(),
    ),
    `export const REFERENCE_ROWS = ${referenceRules.length};\n`,
    table(
      "FORMS",
      "Rows by type: leaves, data level, issuer roles, fewest and most indexes, amounts.",
      formRows(),
    ),
    `/** Types whose public fields may be published in clear. */\nexport const PUBLIC_TYPES = ${typesMask(publicTypes)};\n`,
    schemaData(),
  ].join("\n");
}
