import type { Receipt } from "@credlink/ledger";
import { beforeAll, describe, expect, it } from "vitest";
import { validateModule } from "../../src/index.ts";
import {
  assemble,
  contractOf,
  END,
  I32,
  i32,
  manifestOf,
  NAME,
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

type Outcome = Omit<Receipt, "transactionId" | "contractVersion">;

const MUTANTS = 2_000;
const MANIFEST = manifestOf(["main"]);

function original(seed: number): Uint8Array {
  return assemble({
    imports: ["return_value"],
    functions: [
      { parameters: [I32, I32], results: [I32], code: [0x20, 0, 0x20, 1, 0x73] },
      {
        name: "main",
        locals: [[VALUES + COUNTERS, I32]],
        code: [
          i32(0),
          i32(4),
          0x10,
          0,
          emitStatements(randomStatements(createGenerator(seed), 3, 0)),
        ],
      },
    ],
    globals: [[I32, 1, i32(5), END]],
    table: [1],
    data: [[16, Uint8Array.of(1, 2, 3)]],
  });
}

/** Changes one to four bytes: mostly flipped bits; random values, deletions and insertions. */
function mutate(code: Uint8Array, below: (n: number) => number): Uint8Array {
  const bytes = [...code];
  for (let changes = below(3) === 0 ? 1 + below(4) : 1; changes > 0; changes--) {
    // The preamble and the version section come first; most changes go behind them.
    const at = below(10) === 0 ? below(bytes.length) : 40 + below(bytes.length - 40);
    const kind = Math.max(0, below(8) - 4);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    else if (kind === 1) bytes[at] = below(256);
    else if (kind === 2) bytes.splice(at, 1);
    else bytes.splice(at, 0, below(256));
  }
  return Uint8Array.from(bytes);
}

describe(`${MUTANTS} mutated modules`, () => {
  it("are refused with a code or run to a receipt, the same twice, and never crash", async () => {
    let accepted = 0;
    const statuses = new Set<string>();
    for (let seed = 1; seed <= MUTANTS; seed++) {
      const below = createGenerator(seed);
      const code = mutate(original(1 + (seed % 40)), below);
      const verdict = validateModule(code, MANIFEST);
      if (!verdict.ok) {
        expect(verdict.code, `seed ${seed}`).toMatch(/^VM_MODULE_/);
        statuses.add(verdict.code);
        continue;
      }
      accepted++;
      const [first, second] = [await run(code), await run(code)];
      expect(second, `seed ${seed}`).toEqual(first);
      statuses.add(first.status);
    }
    expect(accepted).toBeGreaterThan(100);
    expect(statuses.size).toBeGreaterThan(8);
  });
});

async function run(code: Uint8Array): Promise<Outcome> {
  const chain = new TestChain({
    ...consortium.genesis,
    organizations: consortium.genesis.organizations.slice(0, 1),
    members: [{ certificate: consortium.institution.certificate.der }],
    validators: [{ nodeId: "only", publicKey: consortium.institution.publicKey, peerId: "peer" }],
    allowNonByzantine: true,
    consensus: "pbft",
    contracts: [contractOf(code, MANIFEST)],
  });
  const signers = [consortium.institution.address];
  const { status, gasUsed, returnValue, events } = await chain.run({
    contract: NAME,
    version: VERSION,
    method: "main",
    signers,
    gasLimit: 3_000_000,
  });
  return { status, gasUsed, returnValue, events };
}
