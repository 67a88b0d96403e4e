import type { Policy, PolicyField, PolicyMethod } from "./policy.ts";

const upper = (name: string): string => (name[0] ?? "").toUpperCase() + name.slice(1);
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
const constant = (name: string): string => kebab(name).replaceAll("-", "_").toUpperCase();

/** Prefix of the contract's refusal codes; codes have at most 64 characters. */
function prefixOf({ contract }: Policy): string {
  return constant(contract).slice(0, 28);
}

const head = (what: string): string =>
  `/*\n * ${what}\n * Written by \`credlink contract new\` from policy.yaml.\n */\n`;

/** The record: its fields, and their canonical encoding. */
export function recordSource(policy: Policy): string {
  const { record, fields } = policy;
  const type = upper(record);
  const declared = fields.map((field) => `  ${field.name}: ${typeOf(field)};`);
  const limits = fields.flatMap(({ name, type: kind, max }) =>
    max === undefined
      ? []
      : [`const MAX_${constant(name)}: ${kind === "u64" ? "u64" : "u32"} = ${max};`],
  );
  const usesDemand = fields.some(({ type: kind }) => kind === "u32" || kind === "u64");
  return `${head(`One ${record} as the state keeps it: [id, owner, organisation, ${fields.map(({ name }) => name).join(", ")}].`)}import { ${usesDemand ? "demand, " : ""}Party, Reader, Slice, StateMap, Writer } from "./sdk/index";

/** Why arguments or a stored ${record} cannot be read. */
export const MALFORMED: string = "${prefixOf(policy)}_MALFORMED";
/** Prefix of the keys under which records stand. */
const RECORDS: u8 = 0x72;
const MAX_ORGANIZATION: u32 = 64;
${limits.join("\n")}

@final
export class ${type} {
  /** Who created it, 32 bytes. */
  owner: usize = 0;
  organization: Slice = new Slice(0, 0);
  /** 32 bytes. */
  id: usize = 0;
${fields.map((field, i) => `${declared[i]?.replace(";", "")} = ${zeroOf(field)};`).join("\n")}
}

export function keyOf(id: usize): Slice {
  return new StateMap(RECORDS).key(id, 32);
}

/** The arguments [id, ${fields.map(({ name }) => name).join(", ")}], of a ${record} that \`who\` owns. */
export function readArguments(reader: Reader, who: Party): ${type} {
  const ${record} = new ${type}();
  reader.struct(${fields.length + 1});
  ${record}.id = reader.bytes(32);
  ${record}.owner = who.address;
  ${record}.organization = who.organization;
  readFields(reader, ${record});
  return ${record};
}

function readFields(reader: Reader, ${record}: ${type}): void {
${fields.map((field) => readField(field, record)).join("\n")}
}

export function encode${type}(${record}: ${type}): Slice {
  const writer = new Writer(256);
  writer.list(${fields.length + 3});
  writer.bytes(${record}.id, 32);
  writer.bytes(${record}.owner, 32);
  writer.text(${record}.organization.pointer, <u32>${record}.organization.length);
${fields.map((field) => writeField(field, record)).join("\n")}
  return writer.slice();
}

export function decode${type}(stored: Slice): ${type} {
  const reader = Reader.of(stored, MALFORMED);
  const ${record} = new ${type}();
  reader.struct(${fields.length + 3});
  ${record}.id = reader.bytes(32);
  ${record}.owner = reader.bytes(32);
  ${record}.organization = reader.text(MAX_ORGANIZATION);
  readFields(reader, ${record});
  reader.finish();
  return ${record};
}
`;
}

function typeOf({ type }: PolicyField): string {
  if (type === "text" || type === "bytes") return "Slice";
  return type === "address" ? "usize" : type;
}

function zeroOf({ type }: PolicyField): string {
  if (type === "text" || type === "bytes") return "new Slice(0, 0)";
  return type === "bool" ? "false" : "0";
}

