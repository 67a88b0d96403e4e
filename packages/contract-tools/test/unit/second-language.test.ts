import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sm3 } from "@credlink/crypto";
import { encode, toHex, utf8, wireValue } from "@credlink/primitives";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type BuiltContract,
  buildContract,
  buildSources,
  LocalChain,
  loadProject,
  loadRules,
  scanContract,
  sdkTexts,
} from "../../src/index.ts";

const folder = join(import.meta.dirname, "../../../../examples/second-language");
const project = loadProject(folder);
const entry = "assembly/index.ts";

let script: BuiltContract;
let native: BuiltContract;

beforeAll(async () => {
  const files = new Map([...sdkTexts()].map(([name, text]) => [`assembly/sdk/${name}`, text]));
  files.set(entry, readFileSync(join(folder, entry), "utf8"));
  const reader = { read: (path: string) => files.get(path) ?? null };
  script = await buildSources(reader, entry, project.manifest);
  native = await buildContract(project);
}, 60_000);

interface Step {
  readonly method: "add" | "get";
  readonly args: Uint8Array;
}

const name = fc.oneof(
  fc.constantFrom("", "a", "b", "ab", "x".repeat(31), "y".repeat(32), "z".repeat(33)),
  fc.string({ maxLength: 40, unit: "grapheme" }),
);
const amount = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const wellFormed = fc.oneof(
  fc
    .tuple(name, amount)
    .map(([n, a]): Step => ({ method: "add", args: encode(wireValue, [n, a]) })),
  name.map((n): Step => ({ method: "get", args: encode(wireValue, [n]) })),
);
const anything = fc.tuple(
  fc.constantFrom("add" as const, "get" as const),
  fc.uint8Array({ maxLength: 60 }),
);
/** Well formed ones, pieces of them, ones with a byte changed, and bytes of any kind. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: wellFormed, weight: 6 },
  fc
    .tuple(wellFormed, fc.nat(50))
    .map(([{ method, args }, n]) => ({ method, args: args.slice(0, n) })),
  fc.tuple(wellFormed, fc.nat(50), fc.nat(255)).map(([{ method, args }, at, byte]) => ({
    method,
    args: args.map((value, index) => (index === at ? byte : value)),
  })),
  anything.map(([method, args]) => ({ method, args })),
);

const overflowing: Step[] = [2n ** 64n - 1n, 1n].map((value) => ({
  method: "add",
  args: encode(wireValue, ["a", value]),
}));

/** What a sequence of calls comes to: every outcome, and the state in the end. */
async function outcomeOf(contract: BuiltContract, steps: readonly Step[], genesis: LocalChain) {
  const chain = genesis.fork();
  const sender = chain.member("institution", "centre");
  const outcomes: unknown[] = [];
  for (const { method, args } of steps) {
    const call = { contract: contract.name, version: contract.version, method, args, sender };
    const receipt = method === "get" ? await chain.query(call) : await chain.run(call);
    const { status, returnValue, events } = receipt;
    outcomes.push([
      status,
      toHex(returnValue),
      events.map(({ topic, data }) => [topic, toHex(data)]),
    ]);
  }
  const state = chain.entries("tally").map(({ key, value }) => [toHex(key), toHex(value)]);
  return { outcomes, state };
}

async function expectSame(other: BuiltContract, runs: number): Promise<void> {
  const [first, second] = [await LocalChain.open([script]), await LocalChain.open([other])];
  const seen = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const wanted = await outcomeOf(script, steps, first);
      for (const [status] of wanted.outcomes as readonly [unknown][]) seen.add(status);
      expect(await outcomeOf(other, steps, second)).toEqual(wanted);
    }),
    { numRuns: runs, examples: [[overflowing]] },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining(["SUCCESS", "TALLY_MALFORMED", "TALLY_OVERFLOW"]),
  );
}

const hasClang =
  spawnSync("clang", ["--print-targets"], { encoding: "utf8" }).stdout?.includes("wasm32") === true;

describe("a contract in a second language", () => {
  it("has the digest on record", () => {
    const code = readFileSync(join(folder, "c/tally.wasm"));
    const [digest] = readFileSync(join(folder, "c/tally.wasm.sm3"), "utf8").split(" ");
    expect(toHex(sm3(code))).toBe(digest);
  });

  it("S-9.9-5a: in either language scans clean", () => {
    const ruleSet = loadRules();
    const { manifest } = project;
    for (const { code } of [script, native]) {
      expect(scanContract({ manifest, sources: null, code }, ruleSet).findings).toEqual([]);
    }
  });

  it("S-9.9-1a: answers, refuses, tells and stores byte for byte what the first does", async () => {
    await expectSame(native, 150);
  }, 60_000);

  it.runIf(hasClang)(
    "does so when it is compiled here",
    async () => {
      const to = mkdtempSync(join(tmpdir(), "credlink-tally-"));
      try {
        const file = join(to, "tally.wasm");
        const made = spawnSync(join(folder, "c/build.sh"), [file], { encoding: "utf8" });
        expect(made.stderr).toBe("");
        const code = new Uint8Array(readFileSync(file));
        await expectSame({ ...native, code }, 30);
      } finally {
        rmSync(to, { recursive: true, force: true });
      }
    },
    60_000,
  );

  it("is told apart when it is not the same", async () => {
    const steps: Step[] = [{ method: "add", args: encode(wireValue, ["a", 1n]) }];
    const chain = await LocalChain.open([native]);
    const before = await outcomeOf(native, steps, chain);
    chain.put("tally", utf8("ta"), encode(wireValue, [5n]));
    expect(await outcomeOf(native, steps, chain)).not.toEqual(before);
  });
});
