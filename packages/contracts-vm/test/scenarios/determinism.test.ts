import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { enrollArgsCodec, type Receipt, setMemberStatusArgsCodec } from "@credlink/ledger";
import { encode, utf8 } from "@credlink/primitives";
import { expect, it } from "vitest";
import { createExecutor } from "../../src/index.ts";
import {
  assemble,
  type Code,
  call,
  contractOf,
  END,
  get,
  I32,
  i32,
  manifestOf,
  NAME,
  set,
  VERSION,
} from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { createConsortium, issue } from "../support/consortium.ts";
import {
  COUNTERS,
  createGenerator,
  emitStatements,
  randomStatements,
  VALUES,
} from "../support/random-program.ts";
import {
  digestOfRun,
  encodeScenario,
  type Scenario,
  type ScenarioTransaction,
} from "../support/scenario.ts";

const put: Code = [i32(0), call(0), i32(0), i32(4), i32(4), i32(4), call(1)];
const recurse: Code = call(8);
const harmful: Readonly<Record<string, Code>> = {
  loop: [0x03, 0x40, 0x0c, 0, END],
  recurse: [recurse],
  outside: [i32(-1), 0x28, 2, 0, 0x1a],
  divide: [i32(1), i32(0), 0x6e, 0x1a],
  grow: [0x03, 0x40, i32(1), 0x40, 0, i32(-1), 0x47, 0x0d, 0, END],
};

/** A contract that stores its arguments, lists them, and can misbehave in every way. */
function contract() {
  const list: Code = [
    i32(64),
    i32(0),
    i32(68),
    i32(4),
    i32(256),
    call(2),
    set(0),
    i32(0),
    call(3),
    i32(0),
    get(0),
    call(4),
  ];
  const code = assemble({
    imports: ["input_read", "state_put", "state_range", "buffer_read", "return_value", "event"],
    functions: [
      { name: "put", code: [put, i32(0), i32(4), i32(4), i32(4), call(5)] },
      { name: "list", locals: [[1, I32]], code: list },
      { code: recurse },
      ...Object.entries(harmful).map(([name, body]) => ({ name, code: body })),
    ],
    data: [[68, Uint8Array.of(0xff, 0xff, 0xff, 0xff)]],
  });
  return contractOf(code, manifestOf(["put", "list", ...Object.keys(harmful)]));
}

async function scenario(): Promise<Scenario> {
  const consortium = await createConsortium({ contracts: [contract()] });
  const [alpha] = consortium.organizations;
  const [admin] = consortium.admins;
  if (alpha === undefined || admin === undefined) throw new Error("no organisation");
  const worker = await issue(alpha, "individual", "worker");
  let count = 0;
  const transaction = (
    method: string,
    args: Uint8Array = new Uint8Array(0),
  ): ScenarioTransaction => {
    const id = new Uint8Array(32);
    id.set(utf8(`transaction ${++count}`));
    return {
      id,
      signers: [consortium.institution.address],
      contract: NAME,
      version: VERSION,
      method,
      args,
      gasLimit: 2_000_000,
    };
  };
  const members = (method: string, args: Uint8Array): ScenarioTransaction => ({
    ...transaction(method, args),
    signers: [admin.address],
    contract: "members",
    version: "1.0.0",
    gasLimit: 10_000_000,
  });
  const enroll = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
  const revoke = encode(setMemberStatusArgsCodec, { address: worker.address, status: "revoked" });
  const puts = ["aaaa1111", "cccc2222", "bbbb3333"].map((text) => transaction("put", utf8(text)));
  return {
    genesis: consortium.genesis,
    blocks: [
      [...puts, transaction("list"), members("enroll", enroll)],
      [transaction("list"), ...Object.keys(harmful).map((name) => transaction(name))],
      [members("setStatus", revoke), transaction("put", utf8("aaaa9999")), transaction("list")],
    ],
  };
}

it("S-9.3-1: the same blocks give the same bytes twice and in a fresh process", async () => {
  const input = await scenario();
  const first = await digestOfRun(input);
  expect(await digestOfRun(input)).toBe(first);
  const fixture = join(import.meta.dirname, "../fixtures/execute-block.ts");
  const output = execFileSync(process.execPath, ["--conditions=source", fixture], {
    input: encodeScenario(input),
    encoding: "utf8",
  });
  expect(output).toBe(first);
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
