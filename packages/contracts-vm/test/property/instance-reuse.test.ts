import { defaultGovernance, type Receipt } from "@credlink/ledger";
import { beforeAll, describe, expect, it } from "vitest";
import { ContractInstances } from "../../src/contract-instances.ts";
import { createExecutor, validateModule } from "../../src/index.ts";
import { meterModule } from "../../src/metered-module.ts";
import { wasmEngine } from "../../src/wasm/engine.ts";
import type { WasmModule } from "../../src/wasm/module.ts";
import {
  assemble,
  type Code,
  contractOf,
  END,
  I32,
  I64,
  i32,
  i64,
  type ModuleText,
  manifestOf,
  NAME,
  section,
  VERSION,
} from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import {
  COUNTERS,
  createGenerator,
  emitStatements,
  randomStatements,
  VALUES,
} from "../support/random-program.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

const PAGE = 65_536;
const QUARTER = PAGE / 4;
const SEGMENT = Uint8Array.of(1, 2, 3);
const GLOBALS: readonly Code[] = [
  [I32, 1, i32(12_345), END],
  [I64, 1, i64(-(2n ** 62n)), END],
  [I32, 0, i32(9), END],
];
const RETURN_VALUE = 0;
const returns = (at: number, length: number): Code => [i32(at), i32(length), 0x10, RETURN_VALUE];

/** Methods that show one quarter of the first page each, all globals, and the memory's size. */
const observers: NonNullable<ModuleText["functions"]> = [
  ...[0, 1, 2, 3].map((quarter) => ({
    name: `quarter${quarter}`,
    code: returns(quarter * QUARTER, QUARTER),
  })),
  {
    name: "globals",
    code: [
      [i32(0), 0x23, 0, 0x36, 2, 0],
      [i32(8), 0x23, 1, 0x37, 3, 0],
      [i32(16), 0x23, 2, 0x36, 2, 0],
      returns(0, 20),
    ],
  },
  { name: "size", code: [i32(0), 0x3f, 0, 0x36, 2, 0, returns(0, 4)] },
];
const observerNames = observers.map(({ name = "" }) => name);

/** A module whose method `main` runs `code`, and what shows the state that it finds. */
function moduleOf(code: Code, more: Partial<ModuleText> = {}): Uint8Array {
  return assemble({
    imports: ["return_value"],
    functions: [
      { parameters: [I32, I32], results: [I32], code: [0x20, 0, 0x20, 1, 0x73] },
      { name: "main", locals: [[VALUES + COUNTERS, I32]], code },
      ...observers,
    ],
    memory: [1, 4],
    globals: GLOBALS,
    table: [1],
    data: [[16, SEGMENT]],
    ...more,
  });
}

/** A generated program that also changes the wide global. */
function programOf(seed: number): Code {
  const wide: Code = [i64(seed), 0x24, 1];
  return [wide, emitStatements(randomStatements(createGenerator(seed), 4, 0))];
}

/** All memory and every global that can be changed. */
const DIRTY_ALL: Code = [
  [i32(0), i32(0xff), i32(PAGE), 0xfc, 11, 0],
  [i32(-1), 0x24, 0, i64(-1), 0x24, 1],
];

const methods = ["main", ...observerNames];

function validated(code: Uint8Array): WasmModule {
  const module = validateModule(code, manifestOf(methods));
  if (!module.ok) throw new Error(`${module.code} ${module.detail ?? ""}`);
  return module.value;
}

function instancesOf(code: Uint8Array, isReused = true): ContractInstances {
  const module = validated(code);
  const metered = meterModule(module, methods);
  return new ContractInstances(metered, new wasmEngine.Module(metered.form), isReused);
}

function stateOf({ bound }: ReturnType<ContractInstances["take"]>) {
  return {
    memory: Buffer.from(bound.memory.buffer.slice(0)),
    globals: bound.globals.map(({ value }) => value),
    stack: bound.stack.value,
    fault: bound.fault.value,
  };
}

/** Runs `main` in an instance; whether it returned. */
function runMain({ bound }: ReturnType<ContractInstances["take"]>): boolean {
  bound.gas.value = 1_000_000_000n;
  try {
    bound.method("main")();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(wasmEngine.RuntimeError);
    return false;
  }
}

