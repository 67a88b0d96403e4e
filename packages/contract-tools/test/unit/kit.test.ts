import { wasmEngine } from "@credlink/contracts-vm/inspect";
import { encode, toHex, utf8, wireValue } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type BuiltContract,
  buildSources,
  type ContractProject,
  defaultPolicy,
  LocalChain,
  parseProject,
  projectFiles,
  runTests,
  Stepper,
  traceCall,
} from "../../src/index.ts";
import { binary32, binary64, compare, unary32, unary64 } from "../../src/kit/arithmetic.ts";
import { assembleText } from "../support/samples.ts";

/** Exercises what the interpreter must do as the node does. */
const source = `import { answer, demand, emit, input, Reader, revert, Slice, StateMap, Writer } from "./sdk/index";
const CONTRACT_VERSION: string = "probe@1.0.0";
/** Args [rounds, wide]: arithmetic of both widths, memory, tables, calls. */
export function work(): void {
  const reader = Reader.of(input(), "PROBE_MALFORMED");
  reader.struct(2);
  const rounds = reader.u32();
  let wide = reader.u64();
  reader.finish();
  let narrow: u32 = 7;
  const writer = new Writer(8);
  writer.list(3);
  for (let i: u32 = 0; i < rounds; i++) {
    narrow = (narrow * 1664525 + 1013904223) ^ (narrow >>> 5) ^ rotl(narrow, i);
    wide = (wide * 6364136223846793005 + 1442695040888963407) ^ (wide >> 7) ^ rotr(wide, <u64>i);
    if (narrow % 3 == 0) wide += <u64>clz(narrow) + popcnt(wide) + <u64>ctz(narrow | 1);
    else if (<i32>narrow < 0) wide -= <u64>(<i64>wide / 3) + <u64>(<i64>wide % 7);
    narrow += <u32>(<i8>narrow) + <u32>(<i16>wide);
  }
  writer.u32(narrow);
  writer.u64(wide);
  writer.u32(twice(rounds));
  const key = new StateMap(1).key(0, 0);
  StateMap.put(key, writer.slice());
  emit("worked", writer.slice());
  answer(<Slice>StateMap.get(key));
}
function twice(n: u32): u32 {
  return n < 2 ? n : twice(n - 1) + 2;
}
export function fail(): void {
  inner(input());
}
function inner(args: Slice): void {
  demand(args.length == 0, "PROBE_NOT_EMPTY");
  if (args.length == 0) revert("PROBE_EMPTY");
}
export function trap(): void {
  const numbers = new StaticArray<u32>(1);
  numbers[<i32>input().length] = 1;
}
`;
const roles = ["institution"] as const;
const manifest = {
  name: "probe",
  version: "1.0.0",
  abi: 1,
  maxMemoryPages: 8,
  methods: ["work", "fail", "trap"].map((name) => ({ name, readOnly: false, roles: [...roles] })),
  calls: [],
};

let contract: BuiltContract;
let chain: LocalChain;

beforeAll(async () => {
  const files = projectFiles(defaultPolicy("work-orders"));
  const read = (path: string) =>
    path === "assembly/index.ts" ? source : (files.get(path) ?? null);
  contract = await buildSources({ read }, "assembly/index.ts", manifest, true);
  chain = await LocalChain.open([contract]);
}, 60_000);

function callOf(method: string, args: Uint8Array) {
  const sender = chain.member("institution", "centre");
  return { contract: "probe", version: "1.0.0", method, args, sender };
}

const workArgs = (rounds: number, wide: bigint) => encode(wireValue, [rounds, wide]);

