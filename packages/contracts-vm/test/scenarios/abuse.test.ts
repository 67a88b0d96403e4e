import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createExecutor } from "../../src/index.ts";
import {
  call,
  END,
  type FunctionText,
  get,
  I32,
  I64,
  i32,
  i64,
  NAME,
  set,
  u,
  VERSION,
} from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";
import { probe, probeGenesis } from "../support/probe.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium();
});

const DROP = 0x1a;
const LOOP = [0x03, 0x40];

describe("contracts that mean harm stop with a status, at the same gas", () => {
  it("an endless loop uses its whole limit and nothing else", async () => {
    const receipt = await probe(consortium, [LOOP, 0x0c, 0, END], { gasLimit: 20_000_000 });
    expect(receipt.status).toBe("VM_OUT_OF_GAS");
    expect(receipt.gasUsed).toBe(20_000_000);
  });

  it("an endless recursion overflows the metered stack long before the host's", async () => {
    const code = call(0);
    const first = await probe(consortium, code);
    const second = await probe(consortium, code);
    expect(first.status).toBe("VM_STACK_OVERFLOW");
    expect(second.gasUsed).toBe(first.gasUsed);
  });

  it("recursion through frames of the largest size overflows in the same way", async () => {
    const locals = [[1_000, I64]] as const;
    const receipt = await probe(consortium, call(0), { locals });
    expect(receipt.status).toBe("VM_STACK_OVERFLOW");
  });

  it("recursion through a table and many values on the operand stack overflows too", async () => {
    const values = Array.from({ length: 900 }, (_, index) => i64(index));
    const drops = Array.from({ length: 900 }, () => DROP);
    const receipt = await probe(consortium, [values, i32(0), 0x11, 0, 0, drops], {
      module: { table: [0] },
    });
    expect(receipt.status).toBe("VM_STACK_OVERFLOW");
  });

  it("recursion with live values in many small frames overflows in the same way", async () => {
    const sum: FunctionText = {
      parameters: Array.from({ length: 40 }, () => I64),
      results: [I64],
      code: [
        Array.from({ length: 40 }, (_, index) => get(index)),
        call(1),
        Array.from({ length: 40 }, (_, index) => [get(index), 0x7c]),
      ],
    };
    const start = Array.from({ length: 40 }, (_, index) => i64(index));
    const receipt = await probe(consortium, [start, call(1), DROP], { functions: [sum] });
    expect(receipt.status).toBe("VM_STACK_OVERFLOW");
  });

  it("overflows the metered stack in a quarter of the engine's stack", () => {
    const fixture = join(import.meta.dirname, "../fixtures/overflow.ts");
    const run = ["--stack-size=246", "--conditions=source", fixture];
    expect(execFileSync(process.execPath, run, { encoding: "utf8" })).toBe("VM_STACK_OVERFLOW");
  });

  it("memory grows to its maximum and no further, for gas", async () => {
    // Grows page by page until it yields -1, then returns the size.
    const receipt = await probe(
      consortium,
      [
        0x02,
        0x40,
        LOOP,
        i32(1),
        0x40,
        0,
        i32(-1),
        0x46,
        0x0d,
        1,
        0x0c,
        0,
        END,
        END,
        i32(0),
        0x3f,
        0,
        0x36,
        2,
        0,
        i32(0),
        i32(4),
        call(0),
      ],
      { module: { imports: ["return_value"], memory: [1, 256] } },
    );
    expect(receipt.status).toBe("SUCCESS");
    expect([...receipt.returnValue]).toEqual([0, 1, 0, 0]);
    expect(receipt.gasUsed).toBeGreaterThan(255 * 2_000);
  });

  it("a growth beyond the maximum yields -1 and costs next to nothing", async () => {
    const receipt = await probe(
      consortium,
      [i32(0), i32(-1), 0x40, 0, 0x36, 2, 0, i32(0), i32(4), call(0)],
      { module: { imports: ["return_value"] } },
    );
    expect([...receipt.returnValue]).toEqual([255, 255, 255, 255]);
    expect(receipt.gasUsed).toBeLessThan(130_000);
  });

  it("a huge br_table runs and costs what any branch costs", async () => {
    const targets = 4_096;
    const table = [0x0e, u(targets), Array.from({ length: targets + 1 }, () => 0)];
    const receipt = await probe(consortium, [0x02, 0x40, i32(7), table, END]);
    expect(receipt.status).toBe("SUCCESS");
  });

  it("filling and copying memory in a loop is paid by the byte", async () => {
    const fill = [i32(0), i32(1), i32(65_536), 0xfc, 11, 0];
    const once = await probe(consortium, fill);
    const twice = await probe(consortium, [fill, fill]);
    expect(twice.gasUsed - once.gasUsed).toBe(20 + 3 + 65_536 / 8);
    const endless = await probe(consortium, [LOOP, fill, 0x0c, 0, END], { gasLimit: 10_000_000 });
    expect(endless.status).toBe("VM_OUT_OF_GAS");
  });

  it.each([
    ["VM_TRAP_UNREACHABLE", "unreachable", [0x00]],
    ["VM_TRAP_DIVIDE", "i32.div_s by zero", [i32(1), i32(0), 0x6d, DROP]],
    ["VM_TRAP_DIVIDE", "i32.div_s of the smallest by -1", [i32(-(2 ** 31)), i32(-1), 0x6d, DROP]],
    ["VM_TRAP_DIVIDE", "i32.rem_u by zero", [i32(1), i32(0), 0x70, DROP]],
    ["VM_TRAP_DIVIDE", "i64.div_u by zero", [i64(1), i64(0), 0x80, DROP]],
    ["VM_TRAP_DIVIDE", "i64.div_s of the smallest by -1", [i64(-(2n ** 63n)), i64(-1), 0x7f, DROP]],
    ["VM_TRAP_DIVIDE", "i64.rem_s by zero", [i64(1), i64(0), 0x81, DROP]],
    ["VM_TRAP_MEMORY", "a load outside", [i32(-1), 0x28, 2, 0, DROP]],
    ["VM_TRAP_MEMORY", "a load whose offset leads outside", [i32(65_533), 0x28, 2, 0, DROP]],
    ["VM_TRAP_MEMORY", "a store outside", [i32(-4), i32(0), 0x36, 2, 4]],
    ["VM_TRAP_MEMORY", "a fill outside", [i32(65_535), i32(0), i32(2), 0xfc, 11, 0]],
  ] as const)("%s: %s", async (status, _what, code) => {
    const receipt = await probe(consortium, [...code]);
    expect(receipt.status).toBe(status);
    expect(receipt.gasUsed).toBeLessThan(200_000);
    expect(receipt.events).toEqual([]);
  });

  it.each([
    ["an index outside the table", i32(5)],
    ["a function of another type", i32(1)],
  ])("VM_TRAP_MEMORY: an indirect call through %s", async (_what, index) => {
    const receipt = await probe(consortium, [index, 0x11, 0, 0], {
      functions: [{ parameters: [I32], code: [] }],
      module: { table: [0, 1] },
    });
    expect(receipt.status).toBe("VM_TRAP_MEMORY");
  });

  it("remainders that do not trap still do not", async () => {
    const code = [i32(0), i32(-(2 ** 31)), i32(-1), 0x6f, 0x36, 2, 0, i32(0), i32(4), call(0)];
    const receipt = await probe(consortium, code, { module: { imports: ["return_value"] } });
    expect(receipt.status).toBe("SUCCESS");
    expect([...receipt.returnValue]).toEqual([0, 0, 0, 0]);
  });

  it("a gas limit below the base cost is used up before anything runs", async () => {
    const receipt = await probe(consortium, [], { gasLimit: 49_999 });
    expect(receipt).toMatchObject({ status: "VM_OUT_OF_GAS", gasUsed: 49_999 });
  });

  it("stops at the same gas for every limit on the way, and never above it", async () => {
    const loop = [i32(1_000), set(0), LOOP, get(0), i32(1), 0x6b, 0x22, 0, 0x0d, 0, END];
    const genesis = probeGenesis(consortium, loop, { locals: [[1, I32]] });
    const chain = new TestChain(genesis, createExecutor());
    const run = (gasLimit: number) =>
      chain.run({
        contract: NAME,
        version: VERSION,
        method: "main",
        signers: [consortium.institution.address],
        gasLimit,
      });
    const { gasUsed, status } = await run(10_000_000);
    expect(status).toBe("SUCCESS");
    expect(await run(gasUsed)).toMatchObject({ status: "SUCCESS", gasUsed });
    for (const gasLimit of [gasUsed - 1, gasUsed - 500, gasUsed - 3_000, 60_000]) {
      expect(await run(gasLimit)).toMatchObject({ status: "VM_OUT_OF_GAS", gasUsed: gasLimit });
    }
  });
});
