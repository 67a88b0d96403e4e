import { addressFromPublicKey, isValidPublicKey, sm2Verify } from "@credlink/crypto";
import {
  type BindKeyArgs,
  type EnrollIndividualsArgs,
  type EnrolmentOutcome,
  enrolledIndividualsCodec,
  enrolmentOutcomesCodec,
  type IndividualToEnroll,
  keyBindingMessage,
  type Member,
} from "@credlink/ledger";
import { type Address, encode, equalBytes } from "@credlink/primitives";
import { hostCosts } from "../gas-schedule.ts";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { MEMBER_KEY_TOPIC, takeKey } from "./member-keys.ts";
import { readMember, writeStatus } from "./member-status.ts";
import { memberEvent, rows } from "./rows.ts";

/** Topic of the event of individuals that were enrolled; data: `enrolledIndividualsCodec`. */
export const INDIVIDUALS_ENROLLED_TOPIC = "individuals";

/**
 * `members.enrollIndividuals`: members of role `individual` without a key, `verified` by the evidence
 * that comes with each. Who is there already is left as it is, so that a call sent again is harmless
 * and one row of many does not undo the others. The validity was judged.
 */
export function enrollIndividuals(args: EnrollIndividualsArgs, call: BuiltInCall): Uint8Array {
  const { individuals } = args;
  if (individuals.length === 0) refuseCall("MEMBERS_BATCH_EMPTY");
  const added: Address[] = [];
  const outcomes = individuals.map((individual) => {
    if (individual.evidence.length === 0) refuseCall("MEMBERS_EVIDENCE_MISSING");
    const known = outcomeOfKnown(individual, call);
    if (known !== null) return known;
    add(individual, args, call);
    added.push(individual.address);
    return "enrolled";
  });
  if (added.length > 0) {
    call.emit(INDIVIDUALS_ENROLLED_TOPIC, encode(enrolledIndividualsCodec, added));
  }
  return encode(enrolmentOutcomesCodec, outcomes);
}

/** Null when nobody has the address, and no member's later key gives it. */
function outcomeOfKnown(
  { address, evidence }: IndividualToEnroll,
  call: BuiltInCall,
): EnrolmentOutcome | null {
  const member = call.state.read(rows.member(address));
  if (member === null) {
    return call.state.read(rows.keyOwner(address)) === null ? null : "taken";
  }
  const isOwn = member.organization === call.caller.organization;
  if (!isOwn || member.role !== "individual") return "taken";
  const seen = call.state.read(rows.identity(address)) ?? [];
  const isSame = evidence.every(({ kind, digest }) =>
    seen.some((each) => each.kind === kind && equalBytes(each.digest, digest)),
  );
  return isSame ? "present" : "differs";
}

function add(
  { address, evidence }: IndividualToEnroll,
  { validFromMs, validToMs }: EnrollIndividualsArgs,
  call: BuiltInCall,
): void {
  const { address: verifier, organization } = call.caller;
  const member: Member = {
    address,
    organization,
    role: "individual",
    status: "verified",
    keys: [],
    certificateDigest: null,
    enrolledBy: verifier,
    validFromMs,
    validToMs,
  };
  const verifiedAtMs = call.block.timestampMs;
  call.state.write(rows.member(address), member);
  call.state.write(
    rows.identity(address),
    evidence.map((each) => ({ ...each, verifier, verifiedAtMs })),
  );
}

/**
 * `members.bindKey`: an individual's first key, from the next height on, and with it the individual
 * is active. Whoever brings it has no say: the enrolment key names the key, which proves itself.
 */
export function bindKey(args: BindKeyArgs, call: BuiltInCall): undefined {
  const { address, enrolmentKey, authorization, publicKey, possession } = args;
  const member = readMember(address, call);
  if (member.keys.length > 0) refuseCall("MEMBERS_KEY_BOUND");
  if (member.status !== "verified") refuseCall("MEMBERS_STATUS_STEP", `${member.status} to active`);
  if (member.validToMs <= call.block.timestampMs) refuseCall("MEMBERS_VALIDITY_INVALID");
  const isOwn =
    isValidPublicKey(enrolmentKey) && equalBytes(addressFromPublicKey(enrolmentKey), address);
  if (!isOwn) refuseCall("MEMBERS_BINDING_NOT_PROVEN", "another enrolment key");
  if (!isValidPublicKey(publicKey)) refuseCall("MEMBERS_KEY_INVALID");
  const message = keyBindingMessage(call.block.genesisDigest, { address, publicKey });
  call.gas.chargeFor(hostCosts.sm2Verify, message.length);
  if (!sm2Verify(enrolmentKey, message, authorization)) refuseCall("MEMBERS_BINDING_NOT_PROVEN");
  const bound = { ...takeKey(member, { publicKey, possession }, call), status: "active" } as const;
  writeStatus(bound, call);
  call.emit(MEMBER_KEY_TOPIC, memberEvent(bound));
}
