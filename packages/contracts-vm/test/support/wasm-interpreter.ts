import { accesses, binary32, binary64, Trap, unary32, unary64 } from "./wasm-arithmetic.ts";
import { blockCosts, highestStack } from "./wasm-costs.ts";
import {
  at,
  type DecodedModule,
  decodeModule,
  type Instruction,
  type Signature,
} from "./wasm-decoder.ts";

export type Value = number | bigint;

/** How a call ended: by returning its result, or by what. */
export type Outcome = { readonly result: Value | undefined } | { readonly trap: Trap["kind"] };

const PAGE = 65_536;
const STACK_LIMIT = 16_384;

interface Label {
  readonly target: number;
  readonly height: number;
  readonly arity: number;
  /** A branch to a loop's label stays inside the loop. */
  readonly isLoop: boolean;
}

interface Frame {
  readonly code: readonly Instruction[];
  readonly costs: readonly number[];
  readonly locals: Value[];
  readonly stack: Value[];
  readonly labels: Label[];
}

/**
 * Walks the instructions of a validated module one by one and charges by the letter of
 * docs/protocol/contracts.md §5. Slow, and made of nothing that is under test.
 */
export class WasmInterpreter {
  private readonly module: DecodedModule;
  /** Gas left; below zero once it ran out. */
  gas = 0n;
  /** Values held by all calls that run. */
  stack = 0;
  memory: Uint8Array<ArrayBuffer>;
  readonly globals: Value[];
  private readonly table: (number | null)[];
  private readonly droppedData: Set<number>;
  private readonly droppedElements: Set<number>;
  private readonly costs: readonly (readonly number[])[];
  private readonly slots: readonly number[];

  constructor(code: Uint8Array) {
    const module = decodeModule(code);
    this.module = module;
    this.memory = new Uint8Array(module.memory.minimum * PAGE);
    this.globals = module.globals.map(({ isWide, value }) => (isWide ? value : Number(value)));
    this.table = new Array<number | null>(module.table).fill(null);
    // Segments with a place are copied to it and are empty from then on.
    const placed = module.data.flatMap(({ offset }, index) => (offset === null ? [] : [index]));
    this.droppedData = new Set(placed);
    for (const { offset, bytes } of module.data)
      if (offset !== null) this.memory.set(bytes, offset);
    this.droppedElements = new Set();
    for (const [index, { offset, functions }] of module.elements.entries()) {
      if (offset === null) continue;
      for (const [i, item] of functions.entries()) this.table[offset + i] = item;
      this.droppedElements.add(index);
    }
    const locals = module.bodies.map(
      (body, index) =>
        this.typeOf(index + module.importedFunctions).parameters.length + body.locals.length,
    );
    this.costs = module.bodies.map((body, index) => blockCosts(body.code, at(locals, index)));
    this.slots = module.bodies.map(
      (body, index) => at(locals, index) + highestStack(module, body.code) + 18,
    );
  }

  /** Calls an exported function with so much gas. */
  run(name: string, values: readonly Value[], gas: bigint): Outcome {
    const exported = this.module.exports.get(name);
    if (exported?.kind !== 0) throw new Error(`no function ${name}`);
    this.gas = gas;
    this.stack = 0;
    try {
      return { result: this.call(exported.index, values) };
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      return { trap: error.kind };
    }
  }

  private typeOf(index: number): Signature {
    return at(this.module.functionTypes, index);
  }

  private charge(gas: number | bigint): void {
    this.gas -= BigInt(gas);
    if (this.gas < 0n) throw new Trap("gas");
  }

  private call(index: number, values: readonly Value[]): Value | undefined {
    const own = index - this.module.importedFunctions;
    const body = at(this.module.bodies, own);
    const { parameters, results } = this.typeOf(index);
    const slots = at(this.slots, own);
    this.stack += slots;
    if (this.stack > STACK_LIMIT) throw new Trap("stack");
    const zeros = body.locals.map((type) => (type === 0x7e ? 0n : 0));
    const frame: Frame = {
      code: body.code,
      costs: at(this.costs, own),
      locals: [...values.slice(0, parameters.length), ...zeros],
      stack: [],
      labels: [{ target: body.code.length, height: 0, arity: results.length, isLoop: false }],
    };
    this.execute(frame);
    this.stack -= slots;
    return results.length === 0 ? undefined : frame.stack[frame.stack.length - 1];
  }

