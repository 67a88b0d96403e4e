import { KERNEL_CODE } from "./code.ts";

/** What the WebAssembly module offers; addresses are of its memory. See assembly/sm2/index.ts. */
export interface KernelExports {
  readonly memory: {
    /** Replaced by another buffer whenever the memory grows. */
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  };
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

/** The part of the WebAssembly JavaScript interface that is used; the browser's library is not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, () => never>>>>,
  ) => { readonly exports: unknown };
};

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Compiles the module and makes its table of G: some 15 ms. @throws WebAssembly.CompileError */
export function instantiateKernel(): KernelExports {
  const module = new WebAssembly.Module(fromBase64(KERNEL_CODE));
  const abort = (): never => {
    throw new Error("the kernel gave up");
  };
  const { exports } = new WebAssembly.Instance(module, { env: { abort } });
  // The module is ours, and compiled from the functions that the interface names.
  const kernel = exports as KernelExports;
  kernel.prepare();
  return kernel;
}
