import { describe, expect, it } from "vitest";
import { validateModule } from "../../src/index.ts";
import { assemble, manifestOf } from "../support/assembler.ts";

const COMPARISONS = ["eq", "ne", "lt", "gt", "le", "ge"];
const ARITHMETIC = "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign".split(
  " ",
);
const SOURCES = ["f32_s", "f32_u", "f64_s", "f64_u"];
const INTEGERS = ["i32_s", "i32_u", "i64_s", "i64_u"];
const of = (type: string, names: readonly string[]) => names.map((name) => `${type}.${name}`);
const from = (first: number, names: readonly string[]) =>
  names.map((name, index) => [name, [first + index]] as const);

/** Every instruction of WebAssembly 2.0 that takes or leaves a floating-point number, §5.4. */
const floats: readonly (readonly [name: string, code: readonly number[]])[] = [
  ...from(0x2a, ["f32.load", "f64.load"]),
  ...from(0x38, ["f32.store", "f64.store"]),
  ...from(0x43, ["f32.const", "f64.const"]),
  ...from(0x5b, [...of("f32", COMPARISONS), ...of("f64", COMPARISONS)]),
  ...from(0x8b, [...of("f32", ARITHMETIC), ...of("f64", ARITHMETIC)]),
  ...from(0xa8, of("i32.trunc", SOURCES)),
  ...from(0xae, of("i64.trunc", SOURCES)),
  ...from(0xb2, [...of("f32.convert", INTEGERS), "f32.demote_f64"]),
  ...from(0xb7, [...of("f64.convert", INTEGERS), "f64.promote_f32"]),
  ...from(0xbc, [
    "i32.reinterpret_f32",
    "i64.reinterpret_f64",
    "f32.reinterpret_i32",
    "f64.reinterpret_i64",
  ]),
  ...[...of("i32.trunc_sat", SOURCES), ...of("i64.trunc_sat", SOURCES)].map(
    (name, second) => [name, [0xfc, second]] as const,
  ),
];

describe("floating-point numbers, whose NaNs differ between machines", () => {
  it("are all in the list", () => {
    expect(floats).toHaveLength(76);
    expect(new Set(floats.map(([, code]) => code.join())).size).toBe(76);
  });

  it.each(floats)("%s is refused as a float", (_, code) => {
    const module = assemble({ functions: [{ name: "main", code }] });
    expect(validateModule(module, manifestOf(["main"]))).toMatchObject({
      ok: false,
      code: "VM_MODULE_FLOAT",
    });
  });
});
