import type { Genesis, Receipt } from "@credlink/ledger";
import type { MethodManifest } from "../../src/manifest.ts";
import {
  assemble,
  type Code,
  contractOf,
  type FunctionText,
  type ModuleText,
  manifestOf,
  NAME,
  VERSION,
} from "./assembler.ts";
import { TestChain } from "./chain.ts";
import type { Consortium } from "./consortium.ts";

export interface ProbeOptions {
  readonly module?: Omit<ModuleText, "functions">;
  /** Functions beside the method; their indexes come after it. */
  readonly functions?: readonly FunctionText[];
  readonly method?: Partial<MethodManifest>;
  readonly calls?: readonly string[];
  readonly locals?: FunctionText["locals"];
  readonly gasLimit?: number;
  readonly args?: Uint8Array;
}

/** Genesis of a chain whose contract `probe` has the method `main` with these instructions. */
export function probeGenesis(
  consortium: Consortium,
  code: Code,
  options: ProbeOptions = {},
): Genesis {
  const main: FunctionText = {
    name: "main",
    code,
    ...(options.locals === undefined ? {} : { locals: options.locals }),
  };
  const module = assemble({ ...options.module, functions: [main, ...(options.functions ?? [])] });
  const manifest = manifestOf(
    [{ name: "main", readOnly: false, roles: ["institution", "admin"], ...options.method }],
    { calls: options.calls ?? [], maxMemoryPages: 256 },
  );
  return { ...consortium.genesis, contracts: [contractOf(module, manifest)] };
}

/** Runs `main` once on a chain of its own. */
export function probe(
  consortium: Consortium,
  code: Code,
  options: ProbeOptions = {},
): Promise<Receipt> {
  const chain = new TestChain(probeGenesis(consortium, code, options));
  return chain.run({
    contract: NAME,
    version: VERSION,
    method: "main",
    signers: [consortium.institution.address],
    ...(options.gasLimit === undefined ? {} : { gasLimit: options.gasLimit }),
    ...(options.args === undefined ? {} : { args: options.args }),
  });
}
