import {
  BLOCKS_PROTOCOL,
  CLOCK_PROTOCOL,
  CONSENSUS_PROTOCOL,
  EVIDENCE_PROTOCOL,
  FETCH_PROTOCOL,
  HEAD_PROTOCOL,
  INSTANCE_PROTOCOL,
  PROPOSAL_PROTOCOL,
  STATUS_PROTOCOL,
  TRANSACTIONS_PROTOCOL,
} from "../engine/protocols.ts";
import type { NodeRole } from "./identity.ts";

/** Request and reply are empty: whether the peer still answers at all, and how fast. */
export const PING_PROTOCOL = "/credlink/ping/1";
/** Addresses of the nodes that a peer is connected to. */
export const PEERS_PROTOCOL = "/credlink/peers/1";

/** Who may open a protocol's streams to us, by the role of its certificate. */
export interface ProtocolAccess {
  readonly roles: readonly NodeRole[];
  /** Whether a peer that is admitted provisionally may, which brings a node up to date. */
  readonly provisional: boolean;
}

const EVERYBODY: readonly NodeRole[] = ["validator", "observer", "regulator-node"];
const VALIDATORS: readonly NodeRole[] = ["validator"];

/**
 * Every protocol between nodes. A validator that is in no list of validators may open what validators
 * may: that its votes count for nothing is judged message by message.
 * @see docs/protocol/network.md §4
 */
export const protocolAccess: Readonly<Record<string, ProtocolAccess>> = {
  [PING_PROTOCOL]: { roles: EVERYBODY, provisional: true },
  [STATUS_PROTOCOL]: { roles: EVERYBODY, provisional: true },
  [HEAD_PROTOCOL]: { roles: EVERYBODY, provisional: true },
  [BLOCKS_PROTOCOL]: { roles: EVERYBODY, provisional: true },
  [CLOCK_PROTOCOL]: { roles: EVERYBODY, provisional: false },
  [PEERS_PROTOCOL]: { roles: EVERYBODY, provisional: false },
  [TRANSACTIONS_PROTOCOL]: { roles: ["validator", "observer"], provisional: false },
  [FETCH_PROTOCOL]: { roles: VALIDATORS, provisional: false },
  [PROPOSAL_PROTOCOL]: { roles: VALIDATORS, provisional: false },
  [CONSENSUS_PROTOCOL]: { roles: VALIDATORS, provisional: false },
  [INSTANCE_PROTOCOL]: { roles: VALIDATORS, provisional: true },
  [EVIDENCE_PROTOCOL]: { roles: VALIDATORS, provisional: false },
};

/** Why a peer may not open a protocol's stream. */
export type AccessRefusal = "provisional" | "role";

/** Judges a stream that a peer opens to us; a protocol outside the table is open to full peers. */
export function judgeAccess(
  peer: { readonly role: string; readonly provisional: boolean },
  protocol: string,
): AccessRefusal | null {
  const access = protocolAccess[protocol];
  if (access === undefined) return peer.provisional ? "provisional" : null;
  if (!access.roles.some((role) => role === peer.role)) return "role";
  return peer.provisional && !access.provisional ? "provisional" : null;
}

/** Whether we may speak a protocol to a peer that we admitted. */
export function isOpenTo(peer: { readonly provisional: boolean }, protocol: string): boolean {
  return !peer.provisional || protocolAccess[protocol]?.provisional === true;
}

/** Protocols that a provisional peer may use: those that bring a node up to date. */
export const PROVISIONAL_PROTOCOLS: ReadonlySet<string> = new Set(
  Object.entries(protocolAccess).flatMap(([protocol, access]) =>
    access.provisional ? [protocol] : [],
  ),
);
