import type { Member, MemberStatus } from "@credlink/ledger";
import { equalBytes } from "@credlink/primitives";
import type { Identity } from "../call.ts";

/**
 * As what a caller acts on a member: `admin` of its organisation, the `institution` that enrolled it,
 * any `regulator`, or the member `self`.
 */
export const memberActors = ["admin", "institution", "regulator", "self"] as const;
export type MemberActor = (typeof memberActors)[number];

const managers: readonly MemberActor[] = ["admin", "institution"];

/** Every change of status that there is, and who makes it. What is not here is refused. */
const transitions: Readonly<
  Record<MemberStatus, Readonly<Partial<Record<MemberStatus, readonly MemberActor[]>>>>
> = {
  // By `verify`, with evidence, alone.
  applied: { verified: managers, left: managers, revoked: managers },
  verified: { active: managers, left: managers, revoked: managers },
  active: {
    suspended: [...managers, "regulator"],
    left: [...managers, "self"],
    revoked: managers,
  },
  suspended: { active: [...managers, "regulator"], left: managers, revoked: managers },
  left: {},
  revoked: {},
};

/** Who leads a member from one status to another; null when nobody does. */
export function actorsOfTransition(
  from: MemberStatus,
  to: MemberStatus,
): readonly MemberActor[] | null {
  return transitions[from][to] ?? null;
}

/** Whether nothing leads out of the status. */
export function isFinalStatus(status: MemberStatus): boolean {
  return Object.keys(transitions[status]).length === 0;
}

/** As what the caller may act on the member; of several, each counts. */
export function actorsFor(member: Member, caller: Identity): readonly MemberActor[] {
  const isOwn = member.organization === caller.organization;
  const enrolled = member.enrolledBy !== null && equalBytes(member.enrolledBy, caller.address);
  const held: Readonly<Record<MemberActor, boolean>> = {
    admin: caller.role === "admin" && isOwn,
    institution: caller.role === "institution" && isOwn && enrolled,
    regulator: caller.role === "regulator",
    self: equalBytes(member.address, caller.address),
  };
  return memberActors.filter((actor) => held[actor]);
}
