import type { Expression, Statement } from "./random-program.ts";
import { COUNTERS, VALUES } from "./random-program.ts";

/** How the program ended, by the reference. */
export interface ReferenceRun {
  readonly end: "done" | "divide";
  /** Gas of every instruction that ran, counted one by one by docs/protocol/contracts.md. */
  readonly gas: number;
  readonly global: number;
  readonly memory: Uint8Array;
  readonly pages: number;
}

class Trap extends Error {}
class Return extends Error {}

/** A slow second opinion: walks the tree and counts each instruction as it runs. */
export class ReferenceInterpreter {
  private gas = 0;
  private readonly locals = new Int32Array(VALUES + COUNTERS);
  private readonly memory = new DataView(new ArrayBuffer(65_536));
  private global: number;
  private pages = 1;

  constructor(global: number) {
    this.global = global;
  }

  run(program: readonly Statement[], maximumPages: number): ReferenceRun {
    let end: ReferenceRun["end"] = "done";
    // Entry of a function: 2, and 1 for every four locals.
    this.gas += 2 + Math.ceil(this.locals.length / 4);
    try {
      this.statements(program, maximumPages);
    } catch (error) {
      if (error instanceof Trap) end = "divide";
      else if (!(error instanceof Return)) throw error;
    }
    const memory = new Uint8Array(this.memory.buffer);
    return { end, gas: this.gas, global: this.global, memory, pages: this.pages };
  }

  private statements(list: readonly Statement[], maximumPages: number): void {
    for (const statement of list) this.statement(statement, maximumPages);
  }

  private statement(t: Statement, maximumPages: number): void {
    switch (t.type) {
      case "set":
        this.locals[t.local] = this.value(t.value);
        this.gas += 1;
        return;
      case "global":
        this.global = this.value(t.value);
        this.gas += 2;
        return;
      case "store": {
        const at = this.value(t.at) & 0xfff0;
        this.gas += 2; // the mask
        this.memory.setInt32(at, this.value(t.value), true);
        this.gas += 2;
        return;
      }
      case "fill":
        this.gas += 3 + 20 + Math.ceil(t.length / 8);
        new Uint8Array(this.memory.buffer).fill(7, 0, t.length);
        return;
      case "grow":
        this.gas += 1 + 100 + 2;
        this.global = -1;
        if (this.pages + t.pages > maximumPages) return;
        this.gas += 2_000 * t.pages;
        this.global = this.pages;
        this.pages += t.pages;
        return;
      case "return": {
        const condition = this.value(t.condition);
        this.gas += 2;
        if (condition === 0) return;
        this.gas += 2;
        throw new Return();
      }
      case "break": {
        const condition = this.value(t.condition);
        this.gas += 2;
        if (condition === 0) this.statements(t.body, maximumPages);
        return;
      }
      case "loop":
        this.gas += 2;
        for (let left = t.times; left > 0; left--) {
          this.statements(t.body, maximumPages);
          this.gas += 1 + 1 + 1 + 1 + 2;
        }
        return;
      case "if":
        this.statements(this.chosen(t) ? t.yes : t.no, maximumPages);
    }
  }

  private value(e: Expression): number {
    switch (e.type) {
      case "i32":
        this.gas += 1;
        return e.value;
      case "get":
        this.gas += 1;
        return this.locals[e.local] ?? 0;
      case "global":
        this.gas += 2;
        return this.global;
      case "eqz":
        return this.counted(1, this.value(e.a) === 0 ? 1 : 0);
      case "load":
        return this.counted(4, this.memory.getInt32(this.value(e.at) & 0xfff0, true));
      case "wide": {
        const wide = BigInt(this.value(e.a)) * 2n ** 33n;
        const sum = BigInt.asIntN(64, wide + BigInt(this.value(e.b)));
        this.gas += 1 + 1 + 2 + 1 + 1 + 1 + 1 + 1;
        return Number(BigInt.asIntN(32, sum >> 7n));
      }
      case "call": {
        const a = this.value(e.a);
        const b = this.value(e.b);
        // The call; entry of a function with two parameters; its five instructions.
        this.gas += 8 + (2 + 1) + (1 + 1 + 2 + 1 + 1);
        return (Math.imul(a, 31) + b) | 0;
      }
      case "if":
        return this.value(this.chosen(e) ? e.yes : e.no);
      case "binary":
        return this.binary(e.code, this.value(e.a), this.value(e.b));
    }
  }

  private chosen({ condition }: { readonly condition: Expression }): boolean {
    return this.counted(2, this.value(condition)) !== 0;
  }

  /** Counts an instruction after what it takes was evaluated. */
  private counted(gas: number, value: number): number {
    this.gas += gas;
    return value;
  }

  private binary(code: number, a: number, b: number): number {
    this.gas += code === 0x6c ? 2 : code >= 0x6d && code <= 0x70 ? 8 : 1;
    if (code >= 0x6d && code <= 0x70 && b === 0) throw new Trap();
    if (code === 0x6d && a === -(2 ** 31) && b === -1) throw new Trap();
    switch (code) {
      case 0x6a:
        return (a + b) | 0;
      case 0x6b:
        return (a - b) | 0;
      case 0x6c:
        return Math.imul(a, b);
      case 0x6d:
        return (a / b) | 0;
      case 0x6e:
        return ((a >>> 0) / (b >>> 0)) | 0;
      case 0x6f:
        return (a % b) | 0;
      case 0x70:
        return ((a >>> 0) % (b >>> 0)) | 0;
      case 0x71:
        return a & b;
      case 0x72:
        return a | b;
      case 0x73:
        return a ^ b;
      case 0x74:
        return a << b;
      case 0x75:
        return a >> b;
      case 0x76:
        return (a >>> b) | 0;
      case 0x46:
        return a === b ? 1 : 0;
      case 0x47:
        return a !== b ? 1 : 0;
      case 0x48:
        return a < b ? 1 : 0;
      case 0x49:
        return a >>> 0 < b >>> 0 ? 1 : 0;
      default:
        return a > b ? 1 : 0;
    }
  }
}