describe("the local test kit", () => {
  it.each([0, 1, 2, 25, 60])(
    "runs %i rounds one instruction at a time to the node's own result and gas",
    async (rounds) => {
      const call = callOf("work", workArgs(rounds, 0xfedc_ba98_7654_3210n));
      const trace = await traceCall(chain, contract, call);
      const receipt = await chain.fork().run(call);
      expect(trace.status).toBe(receipt.status);
      expect(trace.returnValue).toEqual(receipt.returnValue);
      const nothing = await traceCall(chain, contract, callOf("fail", new Uint8Array()));
      const failed = await chain.fork().run(callOf("fail", new Uint8Array()));
      // A transaction's own cost: the same for both but for ten gas a byte of arguments.
      const overhead = receipt.gasUsed - trace.gas - 10 * call.args.length;
      expect(overhead).toBe(failed.gasUsed - nothing.gas);
    },
  );

  it("shows gas by source line, and every call of the host with its line", async () => {
    const trace = await traceCall(chain, contract, callOf("work", workArgs(9, 1n)));
    const lines = [...trace.gasByLine];
    expect(lines.reduce((sum, [, gas]) => sum + gas, 0)).toBe(trace.gas);
    expect(lines.some(([line]) => line.startsWith("assembly/index.ts:"))).toBe(true);
    const put = trace.hostCalls.find(({ name }) => name === "state_put");
    expect(put?.detail).toMatch(/^01 := 93/);
    expect(put?.at).toMatchObject({ file: "assembly/index.ts", line: 24 });
    expect(trace.hostCalls.at(-1)?.name).toBe("return_value");
  });

  it("says by file and line where a call ended", async () => {
    const refused = await traceCall(chain, contract, callOf("fail", utf8("x")));
    expect(refused.status).toBe("PROBE_NOT_EMPTY");
    const own = refused.stack.filter(({ file }) => file === "assembly/index.ts");
    expect(own.map(({ line }) => line)).toContain(35);
    const trapped = await traceCall(chain, contract, callOf("trap", utf8("xy")));
    expect(trapped.status).toBe("VM_ABORT");
    expect(trapped.stack.map(({ line }) => line)).toContain(40);
  });

  it("runs out of gas where the node does", async () => {
    const call = callOf("work", workArgs(60, 1n));
    const [{ gasUsed }, { gas }] = [
      await chain.fork().run(call),
      await traceCall(chain, contract, call),
    ];
    for (const [less, status] of [
      [0, "SUCCESS"],
      [1, "VM_OUT_OF_GAS"],
    ] as const) {
      const receipt = await chain.fork().run({ ...call, gasLimit: gasUsed - less });
      expect(receipt.status).toBe(status);
      const trace = await traceCall(chain, contract, { ...call, gasLimit: gas - less });
      expect(trace.status).toBe(status);
    }
  });

  it("starts from a given state, at a given time, and leaves the chain as it was", async () => {
    const fork = chain.fork();
    fork.put("probe", Uint8Array.of(9), utf8("given"));
    fork.advance(5_000);
    expect(fork.entries("probe").map(({ key }) => [...key])).toEqual([[9]]);
    await fork.run(callOf("work", workArgs(1, 1n)));
    expect(fork.entries("probe").length).toBe(2);
    expect(chain.entries("probe").length).toBe(0);
  });
});

