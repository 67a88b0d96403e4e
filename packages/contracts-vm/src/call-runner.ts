import { BUILT_IN_VERSION, MAX_RETURN_BYTES, type StateView } from "@credlink/ledger";
import { runBuiltInCall } from "./built-in/built-in.ts";
import { findBuiltIn } from "./built-in/registry.ts";
import { decodeRow, type Row, rememberDecoded } from "./built-in/row.ts";
import { type InstalledContract, rows } from "./built-in/rows.ts";
import { type Call, type CallOutcome, CONTRACT_ROLE, MAX_CALL_DEPTH } from "./call.ts";
import type { ContractCache } from "./contract-cache.ts";
import { hostCosts } from "./gas-schedule.ts";
import type { MethodManifest } from "./manifest.ts";
import { Stop } from "./stop.ts";
import { runWasmCall } from "./wasm-contract.ts";

/** Finds the contract that a call names, judges the call, and runs it. */
export class CallRunner {
  private readonly cache: ContractCache;

  constructor(cache: ContractCache) {
    this.cache = cache;
  }

  /** Runs a call to its end. Throws NeedsRange, or what is a fault of the node. */
  readonly run = (call: Call): CallOutcome => {
    try {
      const returnValue = this.dispatch(call);
      if (returnValue.length > MAX_RETURN_BYTES) throw new Stop("VM_RETURN_TOO_LARGE");
      return { ok: true, returnValue };
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { ok: false, status: error.status, detail: error.message };
    }
  };

  private dispatch(call: Call): Uint8Array {
    if (call.running.length >= MAX_CALL_DEPTH) throw new Stop("VM_CALL_TOO_DEEP");
    if (call.running.includes(call.contract)) throw new Stop("VM_CALL_REENTERED", call.contract);
    const builtIn = findBuiltIn(call.contract);
    if (builtIn === undefined) return this.runInstalled(call);
    if (call.version !== null && call.version !== BUILT_IN_VERSION) {
      throw new Stop("VM_VERSION_UNKNOWN", call.version);
    }
    if (isUnqueryable(call, builtIn.get(call.method)?.readOnly)) {
      throw new Stop("VM_METHOD_UNKNOWN", call.method);
    }
    return runBuiltInCall(builtIn, call);
  }

  private runInstalled(call: Call): Uint8Array {
    const installed = findStarted(call);
    const contract = this.cache.get(installed, call.state);
    const method = contract.methods.get(call.method);
    if (method === undefined || isUnqueryable(call, method.readOnly)) {
      throw new Stop("VM_METHOD_UNKNOWN", call.method);
    }
    if (!mayCall(method, call)) throw new Stop("VM_ACCESS_DENIED");
    const runs = method.readOnly && !call.readOnly ? { ...call, readOnly: true } : call;
    return runWasmCall(contract, runs, this.run);
  }
}

/** A query names a method that changes state. Calls inside one trap where they would write. */
function isUnqueryable(call: Call, isReadOnly: boolean | undefined): boolean {
  return call.readOnly && call.running.length === 0 && isReadOnly !== true;
}

/**
 * Members call by role. Contracts, which have none, call read-only methods, and those that name
 * no role: no member reaches these.
 */
function mayCall(method: MethodManifest, call: Call): boolean {
  if (call.caller.role === CONTRACT_ROLE) return method.readOnly || method.roles.length === 0;
  return method.roles.some((role) => role === call.caller.role);
}

function read<T>(row: Row<T>, call: Call): T | null {
  call.gas.charge(hostCosts.stateGet.base);
  const value = call.state.get(row.contract, row.key);
  return value === null ? null : decodeRow(row, value);
}

function findStarted(call: Call): InstalledContract {
  const { contract, version } = call;
  const wanted = version ?? startedVersion(call);
  const installed = readInstalled(contract, wanted, call);
  if (installed === null) {
    const isKnown = read(rows.contractVersions(contract), call) !== null;
    throw new Stop(isKnown ? "VM_VERSION_UNKNOWN" : "VM_CONTRACT_UNKNOWN", contract);
  }
  const refusal = refusalOf(installed);
  if (refusal === null || isReadable(installed, call)) return installed;
  throw new Stop(refusal, contract);
}

/** Why a version is not called as it stands, or null. */
function refusalOf({ state }: InstalledContract): string | null {
  if (state === "started") return null;
  return state === "frozen" ? "VM_CONTRACT_FROZEN" : "VM_CONTRACT_STOPPED";
}

/** A query may name a superseded version, as long as the one that followed it is started. */
function isReadable({ name, state }: InstalledContract, call: Call): boolean {
  if (state !== "superseded" || !call.readOnly || call.running.length > 0) return false;
  const running = readInstalled(name, startedVersion(call), call);
  const refusal = running === null ? "VM_CONTRACT_STOPPED" : refusalOf(running);
  if (refusal !== null) throw new Stop(refusal, name);
  return true;
}

const decodeInstalled = rememberDecoded((installed: InstalledContract) => installed);

/** Places of versions by contract and version; every call needs one, and few are ever named. */
const installedRows = new Map<string, Map<string, Row<InstalledContract>>>();
const MAX_REMEMBERED_NAMES = 256;

function installedRow(contract: string, version: string): Row<InstalledContract> {
  let known = installedRows.get(contract);
  if (known === undefined) {
    // Anybody may name contracts that do not exist: what is remembered has an end.
    if (installedRows.size >= MAX_REMEMBERED_NAMES) installedRows.clear();
    known = new Map();
    installedRows.set(contract, known);
  }
  let row = known.get(version);
  if (row === undefined) {
    if (known.size >= MAX_REMEMBERED_NAMES) known.clear();
    row = rows.installed(contract, version);
    known.set(version, row);
  }
  return row;
}

function readInstalled(contract: string, version: string, call: Call): InstalledContract | null {
  const row = installedRow(contract, version);
  call.gas.charge(hostCosts.stateGet.base);
  const value = call.state.get(row.contract, row.key);
  return value === null ? null : decodeInstalled(row, value);
}

/**
 * The status that a transaction's call would stop with for its contract and version alone, or
 * null: what `findStarted` says, without a call.
 */
export function judgeCallable(view: StateView, contract: string, version: string): string | null {
  if (findBuiltIn(contract) !== undefined)
    return version === BUILT_IN_VERSION ? null : "VM_VERSION_UNKNOWN";
  const row = installedRow(contract, version);
  const value = view.get(row.contract, row.key);
  if (value !== null) return refusalOf(decodeInstalled(row, value));
  const versions = rows.contractVersions(contract);
  const isKnown = view.get(versions.contract, versions.key) !== null;
  return isKnown ? "VM_VERSION_UNKNOWN" : "VM_CONTRACT_UNKNOWN";
}

function startedVersion(call: Call): string {
  const versions = read(rows.contractVersions(call.contract), call);
  if (versions === null) throw new Stop("VM_CONTRACT_UNKNOWN", call.contract);
  if (versions.started === null) throw new Stop("VM_CONTRACT_STOPPED", call.contract);
  return versions.started;
}
