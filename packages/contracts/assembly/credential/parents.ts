import { blockTimeMs, demand, isEqual32, revert, StateMap } from "../sdk/index";
import {
  ACTIVE,
  CLOSED,
  CORRECTED,
  loadStored,
  ON_HOLD,
  proposalKey,
  REVOKED,
  Stored,
  Submission,
} from "./record";
import {
  isArbitration,
  isBusiness,
  isIdentity,
  isRisk,
  isTransactionOrBill,
  REFERENCE_ROWS,
  rowAllows,
  rowChild,
  rowFewest,
  rowMost,
  rowRelation,
} from "./rules";
import {
  CONTRACT_SERVICE,
  GRANT_ACCESS,
  HOLDS,
  RELEASES,
  RISK_ACTION,
  TRANSACTION_ACCEPTANCE,
  TRANSACTION_TASK,
} from "./types";

/** Work is recorded at most this long after its contract's end: a month and its close. */
const RECORDING_GRACE_MS: i64 = 2_678_400_000;
/** Most records that one check walks up through: far above any real chain of contracts. */
const MAX_STANDING = 160;
/** Longest chain of corrections that is followed. */
const MAX_CORRECTIONS = 8;

/** The parents of a submission, loaded, each with its row in the table of references. */
@final
export class Parents {
  records: StaticArray<Stored>;
  rows: StaticArray<i32>;

  constructor(public count: i32) {
    this.records = new StaticArray<Stored>(count);
    this.rows = new StaticArray<i32>(count);
  }
}

/** A proposal is no credential yet: nothing may depend on it. */
function refuseMissing(id: usize): void {
  const isProposed = StateMap.has(proposalKey(id));
  revert(isProposed ? "CREDENTIAL_PARENT_PROPOSED" : "CREDENTIAL_PARENT_MISSING");
}

export function loadParents(submission: Submission): Parents {
  const count = submission.parentCount;
  const parents = new Parents(count);
  for (let i = 0; i < count; i++) {
    const stored = loadStored(submission.parents[i]);
    if (stored === null) refuseMissing(submission.parents[i]);
    parents.records[i] = <Stored>stored;
  }
  return parents;
}

/** Which row of the table lets this child refer to that parent in this way. */
function findRow(child: i32, relation: i32, parentType: i32): i32 {
  let isRelationKnown = false;
  for (let row = 0; row < REFERENCE_ROWS; row++) {
    if (rowChild(row) != child || rowRelation(row) != relation) continue;
    isRelationKnown = true;
    if (rowAllows(row, parentType)) return row;
  }
  if (isRelationKnown) revert("CREDENTIAL_PARENT_TYPE");
  revert("CREDENTIAL_PARENT_RELATION");
  return -1;
}

/** Every reference is one of the table, and as often as the table says. */
export function checkReferences(submission: Submission, parents: Parents): void {
  const child = submission.type;
  const counts = new StaticArray<i32>(REFERENCE_ROWS);
  let acts = 0;
  for (let i = 0; i < parents.count; i++) {
    const relation = submission.relations[i];
    const row = findRow(child, relation, parents.records[i].submission.type);
    parents.rows[i] = row;
    counts[row] += 1;
    if (relation == HOLDS || relation == RELEASES) acts++;
  }
  for (let row = 0; row < REFERENCE_ROWS; row++) {
    if (rowChild(row) != child) continue;
    demand(counts[row] >= rowFewest(row), "CREDENTIAL_PARENT_REQUIRED");
    demand(counts[row] <= rowMost(row), "CREDENTIAL_PARENTS_TOO_MANY");
  }
  if (child == RISK_ACTION) demand(acts > 0, "CREDENTIAL_PARENT_REQUIRED");
}

/** Status and order in time of each parent. Risk and disputes may be about any status. */
export function checkParentStates(submission: Submission, parents: Parents): void {
  const type = submission.type;
  for (let i = 0; i < parents.count; i++) {
    const parent = parents.records[i];
    if (!isRisk(type) && !isArbitration(type)) {
      demandUsable(parent);
      const until = parent.submission.validToMs;
      if (until >= 0 && type != GRANT_ACCESS) checkEnd(submission, parent.submission, until);
    }
    demand(
      submission.validFromMs >= parent.submission.validFromMs,
      "CREDENTIAL_TIME_INVERSION",
    );
  }
}

function demandUsable(record: Stored): void {
  const status = record.status;
  demand(status != REVOKED, "CREDENTIAL_PARENT_REVOKED");
  demand(status != ON_HOLD, "CREDENTIAL_PARENT_ON_HOLD");
  demand(status != CORRECTED && status != CLOSED, "CREDENTIAL_PARENT_CORRECTED");
}