describe("walking through a call", () => {
  const work = () => Stepper.open(chain, contract, callOf("work", workArgs(9, 1n)));

  it("steps over every call of the host, forwards and backwards, and stops at the ends", async () => {
    const stepper = await work();
    const names = stepper.trace.hostCalls.map(({ name }) => name);
    const seen: string[] = [];
    for (let next = stepper.next; next !== null; next = stepper.next) {
      seen.push(next.name);
      stepper.step();
    }
    expect(seen).toEqual(names);
    expect(stepper.position).toBe(names.length);
    stepper.step(5);
    expect(stepper.position).toBe(names.length);
    stepper.step(-1);
    expect(stepper.next?.name).toBe(names.at(-1));
    stepper.step(-1_000);
    expect([stepper.position, stepper.last]).toEqual([0, null]);
  });

  it("tells the gas that is left after each call", async () => {
    const { trace } = await work();
    const left = trace.hostCalls.map(({ gasLeft }) => gasLeft);
    expect(left).toEqual([...left].sort((a, b) => b - a));
    expect(left.at(-1)).toBeGreaterThan(0);
    for (const [index, { gas }] of trace.hostCalls.entries()) {
      expect((left[index - 1] ?? 100_000_000) - (left[index] ?? 0)).toBeGreaterThanOrEqual(gas);
    }
  });

  it("shows memory, changes and events as they are before the call that is next", async () => {
    const stepper = await work();
    expect(stepper.runTo(({ name }) => name === "state_put")).toBe(true);
    const before = await stepper.snapshot();
    expect([before.changes, before.events]).toEqual([[], []]);
    expect(before.memory.length % 65_536).toBe(0);
    stepper.step();
    const after = await stepper.snapshot();
    expect(after.changes.map(({ contract: owner, key }) => [owner, [...key]])).toEqual([
      ["probe", [1]],
    ]);
    const put = stepper.last?.given ?? "";
    expect(put).toContain(toHex(after.changes[0]?.value ?? new Uint8Array(0)));
    expect(stepper.next?.name).toBe("event");
    stepper.step();
    const { events } = await stepper.snapshot();
    expect(events.map(({ topic }) => topic)).toEqual(["worked"]);
    expect(stepper.runTo(({ name }) => name === "state_put")).toBe(false);
    expect(stepper.next).toBe(null);
    expect(chain.entries("probe")).toEqual([]);
  });

  it("ends at the call that ends the contract", async () => {
    const stepper = await Stepper.open(chain, contract, callOf("fail", utf8("x")));
    stepper.step(1_000);
    expect(stepper.last?.detail).toContain("ends the call: PROBE_NOT_EMPTY");
    expect(stepper.trace.status).toBe("PROBE_NOT_EMPTY");
    expect((await stepper.snapshot()).changes).toEqual([]);
  });
});

describe("arithmetic", () => {
  const values32 = [0, 1, -1, 2, 7, 31, 32, 33, -7, 0x7fff_ffff, -0x8000_0000, 0x1234_5678];
  const values64 = [...values32.map(BigInt), 2n ** 63n - 1n, -(2n ** 63n), 0x0123_4567_89ab_cdefn];

  /** Every instruction of a kind as a function of its own, run by the engine. */
  function engine(wide: boolean, codes: readonly number[], operands: 1 | 2, narrowResult: boolean) {
    const type = wide ? "i64" : "i32";
    const names = codes.map((code) => opcodeNames.get(code) ?? "");
    const result = narrowResult ? "i32" : type;
    const parameters = Array.from({ length: operands }, () => type).join(" ");
    const gets = operands === 1 ? "(local.get 0)" : "(local.get 0) (local.get 1)";
    const text = names
      .map(
        (name) =>
          `(func (export "${name}") (param ${parameters}) (result ${result}) (${name} ${gets}))`,
      )
      .join("\n");
    const module = new wasmEngine.Module(assembleText(`(module ${text})`));
    const { exports } = new wasmEngine.Instance(module, {});
    return (code: number, ...args: readonly (number | bigint)[]) =>
      (exports[opcodeNames.get(code) ?? ""] as (...values: unknown[]) => number | bigint)(...args);
  }

  const outcome = (work: () => unknown): unknown => {
    try {
      return work();
    } catch {
      return "trap";
    }
  };

  it("of 32 bits is the engine's", () => {
    const binary = range(0x6a, 0x78);
    const run = engine(false, binary, 2, false);
    for (const code of binary) {
      for (const a of values32) {
        for (const b of values32) {
          const name = `${opcodeNames.get(code)} ${a} ${b}`;
          expect(
            outcome(() => binary32(code, a, b)),
            name,
          ).toBe(outcome(() => run(code, a, b)));
        }
      }
    }
    const unary = [0x67, 0x68, 0x69, 0xc0, 0xc1];
    const runOne = engine(false, unary, 1, false);
    for (const code of unary) {
      for (const a of values32) expect(unary32(code, a)).toBe(runOne(code, a));
    }
  });

  it("of 64 bits is the engine's", () => {
    const binary = range(0x7c, 0x8a);
    const run = engine(true, binary, 2, false);
    for (const code of binary) {
      for (const a of values64) {
        for (const b of values64) {
          const name = `${opcodeNames.get(code)} ${a} ${b}`;
          expect(
            outcome(() => binary64(code, a, b)),
            name,
          ).toBe(outcome(() => run(code, a, b)));
        }
      }
    }
    const unary = [0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4];
    const runOne = engine(true, unary, 1, false);
    for (const code of unary) {
      for (const a of values64) expect(unary64(code, a)).toBe(runOne(code, a));
    }
  });

  it("compares as the engine does", () => {
    for (const [wide, codes, values] of [
      [false, range(0x46, 0x4f), values32],
      [true, range(0x51, 0x5a), values64],
    ] as const) {
      const run = engine(wide, codes, 2, true);
      for (const code of codes) {
        for (const a of values) {
          for (const b of values) expect(compare(code, a, b)).toBe(run(code, a, b));
        }
      }
    }
  });
});

