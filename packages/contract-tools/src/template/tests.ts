import type { Policy, PolicyField } from "./policy.ts";

/** What tests are written with; the host side is `runTests` of the kit. */
export const kitSource = `/*
 * The test kit: calls the contract under test in a chain of its own, as members that the test names.
 * Every exported function is a test and starts with an empty state; \`credlink contract test\` runs it.
 */
import { allocate, ascii, Slice, takeBuffer } from "../assembly/sdk/memory";

@external("kit", "member")
declare function kitMember(role: usize, roleLength: usize, name: usize, nameLength: usize, out: usize): void;
@external("kit", "call")
declare function kitCall(method: usize, methodLength: usize, args: usize, argsLength: usize): i32;
@external("kit", "status")
declare function kitStatus(): i32;
@external("kit", "sign")
declare function kitSign(address: usize): void;
@external("kit", "advance")
declare function kitAdvance(milliseconds: i64): void;

/** A member of a role, the same for the same role and name; its address has 32 bytes. */
export function member(role: string, name: string): usize {
  const out = allocate(32);
  const roleText = ascii(role);
  const nameText = ascii(name);
  kitMember(roleText.pointer, roleText.length, nameText.pointer, nameText.length, out);
  return out;
}

/** Who sends from now on. Co-signers are forgotten. */
export function sendAs(address: usize): void {
  kitSign(0);
  kitSign(address);
}

/** Signs the next calls too, beside the sender. */
export function coSign(address: usize): void {
  kitSign(address);
}

/** Lets the block's time go on. */
export function advance(milliseconds: i64): void {
  kitAdvance(milliseconds);
}

/** What the last call returned. */
export let returned: Slice = new Slice(0, 0);

function textOf(slice: Slice): string {
  return String.UTF8.decodeUnsafe(slice.pointer, slice.length);
}

/** Calls a method in a block of its own (a read-only one as a query) and answers its status. */
export function run(method: string, args: Slice): string {
  const name = ascii(method);
  returned = takeBuffer(kitCall(name.pointer, name.length, args.pointer, args.length));
  return textOf(takeBuffer(kitStatus()));
}
`;

function exampleOf({ type, max = 1 }: PolicyField, name: string): string {
  switch (type) {
    case "text":
      return `writer.ascii("${"example".slice(0, Math.min(max, 7))}");`;
    case "bytes":
      return "writer.bytes(id, 1);";
    case "u32":
    case "u64":
      return `writer.${type}(1);`;
    case "bool":
      return "writer.bool(true);";
    case "address":
      return `writer.bytes(${name}, 32);`;
  }
}

/** A first test: who may create, may; whoever is of no named role, may not. */
export function testSource(policy: Policy): string {
  const { record, fields, methods, contract } = policy;
  const prefix = contract.replaceAll("-", "_").toUpperCase().slice(0, 28);
  const create = methods.find(({ does }) => does === "create");
  const [role = "enterprise"] = create?.roles ?? methods[0]?.roles ?? [];
  const parties = fields.filter(({ type }) => type === "address").map(({ name }) => name);
  const made = parties.map((name) => `  const ${name} = member("${role}", "${name}");\n`).join("");
  const handed = parties.map((name) => `, ${name}: usize`).join("");
  const given = parties.map((name) => `, ${name}`).join("");
  const signed = (create?.signedBy ?? []).map((name) => `  coSign(${name});\n`).join("");
  const read = methods.find(
    ({ does, roles, allow }) => does === "read" && roles.includes(role) && allow.length === 0,
  );
  const kit = [
    "member",
    "run",
    "sendAs",
    ...(read ? ["returned"] : []),
    ...(signed === "" ? [] : ["coSign"]),
  ];
  const body =
    create === undefined
      ? `/** Nothing stands there at first. */
export function startsEmpty(): void {
  sendAs(member("${role}", "somebody"));
  assert(run("${methods[0]?.name}", idArguments(idOf(1))) != "SUCCESS");
}
`
      : `/** Who may, does; and the same id is taken then. */
export function ${create.name}s(): void {
  const owner = member("${role}", "owner");
${made}  sendAs(owner);
${signed}  const args = ${record}Arguments(idOf(1)${given});
  assert(run("${create.name}", args) == "SUCCESS");
  assert(run("${create.name}", args) == "${prefix}_EXISTS");
${read ? `  assert(run("${read.name}", idArguments(idOf(1))) == "SUCCESS");\n  assert(returned.length > 64);\n` : ""}}

/** Arguments that are cut off are refused. */
export function refusesHalfArguments(): void {
  sendAs(member("${role}", "owner"));
  assert(run("${create.name}", idArguments(idOf(1))) == "${prefix}_MALFORMED");
}
`;
  return `/*
 * Tests of ${contract}: \`credlink contract test\` runs every exported function on an empty state.
 */
import { allocate, Slice, Writer } from "../assembly/sdk/index";
import { ${kit.join(", ")} } from "./kit";

/** An id of 32 equal bytes. */
function idOf(byte: u8): usize {
  const id = allocate(32);
  memory.fill(id, byte, 32);
  return id;
}

function idArguments(id: usize): Slice {
  const writer = new Writer(40);
  writer.list(1);
  writer.bytes(id, 32);
  return writer.slice();
}

/** [id, ${fields.map(({ name }) => name).join(", ")}] */
function ${record}Arguments(id: usize${handed}): Slice {
  const writer = new Writer(256);
  writer.list(${fields.length + 1});
  writer.bytes(id, 32);
${fields.map((field) => `  ${exampleOf(field, field.name)}`).join("\n")}
  return writer.slice();
}

${body}`;
}
