import {
  type BlockContext,
  type DecisionClass,
  MAX_EVENT_BYTES,
  MAX_EVENTS,
  type MemberRole,
  type StateEntry,
  type StateRange,
} from "@credlink/ledger";
import { type Codec, encode, tryDecode } from "@credlink/primitives";
import { type Call, CONTRACT_ROLE, type Identity } from "../call.ts";
import type { GasMeter } from "../gas-meter.ts";
import { BUILT_IN_CALL_GAS, hostCosts } from "../gas-schedule.ts";
import type { StateOverlay } from "../state-overlay.ts";
import { Stop } from "../stop.ts";
import type { BuiltInErrorCode } from "./errors.ts";
import { decodeRow, type Row } from "./row.ts";

/** State as built-in contracts use it: charged like a WebAssembly contract's, but of any contract. */
export class ChargedState {
  private readonly state: StateOverlay;
  private readonly gas: GasMeter;
  private readonly readOnly: boolean;

  constructor(state: StateOverlay, gas: GasMeter, readOnly: boolean) {
    this.state = state;
    this.gas = gas;
    this.readOnly = readOnly;
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    this.gas.charge(hostCosts.stateGet.base);
    const value = this.state.get(contract, key);
    if (value !== null) this.gas.charge(hostCosts.stateGet.perByte * value.length);
    return value;
  }

  /** At most `limit` entries of a range, ascending. @throws NeedsRange */
  range(range: StateRange): readonly StateEntry[] {
    this.gas.charge(hostCosts.stateRange.base + hostCosts.rangeEntry.base * range.limit);
    const entries = this.state.range(range);
    for (const { key, value } of entries) {
      this.gas.charge(hostCosts.stateRange.perByte * (key.length + value.length));
    }
    return entries;
  }

  put(contract: string, key: Uint8Array, value: Uint8Array): void {
    if (this.readOnly) throw new Stop("VM_READ_ONLY");
    this.gas.chargeFor(hostCosts.statePut, key.length + value.length);
    this.state.set(contract, key, value);
  }

  delete(contract: string, key: Uint8Array): void {
    if (this.readOnly) throw new Stop("VM_READ_ONLY");
    this.gas.chargeFor(hostCosts.stateDelete, key.length);
    this.state.set(contract, key, null);
  }

  /** The row's value, or null. @throws VmError VM_STATE_CORRUPT when it does not decode. */
  read<T>(row: Row<T>): T | null {
    const value = this.get(row.contract, row.key);
    return value === null ? null : decodeRow(row, value);
  }

  write<T>(row: Row<T>, value: T): void {
    this.put(row.contract, row.key, encode(row.codec, value));
  }
}

/** What a method of a built-in contract is given. */
export interface BuiltInCall {
  readonly caller: Identity;
  readonly signers: readonly Identity[];
  readonly block: BlockContext;
  readonly gas: GasMeter;
  readonly state: ChargedState;
  emit(topic: string, data: Uint8Array): void;
}

/** One method: bytes in, bytes out. */
export interface BuiltInMethod {
  readonly readOnly: boolean;
  /** Roles that may call it; read-only methods are open to all, contracts included. */
  readonly roles: readonly MemberRole[];
  run(args: Uint8Array, call: BuiltInCall): Uint8Array;
  /** How a decision of the consortium carries it out; absent: no decision does. See `governed`. */
  readonly act?: GovernedAct;
}

/** What a proposal of governance may name. */
export interface GovernedAct {
  readonly decision: DecisionClass;
  /** Ends the call when the bytes are no arguments of the method. */
  check(args: Uint8Array): void;
  /** Carries it out: that it was decided, was judged before. */
  execute(args: Uint8Array, call: BuiltInCall): void;
}

export type BuiltInContract = ReadonlyMap<string, BuiltInMethod>;

export const NOTHING: Uint8Array = new Uint8Array(0);

/** Ends a built-in call with one of its own codes. */
export function refuseCall(code: BuiltInErrorCode, detail?: string): never {
  throw new Stop(code, detail);
}

/** A method that changes state, for members of `roles`. */
export function changing<T>(
  roles: readonly MemberRole[],
  args: Codec<T>,
  run: (args: T, call: BuiltInCall) => Uint8Array | undefined,
): BuiltInMethod {
  return {
    readOnly: false,
    roles,
    run: (bytes, call) => run(decodeArgs(args, bytes), call) ?? NOTHING,
  };
}

/** A read-only method, for everybody. */
export function reading<T>(
  args: Codec<T>,
  run: (args: T, call: BuiltInCall) => Uint8Array,
): BuiltInMethod {
  return { readOnly: true, roles: [], run: (bytes, call) => run(decodeArgs(args, bytes), call) };
}

/** @throws Stop VM_ARGUMENTS_MALFORMED */
export function decodeArgs<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const result = tryDecode(codec, bytes);
  if (!result.ok) throw new Stop("VM_ARGUMENTS_MALFORMED", result.detail);
  return result.value;
}

/** Runs one method of a built-in contract. @throws Stop with the status of a call that failed. */
export function runBuiltInCall(contract: BuiltInContract, call: Call): Uint8Array {
  call.gas.charge(BUILT_IN_CALL_GAS);
  const method = contract.get(call.method);
  if (method === undefined) throw new Stop("VM_METHOD_UNKNOWN", call.method);
  const isAllowed = method.readOnly || method.roles.some((role) => role === call.caller.role);
  if (!isAllowed || (call.caller.role === CONTRACT_ROLE && !method.readOnly)) {
    throw new Stop("VM_ACCESS_DENIED");
  }
  return method.run(call.args, builtInCall(call, call.readOnly || method.readOnly));
}

/** A call as methods see it, its events bounded with those of its transaction. */
export function builtInCall(call: Call, readOnly: boolean): BuiltInCall {
  return {
    caller: call.caller,
    signers: call.signers,
    block: call.block,
    gas: call.gas,
    state: new ChargedState(call.state, call.gas, readOnly),
    emit(topic, data) {
      if (data.length > MAX_EVENT_BYTES || call.eventsBefore + call.events.length >= MAX_EVENTS) {
        throw new Stop("VM_EVENT_LIMIT");
      }
      call.gas.chargeFor(hostCosts.event, data.length);
      call.events.push({ contract: call.contract, topic, data });
    },
  };
}
