import {
  AUDIT_DOMAIN,
  type AuditEntry,
  auditEntryCodec,
  CONTROL_DOMAIN,
  CONTROL_VERSION,
  type ControlAction,
  type ControlRequest,
  controlRequestCodec,
  type MethodResult,
} from "@credlink/api";
import { parseAddress, randomBytes, taggedSm3 } from "@credlink/crypto";
import { digest, encode, fromHex, toHex, tryDecode } from "@credlink/primitives";
import type { CallOptions, Client } from "./client.ts";
import { clientError } from "./errors.ts";
import type { Identity } from "./session.ts";

/** How long a request may be carried out after it was signed, milliseconds. */
export const CONTROL_LIFETIME_MS = 60_000;
/** How long a node may take to do what it is asked: stopping finishes what is being written. */
const ACT_MS = 30_000;

/** What one node is asked. */
export interface NodeRequest {
  /**
   * Peer id of the node that is meant, as the operator knows it: never one that the gateway told, which
   * could thereby have a request for another node signed.
   */
  readonly node: string;
  readonly action: ControlAction;
  /** Setting, for `config.…`. */
  readonly key?: string;
  /** JSON text of its value, for `config.set`. */
  readonly value?: string;
}

/** Builds and signs a request; good once, at that node, for `CONTROL_LIFETIME_MS`. */
export async function signNodeRequest(
  identity: Identity,
  genesisDigest: ControlRequest["genesisDigest"],
  request: NodeRequest,
  nowMs: number,
): Promise<{ readonly request: Uint8Array; readonly signature: Uint8Array }> {
  const bytes = encode(controlRequestCodec, {
    version: CONTROL_VERSION,
    genesisDigest,
    node: request.node,
    admin: identity.address,
    nonce: randomBytes(16),
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + CONTROL_LIFETIME_MS,
    action: request.action,
    key: request.key ?? "",
    value: request.value ?? "",
  });
  const signature = await identity.signer.sign(taggedSm3(CONTROL_DOMAIN, bytes));
  return { request: bytes, signature };
}

/**
 * Has a node changed, as an admin of its organisation. Sent once: a lost answer leaves open whether it
 * was done, and the node's audit log says so.
 * @throws ClientError CLIENT_KEY_MISSING; GatewayError NODE_CONTROL_…, NODE_SETTING_…, NODE_CONFIG_…
 */
export async function controlNode(
  client: Client,
  request: NodeRequest,
  options: CallOptions & { readonly nowMs?: () => number } = {},
): Promise<MethodResult<"node.control">> {
  const { identity, genesisDigest } = client;
  if (identity === undefined) throw clientError("CLIENT_KEY_MISSING", "no key was given");
  const nowMs = (options.nowMs ?? Date.now)();
  const signed = await signNodeRequest(identity, genesisDigest, request, nowMs);
  const params = { request: toHex(signed.request), signature: toHex(signed.signature) };
  const { signal } = options;
  const waits = signal === undefined ? {} : { signal };
  const answer = await client.call("node.control", params, { ...waits, extraTimeoutMs: ACT_MS });
  await client.keepReceipt(fromHex(answer.receipt), signed.request);
  return answer;
}

/** An entry of a node's audit log, read, with the request that it is about. */
export interface ReadAuditEntry extends AuditEntry {
  readonly hash: string;
  /** What was asked; null where it did not decode, or nothing was. */
  readonly asked: ControlRequest | null;
}

/**
 * Reads entries as `node.audit` answers them and recomputes each digest and link.
 * @throws ClientError CLIENT_RECORD_ALTERED: the log, or the answer, is not what the node wrote
 */
export function readAuditEntries(
  shown: MethodResult<"node.audit">["entries"],
): readonly ReadAuditEntry[] {
  const entries: ReadAuditEntry[] = [];
  for (const { hash, ...one } of shown) {
    const member = one.member === null ? null : parseAddress(one.member);
    if (member !== null && !member.ok) {
      throw clientError("CLIENT_RECORD_ALTERED", `entry ${one.sequence}: ${one.member}`);
    }
    const entry: AuditEntry = {
      ...one,
      member: member === null ? null : member.value,
      request: fromHex(one.request),
      signature: fromHex(one.signature),
      previous: digest(fromHex(one.previous)),
    };
    const isWhole = toHex(taggedSm3(AUDIT_DOMAIN, encode(auditEntryCodec, entry))) === hash;
    const before = entries.at(-1);
    const follows = before === undefined || one.previous === before.hash;
    if (!isWhole || !follows) {
      throw clientError("CLIENT_RECORD_ALTERED", `audit entry ${entry.sequence}`);
    }
    const asked = tryDecode(controlRequestCodec, entry.request);
    entries.push({ ...entry, hash, asked: asked.ok ? asked.value : null });
  }
  return entries;
}
