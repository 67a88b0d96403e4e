import { instantiate, type WasmMemory } from "../wasm.ts";
import { KERNEL_CODE } from "./code.ts";

/** What the WebAssembly module offers; addresses are of its memory. See assembly/sm2/index.ts. */
export interface KernelExports {
  readonly memory: WasmMemory;
  prepare(): void;
  heapBase(): number;
  tableBytes(): number;
  itemsAddress(): number;
  answersAddress(): number;
  setKey(bytes: number): number;
  buildTable(table: number): void;
  digest(out: number, message: number, length: number): void;
  verifyKnown(table: number, signature: number, hash: number): number;
  verifyCold(signature: number, hash: number): number;
  verifyBatch(count: number): void;
}

/** Compiles the module and makes its table of G: some 15 ms. @throws WebAssembly.CompileError */
export function instantiateKernel(): KernelExports {
  const kernel = instantiate<KernelExports>(KERNEL_CODE);
  kernel.prepare();
  return kernel;
}
