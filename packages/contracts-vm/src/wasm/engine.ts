/**
 * The part of the WebAssembly JavaScript interface that this package uses. Declared here, because
 * the pure packages are checked without the browser's library.
 *
 * @see https://www.w3.org/TR/wasm-js-api-2/
 */
export interface WasmEngine {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => WasmModuleHandle;
  readonly Instance: new (module: WasmModuleHandle, imports: WasmImports) => WasmInstance;
  /** What a trap throws; anything else that leaves an instance is a fault of the host. */
  readonly RuntimeError: new (
    message?: string,
  ) => Error;
}

/** A compiled module; opaque. */
export interface WasmModuleHandle {
  readonly [Symbol.toStringTag]?: string;
}

/**
 * A host function: `i32` arrives as a signed number, `i64` as a signed bigint. Its parameters are
 * those of its type, which the engine holds an import to.
 */
export type HostFunction = (...values: never[]) => number | bigint | undefined;

export type WasmImports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

export interface WasmGlobal<T extends number | bigint> {
  value: T;
}

export interface WasmMemory {
  /** Replaced by another buffer whenever the memory grows. */
  readonly buffer: ArrayBuffer;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

declare const WebAssembly: WasmEngine;

/** The host's engine. */
export const wasmEngine: WasmEngine = WebAssembly;
