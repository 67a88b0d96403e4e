import { addressFromPublicKey } from "@credlink/crypto";
import { type Member, memberCodec } from "@credlink/ledger";
import { type Address, encode } from "@credlink/primitives";
import { type BuiltInCall, refuseCall } from "./built-in.ts";
import { type JudgedCertificate, memberOf } from "./certificates.ts";
import { isKnownKey, nextHeight, noteCertificate } from "./member-keys.ts";
import { rows } from "./rows.ts";

/** Topic of the event of every member that was added; data: `memberCodec`. */
export const MEMBER_ENROLLED_TOPIC = "enrolled";

/**
 * Adds a certificate's holder. Ends the call when the key or serial number is known.
 *
 * @param enrolledBy null: a decision of the consortium.
 */
export function addCertified(
  judged: JudgedCertificate,
  call: BuiltInCall,
  enrolledBy: Address | null,
): Address {
  const address = addressFromPublicKey(judged.certificate.subjectKey);
  addMember(memberOf(judged, { address, enrolledBy, fromHeight: nextHeight(call) }), call);
  noteCertificate(judged, address, call);
  return address;
}

/** Adds a member. Ends the call when its key is, or ever was, a member's. */
export function addMember(member: Member, call: BuiltInCall): void {
  const [key] = member.keys;
  if (key !== undefined && isKnownKey(key.publicKey, call)) refuseCall("MEMBERS_ALREADY_ENROLLED");
  call.state.write(rows.member(member.address), member);
  call.emit(MEMBER_ENROLLED_TOPIC, encode(memberCodec, member));
}