function readField({ name, type }: PolicyField, record: string): string {
  const place = `${record}.${name}`;
  const most = `MAX_${constant(name)}`;
  switch (type) {
    case "text":
      return `  ${place} = reader.text(${most});`;
    case "bytes":
      return `  ${place} = reader.byteString(${most});`;
    case "u32":
    case "u64":
      return `  ${place} = reader.${type}();\n  demand(${place} <= ${most}, MALFORMED);`;
    case "bool":
      return `  ${place} = reader.bool();`;
    case "address":
      return `  ${place} = reader.bytes(32);`;
  }
}

function writeField({ name, type }: PolicyField, record: string): string {
  const place = `${record}.${name}`;
  if (type === "text" || type === "bytes") {
    return `  writer.${type}(${place}.pointer, <u32>${place}.length);`;
  }
  return type === "address" ? `  writer.bytes(${place}, 32);` : `  writer.${type}(${place});`;
}

/** Who may do what: one function per method, and nothing else decides. */
export function accessSource(policy: Policy): string {
  const { record, methods } = policy;
  const type = upper(record);
  const prefix = prefixOf(policy);
  const signs = methods.some(({ signedBy }) => signedBy.length > 0);
  const relations = new Set(methods.flatMap(({ allow }) => allow.map(relationOf)));
  const helpers = [...relations]
    .filter((each) => each !== "hasRole")
    .map((name) => relationHelper(name, policy));
  const imports = [
    "demand",
    "isAscii",
    ...(helpers.some((h) => h.includes("isEqual32")) ? ["isEqual32"] : []),
    ...(relations.has("isOfOrganization") ? ["isEqual"] : []),
    "Party",
    ...(signs ? ["Signers"] : []),
  ];
  return `${head("Who may do what. The node judges the manifest's roles before; this judges again, by the record.")}import { ${imports.join(", ")} } from "./sdk/index";
import { ${type} } from "./${kebab(record)}";

function hasRole(who: Party, role: string): bool {
  return isAscii(who.role.pointer, who.role.length, role);
}
${helpers.join("")}${methods.map((method) => accessFunction(method, policy, prefix)).join("")}`;
}

function relationOf(allow: string): string {
  if (allow.startsWith("role:")) return "hasRole";
  if (allow === "organization") return "isOfOrganization";
  return `is${upper(allow)}`;
}

function relationHelper(name: string, { record, fields }: Policy): string {
  const type = upper(record);
  if (name === "isOfOrganization") {
    return `
/** Whether somebody is of the owner's organisation. */
function isOfOrganization(who: Party, ${record}: ${type}): bool {
  const mine = who.organization;
  const theirs = ${record}.organization;
  return mine.length == theirs.length && isEqual(mine.pointer, theirs.pointer, mine.length);
}
`;
  }
  const field = ["owner", ...fields.map((each) => each.name)].find(
    (each) => `is${upper(each)}` === name,
  );
  return `
function ${name}(who: Party, ${record}: ${type}): bool {
  return isEqual32(who.address, ${record}.${field});
}
`;
}

function accessFunction(
  { name, roles, allow, signedBy }: PolicyMethod,
  { record }: Policy,
  prefix: string,
): string {
  const type = upper(record);
  const byRole = roles.map((role) => `hasRole(who, "${role}")`).join(" ||\n      ");
  const byRelation = allow.map((each) =>
    each.startsWith("role:")
      ? `hasRole(who, "${each.slice(5)}")`
      : `${relationOf(each)}(who, ${record})`,
  );
  const relation =
    byRelation.length === 0
      ? ""
      : `  demand(\n    ${byRelation.join(" ||\n      ")},\n    "${prefix}_NOT_ALLOWED",\n  );\n`;
  const signers =
    signedBy.length === 0
      ? ""
      : `  const signers = new Signers();\n${signedBy.map((each) => `  demand(signers.has(${record}.${each}), "${prefix}_NOT_SIGNED");\n`).join("")}`;
  return `
/** ${name}: ${roles.join(", ")}${allow.length > 0 ? `; of them ${allow.join(" or ")}` : ""}${signedBy.length > 0 ? `; signed by ${signedBy.join(" and ")}` : ""}. */
export function allow${upper(name)}(who: Party, ${record}: ${type}): void {
  demand(
    ${byRole},
    "${prefix}_ROLE",
  );
${relation}${signers}}
`;
}

