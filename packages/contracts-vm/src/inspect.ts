/**
 * The door for tools that look into modules and calls without being a node: scanners, debuggers.
 * Nothing here decides what a node accepts or charges; it is what those decisions are made of.
 */
export { builtInNames } from "./built-in/contract-code.ts";
export { type Call, type CallOutcome, contractIdentity, type RunCall } from "./call.ts";
export { CallRunner } from "./call-runner.ts";
export { ContractCache } from "./contract-cache.ts";
export { GasMeter } from "./gas-meter.ts";
export {
  dynamicCosts,
  FUNCTION_ENTRY_GAS,
  opcodeGas,
  SLOTS_PER_ENTRY_GAS,
} from "./gas-schedule.ts";
export { Host } from "./host.ts";
export { StateOverlay } from "./state-overlay.ts";
export { Stop } from "./stop.ts";
export type { BoundInstance } from "./wasm/bound-instance.ts";
export { ByteReader } from "./wasm/byte-reader.ts";
export {
  type HostFunction,
  type WasmImports,
  type WasmMemory,
  type WasmModuleHandle,
  wasmEngine,
} from "./wasm/engine.ts";
export { HOST_MODULE, type HostImport, hostTypes, isHostImport } from "./wasm/host-imports.ts";
export { InstructionReader } from "./wasm/instructions.ts";
export { FRAME_SLOTS, limits, STACK_LIMIT } from "./wasm/limits.ts";
export { type FunctionType, sectionId, type WasmModule } from "./wasm/module.ts";
export { ModuleRefused } from "./wasm/module-refused.ts";
export { bulkOp, EMPTY_BLOCK, endsBasicBlock, op } from "./wasm/opcodes.ts";
export { parseModule } from "./wasm/parse-module.ts";
export { maxOperandHeight } from "./wasm/stack-height.ts";
export { functionType, isSameType } from "./wasm/validate-module.ts";
