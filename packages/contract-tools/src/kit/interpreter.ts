import {
  bulkOp,
  dynamicCosts,
  functionType,
  type HostFunction,
  isSameType,
  op,
  STACK_LIMIT,
  type WasmModule,
} from "@credlink/contracts-vm/inspect";
import { binary32, binary64, compare, Trap, unary32, unary64 } from "./arithmetic.ts";
import {
  type DataSegment,
  type DecodedFunction,
  type DecodedInstruction,
  decodeFunction,
  readDataSegments,
  readGlobals,
  readTableElements,
} from "./decoded-function.ts";

type Value = number | bigint;
const PAGE = 65_536;
/** Shared by all calls: gas, and where it is. */
export interface Frame {
  readonly function: number;
  /** Offset of its first instruction. */
  readonly start: number;
  /** Offset of the instruction that runs. */
  offset: number;
}

/** What the interpreter tells whoever watches. */
export interface Watcher {
  /** Gas that an instruction at an offset used, its basic block's share or more. */
  readonly onGas: (offset: number, gas: number) => void;
}

/** Jump to the end (or, for loops, the start) of the frame so many labels out. */
interface Label {
  readonly start: number;
  readonly isLoop: boolean;
  readonly end: number;
  readonly arity: number;
  readonly height: number;
}

/**
 * Runs a module's functions one instruction at a time, with the node's metering. Slow, and meant to
 * be looked at; what it computes and charges is what the node's instrumented code does.
 */
export class Interpreter {
  readonly frames: Frame[] = [];
  memory: ArrayBuffer;
  gas = 0;
  /** Values that the running calls hold. */
  stack = 0;
  private readonly module: WasmModule;
  private readonly host: (name: string) => HostFunction;
  private readonly watcher: Watcher;
  private readonly functions = new Map<number, DecodedFunction>();
  private readonly globals: Value[];
  private readonly table: readonly number[];
  private readonly segments: (DataSegment | null)[];
  private readonly maximumPages: number;

  constructor(module: WasmModule, host: (name: string) => HostFunction, watcher: Watcher) {
    this.module = module;
    this.host = host;
    this.watcher = watcher;
    this.memory = new ArrayBuffer((module.memory?.minimum ?? 0) * PAGE);
    this.maximumPages = module.memory?.maximum ?? 0;
    this.globals = readGlobals(module);
    this.table = readTableElements(module);
    this.segments = [...readDataSegments(module)];
    for (const segment of this.segments) {
      if (segment !== null && segment.at >= 0) {
        new Uint8Array(this.memory).set(segment.bytes, segment.at);
      }
    }
  }

  /** Takes gas, and gives up where it is not there. */
  charge(gas: number): void {
    if (gas > this.gas) {
      this.gas = 0;
      throw new Trap("VM_OUT_OF_GAS");
    }
    this.gas -= gas;
  }

  /** Calls a function of the module's index space. */
  call(index: number, args: readonly Value[]): readonly Value[] {
    const imported = this.module.imports[index];
    if (imported !== undefined) return this.callHost(imported.name, index, args);
    let decoded = this.functions.get(index);
    if (decoded === undefined) {
      decoded = decodeFunction(this.module, index - this.module.imports.length);
      this.functions.set(index, decoded);
    }
    const start = decoded.instructions[0]?.offset ?? 0;
    this.frames.push({ function: index, start, offset: start });
    this.stack += decoded.slots;
    const results = new Run(this, decoded, args).run();
    this.stack -= decoded.slots;
    this.frames.pop();
    return results;
  }

  private callHost(name: string, index: number, args: readonly Value[]): readonly Value[] {
    const before = this.gas;
    // The host's operands are all of the widths that its types say.
    const result = this.host(name)(...(args as readonly never[]));
    this.watcher.onGas(this.frames.at(-1)?.offset ?? 0, before - this.gas);
    const { results } = functionType(this.module, index);
    return results.length === 0 || result === undefined ? [] : [result];
  }

  /** Pays for a basic block whole, and tells who used what of it. */
  enter(block: DecodedInstruction): void {
    if (this.stack > STACK_LIMIT) throw new Trap("VM_STACK_OVERFLOW");
    this.charge(block.blockGas);
    this.watcher.onGas(block.offset, block.blockGas);
  }

  private chargeAt(offset: number, gas: number): void {
    this.charge(gas);
    this.watcher.onGas(offset, gas);
  }

  getGlobal(index: number): Value {
    return this.globals[index] ?? 0;
  }

  setGlobal(index: number, value: Value): void {
    this.globals[index] = value;
  }

  /** The function that a table's element names, of the wanted type. */
  indirect(element: number, typeIndex: number): number {
    const index = this.table[element >>> 0] ?? -1;
    const wanted = this.module.types[typeIndex];
    if (
      index < 0 ||
      wanted === undefined ||
      !isSameType(functionType(this.module, index), wanted)
    ) {
      throw new Trap("VM_TRAP_MEMORY");
    }
    return index;
  }

  typeOf(index: number) {
    return functionType(this.module, index);
  }

