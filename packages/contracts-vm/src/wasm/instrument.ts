import { invariant } from "@credlink/primitives";
import {
  FUNCTION_ENTRY_GAS,
  opcodeGas,
  plainOpcodeGas,
  SLOTS_PER_ENTRY_GAS,
} from "../gas-schedule.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  fault,
  HOST_CHARGE,
  helperBodies,
  helperTypes,
  type Places,
  writeCharge,
  writeFault,
} from "./helpers.ts";
import { InstructionReader } from "./instructions.ts";
import { FRAME_SLOTS, STACK_LIMIT } from "./limits.ts";
import { type FunctionBody, MODULE_PREAMBLE, sectionId, type WasmModule } from "./module.ts";
import { bulkOp, EMPTY_BLOCK, endsBasicBlock, op, valueType } from "./opcodes.ts";
import { maxOperandHeight } from "./stack-height.ts";
import { functionType } from "./validate-module.ts";

/** Names of the globals that the instrumentation exports; no method may be named like these. */
export const instrumentedExports = {
  /** The contract's own mutable global of this index, so that it can be restored. */
  global: (index: number): string => `$global${index}`,
  /** `i64`: gas left; below zero once it ran out. */
  gas: "$gas",
  /** `i32`: values held by all calls that run; above the limit once they overflowed. */
  stack: "$stack",
  /** `(i32) -> ()`: takes unsigned gas, and traps where it is not there. */
  charge: "$charge",
  /** `i32`: one of `fault`, 0 as long as nothing of that kind happened. */
  fault: "$fault",
} as const;

/** Operand slots that a charge needs above those of the function. */
const CHARGE_SLOTS = 2;

/**
 * The metered form of a validated module: it behaves as the original until its gas or stack runs
 * out. Only `memory`, the given methods and `instrumentedExports` are exported; custom sections
 * are dropped. A pure function of its arguments.
 */
export function instrumentModule(module: WasmModule, methods: readonly string[]): Uint8Array {
  const places: Places = {
    gas: module.globalCount,
    stack: module.globalCount + 1,
    fault: module.globalCount + 2,
    firstHelper: module.imports.length + module.functions.length,
    firstHelperType: module.types.length,
    maximumPages: module.memory?.maximum ?? 0,
  };
  const out = new ByteWriter(2 * module.bytes.length + 1024);
  out.raw(Uint8Array.from(MODULE_PREAMBLE));
  out.section(sectionId.type, typeSection(module));
  copySection(out, module, sectionId.import);
  out.section(sectionId.function, functionSection(module, places));
  copySection(out, module, sectionId.table);
  copySection(out, module, sectionId.memory);
  out.section(sectionId.global, globalSection(module));
  out.section(sectionId.export, exportSection(module, methods, places));
  copySection(out, module, sectionId.element);
  copySection(out, module, sectionId.dataCount);
  out.section(sectionId.code, codeSection(module, places));
  copySection(out, module, sectionId.data);
  return out.written.slice();
}

function contentOf(module: WasmModule, id: number): Uint8Array {
  const range = module.sections.get(id);
  return range === undefined ? new Uint8Array(0) : module.bytes.subarray(range.start, range.end);
}

function copySection(out: ByteWriter, module: WasmModule, id: number): void {
  const content = contentOf(module, id);
  if (content.length > 0) out.byte(id).u32(content.length).raw(content);
}

/** A section's items as they stand, without the count in front. */
function itemsOf(module: WasmModule, id: number): Uint8Array {
  const content = contentOf(module, id);
  let at = 0;
  while (at < content.length && (content[at] ?? 0) >= 0x80) at++;
  return content.subarray(Math.min(at + 1, content.length));
}

function typeSection(module: WasmModule): ByteWriter {
  const section = new ByteWriter();
  section.u32(module.types.length + helperTypes.length).raw(itemsOf(module, sectionId.type));
  for (const { parameters, results } of helperTypes) {
    section.byte(0x60).u32(parameters.length).raw(Uint8Array.from(parameters));
    section.u32(results.length).raw(Uint8Array.from(results));
  }
  return section;
}

function functionSection(module: WasmModule, places: Places): ByteWriter {
  const section = new ByteWriter();
  section.u32(module.functions.length + helperBodies.length);
  section.raw(itemsOf(module, sectionId.function));
  for (const { type } of helperBodies) section.u32(places.firstHelperType + type);
  return section;
}

function globalSection(module: WasmModule): ByteWriter {
  const section = new ByteWriter();
  section.u32(module.globalCount + 3).raw(itemsOf(module, sectionId.global));
  section.byte(valueType.i64).byte(1).byte(op.i64Const).signed(0).byte(op.end);
  section.byte(valueType.i32).byte(1).byte(op.i32Const).signed(0).byte(op.end);
  section.byte(valueType.i32).byte(1).byte(op.i32Const).signed(0).byte(op.end);
  return section;
}

function exportSection(module: WasmModule, methods: readonly string[], places: Places): ByteWriter {
  const wanted = new Set(methods);
  const kept = module.exports.filter(({ name, kind }) =>
    kind === 2 ? name === "memory" : kind === 0 && wanted.has(name),
  );
  const section = new ByteWriter();
  section.u32(kept.length + module.mutableGlobals.length + 4);
  for (const { name, kind, index } of kept) section.name(name).byte(kind).u32(index);
  for (const index of module.mutableGlobals) {
    section.name(instrumentedExports.global(index)).byte(3).u32(index);
  }
  section.name(instrumentedExports.gas).byte(3).u32(places.gas);
  section.name(instrumentedExports.stack).byte(3).u32(places.stack);
  section.name(instrumentedExports.fault).byte(3).u32(places.fault);
  section
    .name(instrumentedExports.charge)
    .byte(0)
    .u32(places.firstHelper + HOST_CHARGE);
  return section;
}

