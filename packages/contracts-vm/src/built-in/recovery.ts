import {
  DEFAULT_RECOVERY_DELAY_MS,
  isAccount,
  isNodeRole,
  type ListRecoveriesArgs,
  MAX_LISTED_RECOVERIES,
  MAX_RECOVERY_DELAY_MS,
  MEMBERS_CONTRACT,
  type Member,
  MIN_RECOVERY_DELAY_MS,
  type ProposeRecoveryArgs,
  RECOVERY_OPEN_MS,
  type RecoveryTarget,
  recoveryCodec,
  recoveryKey,
  recoveryListCodec,
  type SetRecoveryDelayArgs,
} from "@credlink/ledger";
import {
  ADDRESS_BYTES,
  type Address,
  encode,
  address as toAddress,
  utf8,
} from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { judgeCertificate } from "./certificates.ts";
import { certify, demandNextKey, store, takeKey } from "./member-keys.ts";
import { readMember } from "./member-status.ts";
import { actorsFor } from "./member-transitions.ts";
import { emitRecovery, endRecovery } from "./recovery-rows.ts";
import { decodeRow } from "./row.ts";
import { rows } from "./rows.ts";

/** `members.proposeRecovery`: by an admin of the member's organisation, or who enrolled it. */
export function proposeRecovery(args: ProposeRecoveryArgs, call: BuiltInCall): undefined {
  const member = readRecoverable(args.address, call);
  const actors = actorsFor(member, call.caller);
  const manages = actors.includes("admin") || actors.includes("institution");
  // One admin must not take another's place: that is for the consortium.
  if (!manages || member.role === "admin") refuseCall("MEMBERS_ROLE_FORBIDDEN", member.role);
  open(member, args, call.caller.address, call);
}

/** `members.recoverAdmin`, an ordinary decision: of an organisation's admin. */
export function recoverAdmin(args: ProposeRecoveryArgs, call: BuiltInCall): undefined {
  const member = readRecoverable(args.address, call);
  if (member.role !== "admin") refuseCall("MEMBERS_ROLE_FORBIDDEN", member.role);
  open(member, args, null, call);
}

function open(
  member: Member,
  args: ProposeRecoveryArgs,
  proposedBy: Address | null,
  call: BuiltInCall,
): void {
  const { address } = member;
  const nowMs = call.block.timestampMs;
  const before = call.state.read(rows.recovery(address));
  if (before !== null && nowMs < before.untilMs) refuseCall("MEMBERS_RECOVERY_OPEN");
  demandNextKey(member, args, call);
  if (args.certificate !== null) judgeCertificate(args.certificate, call);
  const fromMs = nowMs + (call.state.read(rows.recoveryDelay) ?? DEFAULT_RECOVERY_DELAY_MS);
  const recovery = { ...args, proposedBy, fromMs, untilMs: fromMs + RECOVERY_OPEN_MS };
  call.state.write(rows.recovery(address), recovery);
  emitRecovery(recovery, "proposed", call);
}

/**
 * `members.cancelRecovery`: by the member itself under the key that it still has, by who manages it, or
 * by a regulator. A member that is suspended does not sign: so a thief does not hold a recovery up.
 */
export function cancelRecovery({ address }: RecoveryTarget, call: BuiltInCall): undefined {
  if (actorsFor(readMember(address, call), call.caller).length === 0) {
    refuseCall("MEMBERS_ROLE_FORBIDDEN");
  }
  if (!endRecovery(address, call)) refuseCall("MEMBERS_NO_RECOVERY");
}

/** `members.completeRecovery`, by anybody: what it does was said when it was proposed. */
export function completeRecovery({ address }: RecoveryTarget, call: BuiltInCall): undefined {
  const row = rows.recovery(address);
  const recovery = call.state.read(row) ?? refuseCall("MEMBERS_NO_RECOVERY");
  const nowMs = call.block.timestampMs;
  if (nowMs < recovery.fromMs) refuseCall("MEMBERS_RECOVERY_EARLY", `${recovery.fromMs}`);
  if (nowMs >= recovery.untilMs) refuseCall("MEMBERS_NO_RECOVERY", "it is over");
  const taken = takeKey(readRecoverable(address, call), recovery, call);
  const { certificate } = recovery;
  store(
    certificate === null ? taken : certify(taken, judgeCertificate(certificate, call), call),
    call,
  );
  call.state.delete(row.contract, row.key);
  emitRecovery(recovery, "completed", call);
}

/** `members.setRecoveryDelay`: of recoveries that are proposed from now on. */
export function setRecoveryDelay({ delayMs }: SetRecoveryDelayArgs, call: BuiltInCall): undefined {
  if (delayMs < MIN_RECOVERY_DELAY_MS || delayMs > MAX_RECOVERY_DELAY_MS) {
    refuseCall("MEMBERS_RECOVERY_DELAY", `${delayMs}`);
  }
  call.state.write(rows.recoveryDelay, delayMs);
}

/** `members.recoveries`, read-only: a page of rows; those that are over stand until they are replaced. */
export function listRecoveries({ from, limit }: ListRecoveriesArgs, call: BuiltInCall): Uint8Array {
  if (limit < 1 || limit > MAX_LISTED_RECOVERIES) refuseCall("MEMBERS_LIST_LIMIT", `${limit}`);
  const entries = call.state.range({
    contract: MEMBERS_CONTRACT,
    from: recoveryKey(from ?? FIRST_ADDRESS),
    to: AFTER_RECOVERIES,
    limit,
  });
  const recoveries = entries.map(({ key, value }) => {
    const read = decodeRow({ contract: MEMBERS_CONTRACT, key, codec: recoveryCodec }, value);
    const { address, publicKey, proposedBy, fromMs, untilMs } = read;
    return { address, publicKey, proposedBy, fromMs, untilMs };
  });
  return encode(recoveryListCodec, recoveries);
}

const FIRST_ADDRESS = toAddress(new Uint8Array(ADDRESS_BYTES));
/** "recovery" and the character after the slash. */
const AFTER_RECOVERIES = utf8("recovery0");

/** A person's member that was active once and may be again. */
function readRecoverable(address: Address, call: BuiltInCall): Member {
  const member = readMember(address, call);
  if (isNodeRole(member.role)) refuseCall("MEMBERS_ROLE_FORBIDDEN", member.role);
  const { status } = member;
  if (status !== "active" && status !== "suspended") refuseCall("MEMBERS_NOT_ACTIVE", status);
  if (isAccount(member)) refuseCall("MEMBERS_KEY_OF_ACCOUNT");
  return member;
}
