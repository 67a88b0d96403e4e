import type { HostImport } from "@credlink/contracts-vm/inspect";
import { isHostImport } from "@credlink/contracts-vm/inspect";

/**
 * What a method does with its host, in order, whatever language it was written in: sources and
 * modules are both turned into this, and rules about order are judged on it once.
 */
export type Flow =
  | { readonly type: "sequence"; readonly steps: readonly Flow[] }
  /** One of the arms is taken. */
  | { readonly type: "choice"; readonly arms: readonly Flow[] }
  /** Its end falls out of it; a jump to its label starts it again. */
  | {
      readonly type: "loop";
      readonly label: number;
      readonly body: Flow;
      /** Whether a constant bounds its rounds. */
      readonly isBounded: boolean;
    }
  /** A jump to its label leads behind it. */
  | { readonly type: "block"; readonly label: number; readonly body: Flow }
  | { readonly type: "jump"; readonly label: number }
  | { readonly type: "call"; readonly callees: readonly string[]; readonly at: Location | null }
  | { readonly type: "effect"; readonly effect: HostImport; readonly at: Location | null }
  /** Leaves the function, or ends the call altogether. */
  | { readonly type: "exit"; readonly isReturn: boolean };

/** Where something was found: a source line, or an offset in a module. */
export type Location =
  | {
      readonly kind: "source";
      readonly file: string;
      readonly line: number;
      readonly column: number;
    }
  | { readonly kind: "module"; readonly functionName: string; readonly offset: number };

export const nothing: Flow = { type: "sequence", steps: [] };

/** A set of host functions, and of prefixes of sequences, as bits. */
type Bits = number;

/** What may have happened, and what certainly has, when a place is reached. */
interface Facts {
  readonly may: Bits;
  readonly must: Bits;
}

/** One host function as a method reaches it. */
export interface Occurrence {
  readonly effect: HostImport;
  readonly at: Location | null;
  /** Host functions and sequence prefixes that may have happened before. */
  readonly may: Bits;
  /** Those that have happened on every way here. */
  readonly must: Bits;
  /** Whether a loop without constant bound surrounds it, in this function or a caller. */
  readonly isInOpenLoop: boolean;
}

/** Steps that rules look for one after the other; each is a set of host functions. */
export type Sequence = readonly (readonly HostImport[])[];

interface Outcome {
  readonly after: Facts | null;
  readonly occurrences: readonly Occurrence[];
}

const MAX_ROUNDS = 16;

/** Walks flows and says what happens before what. */
export class FlowAnalysis {
  private readonly flows: ReadonlyMap<string, Flow>;
  private readonly sequences: readonly Sequence[];
  private readonly bits = new Map<string, Bits>();
  private readonly known = new Map<string, Outcome>();
  private readonly running = new Set<string>();

  constructor(flows: ReadonlyMap<string, Flow>, sequences: readonly Sequence[]) {
    this.flows = flows;
    this.sequences = sequences;
  }

  /** Every host function that a function reaches, with what comes before it. */
  occurrencesOf(name: string): readonly Occurrence[] {
    return this.call(name, { may: 0, must: 0 }, false).occurrences;
  }

  bitOf(name: string): Bits {
    let bit = this.bits.get(name);
    if (bit === undefined) {
      bit = 1 << this.bits.size;
      this.bits.set(name, bit);
    }
    return bit;
  }

  bitsOf(names: readonly string[]): Bits {
    return names.reduce((bits, name) => bits | this.bitOf(name), 0);
  }

  /** Bit that says that all steps of a sequence but the last may have happened in order. */
  prefixBit(sequence: Sequence, steps: number): Bits {
    const first = sequence[0] ?? [];
    return steps === 1 ? this.bitsOf(first) : this.bitOf(JSON.stringify(sequence.slice(0, steps)));
  }

