import { blockTimeMs, demand, isEqual32, revert } from "../sdk/index";
import { FORMAT, Submission } from "./record";
import { checkSchema } from "./schemas";
import {
  amountsOf,
  fewestIndexesOf,
  isContract,
  issuersOf,
  mostIndexesOf,
} from "./rules";
import {
  ARBITRATION_CASE,
  CONTRACT_FRAMEWORK,
  GRANT_ACCESS,
  RISK_ASSESSMENT,
  TRANSACTION_ACCEPTANCE,
  TRANSACTION_SETTLEMENT,
  TRANSACTION_TASK,
} from "./types";

/** What happened is dated at most this far beyond the block: clocks of issuers differ. */
const CLOCK_TOLERANCE_MS: i64 = 300_000;

function subjectCountOf(type: i32): i32 {
  if (type == GRANT_ACCESS) return 1;
  if (type >= RISK_ASSESSMENT && type != ARBITRATION_CASE) return 0;
  return type == ARBITRATION_CASE ||
    type == TRANSACTION_TASK ||
    type == TRANSACTION_ACCEPTANCE ||
    type == TRANSACTION_SETTLEMENT
    ? 2
    : 1;
}

/** What can be judged by the submission alone. */
export function checkForm(record: Submission): void {
  const type = record.type;
  demand(record.format == FORMAT, "CREDENTIAL_FORMAT_VERSION");
  demand(type >= 0, "CREDENTIAL_TYPE_UNKNOWN");
  checkSchema(record);
  demand(record.amountCount == amountsOf(type), "CREDENTIAL_AMOUNT_COUNT");
  const hasTerms = type >= ARBITRATION_CASE;
  demand((record.terms !== null) == hasTerms, "CREDENTIAL_TERMS");
  demand(record.subjectCount == subjectCountOf(type), "CREDENTIAL_SUBJECT_COUNT");
  demand(
    record.indexCount >= fewestIndexesOf(type) && record.indexCount <= mostIndexesOf(type),
    "CREDENTIAL_INDEX_COUNT",
  );
  const to = record.validToMs;
  demand(to < 0 || to > record.validFromMs, "CREDENTIAL_VALIDITY");
  if (isContract(type) || type == GRANT_ACCESS) demand(to >= 0, "CREDENTIAL_VALIDITY");
  else if (type > CONTRACT_FRAMEWORK) {
    demand(
      record.validFromMs <= blockTimeMs() + CLOCK_TOLERANCE_MS,
      "CREDENTIAL_TIME_IN_FUTURE",
    );
  }
  for (let i = 0; i < record.parentCount; i++) {
    const parent = record.parents[i];
    demand(record.relations[i] >= 0, "CREDENTIAL_PARENT_RELATION");
    demand(!isEqual32(parent, record.id), "CREDENTIAL_CYCLE");
    for (let j = 0; j < i; j++) {
      if (isEqual32(record.parents[j], parent)) revert("CREDENTIAL_PARENT_REPEATED");
    }
  }
}

/** Whether that role may issue this type. */
export function checkIssuerRole(type: i32, role: i32): void {
  demand((issuersOf(type) & role) != 0, "CREDENTIAL_ISSUER_UNAUTHORISED");
}