  private execute(frame: Frame): void {
    const { code, costs, labels } = frame;
    for (let place = 0; place < code.length; ) {
      const cost = at(costs, place);
      if (cost > 0) this.charge(cost);
      const instruction = at(code, place);
      const next = this.control(frame, instruction, place);
      if (next === null) {
        this.plain(frame, instruction);
        place++;
      } else place = next;
      if (labels.length === 0) return;
    }
  }

  /** Runs an instruction that directs control, and answers the next place; null: it is none. */
  private control(frame: Frame, instruction: Instruction, place: number): number | null {
    const { stack, labels } = frame;
    const { code, values, elseAt, endAt } = instruction;
    const first = values[0] ?? 0;
    const open = (target: number, arity: number, isLoop = false) =>
      labels.push({ target, height: stack.length, arity, isLoop });
    switch (code) {
      case 0x00:
        throw new Trap("unreachable");
      case 0x02:
        open(endAt + 1, first === 0x40 ? 0 : 1);
        return place + 1;
      case 0x03:
        // A branch to a loop comes back to what follows its head.
        open(place + 1, 0, true);
        return place + 1;
      case 0x04: {
        const isTaken = pop32(stack) !== 0;
        if (isTaken || elseAt >= 0) open(endAt + 1, first === 0x40 ? 0 : 1);
        if (isTaken) return place + 1;
        return elseAt >= 0 ? elseAt + 1 : endAt + 1;
      }
      case 0x05: {
        const { target } = at(labels, labels.length - 1);
        labels.pop();
        return target;
      }
      case 0x0b:
        labels.pop();
        return place + 1;
      case 0x0c:
        return branch(frame, first);
      case 0x0d:
        return pop32(stack) !== 0 ? branch(frame, first) : place + 1;
      case 0x0e: {
        const chosen = Math.min(pop32(stack) >>> 0, values.length - 1);
        return branch(frame, at(values, chosen));
      }
      case 0x0f:
        return branch(frame, labels.length - 1);
      default:
        return null;
    }
  }

  private plain(frame: Frame, { code, values, wide }: Instruction): void {
    const { stack } = frame;
    const first = values[0] ?? 0;
    const access = accesses[code];
    if (access !== undefined) this.access(stack, code, values[1] ?? 0, access);
    else if (code >= 0xfc00) this.bulk(stack, code, first);
    else if (code === 0x10) this.callWith(stack, first);
    else if (code === 0x11) this.callIndirect(stack, first);
    else this.simple(frame, code, first, wide);
  }

  private simple({ stack, locals }: Frame, code: number, first: number, wide: bigint): void {
    switch (code) {
      case 0x01:
        return;
      case 0x1a:
        stack.pop();
        return;
      case 0x1b: {
        const condition = pop32(stack);
        const [yes, no] = stack.splice(-2);
        stack.push((condition !== 0 ? yes : no) ?? 0);
        return;
      }
      case 0x20:
        stack.push(at(locals, first));
        return;
      case 0x21:
        locals[first] = at(stack, stack.length - 1);
        stack.pop();
        return;
      case 0x22:
        locals[first] = at(stack, stack.length - 1);
        return;
      case 0x23:
        stack.push(at(this.globals, first));
        return;
      case 0x24:
        this.globals[first] = at(stack, stack.length - 1);
        stack.pop();
        return;
      case 0x3f:
        stack.push(this.memory.length / PAGE);
        return;
      case 0x40:
        stack.push(this.grow(pop32(stack) >>> 0));
        return;
      case 0x41:
        stack.push(Number(wide));
        return;
      case 0x42:
        stack.push(wide);
        return;
      default:
        calculate(stack, code);
    }
  }

  private callIndirect(stack: Value[], type: number): void {
    const called = this.table[pop32(stack) >>> 0] ?? null;
    if (called === null || !isSame(this.typeOf(called), at(this.module.types, type))) {
      throw new Trap("memory");
    }
    this.callWith(stack, called);
  }

