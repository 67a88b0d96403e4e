import {
  MAX_BLOCK_BYTES,
  MAX_BLOCK_TRANSACTIONS,
  MAX_TRANSACTION_BYTES,
  type Parameters,
  setParametersArgsCodec,
} from "@credlink/ledger";
import { type BuiltInContract, reading, refuseCall } from "./built-in.ts";
import { governed } from "./governed.ts";
import { noArgsCodec } from "./members.ts";
import { rows } from "./rows.ts";

/** Least gas of a transaction: below it parameters could no longer be changed back. */
export const MIN_TRANSACTION_GAS_LIMIT = 5_000_000;
const DAY_MS = 24 * 3600 * 1000;

/** The consensus-critical parameters; a change counts from the next block on. */
export const parametersContract: BuiltInContract = new Map([
  [
    "set",
    governed("ordinary", setParametersArgsCodec, ({ parameters }, call) => {
      const problem = parametersProblem(parameters);
      if (problem !== null) refuseCall("PARAMETERS_INVALID", problem);
      call.state.write(rows.parameters, parameters);
      return undefined;
    }),
  ],
  [
    "get",
    reading(noArgsCodec, (_, call) => {
      const { contract, key } = rows.parameters;
      return call.state.get(contract, key) ?? refuseCall("PARAMETERS_INVALID");
    }),
  ],
]);

/** Which parameter is outside its bounds, or null. */
export function parametersProblem(parameters: Parameters): string | null {
  const bounds: Readonly<Record<keyof Parameters, readonly [least: number, most: number]>> = {
    blockGasLimit: [parameters.transactionGasLimit, 2 ** 50],
    transactionGasLimit: [MIN_TRANSACTION_GAS_LIMIT, 2 ** 50],
    maxBlockTransactions: [1, MAX_BLOCK_TRANSACTIONS],
    maxBlockBytes: [MAX_TRANSACTION_BYTES, MAX_BLOCK_BYTES],
    minBlockIntervalMs: [0, DAY_MS],
    emptyBlockIntervalMs: [0, DAY_MS],
    precisionMs: [1, DAY_MS],
    messageDelayMs: [1, DAY_MS],
    contractStateEntries: [1, 2 ** 50],
    contractStateBytes: [1, 2 ** 50],
  };
  for (const [name, [least, most]] of Object.entries(bounds)) {
    const value = Object.entries(parameters).find(([key]) => key === name)?.[1];
    if (value === undefined || value < least || value > most) return name;
  }
  return null;
}
