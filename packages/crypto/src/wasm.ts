/** A module's memory. */
export interface WasmMemory {
  /** Replaced by another buffer whenever the memory grows. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
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

/**
 * An instance of one of our own modules (base64), which exports what `Exports` says.
 * @throws WebAssembly.CompileError
 */
export function instantiate<Exports>(code: string): Exports {
  const module = new WebAssembly.Module(fromBase64(code));
  const abort = (): never => {
    throw new Error("the kernel gave up");
  };
  const { exports } = new WebAssembly.Instance(module, { env: { abort } });
  // The module is ours, and compiled from the functions that the interface names.
  return exports as Exports;
}
