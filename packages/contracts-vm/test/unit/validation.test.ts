import { describe, expect, it } from "vitest";
import { validateModule } from "../../src/index.ts";
import { limits } from "../../src/wasm/limits.ts";
import type { ModuleErrorCode } from "../../src/wasm/module-refused.ts";
import {
  assemble,
  type Code,
  END,
  flat,
  get,
  I32,
  i32,
  i64,
  type ModuleText,
  manifestOf,
  section,
  text,
  u,
  vector,
} from "../support/assembler.ts";

const MAIN = { name: "main", code: [] };
const BASE: ModuleText = { functions: [MAIN] };

function judge(module: ModuleText): string {
  const result = validateModule(assemble(module), manifestOf(["main"]));
  return result.ok ? "accepted" : result.code;
}

/** A module whose only method holds the given instructions. */
function body(code: Code): ModuleText {
  return { functions: [{ name: "main", code }] };
}

const DROP = 0x1a;
const importSection = (module: string, name: string, rest: Code): Code =>
  section(2, vector([[text(module), text(name), rest]]));
const exportMemory = [text("memory"), 2, 0];
const exportMain = [text("main"), 0, 0];

const cases: readonly (readonly [ModuleErrorCode, string, ModuleText])[] = [
  ["VM_MODULE_FLOAT", "an f32 constant", body([0x43, 0, 0, 0, 0, DROP])],
  ["VM_MODULE_FLOAT", "an f64 constant", body([0x44, 0, 0, 0, 0, 0, 0, 0, 0, DROP])],
  ["VM_MODULE_FLOAT", "an f32 addition", body([0x92])],
  ["VM_MODULE_FLOAT", "an f64 comparison", body([0x61])],
  ["VM_MODULE_FLOAT", "an f32 load", body([i32(0), 0x2a, 2, 0, DROP])],
  ["VM_MODULE_FLOAT", "an f64 store", body([0x39, 3, 0])],
  ["VM_MODULE_FLOAT", "a conversion to an integer", body([0xa8])],
  ["VM_MODULE_FLOAT", "a saturating truncation", body([0xfc, 0])],
  ["VM_MODULE_FLOAT", "a reinterpretation", body([0xbc])],
  ["VM_MODULE_FLOAT", "a parameter", { functions: [MAIN, { parameters: [0x7d], code: [] }] }],
  ["VM_MODULE_FLOAT", "a result", { functions: [MAIN, { results: [0x7c], code: [] }] }],
  ["VM_MODULE_FLOAT", "a local", { functions: [{ ...MAIN, locals: [[1, 0x7d]] }] }],
  ["VM_MODULE_FLOAT", "a block's result", body([0x02, 0x7c, 0x00, END, DROP])],
  [
    "VM_MODULE_FLOAT",
    "a global",
    { ...BASE, globals: [[0x7c, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, END]] },
  ],
  ["VM_MODULE_SIMD", "a vector instruction", body([0xfd, 12])],
  ["VM_MODULE_SIMD", "a vector local", { functions: [{ ...MAIN, locals: [[1, 0x7b]] }] }],
  ["VM_MODULE_THREADS", "an atomic instruction", body([0xfe, 3, 0])],
  ["VM_MODULE_THREADS", "shared memory", { ...BASE, replace: { 5: section(5, [1, 3, 1, 2]) } }],
  ["VM_MODULE_TAIL_CALL", "return_call", body([0x12, 0])],
  ["VM_MODULE_TAIL_CALL", "return_call_indirect", body([0x13, 0, 0])],
  ["VM_MODULE_EXCEPTIONS", "try", body([0x06, 0x40, END])],
  ["VM_MODULE_EXCEPTIONS", "throw", body([0x08, 0])],
  ["VM_MODULE_EXCEPTIONS", "try_table", body([0x1f, 0x40, 0, END])],
  ["VM_MODULE_EXCEPTIONS", "a tag section", { ...BASE, replace: { 13: section(13, [1, 0, 0]) } }],
  ["VM_MODULE_GC", "a struct type", { ...BASE, replace: { 1: section(1, [1, 0x5f, 0]) } }],
  ["VM_MODULE_GC", "struct.new", body([0xfb, 0, 0])],
  ["VM_MODULE_GC", "call_ref", body([0x14, 0])],
  ["VM_MODULE_REFERENCE_TYPES", "ref.null", body([0xd0, 0x70, DROP])],
  ["VM_MODULE_REFERENCE_TYPES", "table.get", body([i32(0), 0x25, 0, DROP])],
  ["VM_MODULE_REFERENCE_TYPES", "table.grow", body([0xfc, 15, 0])],
  ["VM_MODULE_REFERENCE_TYPES", "select with a type", body([0x1c, 1, I32])],
  [
    "VM_MODULE_REFERENCE_TYPES",
    "an externref local",
    { functions: [{ ...MAIN, locals: [[1, 0x6f]] }] },
  ],
  [
    "VM_MODULE_REFERENCE_TYPES",
    "an externref table",
    { ...BASE, replace: { 4: section(4, [1, 0x6f, 0, 0]) } },
  ],
  [
    "VM_MODULE_REFERENCE_TYPES",
    "two tables",
    { ...BASE, replace: { 4: section(4, [2, 0x70, 0, 0, 0x70, 0, 0]) } },
  ],
  [
    "VM_MODULE_REFERENCE_TYPES",
    "elements that are expressions",
    { ...BASE, table: [0], replace: { 9: section(9, [1, 4, i32(0), END, 1, 0xd2, 0, END]) } },
  ],
  [
    "VM_MODULE_MULTI_VALUE",
    "two results",
    { functions: [MAIN, { results: [I32, I32], code: [i32(0), i32(0)] }] },
  ],
  ["VM_MODULE_MULTI_VALUE", "a block with a type index", body([0x02, 0, END])],
  [
    "VM_MODULE_MULTI_MEMORY",
    "two memories",
    { ...BASE, replace: { 5: section(5, [2, 1, 1, 2, 1, 1, 2]) } },
  ],
  ["VM_MODULE_MULTI_MEMORY", "memory.size of another", body([0x3f, 1, DROP])],
  ["VM_MODULE_MULTI_MEMORY", "a load from another", body([i32(0), 0x28, 0x42, 1, 0, DROP])],
  ["VM_MODULE_MEMORY64", "64-bit addresses", { ...BASE, replace: { 5: section(5, [1, 5, 1, 2]) } }],
  ["VM_MODULE_OPCODE", "an unused opcode", body([0x27])],
  ["VM_MODULE_OPCODE", "an unused bulk opcode", body([0xfc, 18])],
  [
    "VM_MODULE_CONSTANT",
    "an extended constant",
    { ...BASE, globals: [[I32, 0, i32(1), i32(2), 0x6a, END]] },
  ],
  [
    "VM_MODULE_CONSTANT",
    "a constant from a global",
    {
      ...BASE,
      globals: [
        [I32, 0, i32(1), END],
        [I32, 0, 0x23, 0, END],
      ],
    },
  ],
  ["VM_MODULE_START", "a start section", { ...BASE, replace: { 8: section(8, 0) } }],
  [
    "VM_MODULE_IMPORT",
    "another module",
    { ...BASE, replace: { 2: importSection("env", "state_get", [0, 0]) } },
  ],
  [
    "VM_MODULE_IMPORT",
    "an unknown function",
    { ...BASE, replace: { 2: importSection("credlink", "clock", [0, 0]) } },
  ],
  [
    "VM_MODULE_IMPORT",
    "a memory",
    { ...BASE, replace: { 2: importSection("credlink", "memory", [2, 1, 1, 2]) } },
  ],
  [
    "VM_MODULE_IMPORT",
    "a global",
    { ...BASE, replace: { 2: importSection("credlink", "input_size", [3, I32, 0]) } },
  ],
  [
    "VM_MODULE_IMPORT_TYPE",
    "a wrong type",
    { ...BASE, replace: { 2: importSection("credlink", "state_get", [0, 0]) } },
  ],
  [
    "VM_MODULE_MEMORY",
    "no memory",
    { ...BASE, replace: { 5: null, 7: section(7, vector([exportMain])) } },
  ],
  ["VM_MODULE_MEMORY", "no maximum", { ...BASE, replace: { 5: section(5, [1, 0, 1]) } }],
  ["VM_MODULE_MEMORY", "a maximum above the manifest's", { ...BASE, memory: [1, 17] }],
  [
    "VM_MODULE_MEMORY",
    "a memory that is not exported",
    { ...BASE, replace: { 7: section(7, vector([exportMain])) } },
  ],
  [
    "VM_MODULE_SEGMENT",
    "data outside the memory",
    { ...BASE, data: [[65_535, Uint8Array.of(1, 2)]] },
  ],
  ["VM_MODULE_SEGMENT", "data at a negative offset", { ...BASE, data: [[-1, Uint8Array.of(1)]] }],
  [
    "VM_MODULE_SEGMENT",
    "elements outside the table",
    { ...BASE, table: [0], replace: { 9: section(9, [1, 0, i32(1), END, 1, 0]) } },
  ],
  ["VM_MODULE_METHOD", "a missing method", { functions: [{ code: [] }] }],
  [
    "VM_MODULE_METHOD",
    "a method with a parameter",
    { functions: [{ ...MAIN, parameters: [I32] }] },
  ],
  [
    "VM_MODULE_METHOD",
    "a method with a result",
    { functions: [{ name: "main", results: [I32], code: i32(1) }] },
  ],
  [
    "VM_MODULE_METHOD",
    "a method that is a memory",
    { ...BASE, replace: { 7: section(7, vector([exportMemory, [text("main"), 2, 0]])) } },
  ],
  ["VM_MODULE_VERSION", "no version", { ...BASE, version: null }],
  ["VM_MODULE_VERSION", "another version", { ...BASE, version: "probe@1.0.1" }],
  [
    "VM_MODULE_VERSION",
    "two versions",
    { ...BASE, extra: section(0, [text("credlink.version"), 0x61]) },
  ],
  ["VM_MODULE_MALFORMED", "a type error", body([i32(1), i64(1), 0x6a, DROP])],
  ["VM_MODULE_MALFORMED", "a value left over", body(i32(1))],
  ["VM_MODULE_MALFORMED", "a call of nothing", body([0x10, 9])],
  [
    "VM_MODULE_MALFORMED",
    "an integer of six bytes",
    body([0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0, DROP]),
  ],
  ["VM_MODULE_MALFORMED", "sections out of order", { ...BASE, extra: section(10, [0]) }],
  ["VM_MODULE_MALFORMED", "a function without end", body([0x02, 0x40])],
  ["VM_MODULE_MALFORMED", "code after a function's end", body([END])],
  [
    "VM_MODULE_MALFORMED",
    "a count beyond the module",
    { ...BASE, replace: { 3: section(3, u(1000)) } },
  ],
  [
    "VM_MODULE_FUNCTION_TOO_LARGE",
    "too many locals",
    { functions: [{ ...MAIN, locals: [[limits.functionSlots + 1, I32]] }] },
  ],
  [
    "VM_MODULE_FUNCTION_TOO_LARGE",
    "locals whose number overflows",
    {
      functions: [
        {
          ...MAIN,
          locals: [
            [0xffff_ffff, I32],
            [0xffff_ffff, I32],
          ],
        },
      ],
    },
  ],
  [
    "VM_MODULE_FUNCTION_TOO_LARGE",
    "too many values on the stack",
    body([
      Array.from({ length: limits.functionSlots + 1 }, () => i32(0)),
      Array.from({ length: limits.functionSlots + 1 }, () => DROP),
    ]),
  ],
  [
    "VM_MODULE_FUNCTION_TOO_LARGE",
    "too many nested blocks",
    body([
      Array.from({ length: limits.nestedBlocks }, () => [0x02, 0x40]),
      Array.from({ length: limits.nestedBlocks }, () => END),
    ]),
  ],
  [
    "VM_MODULE_FUNCTION_TOO_LARGE",
    "too many bytes",
    body(new Uint8Array(limits.functionBytes).fill(1)),
  ],
  [
    "VM_MODULE_TOO_LARGE",
    "a huge br_table",
    body([i32(0), 0x0e, u(1_000_000), new Uint8Array(100_000)]),
  ],
  [
    "VM_MODULE_TOO_LARGE",
    "too many functions",
    { ...BASE, replace: { 3: section(3, u(limits.functions + 1)) } },
  ],
  [
    "VM_MODULE_TOO_LARGE",
    "too many types",
    { ...BASE, replace: { 1: section(1, u(0xffff_ffff)) } },
  ],
  [
    "VM_MODULE_TOO_LARGE",
    "a huge table",
    { ...BASE, replace: { 4: section(4, [1, 0x70, 0, u(10_000_000)]) } },
  ],
  [
    "VM_MODULE_TOO_LARGE",
    "more than a mebibyte",
    { ...BASE, extra: section(0, [text("x"), new Uint8Array(limits.moduleBytes)]) },
  ],
];

