import { blockHeight } from "../sdk/index";
import { emitStatus } from "./events";
import { putStatus, Stored } from "./record";

/** Gives a credential another status, and says so. */
export function changeStatus(
  target: Stored,
  status: i32,
  by: usize,
  reason: usize,
  replacedBy: usize,
): void {
  putStatus(target, status, blockHeight(), by, reason, replacedBy);
  emitStatus(target.submission, status, by, replacedBy);
}
