import {
  type Address,
  addressCodec,
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  nullable,
  oneOf,
  struct,
  text,
  u53,
} from "@credlink/primitives";
import { MAX_CONTROL_BYTES } from "./control-request.ts";

/** Domain of the digest that links an entry of a node's audit log to the one before it. */
export const AUDIT_DOMAIN = "credlink/node-audit/1";

/**
 * `opened`: the node began to write; `refused`: a request was turned away; `accepted`: it is about
 * to be carried out; `done`, `failed`: how that ended.
 */
export const auditTypes = ["opened", "refused", "accepted", "done", "failed"] as const;
export type AuditType = (typeof auditTypes)[number];

/** One entry of a node's audit log. Its digest covers all of it, the entry before included. */
export interface AuditEntry {
  readonly sequence: number;
  readonly timeMs: number;
  readonly type: AuditType;
  /** For `done` and `failed`: the sequence of what was accepted. */
  readonly of: number | null;
  /** Who called; null for what the node did by itself. */
  readonly member: Address | null;
  /** Code of a refusal or failure; else empty. */
  readonly code: string;
  readonly detail: string;
  /** The canonical request as it came, and its signature. */
  readonly request: Uint8Array;
  readonly signature: Uint8Array;
  /** Requests of the same member that were turned away unread since its entry before. */
  readonly suppressed: number;
  /** Digest of the entry before; 32 zero bytes for the first one. */
  readonly previous: Digest;
}

/** Most bytes of an entry's detail. */
export const MAX_AUDIT_DETAIL_BYTES = 512;

export const auditEntryCodec: Codec<AuditEntry> = struct({
  sequence: u53,
  timeMs: u53,
  type: oneOf(...auditTypes),
  of: nullable(u53),
  member: nullable(addressCodec),
  code: text(64),
  detail: text(MAX_AUDIT_DETAIL_BYTES),
  request: bytesUpTo(MAX_CONTROL_BYTES),
  signature: bytesUpTo(64),
  suppressed: u53,
  previous: digestCodec,
});
