/**
 * The rules of blocks apart from any store: for a ledger that keeps state and blocks in another
 * way and must judge as this package's own does.
 *
 * ```ts
 * import { judgeBlock } from "@credlink/ledger/rules";
 *
 * const verdict = await judgeBlock(check, { parent, rules, replay, evidence, execute, ... });
 * ```
 */
export { isSameBody, LAST_HEIGHT_WITHOUT_HISTORY } from "./block-rules.ts";
export { candidateOf, encodeReceipts, netWrites } from "./execution.ts";
export { executionContext, historySigners } from "./execution-context.ts";
export { genesisHeader, validatorsOfGenesis } from "./opening.ts";
export { judgeBlock } from "./proposal-check.ts";
export { genesisCertificate, stateRowKey } from "./rows.ts";
export { type ParentTip, rosterAfter } from "./tip.ts";
export { blockOf } from "./tips.ts";
