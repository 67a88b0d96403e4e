import { ByteReader } from "./byte-reader.ts";
import { limits } from "./limits.ts";
import {
  type FunctionBody,
  MODULE_PREAMBLE,
  type ModuleExport,
  type ModuleImport,
  type Range,
  sectionId,
  VERSION_SECTION,
  type WasmModule,
} from "./module.ts";
import { ModuleRefused } from "./module-refused.ts";
import { readBodies, readData, readElements } from "./parse-contents.ts";
import {
  readExports,
  readGlobals,
  readImports,
  readIndexes,
  readMemory,
  readTable,
  readTypes,
} from "./parse-declarations.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Order in which the sections must come, by id. */
const ORDER: readonly number[] = [
  sectionId.type,
  sectionId.import,
  sectionId.function,
  sectionId.table,
  sectionId.memory,
  sectionId.global,
  sectionId.export,
  sectionId.element,
  sectionId.dataCount,
  sectionId.code,
  sectionId.data,
];

interface Sections {
  readonly ranges: ReadonlyMap<number, Range>;
  readonly version: string | null;
}

/**
 * Takes a module apart. Every count is judged before anything is allocated by it.
 * @throws ModuleRefused naming the first thing that contracts may not contain.
 */
export function parseModule(bytes: Uint8Array): WasmModule {
  if (bytes.length > limits.moduleBytes) {
    throw new ModuleRefused("VM_MODULE_TOO_LARGE", `${bytes.length} bytes`);
  }
  const { ranges, version } = readSections(bytes);
  const open = (id: number): ByteReader => {
    const range = ranges.get(id) ?? { start: 0, end: 0 };
    return new ByteReader(bytes, range.start, range.end);
  };
  const types = close(open(sectionId.type), readTypes);
  const imports: readonly ModuleImport[] = close(open(sectionId.import), readImports);
  const functions = close(open(sectionId.function), readIndexes);
  const tableElements = close(open(sectionId.table), readTable);
  const memory = close(open(sectionId.memory), readMemory);
  const globals = close(open(sectionId.global), readGlobals);
  const exports: readonly ModuleExport[] = close(open(sectionId.export), readExports);
  close(open(sectionId.element), (reader) => readElements(reader, tableElements));
  if (ranges.has(sectionId.dataCount)) close(open(sectionId.dataCount), (reader) => reader.u32());
  const bodies: readonly FunctionBody[] = close(open(sectionId.code), readBodies);
  const dataBytes = close(open(sectionId.data), (reader) => readData(reader, memory?.minimum ?? 0));
  if (bodies.length !== functions.length) {
    throw new ModuleRefused(
      "VM_MODULE_MALFORMED",
      "functions without body, or bodies without type",
    );
  }
  return {
    bytes,
    sections: ranges,
    types,
    imports,
    functions,
    globalCount: globals.length,
    mutableGlobals: globals.flatMap((isMutable, index) => (isMutable ? [index] : [])),
    exports,
    bodies,
    memory,
    tableElements,
    dataBytes,
    version,
  };
}

/** Reads one section and holds it to its length. */
function close<T>(reader: ByteReader, read: (reader: ByteReader) => T): T {
  const value = read(reader);
  if (!reader.done) throw new ModuleRefused("VM_MODULE_MALFORMED", "a section has bytes left over");
  return value;
}

function readSections(bytes: Uint8Array): Sections {
  const reader = new ByteReader(bytes);
  for (const byte of MODULE_PREAMBLE) {
    if (reader.byte() !== byte) throw new ModuleRefused("VM_MODULE_MALFORMED", "preamble");
  }
  const ranges = new Map<number, Range>();
  let version: string | null = null;
  let customs = 0;
  let place = -1;
  while (!reader.done) {
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    if (id === sectionId.custom) {
      if (++customs > limits.customSections) {
        throw new ModuleRefused("VM_MODULE_TOO_LARGE", "custom sections");
      }
      const found = readVersion(bytes, start, reader.at);
      if (found !== null && version !== null) {
        throw new ModuleRefused("VM_MODULE_VERSION", "named twice");
      }
      version ??= found;
      continue;
    }
    const next = placeOf(id);
    if (next <= place) throw new ModuleRefused("VM_MODULE_MALFORMED", "order of sections");
    place = next;
    ranges.set(id, { start, end: reader.at });
  }
  return { ranges, version };
}

function placeOf(id: number): number {
  if (id === sectionId.start) throw new ModuleRefused("VM_MODULE_START", "start section");
  if (id === sectionId.tag) throw new ModuleRefused("VM_MODULE_EXCEPTIONS", "tag section");
  const place = ORDER.indexOf(id);
  if (place < 0) throw new ModuleRefused("VM_MODULE_MALFORMED", `section ${id}`);
  return place;
}

function readVersion(bytes: Uint8Array, start: number, end: number): string | null {
  const reader = new ByteReader(bytes, start, end);
  const length = reader.u32();
  const nameStart = reader.at;
  reader.skip(length);
  if (length !== VERSION_SECTION.length) return null;
  for (let i = 0; i < length; i++) {
    if (bytes[nameStart + i] !== VERSION_SECTION.charCodeAt(i)) return null;
  }
  if (end - reader.at > 128) throw new ModuleRefused("VM_MODULE_VERSION", "too long");
  try {
    return decoder.decode(bytes.subarray(reader.at, end));
  } catch {
    throw new ModuleRefused("VM_MODULE_VERSION", "not UTF-8");
  }
}
