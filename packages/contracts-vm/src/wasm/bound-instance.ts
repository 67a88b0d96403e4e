import { invariant } from "@credlink/primitives";
import type { WasmGlobal, WasmInstance, WasmMemory } from "./engine.ts";
import { instrumentedExports } from "./instrument.ts";

/** The exports of an instrumented instance, under their types. */
export interface BoundInstance {
  readonly memory: WasmMemory;
  readonly gas: WasmGlobal<bigint>;
  readonly stack: WasmGlobal<number>;
  readonly fault: WasmGlobal<number>;
  readonly method: () => void;
}

/**
 * Takes an instance's exports for what the instrumentation made them: the one place where the
 * engine's untyped exports get their types.
 */
export function bindInstance(instance: WasmInstance, method: string): BoundInstance {
  const { exports } = instance;
  const run = exports[method];
  invariant(typeof run === "function", "a validated module exports its methods");
  return {
    memory: exports.memory as WasmMemory,
    gas: exports[instrumentedExports.gas] as WasmGlobal<bigint>,
    stack: exports[instrumentedExports.stack] as WasmGlobal<number>,
    fault: exports[instrumentedExports.fault] as WasmGlobal<number>,
    method: run as () => void,
  };
}
