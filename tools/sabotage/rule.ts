/** A rule of the protocol, how to break it in the code, and the tests that must then fail. */
export interface BrokenRule {
  /** Stable name, quoted in docs/consensus-assurance.md. */
  readonly id: string;
  /** The rule in one sentence. */
  readonly rule: string;
  /** What the code does instead once it is broken. */
  readonly broken: string;
  /** File below the repository's root. */
  readonly file: string;
  /** Text that occurs exactly once in the file, and what takes its place. */
  readonly find: string;
  readonly replace: string;
  /** Tests of which every one must fail: part of its name, by file. */
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/**
 * The source with the rule broken.
 *
 * @throws Error when the text to be replaced does not occur exactly once.
 */
export function breakRule(source: string, { id, find, replace }: BrokenRule): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${id}: its text occurs ${parts.length - 1} times`);
  return parts.join(replace);
}
