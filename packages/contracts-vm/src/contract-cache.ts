import { type Counter, invariant, tryDecode } from "@credlink/primitives";
import { joinCode } from "./built-in/contract-code.ts";
import { decodeRow, type Row } from "./built-in/row.ts";
import { type InstalledContract, rows } from "./built-in/rows.ts";
import { VmError } from "./errors.ts";
import { manifestCodec } from "./manifest.ts";
import { type StateReader, textOf } from "./state-overlay.ts";
import { validateModule } from "./wasm/validate-module.ts";
import { type PreparedContract, prepareContract } from "./wasm-contract.ts";

/**
 * Compiled contracts by what they are made of, least recently used ones forgotten. Whether one is
 * cached shows in no receipt: gas does not depend on it.
 */
export class ContractCache {
  private readonly capacity: number;
  private readonly lookups: Counter;
  private readonly reuseInstances: boolean;
  private readonly known = new Map<string, PreparedContract>();

  constructor(capacity: number, lookups: Counter, reuseInstances: boolean) {
    invariant(capacity >= 1, "the cache holds at least one contract");
    this.capacity = capacity;
    this.lookups = lookups;
    this.reuseInstances = reuseInstances;
  }

  /** @throws VmError VM_STATE_CORRUPT when the state does not hold what was installed. */
  get(contract: InstalledContract, state: StateReader): PreparedContract {
    const name = nameOf(contract);
    let prepared = this.known.get(name);
    this.lookups.add(1, { result: prepared === undefined ? "compiled" : "cached" });
    if (prepared === undefined) {
      prepared = load(contract, state, this.reuseInstances);
      const oldest = this.known.keys().next();
      if (this.known.size >= this.capacity && !oldest.done) this.known.delete(oldest.value);
    } else {
      this.known.delete(name);
    }
    this.known.set(name, prepared);
    return prepared;
  }
}

const names = new WeakMap<InstalledContract, string>();

/** Code and manifest decide everything; both are named by their digests. */
function nameOf(contract: InstalledContract): string {
  let name = names.get(contract);
  if (name === undefined) {
    name = textOf(contract.codeDigest) + textOf(contract.manifestDigest);
    names.set(contract, name);
  }
  return name;
}

function load(
  contract: InstalledContract,
  state: StateReader,
  reuseInstances: boolean,
): PreparedContract {
  const read = (row: Row<Uint8Array>): Uint8Array | null => {
    const value = state.get(row.contract, row.key);
    return value === null ? null : decodeRow(row, value);
  };
  const label = `contract ${contract.name} ${contract.version}`;
  const code = joinCode(contract.codeDigest, contract.codeBytes, read);
  const manifestBytes = read(rows.manifest(contract.name, contract.version));
  if (code === null || manifestBytes === null) {
    throw new VmError("VM_STATE_CORRUPT", `${label} is incomplete`);
  }
  const manifest = tryDecode(manifestCodec, manifestBytes);
  if (!manifest.ok) throw new VmError("VM_STATE_CORRUPT", `${label}: manifest`);
  const module = validateModule(code, manifest.value);
  if (!module.ok) throw new VmError("VM_STATE_CORRUPT", `${label}: ${module.code}`);
  return prepareContract(module.value, manifest.value, reuseInstances);
}
