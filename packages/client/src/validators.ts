import {
  BUILT_IN_VERSION,
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

/** Gas of a change before its additions, and of each one's certificate, with room. */
const CHANGE_GAS = 2_000_000;
const ADDITION_GAS = 1_500_000;

/**
 * Adds and removes validators, two blocks on. Sender and co-signers must be admins of more than
 * half of the organisations; who is added is enrolled and has caught up.
 */
export function changeValidatorsCall(
  { add = [], remove = [] }: Partial<ChangeValidatorsArgs>,
  coSigners: readonly Identity[],
): Call {
  return {
    contract: VALIDATORS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "change",
    args: encode(changeValidatorsArgsCodec, { add, remove }),
    gasLimit: CHANGE_GAS + add.length * ADDITION_GAS,
    coSigners,
  };
}