describe("an instance that is handed out again", () => {
  it("holds what a fresh one holds, whatever 300 generated programs did to it", () => {
    let reused = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const instances = instancesOf(moduleOf(programOf(seed)));
      const first = instances.take();
      const fresh = stateOf(first);
      if (!runMain(first)) continue;
      const hasGrown = first.bound.memory.buffer.byteLength !== PAGE;
      instances.release(first);
      const second = instances.take();
      expect(second === first, `seed ${seed}`).toBe(!hasGrown);
      expect(stateOf(second), `seed ${seed}`).toEqual(fresh);
      if (!hasGrown) reused++;
    }
    expect(reused).toBeGreaterThan(50);
  });

  it("holds what a fresh one holds when every byte and global was changed", () => {
    const instances = instancesOf(moduleOf(DIRTY_ALL));
    const first = instances.take();
    const fresh = stateOf(first);
    expect(fresh.globals).toEqual([12_345, -(2n ** 62n)]);
    expect(fresh.memory.subarray(16, 19)).toEqual(Buffer.from(SEGMENT));
    expect(runMain(first)).toBe(true);
    expect(stateOf(first)).not.toEqual(fresh);
    instances.release(first);
    expect(instances.take()).toBe(first);
    expect(stateOf(first)).toEqual(fresh);
  });

  it("is handed to one call at a time", () => {
    const instances = instancesOf(moduleOf([]));
    const first = instances.take();
    instances.release(first);
    expect(instances.take()).toBe(first);
    const second = instances.take();
    expect(second).not.toBe(first);
    expect(instancesOf(moduleOf([])).take()).not.toBe(first);
  });

  it("survives growing by nothing, which replaces its buffer", () => {
    const instances = instancesOf(moduleOf([DIRTY_ALL, i32(0), 0x40, 0, 0x1a]));
    const first = instances.take();
    const fresh = stateOf(first);
    expect(runMain(first)).toBe(true);
    instances.release(first);
    expect(instances.take()).toBe(first);
    expect(stateOf(first)).toEqual(fresh);
  });

  it.each([
    ["memory that grew", moduleOf([i32(1), 0x40, 0, 0x1a])],
    ["a dropped data segment", moduleOf([0xfc, 9, 0], { replace: { 12: section(12, [1]) } })],
    ["a dropped element segment", moduleOf([0xfc, 13, 0])],
    [
      "a table that table.copy may have changed",
      moduleOf([i32(0), i32(0), i32(1), 0xfc, 14, 0, 0]),
    ],
    [
      "a table that table.init may have changed",
      moduleOf([i32(0), i32(0), i32(0), 0xfc, 12, 0, 0]),
    ],
    ["a memory too large to copy", moduleOf([], { memory: [17, 17] })],
  ])("is not taken from a module with %s", (_, code) => {
    const wide = validateModule(code, manifestOf(methods, { maxMemoryPages: 17 }));
    if (!wide.ok) throw new Error(wide.code);
    const metered = meterModule(wide.value, methods);
    const compiled = new wasmEngine.Module(metered.form);
    const instances = new ContractInstances(metered, compiled, true);
    const first = instances.take();
    expect(runMain(first)).toBe(true);
    instances.release(first);
    expect(instances.take()).not.toBe(first);
  });

  it("is not taken where reuse is off", () => {
    const instances = instancesOf(moduleOf([]), false);
    const first = instances.take();
    instances.release(first);
    expect(instances.take()).not.toBe(first);
  });
});

type Outcome = Omit<Receipt, "transactionId" | "contractVersion">;

/** Calls in one block after another on one executor. */
async function outcomes(
  code: Uint8Array,
  reuseInstances: boolean,
  calls: readonly string[] = ["main", ...observerNames, "main", "globals", "main"],
): Promise<readonly Outcome[]> {
  const manifest = manifestOf([...new Set(calls)]);
  const chain = new TestChain(
    {
      ...consortium.genesis,
      organizations: consortium.genesis.organizations.slice(0, 1),
      governance: defaultGovernance(["alpha"]),
      members: [{ certificate: consortium.institution.certificate.der }],
      validators: [{ nodeId: "only", publicKey: consortium.institution.publicKey, peerId: "peer" }],
      allowNonByzantine: true,
      consensus: "pbft",
      contracts: [contractOf(code, manifest)],
    },
    createExecutor({ reuseInstances }),
  );
  const found: Outcome[] = [];
  for (const method of calls) {
    const { status, gasUsed, returnValue, events } = await chain.run({
      contract: NAME,
      version: VERSION,
      method,
      signers: [consortium.institution.address],
      gasLimit: 3_000_000,
    });
    found.push({ status, gasUsed, returnValue, events });
  }
  return found;
}