  grow(pages: number, offset: number): number {
    const before = this.memory.byteLength / PAGE;
    if ((pages >>> 0) + before > this.maximumPages) return -1;
    this.chargeAt(offset, dynamicCosts.page * pages);
    this.memory = this.memory.transfer((before + pages) * PAGE);
    return before;
  }

  /** A view of bytes that must lie inside the memory. */
  view(at: number, offset: number, length: number): DataView {
    const start = (at >>> 0) + offset;
    if (start + length > this.memory.byteLength) throw new Trap("VM_TRAP_MEMORY");
    return new DataView(this.memory, start, length);
  }

  /** memory.copy, .fill, .init; paid before bounds are judged. */
  bulk({ second, index, offset }: DecodedInstruction, a: number, b: number, c: number): void {
    const length = c >>> 0;
    this.chargeAt(offset, Math.ceil(length / 8));
    const bytes = new Uint8Array(this.memory);
    const isInside = (at: number, size: number): boolean => (at >>> 0) + length <= size;
    if (!isInside(a, bytes.length)) throw new Trap("VM_TRAP_MEMORY");
    if (second === bulkOp.memoryFill) bytes.fill(b & 0xff, a >>> 0, (a >>> 0) + length);
    else {
      const from =
        second === bulkOp.memoryCopy ? bytes : (this.segments[index]?.bytes ?? new Uint8Array());
      if (!isInside(b, from.length)) throw new Trap("VM_TRAP_MEMORY");
      bytes.set(from.slice(b >>> 0, (b >>> 0) + length), a >>> 0);
    }
  }

  drop(segment: number): void {
    this.segments[segment] = null;
  }
}

/** One activation of one function. */
class Run {
  private readonly interpreter: Interpreter;
  private readonly decoded: DecodedFunction;
  private readonly locals: Value[];
  private readonly values: Value[] = [];
  private readonly labels: Label[] = [];
  private at = 0;

  constructor(interpreter: Interpreter, decoded: DecodedFunction, args: readonly Value[]) {
    this.interpreter = interpreter;
    this.decoded = decoded;
    this.locals = decoded.localTypes.map((type, index) => args[index] ?? (type === 0x7e ? 0n : 0));
  }

  run(): readonly Value[] {
    const { instructions, results } = this.decoded;
    const frame = this.interpreter.frames.at(-1);
    while (this.at < instructions.length) {
      const instruction = instructions[this.at];
      if (instruction === undefined) break;
      if (frame !== undefined) frame.offset = instruction.offset;
      if (instruction.blockGas > 0) this.interpreter.enter(instruction);
      this.at++;
      this.step(instruction);
    }
    return results === 0 ? [] : this.values.slice(-results);
  }

  private pop(): Value {
    return this.values.pop() ?? 0;
  }

  private popNumber(): number {
    return Number(this.pop());
  }

  private popWide(): bigint {
    return BigInt(this.pop());
  }

  private step(instruction: DecodedInstruction): void {
    const { code, index, value } = instruction;
    const { interpreter, values } = this;
    if (code <= op.callIndirect) this.control(instruction);
    else if (code === op.drop) values.pop();
    else if (code === op.select) {
      const condition = this.popNumber();
      const [whenFalse, whenTrue] = [this.pop(), this.pop()];
      values.push(condition === 0 ? whenFalse : whenTrue);
    } else if (code === op.localGet) values.push(this.locals[index] ?? 0);
    else if (code === op.localSet) this.locals[index] = this.pop();
    else if (code === op.localTee) this.locals[index] = values.at(-1) ?? 0;
    else if (code === op.globalGet) values.push(interpreter.getGlobal(index));
    else if (code === op.globalSet) interpreter.setGlobal(index, this.pop());
    else if (code >= op.i32Load && code <= op.i64Store32) this.access(instruction);
    else if (code === op.memorySize) values.push(interpreter.memory.byteLength / PAGE);
    else if (code === op.memoryGrow)
      values.push(interpreter.grow(this.popNumber(), instruction.offset));
    else if (code === op.i32Const) values.push(Number(value));
    else if (code === op.i64Const) values.push(value);
    else if (code === op.bulk) this.bulk(instruction);
    else this.numeric(code);
  }

  private numeric(code: number): void {
    const { values } = this;
    if (code === op.i64Eqz) values.push(this.popWide() === 0n ? 1 : 0);
    else if (
      code === op.i32Eqz ||
      (code >= 0x67 && code <= 0x69) ||
      code === 0xc0 ||
      code === 0xc1
    ) {
      values.push(unary32(code, this.popNumber()));
    } else if ((code >= 0x79 && code <= 0x7b) || (code >= 0xc2 && code <= 0xc4)) {
      values.push(unary64(code, this.popWide()));
    } else if (code >= op.i32Eq && code <= 0x5a) {
      const [b, a] = [this.pop(), this.pop()];
      values.push(compare(code, a, b));
    } else if (code >= op.i32Add && code <= 0x78) {
      const [b, a] = [this.popNumber(), this.popNumber()];
      values.push(binary32(code, a, b));
    } else if (code >= op.i64Add && code <= 0x8a) {
      const [b, a] = [this.popWide(), this.popWide()];
      values.push(binary64(code, a, b));
    } else if (code === 0xa7) values.push(Number(BigInt.asIntN(32, this.popWide())));
    else if (code === 0xac) values.push(BigInt(this.popNumber()));
    else if (code === op.i64ExtendI32U) values.push(BigInt(this.popNumber() >>> 0));
    else throw new RangeError(`opcode ${code}`);
  }