/** What a parent's end of validity means for the child. */
function checkEnd(child: Submission, parent: Submission, until: i64): void {
  if (isIdentity(parent.type)) {
    demand(child.validFromMs < until && blockTimeMs() < until, "CREDENTIAL_PARENT_EXPIRED");
    return;
  }
  if (child.validFromMs >= until) revert("CREDENTIAL_OUTSIDE_CONTRACT_WINDOW");
  if (child.type == CONTRACT_SERVICE) {
    demand(blockTimeMs() < until, "CREDENTIAL_PARENT_EXPIRED");
    demand(child.validToMs <= until, "CREDENTIAL_OUTSIDE_CONTRACT_WINDOW");
  } else {
    demand(blockTimeMs() < until + RECORDING_GRACE_MS, "CREDENTIAL_PARENT_EXPIRED");
  }
}

/**
 * The service contract that a credential stands under: its parent, or the one that all its
 * parents share; 0 when they have several or none.
 */
export function contractOf(submission: Submission, parents: Parents): usize {
  if (!isTransactionOrBill(submission.type)) return 0;
  let contract: usize = 0;
  for (let i = 0; i < parents.count; i++) {
    const parent = parents.records[i];
    const next =
      parent.submission.type == CONTRACT_SERVICE ? parent.submission.id : parent.contract;
    if (next == 0) return 0;
    if (contract == 0) contract = next;
    else if (!isEqual32(contract, next)) return 0;
  }
  return contract;
}

/** Walks up from contracts to frameworks and identities: all must still stand. */
@final
export class StandingCheck {
  private seen: StaticArray<usize> = new StaticArray<usize>(MAX_STANDING);
  private count: i32 = 0;

  /** `atMs` is when the child happened; identities must have been valid then. */
  constructor(private atMs: i64, private isWork: bool) {}

  /** Whether the id is met for the first time. */
  private enter(id: usize): bool {
    for (let i = 0; i < this.count; i++) if (isEqual32(this.seen[i], id)) return false;
    demand(this.count < MAX_STANDING, "CREDENTIAL_PARENTS_TOO_MANY");
    this.seen[this.count] = id;
    this.count += 1;
    return true;
  }

  /** Work falls into the validity of its parties and contracts, and is recorded in time. */
  private checkWindow(above: Submission): void {
    const until = above.validToMs;
    if (isIdentity(above.type)) demand(this.atMs < until, "CREDENTIAL_PARENT_EXPIRED");
    else {
      demand(this.atMs < until, "CREDENTIAL_OUTSIDE_CONTRACT_WINDOW");
      demand(blockTimeMs() < until + RECORDING_GRACE_MS, "CREDENTIAL_PARENT_EXPIRED");
    }
  }

  visit(id: usize): void {
    if (!this.enter(id)) return;
    let found = loadStored(id);
    for (let i = 0; i < MAX_CORRECTIONS; i++) {
      if (found === null || (<Stored>found).status != CORRECTED) break;
      found = loadStored((<Stored>found).replacedBy);
    }
    if (found === null) revert("CREDENTIAL_PARENT_MISSING");
    const record = <Stored>found;
    if (record.status != ACTIVE) demandUsable(record);
    const submission = record.submission;
    if (this.isWork && submission.validToMs >= 0) this.checkWindow(submission);
    for (let i = 0; i < submission.parentCount; i++) this.visit(submission.parents[i]);
  }
}

/** A hold or revocation of a contract or of a party stops transactions and bills under it. */
export function checkStanding(submission: Submission, parents: Parents): void {
  const type = submission.type;
  if (!isBusiness(type)) return;
  const isWork = type == TRANSACTION_TASK || type == TRANSACTION_ACCEPTANCE;
  const check = new StandingCheck(submission.validFromMs, isWork || !isTransactionOrBill(type));
  for (let i = 0; i < parents.count; i++) {
    const parent = parents.records[i];
    if (parent.contract != 0) check.visit(parent.contract);
    else for (let j = 0; j < parent.submission.parentCount; j++) {
      if (!isTransactionOrBill(parent.submission.type)) check.visit(parent.submission.parents[j]);
    }
  }
}

/** What an institution or regulator may hold and release by a risk credential. */
export function checkActs(submission: Submission, parents: Parents, isRegulator: bool): void {
  if (!isRisk(submission.type)) return;
  for (let i = 0; i < parents.count; i++) {
    const relation = submission.relations[i];
    const target = parents.records[i];
    if (relation == HOLDS) {
      demand(target.status == ACTIVE, "CREDENTIAL_NOT_ACTIVE");
      demand(
        isRegulator || isEqual32(target.submission.issuer, submission.issuer),
        "CREDENTIAL_HOLD_FOREIGN",
      );
    } else if (relation == RELEASES) {
      demand(target.status == ON_HOLD, "CREDENTIAL_NOT_ON_HOLD");
      demand(
        isRegulator || isOwnHold(target, submission.issuer),
        "CREDENTIAL_HOLD_FOREIGN",
      );
    }
  }
}

/**
 * Whether that institution laid the hold by a risk credential. Who filed a case, or issued a
 * verdict for others, gave the status too, but the hold is not its own to lift.
 */
export function isOwnHold(target: Stored, institution: usize): bool {
  if (target.reason == 0 || !isEqual32(target.statusBy, institution)) return false;
  const found = loadStored(target.reason);
  return found !== null && isRisk((<Stored>found).submission.type);
}
