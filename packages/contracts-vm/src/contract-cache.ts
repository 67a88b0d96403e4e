import { sm3 } from "@credlink/crypto";
import { type Counter, equalBytes, invariant, textOfBytes, tryDecode } from "@credlink/primitives";
import { joinCode } from "./built-in/contract-code.ts";
import { decodeRow, type Row } from "./built-in/row.ts";
import { type InstalledContract, rows } from "./built-in/rows.ts";
import { VmError } from "./errors.ts";
import { type Manifest, manifestCodec } from "./manifest.ts";
import {
  type FormStore,
  loadForm,
  type MeteredModule,
  meterModule,
  saveForm,
} from "./metered-module.ts";
import type { StateReader } from "./state-overlay.ts";
import { validateModule } from "./wasm/validate-module.ts";
import { type PreparedContract, prepareContract } from "./wasm-contract.ts";

/** How contracts are kept and run. */
export interface CacheOptions {
  /** Most compiled contracts kept. */
  readonly capacity: number;
  readonly reuseInstances: boolean;
  /** Where metered forms outlive the process; null: nowhere. */
  readonly forms: FormStore | null;
  readonly lookups: Counter;
}

/**
 * Compiled contracts by what they are made of, least recently used ones forgotten. Whether one is
 * cached shows in no receipt: gas does not depend on it.
 */
export class ContractCache {
  private readonly options: CacheOptions;
  private readonly known = new Map<string, PreparedContract>();

  constructor(options: CacheOptions) {
    invariant(options.capacity >= 1, "the cache holds at least one contract");
    this.options = options;
  }

  /** @throws VmError VM_STATE_CORRUPT when the state does not hold what was installed. */
  get(contract: InstalledContract, state: StateReader): PreparedContract {
    const { capacity, lookups } = this.options;
    const name = nameOf(contract);
    let prepared = this.known.get(name);
    if (prepared === undefined) {
      prepared = this.prepare(contract, state);
      const oldest = this.known.keys().next();
      if (this.known.size >= capacity && !oldest.done) this.known.delete(oldest.value);
    } else {
      lookups.add(1, { result: "cached" });
      this.known.delete(name);
    }
    this.known.set(name, prepared);
    return prepared;
  }

  private prepare(contract: InstalledContract, state: StateReader): PreparedContract {
    const { forms, lookups, reuseInstances } = this.options;
    const manifest = readManifest(contract, state);
    let metered = forms === null ? null : loadForm(forms, contract);
    lookups.add(1, { result: metered === null ? "compiled" : "restored" });
    if (metered === null) {
      metered = derive(contract, manifest, state);
      if (forms !== null) saveForm(forms, contract, metered);
    }
    return prepareContract(metered, manifest, reuseInstances);
  }
}

const names = new WeakMap<InstalledContract, string>();

/** Code and manifest decide everything; both are named by their digests. */
function nameOf(contract: InstalledContract): string {
  let name = names.get(contract);
  if (name === undefined) {
    name = textOfBytes(contract.codeDigest) + textOfBytes(contract.manifestDigest);
    names.set(contract, name);
  }
  return name;
}

function corrupt({ name, version }: InstalledContract, what: string): VmError {
  return new VmError("VM_STATE_CORRUPT", `contract ${name} ${version}: ${what}`);
}

function read(row: Row<Uint8Array>, state: StateReader): Uint8Array | null {
  const value = state.get(row.contract, row.key);
  return value === null ? null : decodeRow(row, value);
}

/** Stored bytes that are what their digest says. */
function authentic(
  contract: InstalledContract,
  what: "code" | "manifest",
  bytes: Uint8Array | null,
): Uint8Array {
  if (bytes === null) throw corrupt(contract, `${what} is missing`);
  const expected = what === "code" ? contract.codeDigest : contract.manifestDigest;
  if (!equalBytes(sm3(bytes), expected)) throw corrupt(contract, `${what} was altered`);
  return bytes;
}

function readManifest(contract: InstalledContract, state: StateReader): Manifest {
  const bytes = read(rows.manifest(contract.name, contract.version), state);
  const manifest = tryDecode(manifestCodec, authentic(contract, "manifest", bytes));
  if (!manifest.ok) throw corrupt(contract, "manifest");
  return manifest.value;
}

function derive(
  contract: InstalledContract,
  manifest: Manifest,
  state: StateReader,
): MeteredModule {
  const { codeDigest, codeBytes } = contract;
  const code = joinCode(codeDigest, codeBytes, (row) => read(row, state));
  const module = validateModule(authentic(contract, "code", code), manifest);
  if (!module.ok) throw corrupt(contract, module.code);
  return meterModule(
    module.value,
    manifest.methods.map(({ name }) => name),
  );
}
