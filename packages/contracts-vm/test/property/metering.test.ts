import { describe, expect, it } from "vitest";
import { instrumentModule, validateModule } from "../../src/index.ts";
import { bindInstance } from "../../src/wasm/bound-instance.ts";
import type { WasmGlobal, WasmMemory } from "../../src/wasm/engine.ts";
import { wasmEngine } from "../../src/wasm/engine.ts";
import { fault } from "../../src/wasm/helpers.ts";
import {
  assemble,
  END,
  get,
  I32,
  i32,
  manifestOf,
  section,
  text,
  vector,
} from "../support/assembler.ts";
import {
  COUNTERS,
  createGenerator,
  emitStatements,
  randomStatements,
  type Statement,
  VALUES,
} from "../support/random-program.ts";
import { ReferenceInterpreter } from "../support/reference-interpreter.ts";

const MAXIMUM_PAGES = 4;
const GLOBAL = 12_345;
const LIMIT = 1_000_000_000n;

function moduleOf(program: readonly Statement[]): Uint8Array {
  return assemble({
    functions: [
      { name: "main", locals: [[VALUES + COUNTERS, I32]], code: emitStatements(program) },
      {
        parameters: [I32, I32],
        results: [I32],
        code: [get(0), i32(31), 0x6c, get(1), 0x6a],
      },
    ],
    memory: [1, MAXIMUM_PAGES],
    globals: [[I32, 1, i32(GLOBAL), END]],
    replace: {
      7: section(
        7,
        vector([
          [text("memory"), 2, 0],
          [text("main"), 0, 0],
          [text("state"), 3, 0],
        ]),
      ),
    },
  });
}

/** Global 0 is not exported once instrumented: the program stores it before it ends. */
const STORE_GLOBAL: Statement = {
  type: "store",
  at: { type: "i32", value: 0xfff0 },
  value: { type: "global" },
};

function runOriginal(code: Uint8Array): { trapped: boolean; memory: Uint8Array; global: number } {
  const { exports } = new wasmEngine.Instance(new wasmEngine.Module(code), {});
  const main = exports.main as () => void;
  const memory = exports.memory as WasmMemory;
  const state = exports.state as WasmGlobal<number>;
  let trapped = false;
  try {
    main();
  } catch (error) {
    expect(error).toBeInstanceOf(wasmEngine.RuntimeError);
    trapped = true;
  }
  return { trapped, memory: new Uint8Array(memory.buffer), global: state.value };
}

function runMetered(code: Uint8Array, limit = LIMIT) {
  const validated = validateModule(code, manifestOf(["main"]));
  if (!validated.ok) throw new Error(validated.code);
  const metered = instrumentModule(validated.value, ["main"]);
  expect(wasmEngine.validate(metered)).toBe(true);
  const module = new wasmEngine.Module(metered);
  const instance = bindInstance(new wasmEngine.Instance(module, {}), []);
  instance.gas.value = limit;
  let trapped = false;
  try {
    instance.method("main")();
  } catch (error) {
    expect(error).toBeInstanceOf(wasmEngine.RuntimeError);
    trapped = true;
  }
  return {
    trapped,
    used: Number(limit - instance.gas.value),
    left: instance.gas.value,
    fault: instance.fault.value,
    stack: instance.stack.value,
    memory: new Uint8Array(instance.memory.buffer),
  };
}

const SEEDS = 400;

describe("instrumentation", () => {
  it(`behaves as the original and charges what a reference counts, ${SEEDS} programs`, () => {
    let completed = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const program = [...randomStatements(createGenerator(seed), 4, 0), STORE_GLOBAL];
      const code = moduleOf(program);
      const original = runOriginal(code);
      const metered = runMetered(code);
      const reference = new ReferenceInterpreter(GLOBAL).run(program, MAXIMUM_PAGES);
      const label = `seed ${seed}`;
      expect(metered.trapped, label).toBe(original.trapped);
      expect(reference.end, label).toBe(original.trapped ? "divide" : "done");
      expect(metered.memory.length, label).toBe(original.memory.length);
      expect(Buffer.compare(metered.memory, original.memory), label).toBe(0);
      const page = original.memory.subarray(0, 65_536);
      expect(Buffer.compare(reference.memory, page), label).toBe(0);
      expect(reference.global, label).toBe(original.global);
      expect(reference.pages * 65_536, label).toBe(original.memory.length);
      if (original.trapped) {
        // A block is paid whole before it runs, so a trap inside may have paid for more.
        expect(metered.fault, label).toBe(fault.divide);
        expect(metered.used, label).toBeGreaterThanOrEqual(reference.gas);
      } else {
        completed++;
        expect(metered.used, label).toBe(reference.gas);
        expect(metered.stack, label).toBe(0);
      }
    }
    expect(completed).toBeGreaterThan(SEEDS / 3);
    expect(completed).toBeLessThan(SEEDS);
  });

  it("stops within a block of any limit, in the same state", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const code = moduleOf(randomStatements(createGenerator(seed), 4, 0));
      const { used, trapped } = runMetered(code);
      if (trapped || used < 20) continue;
      const limit = BigInt(used >> 1);
      const first = runMetered(code, limit);
      const second = runMetered(code, limit);
      expect(first.trapped).toBe(true);
      expect(first.left).toBeLessThan(0n);
      expect(second.left).toBe(first.left);
      expect(Buffer.compare(first.memory, second.memory)).toBe(0);
      expect(runMetered(code, BigInt(used)).trapped).toBe(false);
      expect(runMetered(code, BigInt(used - 1)).trapped).toBe(true);
    }
  });

  it("derives the same bytes every time", () => {
    const code = moduleOf(randomStatements(createGenerator(7), 4, 0));
    const derive = () => {
      const validated = validateModule(code, manifestOf(["main"]));
      if (!validated.ok) throw new Error(validated.code);
      return instrumentModule(validated.value, ["main"]);
    };
    expect(derive()).toEqual(derive());
  });

  it("costs of known programs stand as documented", () => {
    // Entry 2; nothing else: `end` is free.
    expect(gasOf([])).toBe(2);
    // Two constants, an addition, a drop.
    expect(gasOf([i32(1), i32(2), 0x6a, 0x1a])).toBe(2 + 4);
    // Four locals cost one gas at entry, five cost two; a round of the loop costs 1+1+1+1+2.
    const loop = [i32(10), 0x21, 0, 0x03, 0x40, get(0), i32(1), 0x6b, 0x22, 0, 0x0d, 0, END];
    expect(gasOf(loop, 4)).toBe(2 + 1 + 2 + 10 * 6);
    expect(gasOf(loop, 5)).toBe(2 + 2 + 2 + 10 * 6);
    // What follows an unconditional branch is never paid.
    expect(gasOf([0x02, 0x40, 0x0c, 0, i32(1), 0x1a, END])).toBe(2 + 2);
    // memory.copy of 9 bytes: three operands, 20, and two eights.
    expect(gasOf([i32(0), i32(64), i32(9), 0xfc, 10, 0, 0])).toBe(2 + 3 + 20 + 2);
    // Growing by two pages, and dropping the answer.
    expect(gasOf([i32(2), 0x40, 0, 0x1a])).toBe(2 + 1 + 100 + 4_000 + 1);
  });
});

function gasOf(code: Parameters<typeof emit>[0], locals = 0): number {
  return runMetered(emit(code, locals)).used;
}

function emit(code: Parameters<typeof vector>[0], locals: number): Uint8Array {
  return assemble({
    functions: [{ name: "main", code, ...(locals === 0 ? {} : { locals: [[locals, I32]] }) }],
  });
}
