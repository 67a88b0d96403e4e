import { accept, type Result, refuse } from "@credlink/primitives";
import type { Manifest } from "../manifest.ts";
import { wasmEngine } from "./engine.ts";
import { hostTypes, isHostImport } from "./host-imports.ts";
import { limits } from "./limits.ts";
import type { FunctionType, WasmModule } from "./module.ts";
import { type ModuleErrorCode, ModuleRefused } from "./module-refused.ts";
import { parseModule } from "./parse-module.ts";
import { maxOperandHeight } from "./stack-height.ts";

/**
 * Whether `code` may be installed under `manifest`: every refusal has its own code. What this
 * accepts, `instrumentModule` turns into a module that every WebAssembly engine accepts.
 */
export function validateModule(
  code: Uint8Array,
  manifest: Manifest,
): Result<WasmModule, ModuleErrorCode> {
  try {
    const module = parseModule(code);
    checkImports(module);
    checkMemory(module, manifest);
    checkVersion(module, manifest);
    if (!wasmEngine.validate(code)) {
      throw new ModuleRefused("VM_MODULE_MALFORMED", "does not type-check");
    }
    checkMethods(module, manifest);
    checkFrames(module);
    return accept(module);
  } catch (error) {
    if (error instanceof ModuleRefused) return refuse(error.code, error.message);
    throw error;
  }
}

function typeAt(module: WasmModule, index: number): FunctionType {
  const type = module.types[index];
  if (type === undefined) throw new ModuleRefused("VM_MODULE_MALFORMED", `type ${index}`);
  return type;
}

/** Whether two function types take and leave the same. */
export function isSameType(a: FunctionType, b: FunctionType): boolean {
  return a.parameters.join() === b.parameters.join() && a.results.join() === b.results.join();
}

function checkImports(module: WasmModule): void {
  for (const { name, typeIndex } of module.imports) {
    if (!isHostImport(name) || !isSameType(typeAt(module, typeIndex), hostTypes[name])) {
      throw new ModuleRefused("VM_MODULE_IMPORT_TYPE", name);
    }
  }
}

function checkMemory(module: WasmModule, manifest: Manifest): void {
  const { memory } = module;
  if (memory === null) throw new ModuleRefused("VM_MODULE_MEMORY", "no memory");
  if (memory.maximum === null) throw new ModuleRefused("VM_MODULE_MEMORY", "no maximum");
  const allowed = Math.min(manifest.maxMemoryPages, limits.memoryPages);
  if (memory.maximum > allowed || memory.minimum > memory.maximum) {
    throw new ModuleRefused("VM_MODULE_MEMORY", `${memory.maximum} pages, ${allowed} are allowed`);
  }
  if (!module.exports.some(({ name, kind }) => name === "memory" && kind === 2)) {
    throw new ModuleRefused("VM_MODULE_MEMORY", "not exported as memory");
  }
}

function checkVersion(module: WasmModule, manifest: Manifest): void {
  const wanted = `${manifest.name}@${manifest.version}`;
  if (module.version !== wanted) {
    throw new ModuleRefused("VM_MODULE_VERSION", `${module.version ?? "none"}, not ${wanted}`);
  }
}

/** The type of function `index`, imported ones first. */
export function functionType(module: WasmModule, index: number): FunctionType {
  const imported = module.imports[index];
  const own = module.functions[index - module.imports.length];
  return typeAt(module, imported?.typeIndex ?? own ?? -1);
}

function checkMethods(module: WasmModule, manifest: Manifest): void {
  const exported = new Map(module.exports.map((item) => [item.name, item]));
  for (const { name } of manifest.methods) {
    const item = exported.get(name);
    if (item?.kind !== 0) throw new ModuleRefused("VM_MODULE_METHOD", `${name} is not exported`);
    const type = functionType(module, item.index);
    if (type.parameters.length !== 0 || type.results.length !== 0) {
      throw new ModuleRefused("VM_MODULE_METHOD", `${name} has parameters or a result`);
    }
  }
}

function checkFrames(module: WasmModule): void {
  for (const [index, body] of module.bodies.entries()) {
    const { parameters } = functionType(module, module.imports.length + index);
    const slots = parameters.length + body.localCount + maxOperandHeight(module, body);
    if (slots > limits.functionSlots) {
      throw new ModuleRefused("VM_MODULE_FUNCTION_TOO_LARGE", `${slots} values`);
    }
  }
}
