import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type HostImport, hostTypes } from "@credlink/contracts-vm/inspect";
import { sm3 } from "@credlink/crypto";
import { toHex, utf8 } from "@credlink/primitives";
import { z } from "zod";
import { ContractToolsError } from "../errors.ts";

const hostImport = z.enum(Object.keys(hostTypes) as [HostImport, ...HostImport[]]);
const origin = z.enum([
  "input",
  "state",
  "caller",
  "signers",
  "time",
  "height",
  "call",
  "verify",
  "sum",
]);
const sink = z.enum([
  "condition",
  "state-key",
  "state-value",
  "event",
  "callee-name",
  "callee-args",
  "remainder",
  "equality",
]);
/** Which methods of the manifest a pattern is about; absent: all. */
const methodFilter = {
  readOnly: z.boolean().optional(),
  /** Methods that at least so many roles may call. */
  minRoles: z.number().int().optional(),
};

/** Patterns over what a method does in order; on sources and on modules. */
const flowPattern = z.discriminatedUnion("kind", [
  /** Steps that may happen one after the other; reported at the last. */
  z.strictObject({
    kind: z.literal("sequence"),
    steps: z.array(z.array(hostImport).min(1)).min(2).max(4),
    /**
     * Only where the manifest lets the contract call others than built-in ones, of which contracts
     * may only read.
     */
    foreignOnly: z.boolean().default(false),
    ...methodFilter,
  }),
  /** A host function that some way reaches without one of others before it. */
  z.strictObject({
    kind: z.literal("without"),
    effect: z.array(hostImport).min(1),
    by: z.array(hostImport).min(1),
    ...methodFilter,
  }),
  /** A method that reaches one of some host functions, and none of others. */
  z.strictObject({
    kind: z.literal("reach"),
    reaches: z.array(hostImport).min(1),
    misses: z.array(hostImport).default([]),
    /** Only where the manifest names no contract to call. */
    withoutCalls: z.boolean().default(false),
    ...methodFilter,
  }),
  /** A host function in a loop that no constant bounds. */
  z.strictObject({ kind: z.literal("open-loop"), effect: z.array(hostImport).min(1) }),
  /** Functions that call themselves, directly or over others. */
  z.strictObject({ kind: z.literal("recursion") }),
  /** The manifest names contracts to call, and no method calls any. */
  z.strictObject({ kind: z.literal("calls-unused") }),
  /** Exported functions that the manifest does not list. */
  z.strictObject({ kind: z.literal("export-unlisted") }),
]);

const sourcePattern = z.discriminatedUnion("kind", [
  /** A value of one of the origins reaches a use. */
  z.strictObject({ kind: z.literal("taint"), origins: z.array(origin).min(1), sink }),
  /** A method gets values of the origins, and they reach none of the uses. */
  z.strictObject({
    kind: z.literal("unused-value"),
    effect: z.array(hostImport).min(1),
    origins: z.array(origin).min(1),
    sinks: z.array(sink).min(1),
    /** Only in methods that reach one of these too. */
    with: z.array(hostImport).default([]),
  }),
  /** Arithmetic on values from outside that nothing compares before. */
  z.strictObject({
    kind: z.literal("arithmetic"),
    operators: z.array(z.string()).min(1),
    /** Types of the result; empty: any. */
    types: z.array(z.string()),
    origins: z.array(origin).min(1),
    /** Which operand must come from outside. */
    operand: z.enum(["any", "right"]),
  }),
  /** A cast of a wider value from outside that nothing compares before. */
  z.strictObject({
    kind: z.literal("narrowing"),
    from: z.array(z.string()).min(1),
    to: z.array(z.string()).min(1),
    origins: z.array(origin).min(1),
  }),
  /** Types or literals of floating point. */
  z.strictObject({ kind: z.literal("type-names"), names: z.array(z.string()).min(1) }),
  /** Functions of the language, or of the host, that must not be used. */
  z.strictObject({
    kind: z.literal("builtin"),
    names: z.array(z.string()).min(1),
    /** Only where an argument has one of these origins; empty: always. */
    origins: z.array(origin).default([]),
  }),
  /** Imports from anything but the host. */
  z.strictObject({ kind: z.literal("foreign-import") }),
  /** Text that a function hands to the host has a wrong form. */
  z.strictObject({
    kind: z.literal("text-argument"),
    effect: hostImport,
    /** Which of the function's text parameters, from 0. */
    nth: z.number().int(),
    form: z.string(),
    forbidden: z.string().optional(),
  }),
  /** Names of contracts that are called and not declared. */
  z.strictObject({ kind: z.literal("call-undeclared") }),
  /** Names of contracts that are declared and not called. */
  z.strictObject({ kind: z.literal("call-unused-name") }),
  /** Text, or a list of bytes, that looks like something fixed. */
  z.strictObject({
    kind: z.literal("literal"),
    forms: z.array(z.string()),
    minBytes: z.number().int().optional(),
  }),
  z.strictObject({ kind: z.literal("mutable-variable") }),
  /** A value that may be null, taken for one that is not. */
  z.strictObject({ kind: z.literal("unchecked-null") }),
  /** An object over the arguments that never reaches the method that ends its use. */
  z.strictObject({
    kind: z.literal("unfinished"),
    className: z.string(),
    method: z.string(),
    origins: z.array(origin).min(1),
  }),
  /** A key of two parts whose border depends on a value. */
  z.strictObject({
    kind: z.literal("ambiguous-key"),
    className: z.string(),
    method: z.string(),
  }),
  /** A role that no member can have. */
  z.strictObject({ kind: z.literal("role-literal"), property: z.string() }),
  z.strictObject({ kind: z.literal("version-missing") }),
  /** Files of the SDK that are not those of this release. */
  z.strictObject({ kind: z.literal("sdk-altered") }),
]);

