import {
  CONTRACTS_CONTRACT,
  GOVERNANCE_CONTRACT,
  MEMBERS_CONTRACT,
  ORACLES_CONTRACT,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import type { BuiltInContract } from "./built-in.ts";
import { contractsContract } from "./contracts.ts";
import { governanceContract } from "./governance.ts";
import { membersContract } from "./members.ts";
import { oraclesContract } from "./oracles.ts";
import { parametersContract } from "./parameters.ts";
import { PARAMETERS_CONTRACT } from "./rows.ts";
import { validatorsContract } from "./validators.ts";

/** The built-in contract of a name. */
export function findBuiltIn(name: string): BuiltInContract | undefined {
  return builtIns.get(name);
}

const builtIns: ReadonlyMap<string, BuiltInContract> = new Map([
  [MEMBERS_CONTRACT, membersContract],
  [VALIDATORS_CONTRACT, validatorsContract],
  [CONTRACTS_CONTRACT, contractsContract],
  [PARAMETERS_CONTRACT, parametersContract],
  [ORACLES_CONTRACT, oraclesContract],
  [GOVERNANCE_CONTRACT, governanceContract(findBuiltIn)],
]);
