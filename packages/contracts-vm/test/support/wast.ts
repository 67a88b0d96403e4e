/** Reads the scripts of the WebAssembly core test suite, as far as contracts' features go. */

/** A list of the text, or one of its words or strings; `start` and `end` are places in the text. */
export type Node = List | Word;
export interface List {
  readonly items: readonly Node[];
  readonly start: number;
  readonly end: number;
}
export interface Word {
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

const TOKEN = /;;[^\n]*|\(;|[()]|"(?:[^"\\]|\\.)*"|[^\s()";]+/g;

/** @throws Error where parentheses do not match. */
export function readScript(text: string): readonly List[] {
  const top: Node[] = [];
  const open: { readonly items: Node[]; readonly start: number }[] = [];
  const tokens = new RegExp(TOKEN);
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match;
    const end = match.index + token.length;
    if (token.startsWith(";;")) continue;
    if (token === "(;") tokens.lastIndex = endOfComment(text, end);
    else if (token === "(") open.push({ items: [], start: match.index });
    else if (token === ")") {
      const list = open.pop();
      if (list === undefined) throw new Error(`a parenthesis too many at ${match.index}`);
      (open[open.length - 1]?.items ?? top).push({ ...list, end });
    } else (open[open.length - 1]?.items ?? top).push({ word: token, start: match.index, end });
  }
  return top.filter(isList);
}

function endOfComment(text: string, from: number): number {
  let depth = 1;
  let at = from;
  while (depth > 0 && at < text.length) {
    if (text.startsWith("(;", at)) depth++;
    else if (text.startsWith(";)", at)) depth--;
    else {
      at++;
      continue;
    }
    at += 2;
  }
  return at;
}

export function isList(node: Node | undefined): node is List {
  return node !== undefined && "items" in node;
}

/** The word at a place of a list, or "". */
export function wordAt(list: List, place: number): string {
  const node = list.items[place];
  return node === undefined || isList(node) ? "" : node.word;
}

/** Contents of a string token. */
export function stringOf(token: string): Uint8Array {
  const bytes: number[] = [];
  const inner = token.slice(1, -1);
  const encoder = new TextEncoder();
  for (let at = 0; at < inner.length; ) {
    const escaped = /^\\(?:([0-9a-fA-F]{2})|(.))/.exec(inner.slice(at, at + 3));
    if (escaped === null) {
      const character = String.fromCodePoint(inner.codePointAt(at) ?? 0);
      bytes.push(...encoder.encode(character));
      at += character.length;
    } else if (escaped[1] !== undefined) {
      bytes.push(Number.parseInt(escaped[1], 16));
      at += 3;
    } else {
      const named: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13 };
      bytes.push(named[escaped[2] ?? ""] ?? (escaped[2] ?? "").charCodeAt(0));
      at += 2;
    }
  }
  return Uint8Array.from(bytes);
}

/** An integer constant such as `(i32.const -0x1_0)`; null: another type. */
export function constantOf(list: List): number | bigint | null {
  const type = wordAt(list, 0);
  if (type !== "i32.const" && type !== "i64.const") return null;
  const text = wordAt(list, 1).replaceAll("_", "");
  const value = text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace("+", ""));
  return type === "i32.const" ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value);
}

const FOREIGN = /^(?:f32|f64|v128|externref|funcref\.|ref\.|table\.(?:get|set|size|grow|fill))/;

function words(list: List): readonly string[] {
  return list.items.flatMap((item) => (isList(item) ? words(item) : [item.word]));
}

/** Whether a field of a module uses what contracts may not use. */
function isForeign(field: List): boolean {
  return words(field).some((word) => FOREIGN.test(word));
}

/**
 * A module's text without the fields that contracts may not contain, and those that name them:
 * a single function with a float would else hide fifty without.
 *
 * @returns the text, and whether anything was left out.
 */
export function fitText(
  text: string,
  module: List,
): { readonly text: string; readonly isWhole: boolean } {
  const fields = module.items.filter(isList);
  const gone = new Set<List>(fields.filter(isForeign));
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    const names = new Set(
      [...gone].map((field) => wordAt(field, 1)).filter((word) => word.startsWith("$")),
    );
    for (const field of fields) {
      if (
        words(field)
          .slice(2)
          .some((word) => names.has(word))
      )
        gone.add(field);
    }
  }
  let kept = text.slice(module.start, module.end);
  for (const { start, end } of [...gone].sort((a, b) => b.start - a.start)) {
    kept = kept.slice(0, start - module.start) + kept.slice(end - module.start);
  }
  return { text: kept, isWhole: gone.size === 0 };
}
