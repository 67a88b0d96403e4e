import type { Member, SetMemberStatusArgs } from "@credlink/ledger";
import type { Address } from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { actorsFor, actorsOfTransition, isFinalStatus } from "./member-transitions.ts";
import { memberEvent, rows } from "./rows.ts";

/** Topic of the event of every change of a member's status; data: `memberEvent`. */
export const MEMBER_STATUS_TOPIC = "status";

/**
 * `members.setStatus`: one step of the table in member-transitions.ts. What a regulator suspended a
 * regulator alone resumes, and what others suspended it does not.
 */
export function setMemberStatus(
  { address, status }: SetMemberStatusArgs,
  call: BuiltInCall,
): undefined {
  const member = readMember(address, call);
  demandStep(member, status, call);
  if (status === "verified") refuseCall("MEMBERS_EVIDENCE_MISSING");
  const isActivation = member.status === "verified" && status === "active";
  if (isActivation && member.keys.length === 0) refuseCall("MEMBERS_KEY_MISSING");
  const hold = rows.hold(address);
  const isRegulator = call.caller.role === "regulator";
  if (member.status === "suspended" && status === "active") {
    const isHeld = call.state.read(hold) !== null;
    if (isHeld !== isRegulator) {
      refuseCall(isHeld ? "MEMBERS_HELD_BY_REGULATOR" : "MEMBERS_ROLE_FORBIDDEN");
    }
    if (isHeld) call.state.write(hold, null);
  } else if (status === "suspended" && isRegulator) {
    call.state.write(hold, call.caller.address);
  }
  writeStatus({ ...member, status }, call);
}

/** Ends the call unless there is such a step and the caller may make it. */
export function demandStep(member: Member, status: Member["status"], call: BuiltInCall): void {
  const actors = actorsFor(member, call.caller);
  if (actors.length === 0) refuseCall("MEMBERS_ROLE_FORBIDDEN");
  if (member.status === status) refuseCall("MEMBERS_STATUS_UNCHANGED");
  if (isFinal(member)) refuseCall("MEMBERS_STATUS_FINAL");
  const allowed = actorsOfTransition(member.status, status);
  if (allowed === null) {
    refuseCall("MEMBERS_STATUS_STEP", `${member.status} to ${status}`);
  }
  if (!actors.some((actor) => allowed.includes(actor))) refuseCall("MEMBERS_ROLE_FORBIDDEN");
}

/** The member, or the end of the call. */
export function readMember(address: Address, call: BuiltInCall): Member {
  return call.state.read(rows.member(address)) ?? refuseCall("MEMBERS_NOT_FOUND");
}

/** Whether nothing leads out of the member's status. */
export function isFinal({ status }: Member): boolean {
  return isFinalStatus(status);
}

/** Stores a member whose status changed, and says so. */
export function writeStatus(member: Member, call: BuiltInCall): void {
  call.state.write(rows.member(member.address), member);
  call.emit(MEMBER_STATUS_TOPIC, memberEvent(member));
}