const modulePattern = z.discriminatedUnion("kind", [
  /** Codes with which a node refuses the module. */
  z.strictObject({ kind: z.literal("refusal"), codes: z.array(z.string()).min(1) }),
  /** The result of a function that reaches a host function is dropped. */
  z.strictObject({ kind: z.literal("dropped-result"), effect: z.array(hostImport).min(1) }),
  /** A remainder of what a host function answered. */
  z.strictObject({ kind: z.literal("remainder"), effect: z.array(hostImport).min(1) }),
  /** Imports that no method reaches. */
  z.strictObject({ kind: z.literal("import-unreached") }),
  /** Bytes that are known to be harmful, in hexadecimal. */
  z.strictObject({ kind: z.literal("bytes"), signatures: z.array(z.string()).min(1) }),
  /** Text in data segments, of one byte or of two a character. */
  z.strictObject({ kind: z.literal("data-text"), forms: z.array(z.string()).min(1) }),
]);

const manifestPattern = z.discriminatedUnion("kind", [
  /** Roles that have no use for a method of the kind. */
  z.strictObject({
    kind: z.literal("roles"),
    roles: z.array(z.string()).min(1),
    readOnly: z.boolean(),
  }),
  z.strictObject({ kind: z.literal("memory-pages"), max: z.number().int() }),
]);

export const severities = ["low", "medium", "high"] as const;
export type Severity = (typeof severities)[number];

const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z]+(?:-[a-z]+)*$/),
  severity: z.enum(severities),
  title: z.string().min(5),
  description: z.string().min(20),
  remedy: z.string().min(10),
  /** Numbers of the Common Weakness Enumeration and of the SWC registry. */
  references: z.array(z.string().regex(/^(?:CWE|SWC)-\d+$/)),
  flow: z.array(flowPattern).default([]),
  source: z.array(sourcePattern).default([]),
  module: z.array(modulePattern).default([]),
  manifest: z.array(manifestPattern).default([]),
});

export type Rule = z.infer<typeof ruleSchema>;
export type FlowPattern = z.infer<typeof flowPattern>;
export type SourcePattern = z.infer<typeof sourcePattern>;
export type ModulePattern = z.infer<typeof modulePattern>;
export type ManifestPattern = z.infer<typeof manifestPattern>;

/** Rules of one release. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  /** SM3 over the rules' canonical JSON: two scans agree only if this is equal. */
  readonly digest: string;
}

const rulesFolder = fileURLToPath(new URL("../../rules", import.meta.url));

/**
 * The rules that come with the tools: one JSON file per subject in rules/.
 * @throws ContractToolsError TOOLS_RULES_MALFORMED
 */
export function loadRules(folder: string = rulesFolder): RuleSet {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const rules = names.sort().flatMap((name) => {
    const text = readFileSync(`${folder}/${name}`, "utf8");
    return parseRules(text, name);
  });
  const ids = rules.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new ContractToolsError("TOOLS_RULES_MALFORMED", `${twice} twice`);
  return { rules, digest: toHex(sm3(utf8(JSON.stringify(rules)))) };
}

/** @throws ContractToolsError TOOLS_RULES_MALFORMED */
export function parseRules(text: string, name: string): readonly Rule[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ContractToolsError("TOOLS_RULES_MALFORMED", `${name} is no JSON`, { cause });
  }
  const parsed = z.array(ruleSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = `${name}: ${issue?.path.join(".")}: ${issue?.message}`;
  throw new ContractToolsError("TOOLS_RULES_MALFORMED", where);
}
