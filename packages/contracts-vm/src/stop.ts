/**
 * Ends the running call with a status: control flow inside the executor, which turns it into a
 * receipt or into the answer of a contract's call. Never leaves this package.
 */
export class Stop extends Error {
  override readonly name = "Stop";
  readonly status: string;

  /** @param detail for people; not part of the receipt. */
  constructor(status: string, detail = "") {
    super(detail);
    this.status = status;
  }
}
