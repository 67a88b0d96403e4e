import type { Manifest } from "@credlink/contracts-vm";
import { validateModule } from "@credlink/contracts-vm";
import { functionType, op, sectionId, type WasmModule } from "@credlink/contracts-vm/inspect";
import { fromHex } from "@credlink/primitives";
import type { Match } from "../finding.ts";
import type { ModulePattern } from "../rules.ts";
import { importOf, type ModuleFunction } from "../wasm/flow-of-module.ts";
import { remaindersOf } from "../wasm/value-flow.ts";
import type { FlowContext } from "./flow-patterns.ts";

/** A module that could be read. */
export interface ModuleContext extends FlowContext {
  readonly module: WasmModule;
  readonly functions: readonly ModuleFunction[];
}

/** Patterns over bytes that need not be a module a node accepts. */
export function matchBytes(
  pattern: ModulePattern,
  code: Uint8Array,
  manifest: Manifest,
): readonly Match[] {
  const at = { kind: "module", functionName: "module", offset: 0 } as const;
  if (pattern.kind === "refusal") {
    const judged = validateModule(code, manifest);
    if (judged.ok || !pattern.codes.includes(judged.code)) return [];
    return [{ at, detail: `${judged.code}: ${judged.detail ?? ""}` }];
  }
  if (pattern.kind !== "bytes") return [];
  return pattern.signatures.flatMap((signature) => {
    const offset = indexOf(code, fromHex(signature));
    return offset < 0 ? [] : [{ at: { ...at, offset }, detail: `signature ${signature}` }];
  });
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (
    let at = bytes.indexOf(wanted[0] ?? 0);
    at >= 0;
    at = bytes.indexOf(wanted[0] ?? 0, at + 1)
  ) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** Patterns over a module's functions and data. */
export function matchModule(pattern: ModulePattern, context: ModuleContext): readonly Match[] {
  switch (pattern.kind) {
    case "dropped-result":
      return droppedResults(pattern.effect, context);
    case "remainder":
      return context.functions.flatMap((each) =>
        remaindersOf(context.module, each, pattern.effect).map((offset) => ({
          at: { kind: "module", functionName: each.name, offset } as const,
          detail: each.name,
        })),
      );
    case "import-unreached":
      return unreachedImports(context);
    case "data-text":
      return dataTexts(pattern.forms, context.module);
    default:
      return [];
  }
}

function reaches(context: ModuleContext, index: number, effects: readonly string[]): boolean {
  const imported = importOf(context.module, index);
  if (imported !== null) return effects.includes(imported);
  return context.analysis
    .occurrencesOf(`function ${index}`)
    .some(({ effect }) => effects.includes(effect));
}

function droppedResults(effects: readonly string[], context: ModuleContext): readonly Match[] {
  const found: Match[] = [];
  for (const { name, instructions } of context.functions) {
    for (const [position, { code, index, start }] of instructions.entries()) {
      if (code !== op.call || instructions[position + 1]?.code !== op.drop) continue;
      const hasResult = functionType(context.module, index).results.length > 0;
      if (hasResult && reaches(context, index, effects)) {
        found.push({ at: { kind: "module", functionName: name, offset: start }, detail: name });
      }
    }
  }
  return found;
}

function unreachedImports({ module, methods, analysis }: ModuleContext): readonly Match[] {
  const reached = new Set<string>(
    methods.flatMap(({ id }) => analysis.occurrencesOf(id).map(({ effect }) => effect)),
  );
  return module.imports
    .filter(({ name }) => !reached.has(name))
    .map(({ name }) => ({
      at: { kind: "module", functionName: "imports", offset: 0 } as const,
      detail: name,
    }));
}

function dataTexts(forms: readonly string[], module: WasmModule): readonly Match[] {
  const range = module.sections.get(sectionId.data);
  if (range === undefined) return [];
  const bytes = module.bytes.subarray(range.start, range.end);
  const narrow = String.fromCharCode(...shown(bytes));
  // UTF-16 keeps a zero between two characters of ASCII.
  const wide = narrow.replaceAll(/([ -~])\0/g, "$1");
  return forms.flatMap((form) => {
    const pattern = new RegExp(form);
    const found = pattern.exec(narrow) ?? pattern.exec(wide);
    const at = { kind: "module", functionName: "data", offset: range.start } as const;
    return found === null ? [] : [{ at, detail: found[0].slice(0, 80) }];
  });
}

/** At most as many bytes as a call may have arguments. */
function shown(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, 60_000);
}
