import { addressFromPublicKey, parseCertificate } from "@credlink/crypto";
import type { Genesis, Receipt } from "@credlink/ledger";
import { type Address, equalBytes } from "@credlink/primitives";
import { validateModule } from "../../src/index.ts";
import { assemble, contractOf, END, I32, i32, manifestOf, NAME, VERSION } from "./assembler.ts";
import { TestChain } from "./chain.ts";
import {
  COUNTERS,
  createGenerator,
  emitStatements,
  randomStatements,
  VALUES,
} from "./random-program.ts";

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

/** What of a receipt a module decides. */
export type MutantOutcome = Pick<Receipt, "status" | "gasUsed" | "returnValue" | "events">;

/** A chain of one member, small enough to be made for each module. */
export function soloGenesis(genesis: Genesis, signer: Address): Genesis {
  const own = genesis.members.flatMap(({ certificate }) => {
    const parsed = parseCertificate(certificate);
    return parsed.ok ? [{ certificate, publicKey: parsed.value.subjectKey }] : [];
  });
  const [member] = own.filter(({ publicKey }) =>
    equalBytes(addressFromPublicKey(publicKey), signer),
  );
  if (member === undefined) throw new Error("the signer is no member of genesis");
  const { certificate, publicKey } = member;
  return {
    ...genesis,
    organizations: genesis.organizations.slice(0, 1),
    governance: { ...genesis.governance, voters: genesis.governance.voters.slice(0, 1) },
    members: [{ certificate }],
    validators: [{ nodeId: "only", publicKey, peerId: "peer" }],
    allowNonByzantine: true,
    consensus: "pbft",
  };
}

/** Runs the mutant of a seed to its receipt, or answers the code that refuses it. */
export async function runMutant(
  seed: number,
  genesis: Genesis,
  signer: Address,
): Promise<MutantOutcome | string> {
  const code = mutate(original(1 + (seed % 40)), createGenerator(seed));
  const verdict = validateModule(code, MANIFEST);
  if (!verdict.ok) return verdict.code;
  const chain = new TestChain({ ...genesis, contracts: [contractOf(code, MANIFEST)] });
  const { status, gasUsed, returnValue, events } = await chain.run({
    contract: NAME,
    version: VERSION,
    method: "main",
    signers: [signer],
    gasLimit: 3_000_000,
  });
  return { status, gasUsed, returnValue, events };
}
