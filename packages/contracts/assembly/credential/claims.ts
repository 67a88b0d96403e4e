import { allocate, demand, isEqual32, revert, Slice, StateMap } from "../sdk/index";
import { Parents } from "./parents";
import { INDEXES, Submission, USES } from "./record";
import {
  REFERENCE_ROWS,
  rowAllows,
  rowChild,
  rowRelation,
  rowUse,
  USE_ACCEPT,
  USE_APPEAL,
  USE_INVOICE,
  USE_NONE,
  USE_PAY,
  USE_SETTLE,
} from "./rules";

function useKey(use: i32, parent: usize): Slice {
  const tag = allocate(1);
  store<u8>(tag, <u8>use);
  return new StateMap(USES).key(tag, 1, parent, 32);
}

export function indexKey(keyId: u32, value: usize): Slice {
  const tag = allocate(4);
  store<u32>(tag, bswap<u32>(keyId));
  return new StateMap(INDEXES).key(tag, 4, value, 32);
}

function refuseUse(use: i32): void {
  if (use == USE_ACCEPT) revert("CREDENTIAL_ALREADY_ACCEPTED");
  if (use == USE_SETTLE) revert("CREDENTIAL_ALREADY_SETTLED");
  if (use == USE_PAY) revert("CREDENTIAL_ALREADY_PAID");
  if (use == USE_INVOICE) revert("CREDENTIAL_ALREADY_INVOICED");
  if (use == USE_APPEAL) revert("CREDENTIAL_ALREADY_APPEALED");
  revert("CREDENTIAL_ALREADY_TAXED");
}

/** Uses up the parents: an acceptance is settled once, a case appealed once. */
export function claimUses(submission: Submission, parents: Parents): void {
  const id = new Slice(submission.id, 32);
  for (let i = 0; i < parents.count; i++) {
    const use = rowUse(parents.rows[i]);
    if (use == USE_NONE) continue;
    const key = useKey(use, submission.parents[i]);
    if (StateMap.has(key)) refuseUse(use);
    StateMap.put(key, id);
  }
}

/** Takes the index values: an identifier belongs to one credential of the consortium. */
export function claimIndexes(submission: Submission): void {
  const id = new Slice(submission.id, 32);
  for (let i = 0; i < submission.indexCount; i++) {
    const key = indexKey(<u32>submission.indexKeys[i], submission.indexes[i]);
    demand(!StateMap.has(key), "CREDENTIAL_INDEX_DUPLICATE");
    StateMap.put(key, id);
  }
}

/** The use that a stored record made of its parents by this relation. */
function useOf(child: i32, relation: i32): i32 {
  for (let row = 0; row < REFERENCE_ROWS; row++) {
    if (rowChild(row) == child && rowRelation(row) == relation) return rowUse(row);
  }
  return USE_NONE;
}

/** Gives back what a record claimed, when it is revoked, corrected or reversed. */
export function releaseClaims(record: Submission, withIndexes: bool): void {
  for (let i = 0; i < record.parentCount; i++) {
    const use = useOf(record.type, record.relations[i]);
    if (use != USE_NONE) StateMap.remove(useKey(use, record.parents[i]));
  }
  if (!withIndexes) return;
  for (let i = 0; i < record.indexCount; i++) {
    const key = indexKey(<u32>record.indexKeys[i], record.indexes[i]);
    const holder = StateMap.get(key);
    if (holder !== null && isEqual32((<Slice>holder).pointer, record.id)) StateMap.remove(key);
  }
}

/** Refuses to take a record away from under a live credential that used it up. */
export function demandUnused(record: Submission): void {
  for (let row = 0; row < REFERENCE_ROWS; row++) {
    const use = rowUse(row);
    if (use == USE_NONE || !rowAllows(row, record.type)) continue;
    demand(!StateMap.has(useKey(use, record.id)), "CREDENTIAL_HAS_DEPENDENTS");
  }
}
