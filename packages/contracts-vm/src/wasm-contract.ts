import { MAX_RETURN_BYTES, NeedsRange } from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import type { Call, RunCall } from "./call.ts";
import { ContractInstances } from "./contract-instances.ts";
import { VmError } from "./errors.ts";
import { instanceCost } from "./gas-schedule.ts";
import type { Manifest, MethodManifest } from "./manifest.ts";
import type { MeteredModule } from "./metered-module.ts";
import { Stop } from "./stop.ts";
import type { BoundInstance } from "./wasm/bound-instance.ts";
import { wasmEngine } from "./wasm/engine.ts";
import { fault } from "./wasm/helpers.ts";
import { STACK_LIMIT } from "./wasm/limits.ts";

/** A contract version that is ready to be called. */
export interface PreparedContract {
  readonly manifest: Manifest;
  readonly methods: ReadonlyMap<string, MethodManifest>;
  readonly instances: ContractInstances;
  /** Gas of a fresh instance. */
  readonly instanceGas: number;
}

/**
 * Compiles a module's metered form.
 * @param reuseInstances whether calls may share instances; shows in no outcome.
 */
export function prepareContract(
  metered: MeteredModule,
  manifest: Manifest,
  reuseInstances: boolean,
): PreparedContract {
  return {
    manifest,
    methods: new Map(manifest.methods.map((method) => [method.name, method])),
    instances: new ContractInstances(metered, new wasmEngine.Module(metered.form), reuseInstances),
    instanceGas:
      instanceCost.base +
      instanceCost.perPage * metered.initialPages +
      instanceCost.perEightBytes * Math.ceil(metered.dataBytes / 8),
  };
}

/**
 * Runs one method in an instance as good as fresh and returns what it returned.
 * @throws Stop with the status of a call that failed.
 * @throws NeedsRange when state must be loaded first.
 * @throws VmError VM_HOST_FAILURE when the machine, not the contract, failed.
 */
export function runWasmCall(contract: PreparedContract, call: Call, run: RunCall): Uint8Array {
  call.gas.charge(contract.instanceGas);
  const instance = contract.instances.take();
  const { bound, host } = instance;
  host.begin(call, { run, calls: contract.manifest.calls });
  bound.gas.value = BigInt(call.gas.remaining);
  bound.stack.value = call.stack;
  try {
    bound.method(call.method)();
  } catch (error) {
    throw endOf(error, bound, call);
  }
  call.gas.settle(Number(bound.gas.value));
  const returnValue = host.end();
  invariant(returnValue.length <= MAX_RETURN_BYTES, "the host limits return values");
  contract.instances.release(instance);
  return returnValue;
}

/** What a thrown value means; never by the text of an engine's message. */
function endOf(error: unknown, instance: BoundInstance, call: Call): unknown {
  if (error instanceof NeedsRange || error instanceof VmError) return error;
  if (error instanceof Stop) {
    // A refusal pays for all that ran before it: the module kept that count, not the meter.
    const left = Number(instance.gas.value);
    call.gas.settle(Math.max(0, Math.min(left, call.gas.remaining)));
    return error;
  }
  if (!(error instanceof wasmEngine.RuntimeError)) {
    return new VmError("VM_HOST_FAILURE", "the host failed inside a contract", { cause: error });
  }
  if (instance.fault.value === fault.host) {
    return new VmError("VM_HOST_FAILURE", "no memory for a contract", { cause: error });
  }
  const gas = Number(instance.gas.value);
  try {
    call.gas.settle(gas);
  } catch (outOfGas) {
    return outOfGas;
  }
  return new Stop(trapStatus(instance));
}

function trapStatus(instance: BoundInstance): string {
  if (instance.stack.value > STACK_LIMIT) return "VM_STACK_OVERFLOW";
  if (instance.fault.value === fault.unreachable) return "VM_TRAP_UNREACHABLE";
  if (instance.fault.value === fault.divide) return "VM_TRAP_DIVIDE";
  return "VM_TRAP_MEMORY";
}
