import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { sm3 } from "@credlink/crypto";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import { instrumentModule, validateModule } from "../../src/index.ts";
import { bindInstance } from "../../src/wasm/bound-instance.ts";
import { wasmEngine } from "../../src/wasm/engine.ts";
import { manifestOf } from "./assembler.ts";
import { fitModule } from "./fit-module.ts";
import { createGenerator } from "./random-program.ts";
import { decodeModule } from "./wasm-decoder.ts";
import type { Value } from "./wasm-interpreter.ts";

/** Modules that wasm-smith made; see data/README.md. Each behind its length, four bytes. */
export function readModules(): readonly Uint8Array[] {
  const file = join(import.meta.dirname, "../data/generated-modules.bin.gz");
  const bytes = gunzipSync(readFileSync(file));
  const modules: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    modules.push(new Uint8Array(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return modules;
}

/** Values at the edges of their type, and any others. */
export function argumentOf(isWide: boolean, below: (n: number) => number): Value {
  const edges = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), below(70_000)];
  const value = edges[below(8)] ?? below(2 ** 32) | 0;
  return isWide ? BigInt(value) * (below(3) === 0 ? 2n ** 32n + 1n : 1n) : value;
}

/** Runs all functions of all modules in their metered form; digests how they end and what is left. */
export function digestOfModules(): string {
  const parts = readModules().map((module, index) => {
    const below = createGenerator(index + 1);
    const { code } = fitModule(module);
    const verdict = validateModule(code, manifestOf([], { maxMemoryPages: 256 }));
    if (!verdict.ok) throw new Error(verdict.code);
    const decoded = decodeModule(code);
    const functions = [...decoded.exports].filter(([, { kind }]) => kind === 0);
    const form = instrumentModule(
      verdict.value,
      functions.map(([name]) => name),
    );
    const instance = new wasmEngine.Instance(new wasmEngine.Module(form), {});
    const bound = bindInstance(instance, verdict.value.mutableGlobals);
    const ends = functions.map(([name, { index: place }]) => {
      const types = decoded.functionTypes[place]?.parameters ?? [];
      const values = types.map((type) => argumentOf(type === 0x7e, below));
      // Half of the calls run out of gas on the way.
      bound.gas.value = below(2) === 0 ? 100_000_000n : BigInt(below(500));
      bound.stack.value = 0;
      bound.fault.value = 0;
      const end = endOf(() => (instance.exports[name] as (...list: Value[]) => unknown)(...values));
      const globals = bound.globals.map(({ value }) => value).join();
      return `${end} ${bound.gas.value} ${bound.stack.value} ${bound.fault.value} ${globals}`;
    });
    return concatBytes(utf8(ends.join("\n")), sm3(new Uint8Array(bound.memory.buffer)), sm3(form));
  });
  return toHex(sm3(concatBytes(...parts)));
}

function endOf(run: () => unknown): string {
  try {
    return String(run());
  } catch (error) {
    if (!(error instanceof wasmEngine.RuntimeError)) throw error;
    return "trap";
  }
}
