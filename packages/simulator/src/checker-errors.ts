/** A broken invariant: the run fails with this. `invariant` is its number in the test plan. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
  readonly invariant: string;

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}

/** What a failed run means: something unsafe happened, a process ended, or the chain stood still. */
export type FailureKind = "safety" | "crash" | "liveness";

const KINDS: Readonly<Record<string, FailureKind>> = {
  I17: "crash",
  I18: "liveness",
  I19: "liveness",
  I20: "liveness",
};

/** The kind of a failure; an error that no checker raised is a crash. */
export function failureKind(error: Error): FailureKind {
  return error instanceof CheckFailure ? (KINDS[error.invariant] ?? "safety") : "crash";
}
