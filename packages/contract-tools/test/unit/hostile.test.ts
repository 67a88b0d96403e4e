import type { Manifest } from "@credlink/contracts-vm";
import { memberRoles } from "@credlink/ledger";
import { AppError } from "@credlink/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadRules, scanContract, sdkTexts } from "../../src/index.ts";
import { loadSamples } from "../support/samples.ts";

const ruleSet = loadRules();
const entry = "assembly/index.ts";
const header = `import { input, Reader, StateMap } from "./sdk/index";
const CONTRACT_VERSION: string = "odd@1.0.0";
`;
const manifest: Manifest = {
  name: "odd",
  version: "1.0.0",
  abi: 1,
  maxMemoryPages: 16,
  methods: [{ name: "f", readOnly: false, roles: ["institution"] }],
  calls: [],
};

function filesOf(text: string, more: ReadonlyMap<string, string> = new Map()) {
  const files = new Map([...sdkTexts()].map(([name, sdk]) => [`assembly/sdk/${name}`, sdk]));
  for (const [path, content] of more) files.set(path, content);
  return files.set(entry, header + text);
}

function scanSource(text: string, more?: ReadonlyMap<string, string>) {
  const files = filesOf(text, more);
  const reader = { read: (path: string) => files.get(path) ?? null };
  return scanContract({ manifest, sources: { reader, entry }, code: null }, ruleSet).findings;
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "none";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

describe("a scan of sources that are odd but parse", () => {
  it.each([
    ["nothing in it", "export function f(): void {}"],
    ["generics", "function id<T>(x: T): T { return x; } export function f(): void { id<i32>(1); }"],
    ["a closure", "export function f(): void { const g = (a: i32): i32 => a + 1; g(2); }"],
    ["namespaces", "namespace n { export namespace m { export const x: i32 = 1; } }"],
    ["an enum", "enum E { A, B = 3 } export function f(): void { E.A; }"],
    ["switches", "export function f(): void { switch (1) { case 1: case 2: {} } switch (2) {} }"],
    ["for-of", "export function f(): void { for (const x of [1, 2]) { x; } }"],
    ["try", "export function f(): void { try { f(); } catch (e) { throw e; } finally {} }"],
    ["loops without end", "export function f(): void { do {} while (true); for (;;) ; }"],
    ["accessors", "class A { get x(): i32 { return 1; } set x(v: i32) {} static y: i32 = 1; }"],
    [
      "classes in a circle",
      "class A extends B {} class B extends A {} function g(): void { new A().x(); }",
    ],
    [
      "a file that imports itself",
      "import * as me from './index'; export * from './index'; me.f();",
    ],
    [
      "names of Object's",
      "export function constructor(): void { hasOwnProperty(1); __proto__(); }",
    ],
    [
      "a variable of itself",
      "export function f(): void { let n = n; let i = 0; while (i < n) i++; }",
    ],
    ["globals in a circle", "const p = q; const q = p; export function f(): void { p.x(); }"],
    [
      "blocks that name variables after each other",
      "const b: i32 = 5; export function f(): void { { let a = 1; { let b = a; while (a < b) {} } } { let a = b; a.x(); } }",
    ],
    [
      "a reader that goes round",
      "function g(r: Reader): void { if (r.u32() > 1) g(r); } export function f(): void { const r = Reader.of(input(), 'A'); g(r); }",
    ],
  ])("%s ends", (_, text) => {
    expect(codeOf(() => scanSource(text))).toBe("none");
  });

  it("a reader that is handed round and never finished is found", () => {
    const text =
      "function g(r: Reader): void { if (r.u32() > 1) g(r); } " +
      "export function f(): void { const r = Reader.of(input(), 'A'); g(r); }";
    expect(scanSource(text).map(({ ruleId }) => ruleId)).toContain("unfinished-input");
  });

  it.each([
    ["a sum of many", `let x = ${Array(20_000).fill("1").join("+")};`],
    ["many parentheses", `let x = ${"(".repeat(20_000)}1${")".repeat(20_000)};`],
  ])("%s is refused with a code", (_, text) => {
    expect(codeOf(() => scanSource(`export function f(): void { ${text} }`))).toBe(
      "TOOLS_NESTED_TOO_DEEP",
    );
  });
});

describe("a write that everybody may make is found", () => {
  const all: Manifest = {
    ...manifest,
    methods: [{ name: "f", readOnly: false, roles: [...memberRoles] }],
  };
  const write = "StateMap.put(new StateMap(1).key(0, 0), input());";
  it.each([
    [
      "in a namespace",
      `namespace n { export function g(): void { ${write} } } export function f(): void { n.g(); }`,
    ],
    [
      "two namespaces down, over its own short name",
      `namespace n { export namespace m { function h(): void { ${write} } export function g(): void { h(); } } } export function f(): void { n.m.g(); }`,
    ],
    ["in a closure", `export function f(): void { const g = (): void => { ${write} }; g(); }`],
    [
      "in a function at the top level without a name",
      `const g = (): void => { ${write} }; export function f(): void { g(); }`,
    ],
    [
      "by a function in a variable",
      `function g(): void { ${write} } export function f(): void { let h = g; h(); }`,
    ],
    [
      "by a function that is handed on",
      `function g(): void { ${write} } function run(h: () => void): void { h(); } export function f(): void { run(g); }`,
    ],
    [
      "by a function that is chosen",
      `function g(): void { ${write} } function h(): void {} export function f(): void { (1 > 0 ? g : h)(); }`,
    ],
    [
      "in a base class",
      `class A { g(): void { ${write} } } class B extends A {} export function f(): void { new B().g(); }`,
    ],
    [
      "in a base class, by super",
      `class A { g(): void { ${write} } } class B extends A { h(): void { super.g(); } } export function f(): void { new B().h(); }`,
    ],
    [
      "in a base class's constructor",
      `class A { constructor() { ${write} } } class B extends A { constructor() { super(); } } export function f(): void { new B(); }`,
    ],
    [
      "in a class that overrides",
      `class A { g(): void {} } class B extends A { g(): void { ${write} } } function run(a: A): void { a.g(); } export function f(): void { run(new B()); }`,
    ],
    [
      "behind an interface",
      `interface I { g(): void; } class A implements I { g(): void { ${write} } } function run(a: I): void { a.g(); } export function f(): void { run(new A()); }`,
    ],
    ["in a method by default", `export default function f(): void { ${write} }`],
  ])("%s", (_, text) => {
    const files = filesOf(text);
    const reader = { read: (path: string) => files.get(path) ?? null };
    const { findings } = scanContract(
      { manifest: all, sources: { reader, entry }, code: null },
      ruleSet,
    );
    expect(findings.map(({ ruleId }) => ruleId)).toContain("open-write");
  });
});

describe("code in a folder named as the SDK's", () => {
  const text = "import { g } from './sdk/more'; export function f(): void { g(); }";
  const fault = "export function g(): void { Math.random(); let x: f64 = 1.5; }";
  const foundIn = (path: string) =>
    scanSource(text.replace("./sdk/more", path), new Map([[`assembly/${path.slice(2)}.ts`, fault]]))
      .filter(({ severity }) => severity === "high")
      .map(({ ruleId }) => ruleId);

  it("is judged as any other, unless it is the SDK's own", () => {
    const expected = foundIn("./more");
    expect(expected).toContain("float-use");
    expect(expected).toContain("nondeterminism");
    expect(foundIn("./sdk/more")).toEqual(expected);
    expect(foundIn("./other/sdk/memory")).toEqual(expected);
    expect(scanSource("export function f(): void {}")).toEqual([]);
  });
});

describe("a scan of altered modules", () => {
  const modules = loadSamples().flatMap(({ target }) =>
    target.code === null ? [] : [{ target, code: target.code }],
  );
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.nat(255),
    how: fc.constantFrom("set", "insert", "cut"),
  });

  it("ends, whatever bytes are altered", () => {
    expect(modules.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(
        fc.constantFrom(...modules),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        ({ target, code }, changes) => {
          const bytes = [...code];
          for (const { at, byte, how } of changes) {
            const position = 8 + Math.floor(at * (bytes.length - 8));
            if (how === "set") bytes[position] = byte;
            else if (how === "insert") bytes.splice(position, 0, byte);
            else bytes.length = position;
          }
          scanContract({ ...target, code: Uint8Array.from(bytes) }, ruleSet);
        },
      ),
      { numRuns: 4_000 },
    );
  });
});