/** The methods: arguments in, access judged, state changed, event out. */
export function entrySource(policy: Policy): string {
  const { record, methods, contract, version } = policy;
  const type = upper(record);
  const kinds = new Set(methods.map(({ does }) => does));
  const stores = kinds.has("create") || kinds.has("update");
  const changes = stores || kinds.has("remove");
  const loads = kinds.has("update") || kinds.has("remove") || kinds.has("read");
  const sdk = [
    ...(kinds.has("read") ? ["answer"] : []),
    "caller",
    ...(kinds.has("create") ? ["demand"] : []),
    ...(changes ? ["emit"] : []),
    "input",
    "Reader",
    ...(loads ? ["revert", "Slice"] : changes ? ["Slice"] : []),
    "StateMap",
  ];
  const own = [
    ...(loads ? [`decode${type}`] : []),
    ...(stores ? [`encode${type}`] : []),
    "keyOf",
    "MALFORMED",
    ...(stores ? ["readArguments"] : []),
    ...(loads ? [type] : []),
  ];
  const allows = methods.map(({ name }) => `allow${upper(name)}`);
  return `${head(`The contract ${contract}.`)}import { ${sdk.join(", ")} } from "./sdk/index";
import { ${allows.join(", ")} } from "./access";
import { ${own.join(", ")} } from "./${kebab(record)}";

/** Goes into the module; contract.json and every transaction name the same version. */
const CONTRACT_VERSION: string = "${contract}@${version}";
${loads ? loadFunction(policy) : ""}${methods.map((method) => methodFunction(method, policy)).join("")}`;
}

function loadFunction(policy: Policy): string {
  const { record } = policy;
  const type = upper(record);
  return `
function load${type}(id: usize): ${type} {
  const stored = StateMap.get(keyOf(id));
  if (stored === null) revert("${prefixOf(policy)}_UNKNOWN");
  return decode${type}(<Slice>stored);
}

/** The arguments [id]. */
function readId(): usize {
  const reader = Reader.of(input(), MALFORMED);
  reader.struct(1);
  const id = reader.bytes(32);
  reader.finish();
  return id;
}
`;
}

function methodFunction({ name, does }: PolicyMethod, policy: Policy): string {
  const { record, fields } = policy;
  const type = upper(record);
  const topic = `${kebab(record)}.${kebab(name)}`;
  const args = `[id, ${fields.map((field) => field.name).join(", ")}]`;
  const allow = `allow${upper(name)}`;
  const read = `  const who = caller();
  const reader = Reader.of(input(), MALFORMED);
  const ${record} = readArguments(reader, who);
  reader.finish();
`;
  switch (does) {
    case "create":
      return `
/** Args ${args}. Event ${topic}: the id. */
export function ${name}(): void {
${read}  ${allow}(who, ${record});
  const key = keyOf(${record}.id);
  demand(!StateMap.has(key), "${prefixOf(policy)}_EXISTS");
  StateMap.put(key, encode${type}(${record}));
  emit("${topic}", new Slice(${record}.id, 32));
}
`;
    case "update":
      return `
/** Args ${args}: the owner stays. Event ${topic}: the id. */
export function ${name}(): void {
${read}  const old = load${type}(${record}.id);
  ${allow}(who, old);
  ${record}.owner = old.owner;
  ${record}.organization = old.organization;
  StateMap.put(keyOf(${record}.id), encode${type}(${record}));
  emit("${topic}", new Slice(${record}.id, 32));
}
`;
    case "remove":
      return `
/** Args [id]. Event ${topic}: the id. */
export function ${name}(): void {
  const id = readId();
  ${allow}(caller(), load${type}(id));
  StateMap.remove(keyOf(id));
  emit("${topic}", new Slice(id, 32));
}
`;
    case "read":
      return `
/** Args [id]. Returns [id, owner, organisation, ${fields.map((field) => field.name).join(", ")}]. */
export function ${name}(): void {
  const id = readId();
  allow${upper(name)}(caller(), load${type}(id));
  const stored = StateMap.get(keyOf(id));
  if (stored !== null) answer(<Slice>stored);
}
`;
  }
}
