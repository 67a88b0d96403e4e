import { utf8 } from "@credlink/primitives";
import { type Code, flat, NAME, section, text, u, VERSION } from "./assembler.ts";

/** The order of sections that a module may have. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

interface Section {
  readonly id: number;
  readonly content: readonly number[];
}

function leb(
  bytes: readonly number[],
  from: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let at = from;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError("a module that ends inside a number");
    value += (byte % 128) * factor;
    if (byte < 128) return { value, end: at };
  }
}

function split(bytes: readonly number[]): Section[] {
  const sections: Section[] = [];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at] ?? 0;
    const { value, end } = leb(bytes, at + 1);
    if (id !== 0) sections.push({ id, content: bytes.slice(end, end + value) });
    at = end + value;
  }
  return sections;
}

/**
 * Gives a module from elsewhere what every contract has: a memory with a maximum, exported as
 * `memory`, and the version section. Code, types, globals, tables and segments stay as they are.
 *
 * @returns the module, and whether its memory, if it had one, grows as far as before.
 */
export function fitModule(original: Uint8Array): {
  readonly code: Uint8Array;
  readonly behavesAlike: boolean;
} {
  const sections = new Map(split([...original]).map(({ id, content }) => [id, content]));
  const memory = sections.get(5);
  const hasMemory = memory !== undefined && memory[0] !== 0;
  const isBounded = hasMemory && memory[1] === 1 && leb(memory, leb(memory, 2).end).value <= 256;
  if (!hasMemory) sections.set(5, [1, 1, 1, 1]);
  else if (!isBounded) {
    const least = leb(memory, 2).value;
    sections.set(5, flat([1, 1, u(least), u(256)]));
  }
  const exported = sections.get(7) ?? [0];
  const count = leb(exported, 0);
  const items = exported.slice(count.end);
  const named = flat([text("memory"), 2, 0]);
  const isExported = items.join().includes(named.join());
  if (!isExported) sections.set(7, flat([u(count.value + 1), items, named]));
  const ordered: Code = ORDER.flatMap((id) => {
    const content = sections.get(id);
    return content === undefined ? [] : [section(id, content)];
  });
  const version = section(0, [text("credlink.version"), utf8(`${NAME}@${VERSION}`)]);
  const code = Uint8Array.from(flat([[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], version, ordered]));
  return { code, behavesAlike: !hasMemory || isBounded };
}
