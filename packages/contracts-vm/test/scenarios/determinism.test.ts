import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Receipt } from "@credlink/ledger";
import { expect, it } from "vitest";
import { createExecutor } from "../../src/index.ts";
import {
  assemble,
  call,
  contractOf,
  END,
  get,
  I32,
  i32,
  manifestOf,
} from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { createConsortium } from "../support/consortium.ts";
import { harmScenario } from "../support/harm-scenario.ts";
import {
  COUNTERS,
  createGenerator,
  emitStatements,
  randomStatements,
  VALUES,
} from "../support/random-program.ts";
import { digestOfRun, encodeScenario } from "../support/scenario.ts";

/** Engines of one version that share little: the baseline compiler alone, the optimising one alone. */
const ENGINES = [[], ["--liftoff-only"], ["--no-liftoff"]] as const;

it("S-9.3-1, S-9.9-1b: the same bytes twice, in a fresh process, and by every compiler", async () => {
  const input = await harmScenario();
  const first = await digestOfRun(input);
  expect(await digestOfRun(input)).toBe(first);
  const fixture = join(import.meta.dirname, "../fixtures/execute-block.ts");
  const outputs = ENGINES.map((flags) =>
    execFileSync(process.execPath, [...flags, "--conditions=source", fixture, "100"], {
      input: encodeScenario(input),
      encoding: "utf8",
    }),
  );
  expect(outputs[0]?.split("\n")[0]).toBe(first);
  expect(new Set(outputs)).toEqual(new Set(outputs.slice(0, 1)));
});

it("a program gives the same receipt whatever ran before it on the same executor", async () => {
  const consortium = await createConsortium();
  const contracts = [1, 2, 3, 4].map((seed) => {
    const name = `random-${seed}`;
    const mix = { parameters: [I32, I32], results: [I32], code: [get(0), get(1), 0x73] };
    const main = {
      name: "main",
      locals: [[VALUES + COUNTERS, I32]] as const,
      code: [call(0), 0x1a, emitStatements(randomStatements(createGenerator(seed), 4, 0))],
    };
    const code = assemble({
      imports: ["input_size"],
      functions: [mix, main],
      globals: [[I32, 1, i32(seed), END]],
      version: `${name}@1.0.0`,
    });
    return contractOf(code, manifestOf(["main"], { name }));
  });
  const genesis = { ...consortium.genesis, contracts };
  const run = (chain: TestChain, name: string): Promise<Receipt> =>
    chain.run({
      contract: name,
      version: "1.0.0",
      method: "main",
      signers: [consortium.institution.address],
      gasLimit: 5_000_000,
    });
  // One executor that forgets every contract at the next, and one for each run.
  const shared = new TestChain(genesis, createExecutor({ cachedContracts: 1 }));
  for (const { name } of [...contracts, ...contracts]) {
    const { transactionId: _, ...alone } = await run(new TestChain(genesis), name);
    expect(await run(shared, name)).toMatchObject(alone);
  }
});
