import { memberRoles } from "@credlink/ledger";
import { parse } from "yaml";
import { z } from "zod";
import { demandName } from "../build/project.ts";
import { ContractToolsError } from "../errors.ts";
import { reservedNames } from "./reserved-names.ts";

const identifier = z.string().regex(/^[a-z][A-Za-z0-9]{0,31}$/);

const fieldSchema = z
  .strictObject({
    name: identifier,
    type: z.enum(["text", "bytes", "u32", "u64", "bool", "address"]),
    /** Most bytes of text and bytes; greatest value of numbers. */
    max: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  })
  .refine(({ type, max }) => max !== undefined || type === "bool" || type === "address", {
    message: "text, bytes and numbers need a max",
  })
  .refine(({ type, max = 0 }) => (type !== "text" && type !== "bytes") || max <= 16_384, {
    message: "text and bytes have at most 16384 bytes",
  })
  .refine(({ type, max = 0 }) => type !== "u32" || max < 2 ** 32, {
    message: "a u32 is below 4294967296",
  });

const methodSchema = z.strictObject({
  name: identifier,
  does: z.enum(["create", "update", "remove", "read"]),
  /** Members of these roles may call it: the host checks, and the contract again. */
  roles: z.array(z.enum([...memberRoles])).min(1),
  /**
   * Who of them: `owner` (who created the record), `organization` (whoever is of the owner's), the
   * name of an address field, or `role:` and a role. Any one is enough; none: all of the roles.
   */
  allow: z.array(z.string()).default([]),
  /** Address fields whose members must sign too. */
  signedBy: z.array(z.string()).default([]),
});

/** Who may do what with a contract's records: what `contract new` writes a contract from. */
export const policySchema = z.strictObject({
  contract: z.string(),
  version: z.string().default("1.0.0"),
  /** What one record is called, in camel case. */
  record: identifier,
  fields: z.array(fieldSchema).min(1).max(12),
  methods: z.array(methodSchema).min(1).max(32),
});

export type Policy = z.infer<typeof policySchema>;
export type PolicyField = Policy["fields"][number];
export type PolicyMethod = Policy["methods"][number];

/**
 * A policy from YAML.
 * @throws ContractToolsError TOOLS_PROJECT_MALFORMED, TOOLS_NAME_INVALID
 */
export function parsePolicy(text: string): Policy {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "no YAML";
    throw malformed(reason);
  }
  const parsed = policySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  const policy = parsed.data;
  demandName(policy.contract, policy.version);
  judge(policy);
  return policy;
}

/** What a schema cannot say: names that lead somewhere, and none twice. */
function judge({ record, fields, methods }: Policy): void {
  const names = [...fields.map(({ name }) => name), ...methods.map(({ name }) => name), record];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw malformed(`${twice} is named twice`);
  const reserved = reservedNames();
  const taken = names.find((name) => reserved.has(name));
  if (taken !== undefined) throw malformed(`the name ${taken} is reserved: choose another`);
  const addresses = fields.filter(({ type }) => type === "address").map(({ name }) => name);
  const roles: readonly string[] = memberRoles;
  for (const { name, does, allow, signedBy } of methods) {
    for (const each of signedBy) {
      if (!addresses.includes(each)) throw malformed(`${name}: ${each} is no address field`);
      if (does === "read") throw malformed(`${name}: who reads signs nothing`);
    }
    for (const each of allow) {
      const isRole = each.startsWith("role:") && roles.includes(each.slice(5));
      const isParty = ["owner", "organization", ...addresses].includes(each);
      if (!isRole && !isParty) throw malformed(`${name}: ${each} names nobody`);
      if (does === "create" && !isRole) throw malformed(`${name}: a new record has no ${each} yet`);
    }
  }
}

function malformed(detail: string): ContractToolsError {
  return new ContractToolsError("TOOLS_PROJECT_MALFORMED", `policy: ${detail}`);
}

/** The policy of a contract that was made without one. */
export function defaultPolicy(contract: string): string {
  return `# Who may do what: \`credlink contract new --policy\` writes a contract from it (docs/contracts.md).
contract: ${contract}
version: 1.0.0
record: entry
fields:
  - { name: title, type: text, max: 64 }
  - { name: amount, type: u64, max: 1000000000000 }
  - { name: partner, type: address }
methods:
  - { name: create, does: create, roles: [enterprise, institution, admin] }
  - { name: update, does: update, roles: [enterprise, institution, admin], allow: [owner] }
  - { name: remove, does: remove, roles: [enterprise, institution, regulator, admin], allow: [owner, "role:regulator"] }
  - { name: get, does: read, roles: [enterprise, individual, institution, regulator, auditor, admin] }
`;
}
