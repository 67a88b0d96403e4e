import { addressFromPublicKey } from "@credlink/crypto";
import {
  type ApplyArgs,
  identityCodec,
  MAX_IDENTITY_EVIDENCE,
  type Member,
  type VerifyMemberArgs,
} from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { takeKey } from "./member-keys.ts";
import { demandStep, readMember, writeStatus } from "./member-status.ts";
import { actorsFor } from "./member-transitions.ts";
import { rows } from "./rows.ts";

/** Topic of the event of evidence that was added; data: `identityCodec`, of what was added. */
export const MEMBER_IDENTITY_TOPIC = "identity";

/**
 * The record of somebody who applies under a key of its own, a point of the curve, which it proves as
 * any other key of a member: at place 0.
 */
export function applicantOf(args: ApplyArgs, call: BuiltInCall): Member {
  const { publicKey, possession, role, validFromMs, validToMs } = args;
  const { caller } = call;
  const blank: Member = {
    address: addressFromPublicKey(publicKey),
    organization: caller.organization,
    role,
    status: "applied",
    keys: [],
    certificateDigest: null,
    enrolledBy: caller.address,
    validFromMs,
    validToMs,
  };
  return takeKey(blank, { publicKey, possession }, call);
}

/**
 * `members.verify`: leads an applicant to `verified`; of a member that is verified or active already
 * it adds evidence, and leaves the status.
 */
export function verifyMember(
  { address, evidence }: VerifyMemberArgs,
  call: BuiltInCall,
): undefined {
  const member = readMember(address, call);
  if (evidence.length === 0) refuseCall("MEMBERS_EVIDENCE_MISSING");
  const isAgain = member.status === "verified" || member.status === "active";
  if (!isAgain) demandStep(member, "verified", call);
  const actors = actorsFor(member, call.caller);
  if (!actors.includes("admin") && !actors.includes("institution")) {
    refuseCall("MEMBERS_ROLE_FORBIDDEN");
  }
  const known = call.state.read(rows.identity(address)) ?? [];
  if (known.length + evidence.length > MAX_IDENTITY_EVIDENCE) refuseCall("MEMBERS_EVIDENCE_FULL");
  const verifier = call.caller.address;
  const verifiedAtMs = call.block.timestampMs;
  const added = evidence.map((each) => ({ ...each, verifier, verifiedAtMs }));
  call.state.write(rows.identity(address), [...known, ...added]);
  call.emit(MEMBER_IDENTITY_TOPIC, encode(identityCodec, added));
  if (!isAgain) writeStatus({ ...member, status: "verified" }, call);
}
