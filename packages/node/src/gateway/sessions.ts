import { sm2Verify, taggedSm3 } from "@credlink/crypto";
import type { Member } from "@credlink/ledger";
import { type Address, type Clock, fromHex, type Random, toHex } from "@credlink/primitives";
import type { ControlErrorCode } from "../control/errors.ts";
import { CallError, refuseCall } from "./errors.ts";

/** Domain of a login's signature. */
export const SESSION_DOMAIN = "credlink/session/1";
/** How long a challenge may be answered, milliseconds. */
export const CHALLENGE_MS = 60_000;
/** Challenges and tokens have 32 random bytes. */
const SECRET_BYTES = 32;
/** Most challenges open at once; the oldest is forgotten first. */
const MAX_CHALLENGES = 20_000;

/** A member that is logged in. */
export interface Caller {
  readonly address: Address;
  readonly member: Member;
  /** The key in force. */
  readonly publicKey: Uint8Array;
}

interface Challenge {
  readonly address: Address;
  readonly endsMs: number;
}

interface Session {
  readonly address: Address;
  /** The key that logged in: a rotation ends the session. */
  readonly publicKey: string;
  /** On the monotonic clock. */
  readonly endsMs: number;
}

/** What sessions need to know of the committed state. */
export interface MemberView {
  member(address: Address): Member | null;
  /** Height of the head. */
  height(): number;
  /** Time of the head, milliseconds. */
  timestampMs(): number;
}

function activeKey(member: Member, height: number): Uint8Array | undefined {
  return member.keys.findLast((key) => key.fromHeight <= height + 1)?.publicKey;
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}

/**
 * Sessions of members: opened by an SM2 signature over a fresh challenge, ended by time, by the
 * member losing its standing in the committed registry, or by a change of its key.
 */
export class Sessions {
  readonly #genesisDigest: Uint8Array;
  readonly #members: MemberView;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessionMs: number;
  readonly #maxSessions: () => number;
  readonly #judgeLogin: (member: Member) => ControlErrorCode | null;
  readonly #challenges = new Map<string, Challenge>();
  readonly #sessions = new Map<string, Session>();

  constructor(options: {
    readonly genesisDigest: Uint8Array;
    readonly members: MemberView;
    readonly clock: Clock;
    readonly random: Random;
    readonly sessionMs: number;
    /** Asked at every login. */
    readonly maxSessions: () => number;
    /** Why a member may not begin a session now; null: it may. */
    readonly judgeLogin: (member: Member) => ControlErrorCode | null;
  }) {
    this.#genesisDigest = options.genesisDigest;
    this.#members = options.members;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#sessionMs = options.sessionMs;
    this.#maxSessions = options.maxSessions;
    this.#judgeLogin = options.judgeLogin;
  }

  /** Sessions that were opened and not seen to end. */
  get size(): number {
    return this.#sessions.size;
  }

  /** A challenge for one address, whether or not there is such a member. */
  challenge(address: Address): { readonly challenge: string; readonly expiresInMs: number } {
    const challenge = toHex(this.#random.bytes(SECRET_BYTES));
    const endsMs = this.#clock.monotonicMs() + CHALLENGE_MS;
    this.#challenges.set(challenge, { address, endsMs });
    forgetOldest(this.#challenges, MAX_CHALLENGES);
    return { challenge, expiresInMs: CHALLENGE_MS };
  }

  /** @throws CallError API_CHALLENGE_UNKNOWN, API_MEMBER_…, API_SIGNATURE_INVALID, NODE_DRAINING */
  login(
    address: Address,
    challenge: string,
    signature: Uint8Array,
  ): { readonly token: string; readonly expiresAtMs: number } {
    const known = this.#challenges.get(challenge);
    // Used up by the first answer, right or wrong.
    this.#challenges.delete(challenge);
    const isOpen = known !== undefined && known.endsMs > this.#clock.monotonicMs();
    if (!isOpen || toHex(known.address) !== toHex(address)) {
      throw refuseCall("API_CHALLENGE_UNKNOWN");
    }
    const member = this.#activeMember(address);
    const publicKey = this.#keyOf(member);
    const message = taggedSm3(SESSION_DOMAIN, this.#genesisDigest, fromHex(challenge), address);
    if (!sm2Verify(publicKey, message, signature)) throw refuseCall("API_SIGNATURE_INVALID");
    const refusal = this.#judgeLogin(member);
    if (refusal !== null) throw new CallError(refusal, "no new sessions here");
    const token = toHex(this.#random.bytes(SECRET_BYTES));
    const endsMs = this.#clock.monotonicMs() + this.#sessionMs;
    this.#sessions.set(token, { address, publicKey: toHex(publicKey), endsMs });
    forgetOldest(this.#sessions, this.#maxSessions());
    return { token, expiresAtMs: this.#clock.nowMs() + this.#sessionMs };
  }

  /**
   * The member behind a token, as the committed state knows it now.
   * @throws CallError API_SESSION_REQUIRED, API_SESSION_ENDED, API_MEMBER_…
   */
  caller(token: string | undefined): Caller {
    if (token === undefined) throw refuseCall("API_SESSION_REQUIRED");
    const session = this.#sessions.get(token);
    if (session === undefined || session.endsMs <= this.#clock.monotonicMs()) {
      this.#sessions.delete(token);
      throw refuseCall("API_SESSION_ENDED");
    }
    const member = this.#activeMember(session.address);
    const publicKey = this.#keyOf(member);
    if (toHex(publicKey) !== session.publicKey) {
      this.#sessions.delete(token);
      throw refuseCall("API_SESSION_ENDED", "the member's key was changed");
    }
    return { address: session.address, member, publicKey };
  }

  #activeMember(address: Address): Member {
    const member = this.#members.member(address);
    if (member === null) throw refuseCall("API_MEMBER_UNKNOWN");
    const now = Math.max(this.#members.timestampMs(), this.#clock.nowMs());
    const isValid = member.validFromMs <= now && now < member.validToMs;
    if (member.status !== "active" || !isValid) throw refuseCall("API_MEMBER_INACTIVE");
    return member;
  }

  #keyOf(member: Member): Uint8Array {
    const key = activeKey(member, this.#members.height());
    if (key === undefined) throw refuseCall("API_MEMBER_INACTIVE", "no key is in force yet");
    return key;
  }
}
