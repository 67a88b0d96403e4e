import { VmError } from "./errors.ts";
import { Host } from "./host.ts";
import type { MeteredModule } from "./metered-module.ts";
import { type BoundInstance, bindInstance } from "./wasm/bound-instance.ts";
import { type WasmInstance, type WasmModuleHandle, wasmEngine } from "./wasm/engine.ts";
import { InstanceSnapshot } from "./wasm/instance-snapshot.ts";

/** An instance and the host that its imports reach. */
export interface ContractInstance {
  readonly host: Host;
  readonly bound: BoundInstance;
}

/**
 * Instances of one module. Outwardly every call sees a fresh one; where all that a call can
 * leave behind is restored, the instance of an earlier call is handed out again.
 *
 * Invariant: an idle instance cannot be told from a fresh one by the module's code.
 */
export class ContractInstances {
  private readonly module: WasmModuleHandle;
  private readonly mutableGlobals: readonly number[];
  private readonly isReused: boolean;
  private snapshot: InstanceSnapshot | null = null;
  private idle: ContractInstance | null = null;

  /** @param isReused false: every call gets an instance that was made for it. */
  constructor(module: MeteredModule, compiled: WasmModuleHandle, isReused: boolean) {
    this.module = compiled;
    this.mutableGlobals = module.mutableGlobals;
    this.isReused = isReused && module.isRestorable;
  }

  /** An instance for one call. @throws VmError VM_HOST_FAILURE where the machine has no memory. */
  take(): ContractInstance {
    const { idle } = this;
    if (idle !== null) {
      // Should the module be called again before this call ends, that call gets another one.
      this.idle = null;
      return idle;
    }
    const host = new Host();
    const bound = bindInstance(instantiate(this.module, host), this.mutableGlobals);
    host.attach(bound);
    if (this.isReused) this.snapshot ??= new InstanceSnapshot(bound);
    return { host, bound };
  }

  /** Takes back the instance of a call that returned; one that trapped must not come back. */
  release(instance: ContractInstance): void {
    if (this.snapshot?.restore(instance.bound)) this.idle = instance;
  }
}

function instantiate(module: WasmModuleHandle, host: Host): WasmInstance {
  try {
    return new wasmEngine.Instance(module, host.imports);
  } catch (error) {
    // Segments lie inside and imports fit, as validation made sure: only memory can be missing.
    throw new VmError("VM_HOST_FAILURE", "a contract cannot be instantiated", { cause: error });
  }
}
