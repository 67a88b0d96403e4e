import { blockTimeMs, call, isAscii, isEqual32, Reader, Slice, Writer } from "../sdk/index";
import { roleOf } from "./types";

const MEMBERS = "members";
/** Gas that one look into the member registry may take. */
const MEMBER_GAS: i64 = 200_000;
const MEMBER_MALFORMED = "CREDENTIAL_STATE_MALFORMED";

/** What the contract asks of the member registry. */
@final
export class Member {
  constructor(
    public role: i32,
    /** Active, and within its validity at this block. */
    public isActive: bool,
    private isRelationKey: bool,
    private enrolledBy: usize,
  ) {}

  /** A relation key has no certificate: the institution that registered it vouches for it. */
  isAttestedBy(institution: usize): bool {
    if (!this.isRelationKey) return true;
    return this.enrolledBy != 0 && isEqual32(this.enrolledBy, institution);
  }
}

/** Whether the registry's word for a status is the one that lets a key act. */
function isActiveStatus(status: Slice): bool {
  return isAscii(status.pointer, status.length, "active");
}

/** The member of that address, or null. */
export function findMember(address: usize): Member | null {
  const args = new Writer(40);
  args.list(1);
  args.bytes(address, 32);
  const result = call(MEMBERS, "get", args.slice(), MEMBER_GAS);
  if (!result.succeeded) return null;
  const reader = Reader.of(result.value, MEMBER_MALFORMED);
  reader.struct(9);
  reader.skip();
  reader.skip();
  const role = roleOf(reader.text(64));
  const isActive = isActiveStatus(reader.text(64));
  reader.skip();
  const certificate = reader.bytesOrNull(32);
  const enrolledBy = reader.bytesOrNull(32);
  const from = reader.u53();
  const to = reader.u53();
  const now = blockTimeMs();
  return new Member(role, isActive && now >= from && now < to, certificate == 0, enrolledBy);
}

/** Role of a member that may act at this block, or 0. */
export function activeRoleOf(address: usize): i32 {
  const member = findMember(address);
  return member !== null && (<Member>member).isActive ? (<Member>member).role : 0;
}
