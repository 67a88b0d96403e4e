/** What the compiler says of one place; a structural part of its `DiagnosticMessage`. */
interface Diagnostic {
  readonly category: number;
  readonly code: number;
  readonly message: string;
  readonly range: {
    readonly start: number;
    readonly source: { readonly normalizedPath: string };
  } | null;
}

const categories: readonly string[] = ["pedantic", "info", "warning", "error"];

/** Where each line of a text begins. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Line and column, both from 1, of an offset in a text of these lines. */
export function placeOf(
  starts: readonly number[],
  offset: number,
): { line: number; column: number } {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** One line in the form that editors take for a place: `file:line:column: error AS100: text`. */
export function describeDiagnostic(
  diagnostic: Diagnostic,
  textOf: (path: string) => string | null,
): string {
  const { category, code, message, range } = diagnostic;
  const what = `${categories[category] ?? "error"} AS${code}: ${message}`;
  if (range === null) return what;
  const path = range.source.normalizedPath;
  const text = textOf(path);
  if (text === null) return `${path}: ${what}`;
  const { line, column } = placeOf(lineStarts(text), range.start);
  return `${path}:${line}:${column}: ${what}`;
}
