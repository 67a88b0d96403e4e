import {
  RECOVERY_TOPIC,
  type Recovery,
  type RecoveryStep,
  recoveryEventCodec,
} from "@credlink/ledger";
import { type Address, encode } from "@credlink/primitives";
import type { BuiltInCall } from "./built-in.ts";
import { rows } from "./rows.ts";

/** Says a step of a recovery. */
export function emitRecovery(recovery: Recovery, step: RecoveryStep, call: BuiltInCall): void {
  const { address, publicKey, proposedBy, fromMs, untilMs } = recovery;
  const event = { step, address, publicKey, proposedBy, fromMs, untilMs };
  call.emit(RECOVERY_TOPIC, encode(recoveryEventCodec, event));
}

/** Ends a member's recovery if there is one, and says so. Returns whether there was. */
export function endRecovery(address: Address, call: BuiltInCall): boolean {
  const row = rows.recovery(address);
  const recovery = call.state.read(row);
  if (recovery === null) return false;
  call.state.delete(row.contract, row.key);
  emitRecovery(recovery, "cancelled", call);
  return true;
}
