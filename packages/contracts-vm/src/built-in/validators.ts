import { faultBound, type Validator } from "@credlink/consensus-pbft";
import { addressFromPublicKey } from "@credlink/crypto";
import {
  ANCESTOR_WINDOW,
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  evidenceRange,
  type ListEvidenceArgs,
  listEvidenceArgsCodec,
  MAX_LISTED_EVIDENCE,
  MAX_SKIPPED_EVIDENCE,
  misbehaviourCodec,
  misbehaviourListCodec,
  type ReadyArgs,
  type RecoverArgs,
  readyArgsCodec,
  recoverArgsCodec,
  recoveredCodec,
  VALIDATOR_RECOVERED_TOPIC,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
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
import { Stop } from "../stop.ts";
import {
  type BuiltInCall,
  type BuiltInContract,
  changing,
  reading,
  refuseCall,
} from "./built-in.ts";
import { judgeCertificate } from "./certificates.ts";
import { governed } from "./governed.ts";
import { noArgsCodec } from "./members.ts";
import { decodeRow } from "./row.ts";
import { MAX_VALIDATORS, rows, type ValidatorRegistry, validatorListCodec } from "./rows.ts";

/** Fewest validators that tolerate a fault. */
export const MIN_VALIDATORS = 4;

/** Topic of the event of every change; data: `validatorsChangedCodec`. */
export const VALIDATORS_CHANGED_TOPIC = "changed";

/** Node ids that a change added and removed. */
export interface ValidatorsChanged {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}
export const validatorsChangedCodec: Codec<ValidatorsChanged> = struct({
  added: list(text(64), 16),
  removed: list(text(64), 16),
});

/** The registry of validators: after block h it names V(h + 2). */
export const validatorsContract: BuiltInContract = new Map([
  ["change", governed("ordinary", changeValidatorsArgsCodec, change)],
  ["ready", changing(["validator"], readyArgsCodec, ready)],
  [
    "list",
    reading(noArgsCodec, (_, call) => encode(validatorListCodec, readRegistry(call).validators)),
  ],
  ["recover", changing(["validator"], recoverArgsCodec, recover)],
  ["evidence", reading(listEvidenceArgsCodec, listEvidence)],
]);

/** Changes no state: that the nonce stands in a block, under the validator's signature, is all. */
function recover({ nonce }: RecoverArgs, call: BuiltInCall): undefined {
  const { address } = call.caller;
  const validator = readRegistry(call).validators.find(({ publicKey }) =>
    equalBytes(addressFromPublicKey(publicKey), address),
  );
  if (validator === undefined) return refuseCall("VALIDATORS_NOT_A_VALIDATOR");
  const { nodeId } = validator;
  call.emit(VALIDATOR_RECOVERED_TOPIC, encode(recoveredCodec, { nodeId, nonce }));
}

function listEvidence({ fromHeight, skip }: ListEvidenceArgs, call: BuiltInCall): Uint8Array {
  const skipped = Math.min(skip, MAX_SKIPPED_EVIDENCE);
  const entries = call.state.range({
    contract: VALIDATORS_CONTRACT,
    ...evidenceRange(fromHeight),
    limit: skipped + MAX_LISTED_EVIDENCE,
  });
  const listed = entries
    .slice(skipped)
    .map(({ key, value }) =>
      decodeRow({ contract: VALIDATORS_CONTRACT, key, codec: misbehaviourCodec }, value),
    );
  return encode(misbehaviourListCodec, listed);
}

function readRegistry(call: BuiltInCall): ValidatorRegistry {
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

function change(args: ChangeValidatorsArgs, call: BuiltInCall): undefined {
  const registry = readRegistry(call);
  if (registry.consensus === "solo") refuseCall("VALIDATORS_SOLO");
  // A node that gets another key is removed and added, and is one change.
  const count = new Set([...args.remove, ...args.add.map(({ nodeId }) => nodeId)]).size;
  if (count === 0) refuseCall("VALIDATORS_NOTHING_TO_DO");
  const left = changesLeft(registry, call.block.height) - count;
  if (left < 0) refuseCall("VALIDATORS_TOO_MANY_CHANGES");
  let validators = removeNamed(registry.validators, args.remove);
  for (const addition of args.add) {
    const publicKey = readyNode(addition, call);
    const { nodeId, peerId } = addition;
    const isKnown = validators.some(
      (one) =>
        one.nodeId === nodeId || one.peerId === peerId || equalBytes(one.publicKey, publicKey),
    );
    if (isKnown) refuseCall("VALIDATORS_DUPLICATE", nodeId);
    validators = [...validators, { nodeId, peerId, publicKey }];
  }
  if (validators.length > MAX_VALIDATORS) refuseCall("VALIDATORS_TOO_MANY");
  const least = registry.allowNonByzantine ? 1 : MIN_VALIDATORS;
  if (validators.length < least) refuseCall("VALIDATORS_TOO_FEW");
  call.state.write(rows.validators, {
    ...registry,
    validators,
    changedAt: call.block.height,
    changesLeft: left,
  });
  const added = args.add.map(({ nodeId }) => nodeId);
  const event = encode(validatorsChangedCodec, { added, removed: args.remove });
  call.emit(VALIDATORS_CHANGED_TOPIC, event);
}

function removeNamed(
  validators: readonly Validator[],
  names: readonly string[],
): readonly Validator[] {
  let left = validators;
  for (const name of names) {
    const kept = left.filter(({ nodeId }) => nodeId !== name);
    if (kept.length === left.length) refuseCall("VALIDATORS_UNKNOWN", name);
    left = kept;
  }
  return left;
}

/** A node proves that it has the chain up to a recent block, by that block's digest. */
function ready({ height, digest }: ReadyArgs, { block, state, caller }: BuiltInCall): undefined {
  const known = block.ancestorDigest(height);
  if (known === null || !equalBytes(known, digest)) refuseCall("VALIDATORS_READY_REFUSED");
  const before = state.read(rows.ready(caller.address));
  if (before === null || before < height) state.write(rows.ready(caller.address), height);
}

/** Judges a node's certificate and its readiness, and returns its key. */
function readyNode(addition: ChangeValidatorsArgs["add"][number], call: BuiltInCall): Uint8Array {
  const judged = judgeNode(addition.certificate, call);
  const { subject, subjectKey } = judged.certificate;
  if (judged.role !== "validator" || subject.commonName !== addition.nodeId) {
    refuseCall("VALIDATORS_CERTIFICATE", subject.commonName);
  }
  const address = addressFromPublicKey(subjectKey);
  const known = call.state.read(rows.member(address));
  if (known === null) refuseCall("VALIDATORS_NOT_READY", "no member");
  if (known.status !== "active" || known.role !== "validator") {
    refuseCall("VALIDATORS_CERTIFICATE", known.status);
  }
  const readyAt = call.state.read(rows.ready(address));
  if (readyAt === null || readyAt + ANCESTOR_WINDOW < call.block.height) {
    refuseCall("VALIDATORS_NOT_READY", `${readyAt}`);
  }
  return subjectKey;
}

function judgeNode(der: Uint8Array, call: BuiltInCall): ReturnType<typeof judgeCertificate> {
  try {
    return judgeCertificate(der, call);
  } catch (error) {
    if (error instanceof Stop && error.status.startsWith("MEMBERS_")) {
      refuseCall("VALIDATORS_CERTIFICATE", error.status);
    }
    throw error;
  }
}
