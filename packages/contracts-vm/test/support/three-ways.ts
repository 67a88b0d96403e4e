import { expect } from "vitest";
import { instrumentModule, validateModule } from "../../src/index.ts";
import { type BoundInstance, bindInstance } from "../../src/wasm/bound-instance.ts";
import { type WasmMemory, wasmEngine } from "../../src/wasm/engine.ts";
import { fault } from "../../src/wasm/helpers.ts";
import { STACK_LIMIT } from "../../src/wasm/limits.ts";
import { manifestOf } from "./assembler.ts";
import { decodeModule } from "./wasm-decoder.ts";
import { type Outcome, type Value, WasmInterpreter } from "./wasm-interpreter.ts";

type AnyFunction = (...values: readonly Value[]) => Value | undefined;

/** Functions that a module exports, and whether their parameters are `i64`. */
export interface ExportedFunction {
  readonly name: string;
  readonly wide: readonly boolean[];
}

/**
 * One module run as it is, in its metered form, and by the reference interpreter, call by call.
 * The original stands aside once a call ended for its gas or stack, which it does not know.
 */
export class ThreeWays {
  readonly functions: readonly ExportedFunction[];
  private readonly original: Readonly<Record<string, unknown>>;
  private readonly metered: Readonly<Record<string, unknown>>;
  private readonly bound: BoundInstance;
  private readonly reference: WasmInterpreter;
  private isOriginalAside = false;

  /** @param code of a module that validation accepts. */
  constructor(code: Uint8Array) {
    const module = validateModule(code, manifestOf([], { maxMemoryPages: 256 }));
    if (!module.ok) throw new Error(`${module.code} ${module.detail ?? ""}`);
    const decoded = decodeModule(code);
    this.functions = [...decoded.exports].flatMap(([name, { kind, index }]) => {
      const type = decoded.functionTypes[index];
      if (kind !== 0 || type === undefined) return [];
      return [{ name, wide: type.parameters.map((parameter) => parameter === 0x7e) }];
    });
    const names = this.functions.map(({ name }) => name);
    const form = instrumentModule(module.value, names);
    // Derived in another order of calls, it is the same.
    expect(Buffer.compare(instrumentModule(module.value, [...names]), form)).toBe(0);
    this.original = new wasmEngine.Instance(new wasmEngine.Module(code), {}).exports;
    const instance = new wasmEngine.Instance(new wasmEngine.Module(form), {});
    this.metered = instance.exports;
    this.bound = bindInstance(instance, module.value.mutableGlobals);
    this.reference = new WasmInterpreter(code);
  }

  /** Calls a function in all three, holds them to each other, and answers how it ended. */
  call(name: string, values: readonly Value[], gas: bigint): Outcome & { readonly used: bigint } {
    const expected = this.reference.run(name, values, gas);
    const { bound } = this;
    bound.gas.value = gas;
    bound.stack.value = 0;
    bound.fault.value = fault.none;
    const outcome = this.outcomeOf(runOf(this.metered, name, values));
    const label = `${name}(${values.join()})`;
    expect(outcome, label).toEqual(expected);
    expect(bound.gas.value, label).toBe(this.reference.gas);
    expect(bound.stack.value, label).toBe(this.reference.stack);
    this.compareState(label);
    if ("trap" in expected && (expected.trap === "gas" || expected.trap === "stack")) {
      this.isOriginalAside = true;
    }
    if (!this.isOriginalAside) this.compareOriginal(name, values, expected, label);
    return { ...expected, used: gas - this.reference.gas };
  }

  private outcomeOf(run: { readonly result: Value | undefined } | "trap"): Outcome {
    if (run !== "trap") return run;
    const { gas, stack, fault: told } = this.bound;
    if (gas.value < 0n) return { trap: "gas" };
    if (stack.value > STACK_LIMIT) return { trap: "stack" };
    if (told.value === fault.unreachable) return { trap: "unreachable" };
    return { trap: told.value === fault.divide ? "divide" : "memory" };
  }

  private compareState(label: string): void {
    const memory = new Uint8Array(this.bound.memory.buffer);
    expect(Buffer.compare(memory, this.reference.memory), label).toBe(0);
    const mutable = this.bound.globals.map(({ value }) => value);
    const globals = this.reference.globals.filter((_, index) => this.isMutable(index));
    expect(mutable, label).toEqual(globals);
  }

  private isMutable(index: number): boolean {
    return Object.hasOwn(this.metered, `$global${index}`);
  }

  private compareOriginal(
    name: string,
    values: readonly Value[],
    expected: Outcome,
    label: string,
  ): void {
    const run = runOf(this.original, name, values);
    expect(run === "trap", label).toBe("trap" in expected);
    if (run !== "trap") expect(run, label).toEqual(expected);
    const memory = new Uint8Array((this.original.memory as WasmMemory).buffer);
    expect(Buffer.compare(memory, this.reference.memory), label).toBe(0);
  }
}

function runOf(
  exports: Readonly<Record<string, unknown>>,
  name: string,
  values: readonly Value[],
): { readonly result: Value | undefined } | "trap" {
  try {
    return { result: (exports[name] as AnyFunction)(...values) };
  } catch (error) {
    expect(error).toBeInstanceOf(wasmEngine.RuntimeError);
    return "trap";
  }
}
