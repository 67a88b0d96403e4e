import { invariant } from "@credlink/primitives";
import type { WasmGlobal, WasmInstance, WasmMemory } from "./engine.ts";
import { instrumentedExports } from "./instrument.ts";

/** The exports of an instrumented instance, under their types. */
export interface BoundInstance {
  readonly memory: WasmMemory;
  readonly gas: WasmGlobal<bigint>;
  readonly stack: WasmGlobal<number>;
  readonly fault: WasmGlobal<number>;
  /**
   * Takes gas below 2^32 from what the module has left, and traps where it is not there. Several
   * times cheaper than reading and writing the gas as a bigint.
   */
  readonly charge: (gas: number) => void;
  /** The contract's own globals, as many as were asked for, in their order. */
  readonly globals: readonly WasmGlobal<bigint | number>[];
  readonly method: (name: string) => () => void;
}

/**
 * Takes an instance's exports for what the instrumentation made them: the one place where the
 * engine's untyped exports get their types.
 *
 * @param mutableGlobals indexes of the module's mutable globals.
 */
export function bindInstance(
  instance: WasmInstance,
  mutableGlobals: readonly number[],
): BoundInstance {
  const { exports } = instance;
  return {
    memory: exports.memory as WasmMemory,
    gas: exports[instrumentedExports.gas] as WasmGlobal<bigint>,
    stack: exports[instrumentedExports.stack] as WasmGlobal<number>,
    fault: exports[instrumentedExports.fault] as WasmGlobal<number>,
    charge: exports[instrumentedExports.charge] as (gas: number) => void,
    globals: mutableGlobals.map(
      (index) => exports[instrumentedExports.global(index)] as WasmGlobal<bigint | number>,
    ),
    method(name) {
      const run = exports[name];
      invariant(typeof run === "function", "a validated module exports its methods");
      return run as () => void;
    },
  };
}