describe("validateModule", () => {
  it.each(cases)("%s: %s", (code, _what, module) => {
    expect(judge(module)).toBe(code);
  });

  it("accepts what compilers for WebAssembly 1.0 with the three additions emit", () => {
    const module: ModuleText = {
      imports: ["state_get", "contract_call"],
      functions: [
        {
          name: "main",
          locals: [[2, I32]],
          code: [
            i32(300),
            0xc0,
            DROP, // i32.extend8_s
            i32(0),
            i32(0),
            i32(8),
            0xfc,
            10,
            0,
            0, // memory.copy
            i32(0),
            i32(0),
            i32(8),
            0xfc,
            11,
            0, // memory.fill
            0x23,
            0,
            0x24,
            0, // a mutable global
            i32(0),
            0x11,
            2,
            0, // call_indirect
          ],
        },
        { code: [] },
      ],
      globals: [[I32, 1, i32(-5), END]],
      table: [3],
      data: [[8, Uint8Array.of(1, 2, 3)]],
      extra: section(0, [text("name"), 0]),
    };
    // Type 2 is main's own: () -> ().
    expect(judge(module)).toBe("accepted");
  });

  it("accepts passive segments, whose count stands before the code", () => {
    const module: ModuleText = {
      functions: [{ name: "main", code: [i32(0), i32(0), i32(3), 0xfc, 8, 0, 0, 0xfc, 9, 0] }],
      replace: { 12: section(12, 1), 11: section(11, [1, 1, 3, 7, 8, 9]) },
    };
    expect(judge(module)).toBe("accepted");
  });

  it("accepts every limit at its edge", () => {
    const atLimit = body([
      Array.from({ length: limits.nestedBlocks - 1 }, () => [0x02, 0x40]),
      Array.from({ length: limits.nestedBlocks - 1 }, () => END),
    ]);
    expect(judge(atLimit)).toBe("accepted");
    const locals: ModuleText = { functions: [{ ...MAIN, locals: [[limits.functionSlots, I32]] }] };
    expect(judge(locals)).toBe("accepted");
    const oneMore = {
      functions: [{ ...MAIN, locals: locals.functions?.[0]?.locals ?? [], code: [get(0), DROP] }],
    };
    expect(judge(oneMore)).toBe("VM_MODULE_FUNCTION_TOO_LARGE");
  });

  it("refuses every prefix of a good module", () => {
    const module = assemble(BASE);
    for (let length = 0; length < module.length; length++) {
      const result = validateModule(module.subarray(0, length), manifestOf(["main"]));
      expect(result.ok, `${length} bytes`).toBe(false);
    }
    expect(flat(module).length).toBeGreaterThan(50);
  });
});