  private call(name: string, facts: Facts, isInOpenLoop: boolean): Outcome {
    const key = `${name}/${facts.may}/${facts.must}/${isInOpenLoop}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const flow = this.flows.get(name);
    // A recursive call adds nothing that its outer call does not find.
    if (flow === undefined || this.running.has(name)) return { after: facts, occurrences: [] };
    this.running.add(name);
    const walk = new Walk(this, this.sequences, isInOpenLoop, (callee, before, inLoop) =>
      this.call(callee, before, inLoop),
    );
    const end = walk.run(flow, facts);
    const outcome = { after: join(end, walk.returned), occurrences: distinct(walk.occurrences) };
    this.running.delete(name);
    this.known.set(key, outcome);
    return outcome;
  }
}

/** Each occurrence once: the same function is reached on many ways. */
function distinct(occurrences: readonly Occurrence[]): readonly Occurrence[] {
  return [...new Map(occurrences.map((each) => [JSON.stringify(each), each])).values()];
}

function join(a: Facts | null, b: Facts | null): Facts | null {
  if (a === null) return b;
  if (b === null) return a;
  return { may: a.may | b.may, must: a.must & b.must };
}

function isSame(a: Facts | null, b: Facts | null): boolean {
  return a?.may === b?.may && a?.must === b?.must;
}

/** One function, walked from given facts. */
class Walk {
  readonly occurrences: Occurrence[] = [];
  returned: Facts | null = null;
  private readonly analysis: FlowAnalysis;
  private readonly sequences: readonly Sequence[];
  private readonly callee: (name: string, facts: Facts, isInOpenLoop: boolean) => Outcome;
  private readonly jumps = new Map<number, Facts | null>();
  private openLoops: number;

  constructor(
    analysis: FlowAnalysis,
    sequences: readonly Sequence[],
    isInOpenLoop: boolean,
    callee: (name: string, facts: Facts, isInOpenLoop: boolean) => Outcome,
  ) {
    this.analysis = analysis;
    this.sequences = sequences;
    this.openLoops = isInOpenLoop ? 1 : 0;
    this.callee = callee;
  }

  /** Facts behind a flow, null where nothing gets. */
  run(flow: Flow, facts: Facts | null): Facts | null {
    if (facts === null) return null;
    switch (flow.type) {
      case "sequence":
        return flow.steps.reduce<Facts | null>((now, step) => this.run(step, now), facts);
      case "choice":
        return flow.arms
          .map((arm) => this.run(arm, facts))
          .reduce<Facts | null>((all, each) => join(all, each), null);
      case "block": {
        this.jumps.set(flow.label, null);
        const end = this.run(flow.body, facts);
        return join(end, this.jumps.get(flow.label) ?? null);
      }
      case "loop":
        return this.loop(flow, facts);
      case "jump":
        this.jumps.set(flow.label, join(this.jumps.get(flow.label) ?? null, facts));
        return null;
      case "exit":
        if (flow.isReturn) this.returned = join(this.returned, facts);
        return null;
      case "effect":
        return this.effect(flow.effect, flow.at, facts);
      case "call":
        return this.calls(flow.callees, flow.at, facts);
    }
  }

  private loop(flow: Extract<Flow, { type: "loop" }>, facts: Facts): Facts | null {
    if (!flow.isBounded) this.openLoops++;
    let before: Facts | null = facts;
    let end: Facts | null = null;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.jumps.set(flow.label, null);
      end = this.run(flow.body, before);
      const next = join(before, this.jumps.get(flow.label) ?? null);
      if (isSame(next, before)) break;
      before = next;
    }
    if (!flow.isBounded) this.openLoops--;
    return end;
  }

  private effect(effect: HostImport, at: Location | null, facts: Facts): Facts | null {
    const isInOpenLoop = this.openLoops > 0;
    this.occurrences.push({ effect, at, ...facts, isInOpenLoop });
    if (effect === "revert" || effect === "abort") return null;
    return this.after(effect, facts);
  }

  private after(effect: HostImport, facts: Facts): Facts {
    let may = facts.may | this.analysis.bitOf(effect);
    for (const sequence of this.sequences) {
      for (let steps = 2; steps < sequence.length; steps++) {
        const isStep = sequence[steps - 1]?.includes(effect) === true;
        if (isStep && (facts.may & this.analysis.prefixBit(sequence, steps - 1)) !== 0) {
          may |= this.analysis.prefixBit(sequence, steps);
        }
      }
    }
    return { may, must: facts.must | this.analysis.bitOf(effect) };
  }

  private calls(callees: readonly string[], at: Location | null, facts: Facts): Facts | null {
    let after: Facts | null = null;
    for (const name of callees) {
      const outcome = this.callee(name, facts, this.openLoops > 0);
      for (const each of outcome.occurrences) {
        this.occurrences.push(each.at === null ? { ...each, at } : each);
      }
      after = join(after, outcome.after);
    }
    return callees.length === 0 ? facts : after;
  }
}

/** The functions that a flow may call, each once. */
export function calleesOf(flow: Flow): readonly string[] {
  const found = new Set<string>();
  const walk = (each: Flow): void => {
    if (each.type === "sequence") each.steps.forEach(walk);
    else if (each.type === "choice") each.arms.forEach(walk);
    else if (each.type === "loop" || each.type === "block") walk(each.body);
    else if (each.type === "call") for (const name of each.callees) found.add(name);
  };
  walk(flow);
  return [...found];
}

/** A host function of a name that a rule gives. */
export function hostImportOf(name: string): HostImport | null {
  return isHostImport(name) ? name : null;
}