describe("S-9.9-1b: tests in AssemblyScript", () => {
  function projectOf(test: string): ContractProject {
    const files = new Map(projectFiles(defaultPolicy("work-orders")));
    files.set("test/work-orders.test.ts", test);
    const parsed = parseProject(files.get("contract.json") ?? "");
    return { dir: ".", ...parsed, sources: { read: (path) => files.get(path) ?? null } };
  }
  const generated =
    projectFiles(defaultPolicy("work-orders")).get("test/work-orders.test.ts") ?? "";

  it("pass for what a policy wrote, and name file and line of test and contract where not", async () => {
    const wrong = `${generated}
/** Somebody else updates. */
export function updatesTheirs(): void {
  const owner = member("enterprise", "owner");
  sendAs(owner);
  const args = entryArguments(idOf(2), owner);
  assert(run("create", args) == "SUCCESS");
  sendAs(member("enterprise", "other"));
  assert(run("update", args) == "SUCCESS", "must be allowed");
}
`;
    const outcomes = await runTests(projectOf(wrong), () => {}, ["test/work-orders.test.ts"]);
    expect(outcomes.map(({ name, passed }) => [name, passed])).toEqual([
      ["creates", true],
      ["refusesHalfArguments", true],
      ["updatesTheirs", false],
    ]);
    expect(outcomes[0]?.gas).toBeGreaterThan(100_000);
    const failure = outcomes[2]?.failure ?? "";
    expect(failure).toMatch(/^test\/work-orders\.test\.ts:\d+:\d+: must be allowed/);
    expect(failure).toMatch(
      /update ended with WORK_ORDERS_NOT_ALLOWED at assembly\/access\.ts:\d+/,
    );
  }, 60_000);
});

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const binaryNames = [
  "add",
  "sub",
  "mul",
  "div_s",
  "div_u",
  "rem_s",
  "rem_u",
  "and",
  "or",
  "xor",
  "shl",
  "shr_s",
  "shr_u",
  "rotl",
  "rotr",
];
const relations = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const opcodeNames: ReadonlyMap<number, string> = new Map([
  ...binaryNames.flatMap((name, i) => [
    [0x6a + i, `i32.${name}`] as const,
    [0x7c + i, `i64.${name}`] as const,
  ]),
  ...relations.flatMap((name, i) => [
    [0x46 + i, `i32.${name}`] as const,
    [0x51 + i, `i64.${name}`] as const,
  ]),
  ...["clz", "ctz", "popcnt"].flatMap((name, i) => [
    [0x67 + i, `i32.${name}`] as const,
    [0x79 + i, `i64.${name}`] as const,
  ]),
  [0xc0, "i32.extend8_s"],
  [0xc1, "i32.extend16_s"],
  [0xc2, "i64.extend8_s"],
  [0xc3, "i64.extend16_s"],
  [0xc4, "i64.extend32_s"],
]);
