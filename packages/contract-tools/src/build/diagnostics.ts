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

/** Line and column, both from 1, of an offset in a text. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - start + 1 };
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
  const { line, column } = placeOf(text, range.start);
  return `${path}:${line}:${column}: ${what}`;
}
