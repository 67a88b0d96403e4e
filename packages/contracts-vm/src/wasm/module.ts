/** A function's type; only `i32` and `i64` occur, and at most one result. */
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ModuleImport {
  readonly name: string;
  readonly typeIndex: number;
}

export interface ModuleExport {
  readonly name: string;
  /** 0 function, 1 table, 2 memory, 3 global. */
  readonly kind: number;
  readonly index: number;
}

/** Places of one function's parts in the module's bytes. */
export interface FunctionBody {
  /** Number of declared locals, parameters not counted. */
  readonly localCount: number;
  /** Where the declarations of locals start; they end where the instructions start. */
  readonly start: number;
  readonly instructions: number;
  readonly end: number;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A module taken apart. Everything is plain data over `bytes`, which must not change. */
export interface WasmModule {
  readonly bytes: Uint8Array;
  /** Contents of the sections by id, without custom ones. */
  readonly sections: ReadonlyMap<number, Range>;
  readonly types: readonly FunctionType[];
  readonly imports: readonly ModuleImport[];
  /** Type index of every function of its own. */
  readonly functions: readonly number[];
  readonly globalCount: number;
  /** Indexes of those globals that code can change. */
  readonly mutableGlobals: readonly number[];
  readonly exports: readonly ModuleExport[];
  readonly bodies: readonly FunctionBody[];
  /** Pages of 64 KiB; null without memory. */
  readonly memory: { readonly minimum: number; readonly maximum: number | null } | null;
  /** Initial number of table elements, 0 without table. */
  readonly tableElements: number;
  /** Bytes of all data segments together. */
  readonly dataBytes: number;
  /** Text of the section `credlink.version`, null when there is none. */
  readonly version: string | null;
}

export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export const PAGE_BYTES = 65_536;
/** `\0asm`, version 1. */
export const MODULE_PREAMBLE: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const VERSION_SECTION = "credlink.version";