function codeSection(module: WasmModule, places: Places): ByteWriter {
  const section = new ByteWriter(2 * module.bytes.length);
  section.u32(module.bodies.length + helperBodies.length);
  const body = new ByteWriter(1024);
  const block = new ByteWriter(256);
  for (const [index, original] of module.bodies.entries()) {
    body.reset();
    new FunctionInstrumenter(module, places, index, original, body, block).write();
    section.sized(body);
  }
  for (const helper of helperBodies) {
    body.reset();
    body.u32(0);
    helper.write(body, places);
    body.byte(op.end);
    section.sized(body);
  }
  return section;
}

/** Rewrites one function body. */
class FunctionInstrumenter {
  private readonly module: WasmModule;
  private readonly places: Places;
  private readonly original: FunctionBody;
  private readonly out: ByteWriter;
  /** Instructions of the basic block that is being collected, and their gas. */
  private readonly block: ByteWriter;
  private gas: number;
  private readonly slots: number;
  private readonly resultType: number;
  /** Open blocks, the function's own included. */
  private depth = 1;

  constructor(
    module: WasmModule,
    places: Places,
    index: number,
    original: FunctionBody,
    out: ByteWriter,
    block: ByteWriter,
  ) {
    const { parameters, results } = functionType(module, module.imports.length + index);
    const locals = parameters.length + original.localCount;
    this.module = module;
    this.places = places;
    this.original = original;
    this.out = out;
    this.block = block;
    this.slots = locals + maxOperandHeight(module, original) + FRAME_SLOTS + CHARGE_SLOTS;
    this.gas = FUNCTION_ENTRY_GAS + Math.ceil(locals / SLOTS_PER_ENTRY_GAS);
    this.resultType = results[0] ?? EMPTY_BLOCK;
  }

  /**
   * The body becomes one block between entering and leaving the frame. A branch to the function's
   * own label keeps its number and lands behind that block; `return` becomes such a branch.
   */
  write(): void {
    const { out, original, module } = this;
    out.raw(module.bytes.subarray(original.start, original.instructions));
    this.enterFrame();
    out.byte(op.block).byte(this.resultType);
    this.block.reset();
    const instruction = new InstructionReader(module.bytes, original.instructions, original.end);
    while (!instruction.done) {
      instruction.next();
      this.gas +=
        instruction.second === 0
          ? plainOpcodeGas(instruction.code)
          : opcodeGas(instruction.code, instruction.second);
      this.rewrite(instruction);
      if (endsBasicBlock(instruction.code)) this.flush();
    }
    invariant(this.block.length === 0, "a body ends with end, which ends a basic block");
    this.leaveFrame();
    out.byte(op.end);
  }

  private enterFrame(): void {
    const { out, places } = this;
    out.byte(op.globalGet).u32(places.stack).byte(op.i32Const).signed(this.slots);
    out.byte(op.i32Add).byte(op.globalSet).u32(places.stack);
    out.byte(op.globalGet).u32(places.stack).byte(op.i32Const).signed(STACK_LIMIT);
    out.byte(op.i32GtU).byte(op.if).byte(EMPTY_BLOCK).byte(op.unreachable).byte(op.end);
  }

  private leaveFrame(): void {
    const { out, places } = this;
    out.byte(op.globalGet).u32(places.stack).byte(op.i32Const).signed(this.slots);
    out.byte(op.i32Sub).byte(op.globalSet).u32(places.stack);
  }

  private flush(): void {
    if (this.gas > 0) writeCharge(this.out, this.places, this.gas);
    this.out.raw(this.block.written);
    this.block.reset();
    this.gas = 0;
  }

  private rewrite(instruction: InstructionReader): void {
    const { block, places } = this;
    const { code, second } = instruction;
    if (code === op.block || code === op.loop || code === op.if) this.depth++;
    else if (code === op.end) this.depth--;
    if (code === op.return) {
      block.byte(op.br).u32(this.depth - 1);
      return;
    }
    if (code === op.unreachable) {
      writeFault(block, places, fault.unreachable);
      return;
    }
    const helper = helperIndex(code, second);
    if (helper !== null) {
      block.byte(op.call).u32(places.firstHelper + helper.index);
      if (helper.replaces) return;
    }
    block.raw(this.module.bytes.subarray(instruction.start, instruction.end));
  }
}

interface HelperCall {
  readonly index: number;
  /** Whether the helper stands for the instruction, or only looks at the top of the stack. */
  readonly replaces: boolean;
}

const calls = new Map<number, HelperCall>();
const bulkCalls = new Map<number, HelperCall>();
for (const [index, helper] of helperBodies.entries()) {
  for (const code of helper.replaces) calls.set(code, { index, replaces: true });
  for (const second of helper.precedes) bulkCalls.set(second, { index, replaces: false });
}
invariant(
  bulkCalls.has(bulkOp.memoryCopy),
  "every instruction that costs by an operand is charged",
);

function helperIndex(code: number, second: number): HelperCall | null {
  return (code === op.bulk ? bulkCalls.get(second) : calls.get(code)) ?? null;
}
