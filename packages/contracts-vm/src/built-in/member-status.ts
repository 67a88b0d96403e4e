import type { Member, SetMemberStatusArgs } from "@credlink/ledger";
import { equalBytes } from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { memberEvent, rows } from "./rows.ts";

/** Topic of the event of every change of a member's status; data: `memberEvent`. */
export const MEMBER_STATUS_TOPIC = "status";

/**
 * `members.setStatus`. An admin manages its own organisation's members, an institution those whom
 * it enrolled, a regulator suspends anybody and lifts suspensions by regulators.
 */
export function setMemberStatus(
  { address, status }: SetMemberStatusArgs,
  call: BuiltInCall,
): undefined {
  const member = call.state.read(rows.member(address));
  if (member === null) refuseCall("MEMBERS_NOT_FOUND");
  if (!mayManage(member, status, call)) refuseCall("MEMBERS_ROLE_FORBIDDEN");
  if (member.status === status) refuseCall("MEMBERS_STATUS_UNCHANGED");
  if (isFinal(member)) refuseCall("MEMBERS_STATUS_FINAL");
  const hold = rows.hold(address);
  const isRegulator = call.caller.role === "regulator";
  if (status === "active") {
    const isHeld = call.state.read(hold) !== null;
    if (isHeld !== isRegulator) {
      refuseCall(isHeld ? "MEMBERS_HELD_BY_REGULATOR" : "MEMBERS_ROLE_FORBIDDEN");
    }
    if (isHeld) call.state.write(hold, null);
  } else if (isRegulator) {
    call.state.write(hold, call.caller.address);
  }
  writeStatus({ ...member, status }, call);
}

/** Whether nothing leads out of the member's status. */
export function isFinal({ status }: Member): boolean {
  return status === "left" || status === "revoked";
}

/** Stores a member whose status changed, and says so. */
export function writeStatus(member: Member, call: BuiltInCall): void {
  call.state.write(rows.member(member.address), member);
  call.emit(MEMBER_STATUS_TOPIC, memberEvent(member));
}

function mayManage(member: Member, status: Member["status"], call: BuiltInCall): boolean {
  const { caller } = call;
  if (caller.role === "regulator") return status === "suspended" || status === "active";
  if (member.organization !== caller.organization) return false;
  if (caller.role === "admin") return true;
  return member.enrolledBy !== null && equalBytes(member.enrolledBy, caller.address);
}
