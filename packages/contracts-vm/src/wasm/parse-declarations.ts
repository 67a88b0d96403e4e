import type { ByteReader } from "./byte-reader.ts";
import { HOST_MODULE, isHostImport } from "./host-imports.ts";
import { readConstant, readValueType } from "./instructions.ts";
import { limits } from "./limits.ts";
import type { FunctionType, ModuleExport, ModuleImport } from "./module.ts";
import { ModuleRefused } from "./module-refused.ts";
import { FUNCREF } from "./opcodes.ts";

const FUNCTION_TYPE = 0x60;

function many<T>(
  reader: ByteReader,
  max: number,
  what: string,
  read: (reader: ByteReader) => T,
): readonly T[] {
  if (reader.done) return [];
  const items: T[] = [];
  for (let left = reader.count(max, what); left > 0; left--) items.push(read(reader));
  return items;
}

export function readTypes(reader: ByteReader): readonly FunctionType[] {
  return many(reader, limits.types, "types", () => {
    const form = reader.byte();
    if (form !== FUNCTION_TYPE) {
      const isManaged =
        form === 0x4d ||
        form === 0x4e ||
        form === 0x4f ||
        form === 0x50 ||
        form === 0x5e ||
        form === 0x5f;
      throw new ModuleRefused(isManaged ? "VM_MODULE_GC" : "VM_MODULE_MALFORMED", "form of a type");
    }
    const parameters = readValueTypes(reader, limits.functionSlots, "parameters");
    const results = readValueTypes(reader, limits.functionSlots, "results");
    if (results.length > 1) throw new ModuleRefused("VM_MODULE_MULTI_VALUE", "several results");
    return { parameters, results };
  });
}

function readValueTypes(reader: ByteReader, max: number, what: string): readonly number[] {
  const types: number[] = [];
  const count = reader.count(max, what, "VM_MODULE_FUNCTION_TOO_LARGE");
  for (let left = count; left > 0; left--) types.push(readValueType(reader));
  return types;
}

export function readImports(reader: ByteReader): readonly ModuleImport[] {
  return many(reader, limits.imports, "imports", () => {
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (module !== HOST_MODULE || kind !== 0 || !isHostImport(name)) {
      throw new ModuleRefused("VM_MODULE_IMPORT", `${module}.${name}`);
    }
    return { name, typeIndex: reader.u32() };
  });
}

export function readIndexes(reader: ByteReader): readonly number[] {
  return many(reader, limits.functions, "functions", () => reader.u32());
}

interface Limits {
  readonly minimum: number;
  readonly maximum: number | null;
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.byte();
  if (flags > 7) throw new ModuleRefused("VM_MODULE_MALFORMED", "limits");
  if ((flags & 4) !== 0) throw new ModuleRefused("VM_MODULE_MEMORY64", "64-bit limits");
  if ((flags & 2) !== 0) throw new ModuleRefused("VM_MODULE_THREADS", "shared");
  const minimum = reader.u32();
  return { minimum, maximum: flags === 1 ? reader.u32() : null };
}

/** Initial elements of the one table, 0 without. */
export function readTable(reader: ByteReader): number {
  if (reader.done) return 0;
  const count = reader.count(limits.types, "tables");
  if (count > 1) throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "several tables");
  if (count === 0) return 0;
  if (reader.byte() !== FUNCREF) {
    throw new ModuleRefused("VM_MODULE_REFERENCE_TYPES", "a table of other than functions");
  }
  const { minimum } = readLimits(reader);
  if (minimum > limits.tableElements) throw new ModuleRefused("VM_MODULE_TOO_LARGE", "table");
  return minimum;
}

export function readMemory(reader: ByteReader): Limits | null {
  if (reader.done) return null;
  const count = reader.count(limits.types, "memories");
  if (count > 1) throw new ModuleRefused("VM_MODULE_MULTI_MEMORY", "several memories");
  return count === 0 ? null : readLimits(reader);
}

/** Whether each global is mutable; each must start from an integer constant. */
export function readGlobals(reader: ByteReader): readonly boolean[] {
  return many(reader, limits.globals, "globals", () => {
    const type = readValueType(reader);
    const mutability = reader.byte();
    if (mutability > 1) throw new ModuleRefused("VM_MODULE_THREADS", "a shared global");
    if (readConstant(reader).type !== type) {
      throw new ModuleRefused("VM_MODULE_MALFORMED", "a global's initial value");
    }
    return mutability === 1;
  });
}

export function readExports(reader: ByteReader): readonly ModuleExport[] {
  return many(reader, limits.exports, "exports", () => {
    const name = reader.name();
    const kind = reader.byte();
    if (kind === 4) throw new ModuleRefused("VM_MODULE_EXCEPTIONS", "an exported tag");
    if (kind > 4) throw new ModuleRefused("VM_MODULE_MALFORMED", "kind of an export");
    return { name, kind, index: reader.u32() };
  });
}
