/** A broken invariant: the run fails with this. `invariant` is its number in the test plan. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
  readonly invariant: string;

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}
