import {
  CONTROL_DOMAIN,
  CONTROL_VERSION,
  type ControlRequest,
  controlRequestCodec,
  MAX_CONTROL_BYTES,
  MAX_CONTROL_LIFETIME_MS,
} from "@credlink/api";
import { sm2Verify, taggedSm3 } from "@credlink/crypto";
import type { Member } from "@credlink/ledger";
import {
  accept,
  type Clock,
  type Digest,
  equalBytes,
  type PeerId,
  type Result,
  refuse,
  toHex,
  tryDecode,
} from "@credlink/primitives";
import type { ControlErrorCode } from "./errors.ts";

/** How far an administrator's clock may be ahead of the node's, milliseconds. */
export const MAX_CLOCK_SKEW_MS = 30_000;
/** Nonces remembered at once, all of them of admins and none longer than a request may live. */
export const MAX_NONCES = 4_096;

/** Nonces of requests that were judged, until they would be refused as expired anyway. */
export class ControlNonces {
  readonly #endsMs = new Map<string, number>();

  /** Takes a nonce for good; false when it is known. */
  take(nonce: Uint8Array, expiresAtMs: number): boolean {
    const key = toHex(nonce);
    if (this.#endsMs.has(key)) return false;
    this.#endsMs.set(key, expiresAtMs);
    return true;
  }

  /** Whether one more may be remembered, after those that have ended are forgotten. */
  hasRoom(nowMs: number): boolean {
    if (this.#endsMs.size < MAX_NONCES) return true;
    for (const [key, endsMs] of this.#endsMs) if (endsMs < nowMs) this.#endsMs.delete(key);
    return this.#endsMs.size < MAX_NONCES;
  }
}

/** What requests are judged against. */
export interface JudgeParts {
  readonly genesisDigest: Digest;
  readonly node: PeerId;
  /** Organisation of the node's certificate. */
  readonly organization: string;
  readonly clock: Clock;
  readonly nonces: ControlNonces;
}

/** Who calls, as the session and the committed registry know it. */
export interface ControlCaller {
  readonly member: Member;
  /** The key in force. */
  readonly publicKey: Uint8Array;
}

type Judged = Result<ControlRequest, ControlErrorCode>;

function judgeTime(request: ControlRequest, nowMs: number): ControlErrorCode | null {
  const lifetimeMs = request.expiresAtMs - request.issuedAtMs;
  const isOver = nowMs >= request.expiresAtMs;
  const isEarly = request.issuedAtMs > nowMs + MAX_CLOCK_SKEW_MS;
  const isLong = lifetimeMs <= 0 || lifetimeMs > MAX_CONTROL_LIFETIME_MS;
  return isOver || isEarly || isLong ? "NODE_CONTROL_EXPIRED" : null;
}

/**
 * Judges one request, in the order of cost: form, chain and node, signer, rights, time, signature, nonce.
 * Only a request that passes all else uses up its nonce.
 */
export function judgeRequest(
  parts: JudgeParts,
  caller: ControlCaller,
  bytes: Uint8Array,
  signature: Uint8Array,
): Judged {
  const decoded = tryDecode(controlRequestCodec, bytes, { maxBytes: MAX_CONTROL_BYTES });
  if (!decoded.ok) return refuse("NODE_CONTROL_MALFORMED", decoded.code);
  const request = decoded.value;
  if (request.version !== CONTROL_VERSION) return refuse("NODE_CONTROL_MALFORMED", "version");
  const isOurs =
    equalBytes(request.genesisDigest, parts.genesisDigest) && request.node === parts.node;
  if (!isOurs) return refuse("NODE_CONTROL_WRONG_NODE");
  const { member, publicKey } = caller;
  if (!equalBytes(request.admin, member.address)) return refuse("NODE_CONTROL_WRONG_SIGNER");
  const mayChange = member.role === "admin" && member.organization === parts.organization;
  if (!mayChange) return refuse("NODE_CONTROL_FORBIDDEN", `${member.role} ${member.organization}`);
  const nowMs = parts.clock.nowMs();
  const untimely = judgeTime(request, nowMs);
  if (untimely !== null) return refuse(untimely);
  const message = taggedSm3(CONTROL_DOMAIN, bytes);
  if (signature.length !== 64 || !sm2Verify(publicKey, message, signature)) {
    return refuse("NODE_CONTROL_SIGNATURE_INVALID");
  }
  if (!parts.nonces.hasRoom(nowMs)) return refuse("NODE_CONTROL_BUSY");
  if (!parts.nonces.take(request.nonce, request.expiresAtMs)) {
    return refuse("NODE_CONTROL_REPLAYED");
  }
  return accept(request);
}
