import type { Manifest, MethodManifest } from "@credlink/contracts-vm";
import { builtInNames } from "@credlink/contracts-vm/inspect";
import type { Match } from "../finding.ts";
import {
  calleesOf,
  type Flow,
  type FlowAnalysis,
  type Location,
  type Occurrence,
} from "../flow.ts";
import type { FlowPattern } from "../rules.ts";

/** A method as its flow is judged, from sources or from a module. */
export interface MethodFlow {
  readonly name: string;
  /** Name of its flow. */
  readonly id: string;
  /** Null when the manifest does not list it. */
  readonly manifest: MethodManifest | null;
  readonly at: Location;
}

export interface FlowContext {
  readonly manifest: Manifest;
  readonly methods: readonly MethodFlow[];
  readonly flows: ReadonlyMap<string, Flow>;
  readonly analysis: FlowAnalysis;
  /** Whether a function is the contract's own, and not the SDK's. */
  readonly isOwn: (id: string) => boolean;
  readonly locate: (id: string) => Location;
}

/** Everything in the methods' flows that a pattern is about. */
export function matchFlow(pattern: FlowPattern, context: FlowContext): readonly Match[] {
  switch (pattern.kind) {
    case "recursion":
      return recursions(context);
    case "calls-unused":
      return callsUnused(context);
    case "export-unlisted":
      return context.methods
        .filter(({ manifest, name }) => manifest === null && !name.startsWith("_"))
        .map(({ name, at }) => ({ at, detail: name }));
    case "open-loop":
      return perMethod(context, {}, (each) =>
        each.occurrences.filter(
          ({ effect, isInOpenLoop }) => isInOpenLoop && pattern.effect.includes(effect),
        ),
      );
    case "reach":
      return context.methods.flatMap((method) => reach(pattern, method, context));
    case "sequence": {
      const { steps } = pattern;
      const isAboutNothing =
        pattern.foreignOnly && context.manifest.calls.every((name) => builtInNames.includes(name));
      if (isAboutNothing) return [];
      const last = steps.at(-1) ?? [];
      const before = context.analysis.prefixBit(steps, steps.length - 1);
      return perMethod(context, pattern, ({ occurrences }) =>
        occurrences.filter(({ effect, may }) => last.includes(effect) && (may & before) !== 0),
      );
    }
    case "without": {
      const by = context.analysis.bitsOf(pattern.by);
      return perMethod(context, pattern, ({ occurrences }) =>
        occurrences.filter(
          ({ effect, must }) => pattern.effect.includes(effect) && (must & by) === 0,
        ),
      );
    }
  }
}

interface Filter {
  readonly readOnly?: boolean | undefined;
  readonly minRoles?: number | undefined;
}

function isMeant({ manifest }: MethodFlow, { readOnly, minRoles }: Filter): boolean {
  if (manifest === null) return false;
  if (readOnly !== undefined && manifest.readOnly !== readOnly) return false;
  return minRoles === undefined || manifest.roles.length >= minRoles;
}

function perMethod(
  context: FlowContext,
  filter: Filter,
  select: (method: { readonly occurrences: readonly Occurrence[] }) => readonly Occurrence[],
): readonly Match[] {
  return context.methods
    .filter((method) => isMeant(method, filter))
    .flatMap((method) => {
      const occurrences = context.analysis.occurrencesOf(method.id);
      return select({ occurrences }).map(({ at, effect }) => ({
        at: at ?? method.at,
        detail: `${method.name}: ${effect}`,
      }));
    });
}

function reach(
  pattern: Extract<FlowPattern, { kind: "reach" }>,
  method: MethodFlow,
  context: FlowContext,
): readonly Match[] {
  if (!isMeant(method, pattern)) return [];
  if (pattern.withoutCalls && context.manifest.calls.length > 0) return [];
  const occurrences = context.analysis.occurrencesOf(method.id);
  const reached = occurrences.find(({ effect }) => pattern.reaches.includes(effect));
  const isMissing = !occurrences.some(({ effect }) => pattern.misses.includes(effect));
  if (reached === undefined || !isMissing) return [];
  return [{ at: reached.at ?? method.at, detail: `${method.name}: ${reached.effect}` }];
}

function callsUnused({ manifest, methods, analysis }: FlowContext): readonly Match[] {
  if (manifest.calls.length === 0) return [];
  const isCalling = methods.some(({ id }) =>
    analysis.occurrencesOf(id).some(({ effect }) => effect === "contract_call"),
  );
  const at = { kind: "manifest", field: "calls" } as const;
  return isCalling ? [] : [{ at, detail: manifest.calls.join(", ") }];
}

/** Functions that reach themselves and that a method reaches. */
function recursions({ flows, methods, isOwn, locate }: FlowContext): readonly Match[] {
  const callees = new Map([...flows].map(([id, flow]) => [id, calleesOf(flow)]));
  const closure = (from: readonly string[]): ReadonlySet<string> => {
    const seen = new Set<string>();
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      open.push(...(callees.get(id) ?? []));
    }
    return seen;
  };
  return [...closure(methods.map(({ id }) => id))]
    .filter((id) => isOwn(id) && closure(callees.get(id) ?? []).has(id))
    .map((id) => ({ at: locate(id), detail: id.replace(/^.*#/, "") }));
}
