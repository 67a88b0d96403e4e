import { apiErrors } from "@credlink/api";
import { caErrors } from "@credlink/ca";
import { clientErrors } from "@credlink/client";
import { consensusErrors } from "@credlink/consensus-pbft";
import { contractToolsErrors } from "@credlink/contract-tools/errors";
import * as contracts from "@credlink/contracts";
import * as contractsVm from "@credlink/contracts-vm";
import { cryptoErrors } from "@credlink/crypto";
import { keysErrors } from "@credlink/keys";
import { ledgerErrors } from "@credlink/ledger";
import * as node from "@credlink/node";
import { type ErrorTable, primitivesErrors } from "@credlink/primitives";
import { cliErrors } from "./errors.ts";

/** The tables among a package's exports, by the name that the house gives them. */
function tablesOf(exports: Readonly<Record<string, unknown>>): readonly ErrorTable[] {
  return Object.entries(exports).flatMap(([name, value]) =>
    name.endsWith("Errors") && isErrorTable(value) ? [value] : [],
  );
}

function isErrorTable(value: unknown): value is ErrorTable {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every(
      (entry) => typeof entry === "object" && entry !== null && "remedy" in entry,
    )
  );
}

/** Every documented code: where the remedy of any expected failure is found. */
export const allErrorTables: readonly ErrorTable[] = [
  cliErrors,
  caErrors,
  contractToolsErrors,
  clientErrors,
  apiErrors,
  ledgerErrors,
  consensusErrors,
  cryptoErrors,
  keysErrors,
  primitivesErrors,
  ...tablesOf(contracts),
  ...tablesOf(contractsVm),
  ...tablesOf(node),
];
