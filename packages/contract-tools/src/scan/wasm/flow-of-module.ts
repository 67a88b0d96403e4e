import {
  ByteReader,
  functionType,
  type HostImport,
  InstructionReader,
  isHostImport,
  isSameType,
  op,
  type WasmModule,
} from "@credlink/contracts-vm/inspect";
import { type Flow, type Location, nothing } from "../flow.ts";

/** One instruction as rules look at it. */
export interface Instruction {
  readonly code: number;
  readonly index: number;
  /** Value of a constant, else 0. */
  readonly value: bigint;
  readonly start: number;
}

/** A function of a module that is not imported. */
export interface ModuleFunction {
  readonly id: string;
  readonly index: number;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** Name of a function's flow. */
export function functionId(index: number): string {
  return `function ${index}`;
}

/** A module's functions with their instructions. */
export function functionsOf(module: WasmModule): readonly ModuleFunction[] {
  const exported = new Map(
    module.exports.filter(({ kind }) => kind === 0).map(({ name, index }) => [index, name]),
  );
  return module.bodies.map((body, position) => {
    const index = module.imports.length + position;
    const reader = new InstructionReader(module.bytes, body.instructions, body.end);
    const instructions: Instruction[] = [];
    while (!reader.done) {
      reader.next();
      const { code, index: operand, start } = reader;
      instructions.push({ code, index: operand, start, value: constantAt(module, code, start) });
    }
    const name = exported.get(index) ?? functionId(index);
    return { id: functionId(index), index, name, instructions };
  });
}

function constantAt(module: WasmModule, code: number, start: number): bigint {
  if (code !== op.i32Const && code !== op.i64Const) return 0n;
  const reader = new ByteReader(module.bytes, start + 1);
  return code === op.i32Const ? BigInt(reader.s32()) : reader.s64();
}

/** The flow of every function of a module; imported ones have none. */
export function flowsOfModule(
  module: WasmModule,
  functions: readonly ModuleFunction[],
): ReadonlyMap<string, Flow> {
  return new Map(
    functions.map((each) => [each.id, new ModuleFlow(module, functions, each).flow()]),
  );
}

/** The host function that an index imports, null for the module's own. */
export function importOf(module: WasmModule, index: number): HostImport | null {
  const name = module.imports[index]?.name ?? "";
  return isHostImport(name) ? name : null;
}

interface Frame {
  readonly kind: "block" | "loop" | "if" | "function";
  readonly label: number;
  /** Flow of what was read so far, of the arm that is open. */
  steps: Flow[];
  /** The first arm of an `if` whose second is open. */
  first: Flow | null;
  /** Whether a comparison with a constant was met; only loops ask. */
  hasConstantTest: boolean;
}

class ModuleFlow {
  private readonly module: WasmModule;
  private readonly functions: readonly ModuleFunction[];
  private readonly function: ModuleFunction;
  private readonly frames: Frame[] = [];
  private labels = 0;

  constructor(module: WasmModule, functions: readonly ModuleFunction[], of: ModuleFunction) {
    this.module = module;
    this.functions = functions;
    this.function = of;
  }

  flow(): Flow {
    this.open("function");
    const { instructions } = this.function;
    for (const [at, instruction] of instructions.entries()) {
      this.step(instruction, instructions[at - 1], instructions[at - 2]);
    }
    return this.last ?? nothing;
  }

  private last: Flow | null = null;

  private open(kind: Frame["kind"]): void {
    const label = this.labels++;
    this.frames.push({ kind, label, steps: [], first: null, hasConstantTest: false });
  }

  private push(flow: Flow): void {
    this.frames.at(-1)?.steps.push(flow);
  }

  private step(
    { code, index, start }: Instruction,
    before: Instruction | undefined,
    beforeThat: Instruction | undefined,
  ): void {
    if (code === op.block) this.open("block");
    else if (code === op.loop) this.open("loop");
    else if (code === op.if) this.open("if");
    else if (code === op.else) this.openElse();
    else if (code === op.end) this.close();
    else if (code === op.br) this.push(this.jump(index));
    else if (code === op.brIf) {
      this.push({ type: "choice", arms: [nothing, this.jump(index)] });
    } else if (code === op.brTable) {
      const arms = this.tableTargets(start).map((target) => this.jump(target));
      this.push({ type: "choice", arms });
    } else if (code === op.return) this.push({ type: "exit", isReturn: true });
    else if (code === op.unreachable) this.push({ type: "exit", isReturn: false });
    else if (code === op.call) this.push(this.call(index, start));
    else if (code === op.callIndirect) this.push(this.indirect(index, start));
    if (isRelation(code) && (isConstant(before) || isConstant(beforeThat))) {
      for (const frame of this.frames) frame.hasConstantTest ||= frame.kind === "loop";
    }
  }

  private openElse(): void {
    const frame = this.frames.at(-1);
    if (frame === undefined) return;
    frame.first = sequence(frame.steps);
    frame.steps = [];
  }

  private close(): void {
    const frame = this.frames.pop();
    if (frame === undefined) return;
    const body = sequence(frame.steps);
    const { label } = frame;
    if (frame.kind === "function") this.last = { type: "block", label, body };
    else if (frame.kind === "block") this.push({ type: "block", label, body });
    else if (frame.kind === "loop") {
      this.push({ type: "loop", label, body, isBounded: frame.hasConstantTest });
    } else {
      const arms = frame.first === null ? [body, nothing] : [frame.first, body];
      this.push({ type: "block", label, body: { type: "choice", arms } });
    }
  }

  /** A jump counts frames from the innermost; leaving the outermost one returns. */
  private jump(depth: number): Flow {
    const frame = this.frames.at(-1 - depth);
    return frame === undefined || frame.kind === "function"
      ? { type: "exit", isReturn: true }
      : { type: "jump", label: frame.label };
  }

  private tableTargets(start: number): readonly number[] {
    const reader = new ByteReader(this.module.bytes, start + 1);
    const targets: number[] = [];
    for (let left = reader.u32(); left >= 0; left--) targets.push(reader.u32());
    return targets;
  }

  private call(index: number, offset: number): Flow {
    const at: Location = { kind: "module", functionName: this.function.name, offset };
    const effect = importOf(this.module, index);
    return effect === null
      ? { type: "call", callees: [functionId(index)], at }
      : { type: "effect", effect, at };
  }

  /** Whoever has the type may be meant. */
  private indirect(typeIndex: number, offset: number): Flow {
    const at: Location = { kind: "module", functionName: this.function.name, offset };
    const wanted = this.module.types[typeIndex];
    const callees = this.functions
      .filter(({ index: each }) => {
        const type = functionType(this.module, each);
        return wanted !== undefined && isSameType(type, wanted);
      })
      .map(({ id }) => id);
    return { type: "call", callees, at };
  }
}

function isConstant(instruction: Instruction | undefined): boolean {
  return instruction?.code === op.i32Const || instruction?.code === op.i64Const;
}

/** Comparisons of order; equality bounds nothing. */
function isRelation(code: number): boolean {
  return (code >= 0x48 && code <= 0x4f) || (code >= 0x53 && code <= 0x5a);
}

function sequence(steps: readonly Flow[]): Flow {
  const [only] = steps;
  return steps.length === 1 && only !== undefined ? only : { type: "sequence", steps };
}
