/**
 * A second reader of modules for tests: it shares nothing with the one under test, so that a
 * mistake of that one does not hide in both. It takes validated modules and checks nothing.
 *
 * @see WebAssembly Core 2.0 §5
 */

/** One instruction; `code` is the opcode, or 0xfc00 and the second byte. */
export interface Instruction {
  readonly code: number;
  /** Immediates in their order; of `br_table` the labels, the default last. */
  readonly values: readonly number[];
  readonly wide: bigint;
  /** Place of the `else` and of the `end` that belong to a block. */
  elseAt: number;
  endAt: number;
}

export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface Segment {
  /** Null: passive. */
  readonly offset: number | null;
}

export interface DecodedModule {
  readonly types: readonly Signature[];
  /** Type of every function; imports come first. */
  readonly functionTypes: readonly Signature[];
  readonly importedFunctions: number;
  readonly bodies: readonly { readonly locals: readonly number[]; readonly code: Instruction[] }[];
  readonly table: number;
  readonly memory: { readonly minimum: number; readonly maximum: number };
  readonly globals: readonly { readonly isWide: boolean; readonly value: bigint }[];
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
  readonly elements: readonly (Segment & { readonly functions: readonly number[] })[];
  readonly data: readonly (Segment & { readonly bytes: Uint8Array })[];
}

class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined || this.at > this.end) throw new Error("the module ends too early");
    return value;
  }

  u(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  }

  s(): bigint {
    let value = 0n;
    for (let shift = 0n; ; ) {
      const byte = BigInt(this.byte());
      value += (byte % 128n) << shift;
      shift += 7n;
      if (byte < 128n) return byte >= 64n ? value - (1n << shift) : value;
    }
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u()));
  }

  many<T>(read: () => T): T[] {
    return Array.from({ length: this.u() }, read);
  }

  constant(): bigint {
    this.byte();
    const value = this.s();
    this.byte();
    return value;
  }
}

/** The sections of a module by id, custom ones left out. */
export function sectionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const cursor = new Cursor(bytes, 8);
  const sections = new Map<number, Uint8Array>();
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const content = cursor.take(cursor.u());
    if (id !== 0) sections.set(id, content);
  }
  return sections;
}

export function decodeModule(bytes: Uint8Array): DecodedModule {
  const sections = sectionsOf(bytes);
  const read = <T>(id: number, item: (cursor: Cursor) => T): T[] => {
    const section = sections.get(id);
    if (section === undefined) return [];
    const cursor = new Cursor(section);
    return cursor.many(() => item(cursor));
  };
  const types = read(1, (c) => {
    c.byte();
    return { parameters: c.many(() => c.byte()), results: c.many(() => c.byte()) };
  });
  const signature = (index: number): Signature => at(types, index);
  const imported = read(2, (c) => {
    c.name();
    c.name();
    c.byte();
    return signature(c.u());
  });
  const own = read(3, (c) => signature(c.u()));
  const limits = (c: Cursor) => {
    const hasMaximum = c.byte() === 1;
    const minimum = c.u();
    return { minimum, maximum: hasMaximum ? c.u() : minimum };
  };
  const [table] = read(4, (c) => {
    c.byte();
    return limits(c).minimum;
  });
  const [memory] = read(5, limits);
  const globals = read(6, (c) => {
    const isWide = c.byte() === 0x7e;
    c.byte();
    return { isWide, value: c.constant() };
  });
  const exported = read(7, (c) => [c.name(), { kind: c.byte(), index: c.u() }] as const);
  const elements = read(9, (c) => {
    const flags = c.u();
    if (flags === 2) c.u();
    const offset = flags === 1 ? null : Number(BigInt.asUintN(32, c.constant()));
    if (flags !== 0) c.byte();
    return { offset, functions: c.many(() => c.u()) };
  });
  const bodies = read(10, (c) => {
    const size = c.u();
    const body = new Cursor(c.bytes, c.at, c.at + size);
    c.at += size;
    const groups = body.many(() => {
      const count = body.u();
      return new Array<number>(count).fill(body.byte());
    });
    return { locals: groups.flat(), code: instructions(body) };
  });
  const data = read(11, (c) => {
    const flags = c.u();
    if (flags === 2) c.u();
    const offset = flags === 1 ? null : Number(BigInt.asUintN(32, c.constant()));
    return { offset, bytes: c.take(c.u()) };
  });
  return {
    types,
    functionTypes: [...imported, ...own],
    importedFunctions: imported.length,
    bodies,
    table: table ?? 0,
    memory: memory ?? { minimum: 0, maximum: 0 },
    globals,
    exports: new Map(exported),
    elements,
    data,
  };
}

/** An item that must be there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}

function instructions(c: Cursor): Instruction[] {
  const code: Instruction[] = [];
  const open: Instruction[] = [];
  while (c.at < c.end) {
    const instruction = instructionAt(c);
    const place = code.push(instruction) - 1;
    if (instruction.code >= 0x02 && instruction.code <= 0x04) open.push(instruction);
    const innermost = open[open.length - 1];
    if (innermost === undefined) continue;
    if (instruction.code === 0x05) innermost.elseAt = place;
    if (instruction.code === 0x0b) {
      innermost.endAt = place;
      open.pop();
    }
  }
  return code;
}

function instructionAt(c: Cursor): Instruction {
  let code = c.byte();
  let values: readonly number[] = [];
  let wide = 0n;
  if (code === 0xfc) {
    code = 0xfc00 + c.u();
    const immediates = [2, 1, 2, 1, 2, 1, 2][code - 0xfc08] ?? 0;
    values = Array.from({ length: immediates }, () => c.u());
  } else if (code >= 0x02 && code <= 0x04) values = [c.byte()];
  else if (code === 0x0e) values = [...c.many(() => c.u()), c.u()];
  else if (code === 0x11 || (code >= 0x28 && code <= 0x3e)) values = [c.u(), c.u()];
  else if ([0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40].includes(code)) {
    values = [c.u()];
  } else if (code === 0x41 || code === 0x42) wide = c.s();
  return { code, values, wide, elseAt: -1, endAt: -1 };
}
