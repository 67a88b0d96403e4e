import { faultBound } from "@credlink/consensus-pbft";
import {
  type Codec,
  encode,
  equalBytes,
  type Height,
  invariant,
  list,
  struct,
  text,
} from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { rows, type ValidatorRegistry } from "./rows.ts";

/** Topic of the event of every change; data: `validatorsChangedCodec`. */
export const VALIDATORS_CHANGED_TOPIC = "changed";

/** Node ids that a change added and removed; one with a new key is both. */
export interface ValidatorsChanged {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}
export const validatorsChangedCodec: Codec<ValidatorsChanged> = struct({
  added: list(text(64), 16),
  removed: list(text(64), 16),
});

/** The registry as the transactions before have left it. */
export function readRegistry(call: BuiltInCall): ValidatorRegistry {
  const registry = call.state.read(rows.validators);
  invariant(registry !== null, "genesis wrote the validators");
  return registry;
}

/**
 * How many changes a block still admits: max(1, f) of the list that stood before its first one,
 * or a list that grows or shrinks on the way would move its own limit.
 */
export function changesLeft(registry: ValidatorRegistry, height: Height): number {
  if (registry.changedAt === height) return registry.changesLeft;
  return Math.max(1, faultBound(registry.validators.length));
}

/**
 * Gives the validator that votes with `from`, if there is one, the key `to` from V(h + 2) on: one
 * change of the block's.
 *
 * @param nodeId common name of the certificate over `to`.
 */
export function replaceValidatorKey(
  { from, to, nodeId }: { readonly from: Uint8Array; readonly to: Uint8Array; nodeId: string },
  call: BuiltInCall,
): void {
  const registry = readRegistry(call);
  const held = registry.validators.find(({ publicKey }) => equalBytes(publicKey, from));
  if (held === undefined) return;
  if (registry.consensus === "solo") refuseCall("VALIDATORS_SOLO");
  if (held.nodeId !== nodeId) refuseCall("VALIDATORS_CERTIFICATE", nodeId);
  const left = changesLeft(registry, call.block.height) - 1;
  if (left < 0) refuseCall("VALIDATORS_TOO_MANY_CHANGES");
  call.state.write(rows.validators, {
    ...registry,
    validators: registry.validators.map((one) => (one === held ? { ...one, publicKey: to } : one)),
    changedAt: call.block.height,
    changesLeft: left,
  });
  const event: ValidatorsChanged = { added: [nodeId], removed: [nodeId] };
  call.emit(VALIDATORS_CHANGED_TOPIC, encode(validatorsChangedCodec, event));
}
