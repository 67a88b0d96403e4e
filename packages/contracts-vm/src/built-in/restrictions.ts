import {
  type BlockContext,
  type ContractTarget,
  isNodeRole,
  type Member,
  type MemberStatus,
  type MemberTarget,
  type SetContractFrozenArgs,
  type SetMemberStatusArgs,
} from "@credlink/ledger";
import { address, equalBytes, utf8, utf8ToText } from "@credlink/primitives";
import { NO_ADDRESS } from "../call.ts";
import type { StateOverlay } from "../state-overlay.ts";
import { readRules } from "./authority.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { isFinal, writeStatus } from "./member-status.ts";
import { actorsOfTransition } from "./member-transitions.ts";
import { readRow, writeRow } from "./row.ts";
import { MAX_RESTRICTIONS, type Restriction, rows } from "./rows.ts";

type Target = Pick<Restriction, "kind" | "target">;

/**
 * `governance.restrictMember`: suspends a member at once, for `restrictionMs`. Neither an admin nor
 * a node: less than a majority must not silence those who decide, nor stop the chain.
 */
export function restrictMember({ address: target }: MemberTarget, call: BuiltInCall): undefined {
  const member = memberOf(target, call);
  if (member.role === "admin" || isNodeRole(member.role)) refuseCall("GOVERNANCE_RESTRICTION");
  if (member.status !== "active") refuseCall("MEMBERS_STATUS_UNCHANGED", member.status);
  restrict({ kind: "member", target }, call);
  suspend(member, call);
}

/** `governance.restrictContract`: freezes the started version at once, for `restrictionMs`. */
export function restrictContract({ name }: ContractTarget, call: BuiltInCall): undefined {
  restrict({ kind: "contract", target: utf8(name) }, call);
  turnFrozen(name, true, call);
}

/**
 * `governance.setMemberStatus`, an ordinary decision: suspends until the next decision, revokes, or
 * lifts. It confirms or ends an emergency restriction of the same member. It makes nobody a member:
 * that takes evidence.
 */
export function decideMemberStatus(
  { address: target, status }: SetMemberStatusArgs,
  call: BuiltInCall,
): undefined {
  const member = memberOf(target, call);
  if (status === "left") refuseCall("MEMBERS_ROLE_FORBIDDEN", status);
  if (isFinal(member)) refuseCall("MEMBERS_STATUS_FINAL");
  const wasRestricted = endRestriction({ kind: "member", target }, call);
  if (status !== member.status) demandDecidable(member.status, status);
  else if (!wasRestricted) refuseCall("MEMBERS_STATUS_UNCHANGED");
  if (status === "suspended") {
    // Its peers would cut it off while it still counts for the quorum.
    if (isValidator(member, call)) refuseCall("GOVERNANCE_VALIDATOR");
    suspend(member, call);
  } else {
    call.state.write(rows.hold(target), null);
    writeStatus({ ...member, status }, call);
  }
}

/** Steps of the table of members, without those that lead up to the first activation. */
function demandDecidable(from: MemberStatus, to: MemberStatus): void {
  const isStep = actorsOfTransition(from, to) !== null;
  const leadsUp = to === "verified" || (to === "active" && from !== "suspended");
  if (!isStep || leadsUp) refuseCall("MEMBERS_STATUS_STEP", `${from} to ${to}`);
}

/** `governance.setContractFrozen`, an ordinary decision: as `decideMemberStatus`, of a contract. */
export function decideContractFrozen(
  { name, isFrozen }: SetContractFrozenArgs,
  call: BuiltInCall,
): undefined {
  const wasRestricted = endRestriction({ kind: "contract", target: utf8(name) }, call);
  if (!(wasRestricted && isFrozen)) turnFrozen(name, isFrozen, call);
}

function isValidator({ keys }: Member, call: BuiltInCall): boolean {
  const validators = call.state.read(rows.validators)?.validators ?? [];
  return validators.some((validator) =>
    keys.some(({ publicKey }) => equalBytes(publicKey, validator.publicKey)),
  );
}

