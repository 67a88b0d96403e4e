import type { Validator } from "@credlink/consensus-pbft";
import {
  ANCESTOR_WINDOW,
  type ChangeValidatorsArgs,
  changeValidatorsArgsCodec,
  evidenceRange,
  type ListEvidenceArgs,
  listEvidenceArgsCodec,
  MAX_LISTED_EVIDENCE,
  MAX_SKIPPED_EVIDENCE,
  memberKeyAt,
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
import { encode, equalBytes } from "@credlink/primitives";
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
import { readOwner } from "./key-owner.ts";
import { noArgsCodec } from "./members.ts";
import { decodeRow } from "./row.ts";
import { MAX_VALIDATORS, rows, validatorListCodec } from "./rows.ts";
import {
  changesLeft,
  readRegistry,
  VALIDATORS_CHANGED_TOPIC,
  validatorsChangedCodec,
} from "./validator-registry.ts";

/** Fewest validators that tolerate a fault. */
export const MIN_VALIDATORS = 4;

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
  const validator = readRegistry(call).validators.find(({ publicKey }) => {
    const owner = readOwner(publicKey, call);
    return owner !== null && equalBytes(owner.address, address);
  });
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
  const known = readOwner(subjectKey, call);
  if (known === null) refuseCall("VALIDATORS_NOT_READY", "no member");
  const present = memberKeyAt(known, call.block.height);
  if (present === null || !equalBytes(present, subjectKey)) {
    refuseCall("VALIDATORS_CERTIFICATE", "not the member's present key");
  }
  if (known.status !== "active" || known.role !== "validator") {
    refuseCall("VALIDATORS_CERTIFICATE", known.status);
  }
  const readyAt = call.state.read(rows.ready(known.address));
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
