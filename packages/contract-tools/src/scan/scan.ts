import { type Manifest, validateModule } from "@credlink/contracts-vm";
import {
  type HostImport,
  ModuleRefused,
  parseModule,
  wasmEngine,
} from "@credlink/contracts-vm/inspect";
import type { SourceReader } from "../build/compile.ts";
import { ContractToolsError, withinStack } from "../errors.ts";
import type { Finding, Match } from "./finding.ts";
import { FlowAnalysis, type Sequence } from "./flow.ts";
import { type MethodFlow, matchFlow } from "./patterns/flow-patterns.ts";
import { matchManifest } from "./patterns/manifest-patterns.ts";
import { type ModuleContext, matchBytes, matchModule } from "./patterns/module-patterns.ts";
import type { SourceContext } from "./patterns/source-context.ts";
import { matchSource } from "./patterns/source-patterns.ts";
import type { Rule, RuleSet } from "./rules.ts";
import { DataFlow } from "./source/data-flow.ts";
import { flowsOfSources, locationOf } from "./source/flow-of-source.ts";
import { Guards, LoopBounds } from "./source/guards.ts";
import { parseSources } from "./source/parse.ts";
import { SourceProgram } from "./source/program.ts";
import { flowsOfModule, functionId, functionsOf } from "./wasm/flow-of-module.ts";

/** What is scanned: a manifest with sources, a module, or both. */
export interface ScanTarget {
  readonly manifest: Manifest;
  readonly sources: { readonly reader: SourceReader; readonly entry: string } | null;
  readonly code: Uint8Array | null;
}

/** What a scan found. */
export interface ScanReport {
  readonly contract: string;
  /** Digest of the rules that were used. */
  readonly ruleSet: string;
  readonly rules: number;
  /** Ordered by severity, then by place. */
  readonly findings: readonly Finding[];
}

/**
 * Judges a contract by all rules. Sources, where there are any, say more than a module: rules that
 * have a pattern for both are judged on the sources, so whoever does not trust them compares the
 * module first (`rebuildPackage`). A module is judged alone by what it does.
 *
 * @throws ContractToolsError TOOLS_COMPILE_FAILED when the sources do not parse,
 *   TOOLS_NESTED_TOO_DEEP
 */
export function scanContract(target: ScanTarget, ruleSet: RuleSet): ScanReport {
  return withinStack(target.manifest.name, () => judge(target, ruleSet));
}

function judge(target: ScanTarget, ruleSet: RuleSet): ScanReport {
  const { manifest, sources, code } = target;
  const { rules } = ruleSet;
  const source = sources === null ? null : sourceContext(manifest, sources, rules);
  const module = code === null ? null : moduleContext(manifest, code, rules);
  const findings = rules.flatMap((rule) => {
    const isOnSources = source !== null && rule.source.length + rule.flow.length > 0;
    const matches: Match[] = rule.manifest.flatMap((each) => matchManifest(each, manifest));
    if (source !== null) {
      matches.push(...rule.source.flatMap((each) => matchSource(each, source)));
      matches.push(...rule.flow.flatMap((each) => matchFlow(each, source)));
    }
    if (code !== null) {
      matches.push(...rule.module.flatMap((each) => matchBytes(each, code, manifest)));
    }
    if (module !== null && !isOnSources) {
      matches.push(...rule.module.flatMap((each) => matchModule(each, module)));
      matches.push(...rule.flow.flatMap((each) => matchFlow(each, module)));
    }
    return unique(matches).map((match) => findingOf(rule, match));
  });
  return {
    contract: `${manifest.name}@${manifest.version}`,
    ruleSet: ruleSet.digest,
    rules: rules.length,
    findings: findings.sort(bySeverity),
  };
}

function findingOf({ id, severity, title, remedy }: Rule, match: Match): Finding {
  return { ruleId: id, severity, title, remedy, ...match };
}

const ranks = { high: 0, medium: 1, low: 2 } as const;

function bySeverity(a: Finding, b: Finding): number {
  return ranks[a.severity] - ranks[b.severity];
}

function unique(matches: readonly Match[]): readonly Match[] {
  const seen = new Set<string>();
  return matches.filter((match) => {
    const key = JSON.stringify(match.at);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function sequencesOf(rules: readonly Rule[]): readonly Sequence[] {
  return rules.flatMap(({ flow }) =>
    flow.flatMap((each): readonly (readonly HostImport[])[][] =>
      each.kind === "sequence" && each.steps.length > 2 ? [each.steps] : [],
    ),
  );
}

function sourceContext(
  manifest: Manifest,
  { reader, entry }: NonNullable<ScanTarget["sources"]>,
  rules: readonly Rule[],
): SourceContext {
  const files = parseSources(reader, entry);
  const entryFile = files.find(({ path }) => path === entry);
  if (entryFile === undefined) throw new ContractToolsError("TOOLS_COMPILE_FAILED", entry);
  const program = new SourceProgram(files, entryFile);
  const guards = new Guards(program);
  const flows = flowsOfSources(program, new LoopBounds(program, guards));
  const methods = program.methods.map(
    ({ id, syntax }): MethodFlow => ({
      name: syntax.name,
      id,
      manifest: manifest.methods.find(({ name }) => name === syntax.name) ?? null,
      at: locationOf(syntax.place),
    }),
  );
  return {
    manifest,
    program,
    guards,
    values: new DataFlow(program, guards),
    flows,
    analysis: new FlowAnalysis(flows, sequencesOf(rules)),
    methods,
    isOwn: (id) => program.functions.get(id)?.isSdk === false,
    locate: (id) => {
      const place = program.functions.get(id)?.syntax.place;
      return locationOf(place ?? { file: entry, line: 1, column: 1 });
    },
  };
}

/** Null when the module cannot be read: then only what refuses it can be said. */
function moduleContext(
  manifest: Manifest,
  code: Uint8Array,
  rules: readonly Rule[],
): ModuleContext | null {
  const judged = validateModule(code, manifest);
  const module = judged.ok ? judged.value : readAnyway(code);
  if (module === null) return null;
  const functions = functionsOf(module);
  const flows = flowsOfModule(module, functions);
  const methods = module.exports
    .filter(({ kind, index }) => kind === 0 && index >= module.imports.length)
    .map(({ name, index }): MethodFlow => {
      const at = { kind: "module", functionName: name, offset: 0 } as const;
      const listed = manifest.methods.find((method) => method.name === name) ?? null;
      return { name, id: functionId(index), manifest: listed, at };
    });
  return {
    manifest,
    module,
    functions,
    flows,
    analysis: new FlowAnalysis(flows, sequencesOf(rules)),
    methods,
    isOwn: () => true,
    locate: (id) => ({ kind: "module", functionName: id, offset: 0 }),
  };
}

/**
 * A module that is refused for its manifest or version can still be looked into; one that does not
 * type-check cannot: its indices lead nowhere.
 */
function readAnyway(code: Uint8Array) {
  try {
    const module = parseModule(code);
    return wasmEngine.validate(code) ? module : null;
  } catch (error) {
    if (error instanceof ModuleRefused) return null;
    throw error;
  }
}
