/** What docs/errors.md says of one code. */
export interface ErrorEntry {
  readonly meaning: string;
  readonly remedy: string;
}

/** The table of a package's codes: `<PACKAGE>_<REASON>` to what it means and what cures it. */
export type ErrorTable = Readonly<Record<string, ErrorEntry>>;

/** Declares a package's codes once; docs/errors.md and the package's error type derive from it. */
export function defineErrors<const T extends ErrorTable>(table: T): T {
  return Object.freeze(table);
}

/**
 * An operation that failed for a reason the caller can act on.
 * `details.code` is stable and documented; the message is for people and may change.
 */
export class AppError<
  D extends { readonly code: string } = { readonly code: string },
> extends Error {
  readonly details: D;

  constructor(details: D, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.details = details;
  }

  get code(): D["code"] {
    return this.details.code;
  }
}

/** A broken promise of our own code: the process must stop, never carry on. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Asserts what the code itself guarantees. Stays on in production. */
export function invariant(condition: unknown, text: string): asserts condition {
  if (!condition) throw new InvariantError(text);
}

/** Ends an exhaustive switch: the compiler refuses a case that was forgotten. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected case: ${String(value)}`);
}

/** Input from outside that was judged: accepted with a value, or refused with a code. */
export type Result<T, Code extends string = string> =
  | { readonly ok: true; readonly value: T }
  | Refusal<Code>;

/** Why input was refused. `detail` is for people and logs; it never holds keys or payloads. */
export interface Refusal<Code extends string = string> {
  readonly ok: false;
  readonly code: Code;
  readonly detail?: string;
}

export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refuse<const Code extends string>(code: Code, detail?: string): Refusal<Code> {
  return detail === undefined ? { ok: false, code } : { ok: false, code, detail };
}