function memberOf(target: Member["address"], call: BuiltInCall): Member {
  return call.state.read(rows.member(target)) ?? refuseCall("MEMBERS_NOT_FOUND");
}

/** Under a hold of nobody's: only a regulator or another decision lifts it. */
function suspend(member: Member, call: BuiltInCall): void {
  call.state.write(rows.hold(member.address), NO_ADDRESS);
  writeStatus({ ...member, status: "suspended" }, call);
}

function turnFrozen(name: string, isFrozen: boolean, call: BuiltInCall): void {
  const started = call.state.read(rows.contractVersions(name))?.started ?? null;
  if (started === null) refuseCall("CONTRACTS_NOT_STARTED");
  const row = rows.installed(name, started);
  const contract = call.state.read(row);
  if (contract === null) refuseCall("CONTRACTS_NOT_INSTALLED");
  if ((contract.state === "frozen") === isFrozen) {
    refuseCall(isFrozen ? "CONTRACTS_FROZEN" : "CONTRACTS_NOT_FROZEN");
  }
  call.state.write(row, { ...contract, state: isFrozen ? "frozen" : "started" });
}

function restrict(target: Target, call: BuiltInCall): void {
  const all = call.state.read(rows.restrictions) ?? [];
  // A restriction that ended stands for as long again, so that a minority does not renew it.
  if (all.some((each) => isSame(each, target))) refuseCall("GOVERNANCE_RESTRICTED_BEFORE");
  if (all.length >= MAX_RESTRICTIONS) refuseCall("GOVERNANCE_TOO_MANY_RESTRICTIONS");
  const { restrictionMs } = readRules(call.state);
  const untilMs = call.block.timestampMs + restrictionMs;
  const added = { ...target, isLifted: false, untilMs, forgottenMs: untilMs + restrictionMs };
  call.state.write(rows.restrictions, [...all, added]);
}

/** Whether there was a restriction that still held; it is over. */
function endRestriction(target: Target, call: BuiltInCall): boolean {
  const all = call.state.read(rows.restrictions) ?? [];
  const others = all.filter((each) => !isSame(each, target));
  if (others.length === all.length) return false;
  call.state.write(rows.restrictions, others);
  return all.some((each) => isSame(each, target) && !each.isLifted);
}

function isSame(one: Target, other: Target): boolean {
  return one.kind === other.kind && equalBytes(one.target, other.target);
}

/** At the end of a block: emergency restrictions that nobody confirmed in their time are lifted. */
export function liftRestrictions(state: StateOverlay, { timestampMs }: BlockContext): void {
  const all = readRow(state, rows.restrictions);
  if (all === null || all.length === 0) return;
  const kept: Restriction[] = [];
  let changed = false;
  for (const each of all) {
    const isDue = !each.isLifted && timestampMs >= each.untilMs;
    if (isDue) lift(each, state);
    if (timestampMs < each.forgottenMs) kept.push(isDue ? { ...each, isLifted: true } : each);
    changed ||= isDue || timestampMs >= each.forgottenMs;
  }
  if (changed) writeRow(state, rows.restrictions, kept);
}

/** What others made of the target meanwhile stays as it is. */
function lift({ kind, target }: Restriction, state: StateOverlay): void {
  if (kind === "contract") {
    const name = utf8ToText(target);
    const started = readRow(state, rows.contractVersions(name))?.started ?? null;
    const row = started === null ? null : rows.installed(name, started);
    const contract = row === null ? null : readRow(state, row);
    if (row !== null && contract?.state === "frozen") {
      writeRow(state, row, { ...contract, state: "started" });
    }
    return;
  }
  const row = rows.member(address(target));
  const hold = rows.hold(address(target));
  const member = readRow(state, row);
  const holder = readRow(state, hold);
  const isHeld = holder !== null && equalBytes(holder, NO_ADDRESS);
  if (member?.status !== "suspended" || !isHeld) return;
  writeRow(state, row, { ...member, status: "active" });
  writeRow(state, hold, null);
}
