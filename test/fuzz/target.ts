import type { SeededRandom } from "@credlink/testkit";

/** One input, as a target judges it and a file keeps it. */
export interface FuzzCase {
  readonly target: string;
  readonly parts: readonly Uint8Array[];
}

/** What an input did: a code or word to count it under, and what was wrong with that. */
export interface Outcome {
  /** `accepted`, or the code of the refusal. */
  readonly result: string;
  /** Why this must not be; undefined when all is well. */
  readonly finding?: string;
}

/** Something that takes bytes from outside. */
export interface Target {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  make(random: SeededRandom): Promise<readonly Uint8Array[]>;
  judge(parts: readonly Uint8Array[]): Promise<Outcome>;
}

/** A refusal by a code that is declared is well; any other is a finding. */
export function refused(code: string, known: ReadonlySet<string>): Outcome {
  return known.has(code) ? { result: code } : { result: code, finding: `undeclared code ${code}` };
}

export const ACCEPTED = "accepted";
