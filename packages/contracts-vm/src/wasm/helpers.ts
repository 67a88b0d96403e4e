import { dynamicCosts } from "../gas-schedule.ts";
import type { ByteWriter } from "./byte-writer.ts";
import type { FunctionType } from "./module.ts";
import { bulkOp, EMPTY_BLOCK, op, valueType } from "./opcodes.ts";

/** What the instrumented code leaves in its fault global before it traps. */
export const fault = {
  none: 0,
  unreachable: 1,
  divide: 2,
  /** Memory was granted by the rules, but not by the machine: a fault of the node. */
  host: 3,
} as const;

/** Indexes of what the instrumentation adds to a module. */
export interface Places {
  readonly gas: number;
  readonly stack: number;
  readonly fault: number;
  readonly firstHelper: number;
  readonly firstHelperType: number;
  readonly maximumPages: number;
}

/** Sets the fault and traps. */
export function writeFault(out: ByteWriter, places: Places, value: number): void {
  out.byte(op.i32Const).signed(value).byte(op.globalSet).u32(places.fault).byte(op.unreachable);
}

/** Takes gas that is known beforehand, and traps when it is used up. */
export function writeCharge(out: ByteWriter, places: Places, gas: number): void {
  out.byte(op.globalGet).u32(places.gas).byte(op.i64Const).signed(gas).byte(op.i64Sub);
  out.byte(op.globalSet).u32(places.gas);
  writeGasCheck(out, places);
}

function writeGasCheck(out: ByteWriter, places: Places): void {
  out.byte(op.globalGet).u32(places.gas).byte(op.i64Const).signed(0).byte(op.i64LtS);
  out.byte(op.if).byte(EMPTY_BLOCK).byte(op.unreachable).byte(op.end);
}

const { i32, i64 } = valueType;

/** Types of the helper functions. */
export const helperTypes: readonly FunctionType[] = [
  { parameters: [i32], results: [i32] },
  { parameters: [i32, i32], results: [i32] },
  { parameters: [i64, i64], results: [i64] },
  { parameters: [i32], results: [] },
];

/** A function that the instrumentation adds. */
export interface HelperBody {
  /** Place in `helperTypes`. */
  readonly type: number;
  /** Opcodes that become a call of this function. */
  readonly replaces: readonly number[];
  /** Bulk instructions before which this function looks at the operand on top. */
  readonly precedes: readonly number[];
  /** Writes the instructions, without the last `end`. */
  readonly write: (out: ByteWriter, places: Places) => void;
}

/** `(length) -> length`: charges one gas for every eight bytes, rounded up. */
const chargeBytes: HelperBody = {
  type: 0,
  replaces: [],
  precedes: [bulkOp.memoryInit, bulkOp.memoryCopy, bulkOp.memoryFill],
  write(out, places) {
    out.byte(op.globalGet).u32(places.gas);
    out.byte(op.localGet).u32(0).byte(op.i64ExtendI32U).byte(op.i64Const).signed(7);
    out.byte(op.i64Add).byte(op.i64Const).signed(3).byte(op.i64ShrU);
    out.byte(op.i64Sub).byte(op.globalSet).u32(places.gas);
    writeGasCheck(out, places);
    out.byte(op.localGet).u32(0);
  },
};

function writeChargePer(out: ByteWriter, places: Places, gas: number): void {
  out.byte(op.globalGet).u32(places.gas);
  out.byte(op.localGet).u32(0).byte(op.i64ExtendI32U).byte(op.i64Const).signed(gas);
  out.byte(op.i64Mul).byte(op.i64Sub).byte(op.globalSet).u32(places.gas);
  writeGasCheck(out, places);
}

/** `(count) -> count`: charges for table elements. */
const chargeElements: HelperBody = {
  type: 0,
  replaces: [],
  precedes: [bulkOp.tableInit, bulkOp.tableCopy],
  write(out, places) {
    writeChargePer(out, places, dynamicCosts.element);
    out.byte(op.localGet).u32(0);
  },
};

