import { allocate, isEqual32, Reader, Slice, StateMap } from "../sdk/index";
import { ACTIVE, CASE_HOLDS, loadStored, ON_HOLD, Stored } from "./record";
import { changeStatus } from "./standing";

/*
 * Several open cases may hold one credential. Each hold is counted by its case, so that the end of
 * one case lifts its own hold and nobody else's.
 */

/** Cases of one page, when all holds of a credential are lifted. */
const PAGE = 4;

function holdKey(target: usize, dispute: usize): Slice {
  return new StateMap(CASE_HOLDS).key(target, 32, dispute, 32);
}

/** Above the key of every case that holds the credential, below those of the next credential. */
function endKey(target: usize): Slice {
  const last = allocate(33);
  memory.fill(last, 0xff, 33);
  return new StateMap(CASE_HOLDS).key(target, 32, last, 33);
}

/** A page of the cases that hold the credential, at the first of its entries. */
@final
class Holders {
  count: i32;
  private reader: Reader;

  constructor(target: usize, limit: i32) {
    const from = new StateMap(CASE_HOLDS).key(target, 32);
    const page = StateMap.range(from, endKey(target), limit);
    this.reader = Reader.of(page, "CREDENTIAL_STATE_MALFORMED");
    this.reader.struct(2);
    this.count = <i32>this.reader.list(<u32>limit);
  }

  /** Id of the next case of the page. */
  next(): usize {
    this.reader.struct(2);
    this.reader.skip();
    return this.reader.bytes(32);
  }
}

/** An open case that holds the credential, or 0. */
function holderOf(target: usize): usize {
  const holders = new Holders(target, 1);
  return holders.count == 0 ? 0 : holders.next();
}

/** Whether an open case holds the credential, whatever its status says besides. */
export function isHeldByCase(target: usize): bool {
  return holderOf(target) != 0;
}

/** Lets a case hold a credential that can be held; `by` filed it. */
export function hold(target: Stored, dispute: usize, by: usize): void {
  if (target.status != ACTIVE && target.status != ON_HOLD) return;
  StateMap.put(holdKey(target.submission.id, dispute), new Slice(dispute, 32));
  if (target.status == ACTIVE) changeStatus(target, ON_HOLD, by, dispute, 0);
}

/** Ends the hold that gave a credential its status; another case's takes its place. */
export function liftHold(target: Stored, by: usize, reason: usize): void {
  const other = holderOf(target.submission.id);
  if (other == 0) changeStatus(target, ACTIVE, by, reason, 0);
  else changeStatus(target, ON_HOLD, by, other, 0);
}

/** Ends a case's hold of one credential, which other holds may outlive. */
export function liftCase(id: usize, dispute: usize, by: usize, reason: usize): void {
  StateMap.remove(holdKey(id, dispute));
  const found = loadStored(id);
  if (found === null) return;
  const target = <Stored>found;
  if (target.status != ON_HOLD || target.reason == 0) return;
  if (isEqual32(target.reason, dispute)) liftHold(target, by, reason);
}

/** Lifts whatever holds a credential: a regulator's release. */
export function liftAll(target: Stored, by: usize, reason: usize): void {
  const id = target.submission.id;
  let holders = new Holders(id, PAGE);
  while (holders.count > 0) {
    for (let i = 0; i < holders.count; i++) StateMap.remove(holdKey(id, holders.next()));
    holders = new Holders(id, PAGE);
  }
  changeStatus(target, ACTIVE, by, reason, 0);
}