  private callWith(stack: Value[], index: number): void {
    const { parameters } = this.typeOf(index);
    const values = parameters.length === 0 ? [] : stack.splice(-parameters.length);
    const result = this.call(index, values);
    if (result !== undefined) stack.push(result);
  }

  private grow(pages: number): number {
    const before = this.memory.length / PAGE;
    if (before + pages > this.module.memory.maximum) return -1;
    this.charge(2_000 * pages);
    const larger = new Uint8Array((before + pages) * PAGE);
    larger.set(this.memory);
    this.memory = larger;
    return before;
  }

  private place(start: number, length: number): number {
    if (start + length > this.memory.length) throw new Trap("memory");
    return start;
  }

  private access(
    stack: Value[],
    code: number,
    offset: number,
    { bytes, isWide, isSigned }: NonNullable<(typeof accesses)[number]>,
  ): void {
    const value = code >= 0x36 ? at(stack, stack.length - 1) : 0;
    if (code >= 0x36) stack.pop();
    const start = this.place((pop32(stack) >>> 0) + offset, bytes);
    if (code >= 0x36) {
      let rest = BigInt.asUintN(8 * bytes, BigInt(value));
      for (let i = 0; i < bytes; i++, rest >>= 8n) this.memory[start + i] = Number(rest & 255n);
      return;
    }
    let loaded = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      loaded = (loaded << 8n) + BigInt(this.memory[start + i] ?? 0);
    }
    if (isSigned) loaded = BigInt.asIntN(8 * bytes, loaded);
    stack.push(isWide ? loaded : Number(BigInt.asIntN(32, loaded)));
  }

  private bulk(stack: Value[], code: number, first: number): void {
    if (code === 0xfc09) {
      this.droppedData.add(first);
      return;
    }
    if (code === 0xfc0d) {
      this.droppedElements.add(first);
      return;
    }
    const length = pop32(stack) >>> 0;
    const second = pop32(stack) >>> 0;
    const target = pop32(stack) >>> 0;
    if (code === 0xfc0c || code === 0xfc0e) {
      this.charge(4 * length);
      const source =
        code === 0xfc0e
          ? this.table
          : this.droppedElements.has(first)
            ? []
            : at(this.module.elements, first).functions;
      if (second + length > source.length || target + length > this.table.length) {
        throw new Trap("memory");
      }
      for (const [i, item] of source.slice(second, second + length).entries()) {
        this.table[target + i] = item;
      }
      return;
    }
    this.charge(Math.ceil(length / 8));
    if (code === 0xfc0b) {
      this.memory.fill(second & 255, this.place(target, length), target + length);
      return;
    }
    const source =
      code === 0xfc0a
        ? this.memory
        : this.droppedData.has(first)
          ? new Uint8Array(0)
          : at(this.module.data, first).bytes;
    if (second + length > source.length) throw new Trap("memory");
    this.memory.set(source.slice(second, second + length), this.place(target, length));
  }
}

/** Leaves as many blocks, keeps the label's values, and answers where to go on. */
function branch({ stack, labels }: Frame, depth: number): number {
  const place = labels.length - 1 - depth;
  const { target, height, arity, isLoop } = at(labels, place);
  const kept = arity === 0 ? [] : stack.slice(-arity);
  stack.length = height;
  stack.push(...kept);
  labels.length = isLoop ? place + 1 : place;
  return target;
}

function pop32(stack: Value[]): number {
  return Number(stack.pop() ?? 0);
}

function isSame(a: Signature, b: Signature): boolean {
  return a.parameters.join() === b.parameters.join() && a.results.join() === b.results.join();
}

function calculate(stack: Value[], code: number): void {
  const unary = unary32[code];
  const unaryWide = unary64[code];
  if (unary !== undefined) {
    stack.push(unary(pop32(stack)));
    return;
  }
  const b = stack.pop() ?? 0;
  if (unaryWide !== undefined) {
    stack.push(unaryWide(BigInt(b)));
    return;
  }
  const a = stack.pop() ?? 0;
  const narrow = binary32[code];
  const wide = binary64[code];
  if (narrow !== undefined) stack.push(narrow(Number(a), Number(b)));
  else if (wide !== undefined) stack.push(wide(BigInt(a), BigInt(b)));
  else throw new Error(`no instruction 0x${code.toString(16)}`);
}