  private bulk(instruction: DecodedInstruction): void {
    const { second, index } = instruction;
    if (second === bulkOp.dataDrop) {
      this.interpreter.drop(index);
      return;
    }
    const [c, b, a] = [this.popNumber(), this.popNumber(), this.popNumber()];
    if (
      second === bulkOp.memoryCopy ||
      second === bulkOp.memoryFill ||
      second === bulkOp.memoryInit
    ) {
      this.interpreter.bulk(instruction, a, b, c);
    } else throw new RangeError("tables that change are not followed");
  }

  /** Loads 0x28 to 0x35, stores 0x36 to 0x3e. */
  private access({ code, index }: DecodedInstruction): void {
    const { values, interpreter } = this;
    if (code < op.i32Store) {
      const at = this.popNumber();
      values.push(load(code, (length) => interpreter.view(at, index, length)));
      return;
    }
    const value = this.pop();
    const at = this.popNumber();
    store(code, value, (length) => interpreter.view(at, index, length));
  }

  private control(instruction: DecodedInstruction): void {
    const { code, index, end, otherwise, arity, targets } = instruction;
    const height = this.values.length;
    switch (code) {
      case op.unreachable:
        throw new Trap("VM_TRAP_UNREACHABLE");
      case op.block:
        this.labels.push({ start: this.at, isLoop: false, end, arity, height });
        return;
      case op.loop:
        this.labels.push({ start: this.at, isLoop: true, end, arity: 0, height });
        return;
      case op.if:
        if (this.popNumber() !== 0) {
          this.labels.push({ start: this.at, isLoop: false, end, arity, height: height - 1 });
        } else if (otherwise >= 0) {
          this.labels.push({ start: this.at, isLoop: false, end, arity, height: height - 1 });
          this.at = otherwise + 1;
        } else this.at = end + 1;
        return;
      case op.else:
        // The first arm is done.
        this.labels.pop();
        this.at = end + 1;
        return;
      case op.end:
        this.labels.pop();
        return;
      case op.br:
        this.branch(index);
        return;
      case op.brIf:
        if (this.popNumber() !== 0) this.branch(index);
        return;
      case op.brTable: {
        const chosen = this.popNumber() >>> 0;
        this.branch(targets[Math.min(chosen, targets.length - 1)] ?? 0);
        return;
      }
      case op.return:
        this.at = this.decoded.instructions.length;
        return;
      case op.call:
        this.invoke(index);
        return;
      case op.callIndirect:
        this.invoke(this.interpreter.indirect(this.popNumber(), index));
    }
  }

  private invoke(index: number): void {
    const { parameters } = this.interpreter.typeOf(index);
    const args = parameters.length === 0 ? [] : this.values.splice(-parameters.length);
    this.values.push(...this.interpreter.call(index, args));
  }

  private branch(depth: number): void {
    const label = this.labels.at(-1 - depth);
    if (label === undefined) {
      this.at = this.decoded.instructions.length;
      return;
    }
    const kept = label.arity === 0 ? [] : this.values.slice(-label.arity);
    this.values.length = label.height;
    this.values.push(...kept);
    this.labels.length -= label.isLoop ? depth : depth + 1;
    this.at = label.isLoop ? label.start : label.end + 1;
  }
}

function load(code: number, view: (length: number) => DataView): Value {
  switch (code) {
    case op.i32Load:
      return view(4).getInt32(0, true);
    case op.i64Load:
      return view(8).getBigInt64(0, true);
    case 0x2c:
      return view(1).getInt8(0);
    case 0x2d:
      return view(1).getUint8(0);
    case 0x2e:
      return view(2).getInt16(0, true);
    case 0x2f:
      return view(2).getUint16(0, true);
    case 0x30:
      return BigInt(view(1).getInt8(0));
    case 0x31:
      return BigInt(view(1).getUint8(0));
    case 0x32:
      return BigInt(view(2).getInt16(0, true));
    case 0x33:
      return BigInt(view(2).getUint16(0, true));
    case 0x34:
      return BigInt(view(4).getInt32(0, true));
    default:
      return BigInt(view(4).getUint32(0, true));
  }
}

function store(code: number, value: Value, view: (length: number) => DataView): void {
  const narrow = Number(BigInt.asUintN(32, BigInt(value)));
  switch (code) {
    case op.i32Store:
    case op.i64Store32:
      view(4).setUint32(0, narrow, true);
      return;
    case 0x37:
      view(8).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
      return;
    case 0x3a:
    case 0x3c:
      view(1).setUint8(0, narrow & 0xff);
      return;
    default:
      view(2).setUint16(0, narrow & 0xffff, true);
  }
}
