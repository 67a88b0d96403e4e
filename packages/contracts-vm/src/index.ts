/**
 * Runs contracts: WebAssembly modules that are validated and metered, and the built-in
 * registries, behind the ledger's `Executor` interface.
 *
 * ```ts
 * import { createExecutor } from "@credlink/contracts-vm";
 *
 * const executor = createExecutor();
 * const writes = executor.genesis(genesis); // the state of height 0
 * const { receipts } = await executor.execute(parentView, context, transactions);
 * ```
 */

export { isDeployableName, judgeDeployment } from "./built-in/contract-code.ts";
export { builtInErrors } from "./built-in/errors.ts";
export * from "./built-in/formats.ts";
export { CONTRACT_ROLE, type Identity, identitiesCodec, identityCodec } from "./call.ts";
export * from "./errors.ts";
export { createExecutor, type ExecutorOptions } from "./executor.ts";
export { GAS_SCHEDULE } from "./gas-schedule.ts";
export * from "./manifest.ts";
export type { FormStore } from "./metered-module.ts";
export * from "./metrics.ts";
export { instrumentModule } from "./wasm/instrument.ts";
export { validateModule } from "./wasm/validate-module.ts";