describe("calls", () => {
  it("end the same with reuse on and off, and each sees a fresh instance", async () => {
    const memory = new Uint8Array(PAGE);
    memory.set(SEGMENT, 16);
    let succeeded = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const code = moduleOf([programOf(seed), DIRTY_ALL]);
      const shared = await outcomes(code, true);
      expect(shared, `seed ${seed}`).toEqual(await outcomes(code, false));
      for (const quarter of [0, 1, 2, 3]) {
        const bytes = memory.subarray(quarter * QUARTER, (quarter + 1) * QUARTER);
        expect(Buffer.compare(shared[1 + quarter]?.returnValue ?? memory, bytes)).toBe(0);
      }
      const globals = new DataView(new ArrayBuffer(20));
      globals.setInt32(0, 12_345, true);
      globals.setBigInt64(8, -(2n ** 62n), true);
      globals.setInt32(16, 9, true);
      // The four bytes between are the memory's own: zero in a fresh instance.
      expect(shared[5]?.returnValue, `seed ${seed}`).toEqual(new Uint8Array(globals.buffer));
      expect(shared[6]?.returnValue, `seed ${seed}`).toEqual(Uint8Array.of(1, 0, 0, 0));
      if (shared[0]?.status === "SUCCESS") succeeded++;
    }
    expect(succeeded).toBeGreaterThan(15);
    expect(succeeded).toBeLessThan(60);
  });

  it("reach memory that the call itself grew, also in an instance that is used again", async () => {
    const code = assemble({
      imports: ["return_value"],
      functions: [
        {
          name: "grow",
          code: [
            [i32(1), 0x40, 0, 0x1a, i32(PAGE), i32(7), 0x36, 2, 0],
            returns(PAGE, 4),
            [i32(1), 0x40, 0, 0x1a, i32(2 * PAGE), i32(8), 0x36, 2, 0],
            returns(2 * PAGE, 4),
          ],
        },
        { name: "touch", code: [i32(0), 0x40, 0, 0x1a, i32(0), i32(9), 0x36, 2, 0, returns(0, 4)] },
        { name: "beyond", code: returns(PAGE, 4) },
      ],
    });
    const calls = ["touch", "touch", "grow", "beyond", "touch", "grow"];
    const shared = await outcomes(code, true, calls);
    expect(shared).toEqual(await outcomes(code, false, calls));
    const found = shared.map(({ status, returnValue }) => [status, returnValue[0]]);
    const touched = ["SUCCESS", 9];
    const grown = ["SUCCESS", 8];
    const pointer = ["VM_HOST_POINTER", undefined];
    expect(found).toEqual([touched, touched, grown, pointer, touched, grown]);
  });

  it("leave nothing in the host: neither an answer nor a returned value", async () => {
    const [caller, bufferRead, returnValue] = [0, 1, 2];
    const code = assemble({
      imports: ["caller", "buffer_read", "return_value"],
      functions: [
        { name: "ask", code: [0x10, caller, 0x1a, i32(8), i32(4), 0x10, returnValue] },
        { name: "take", code: [i32(0), 0x10, bufferRead, i32(0), i32(32), 0x10, returnValue] },
        { name: "idle", code: [] },
      ],
    });
    const calls = ["ask", "take", "ask", "idle"];
    const shared = await outcomes(code, true, calls);
    expect(shared).toEqual(await outcomes(code, false, calls));
    expect(shared.map(({ status }) => status)).toEqual(calls.map(() => "SUCCESS"));
    expect(shared[1]?.returnValue).toEqual(new Uint8Array(32));
    expect(shared[3]?.returnValue).toEqual(new Uint8Array(0));
  });
});