/** `memory.grow`: −1 beyond the maximum; what is granted is charged and must succeed. */
const growMemory: HelperBody = {
  type: 0,
  replaces: [op.memoryGrow],
  precedes: [],
  write(out, places) {
    out.byte(op.localGet).u32(0);
    out.byte(op.i32Const).signed(places.maximumPages).byte(op.memorySize).byte(0).byte(op.i32Sub);
    out.byte(op.i32GtU).byte(op.if).byte(i32).byte(op.i32Const).signed(-1).byte(op.else);
    writeChargePer(out, places, dynamicCosts.page);
    out.byte(op.localGet).u32(0).byte(op.memoryGrow).byte(0);
    out.byte(op.localTee).u32(0);
    out.byte(op.i32Const).signed(-1).byte(op.i32Eq).byte(op.if).byte(EMPTY_BLOCK);
    writeFault(out, places, fault.host);
    out.byte(op.end).byte(op.localGet).u32(0).byte(op.end);
  },
};

interface Division {
  readonly code: number;
  readonly isWide: boolean;
  /** Whether the smallest number divided by −1 traps: only the quotient does. */
  readonly overflows: boolean;
}

/** A division that says so before it traps, in words that do not depend on the engine. */
function division({ code, isWide, overflows }: Division): HelperBody {
  const constant = isWide ? op.i64Const : op.i32Const;
  const equals = isWide ? op.i64Eq : op.i32Eq;
  return {
    type: isWide ? 2 : 1,
    replaces: [code],
    precedes: [],
    write(out, places) {
      out
        .byte(op.localGet)
        .u32(1)
        .byte(isWide ? op.i64Eqz : op.i32Eqz);
      out.byte(op.if).byte(EMPTY_BLOCK);
      writeFault(out, places, fault.divide);
      out.byte(op.end);
      if (overflows) {
        out.byte(op.localGet).u32(1).byte(constant).signed(-1).byte(equals);
        out.byte(op.localGet).u32(0).byte(constant);
        writeSmallest(out, isWide);
        out.byte(equals).byte(op.i32And).byte(op.if).byte(EMPTY_BLOCK);
        writeFault(out, places, fault.divide);
        out.byte(op.end);
      }
      out.byte(op.localGet).u32(0).byte(op.localGet).u32(1).byte(code);
    },
  };
}

function writeSmallest(out: ByteWriter, isWide: boolean): void {
  if (!isWide) {
    out.signed(-(2 ** 31));
    return;
  }
  // −2^63 is no safe integer: nine bytes of zeros, then the sign.
  for (let i = 0; i < 9; i++) out.byte(0x80);
  out.byte(0x7f);
}

/** `(gas) -> ()`: what the host takes for its functions; exported, called by no instruction. */
const chargeHost: HelperBody = {
  type: 3,
  replaces: [],
  precedes: [],
  write(out, places) {
    out.byte(op.globalGet).u32(places.gas);
    out.byte(op.localGet).u32(0).byte(op.i64ExtendI32U).byte(op.i64Sub);
    out.byte(op.globalSet).u32(places.gas);
    writeGasCheck(out, places);
  },
};

/** Place of the exported helper in `helperBodies`. */
export const HOST_CHARGE = 0;

/** In the order in which they are appended to a module's functions. */
export const helperBodies: readonly HelperBody[] = [
  chargeHost,
  chargeBytes,
  chargeElements,
  growMemory,
  division({ code: 0x6d, isWide: false, overflows: true }),
  division({ code: 0x6e, isWide: false, overflows: false }),
  division({ code: 0x6f, isWide: false, overflows: false }),
  division({ code: 0x70, isWide: false, overflows: false }),
  division({ code: 0x7f, isWide: true, overflows: true }),
  division({ code: 0x80, isWide: true, overflows: false }),
  division({ code: 0x81, isWide: true, overflows: false }),
  division({ code: 0x82, isWide: true, overflows: false }),
];
