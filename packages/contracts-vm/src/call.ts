import type { BlockContext, Event } from "@credlink/ledger";
import {
  ADDRESS_BYTES,
  type Address,
  address,
  addressCodec,
  type Codec,
  list,
  struct,
  text,
} from "@credlink/primitives";
import type { GasMeter } from "./gas-meter.ts";
import type { StateOverlay } from "./state-overlay.ts";

/** Who calls or signs, as contracts see it. */
export interface Identity {
  readonly address: Address;
  /** A member's role, or `contract`. */
  readonly role: string;
  /** A member's organisation, or the calling contract's name. */
  readonly organization: string;
}

/** What the host functions `caller` and `signers` hand over. */
export const identityCodec: Codec<Identity> = struct({
  address: addressCodec,
  role: text(64),
  organization: text(64),
});
export const identitiesCodec: Codec<readonly Identity[]> = list(identityCodec, 64);

/** Role of a contract that calls another. */
export const CONTRACT_ROLE = "contract";

/** Address of whoever is no member: contracts that call, and holds that decisions set. */
export const NO_ADDRESS: Address = address(new Uint8Array(ADDRESS_BYTES));

/** The identity under which a contract calls: no address, no member's role. */
export function contractIdentity(name: string): Identity {
  return {
    address: NO_ADDRESS,
    role: CONTRACT_ROLE,
    organization: name,
  };
}

/** Deepest chain of contract calls, the transaction's own call being the first. */
export const MAX_CALL_DEPTH = 8;

/** One call of one method: by a transaction, a query or another contract. */
export interface Call {
  readonly contract: string;
  /** Null: the version that is started. */
  readonly version: string | null;
  readonly method: string;
  readonly args: Uint8Array;
  readonly caller: Identity;
  /** All signers of the transaction; empty in calls between contracts. */
  readonly signers: readonly Identity[];
  readonly block: BlockContext;
  readonly gas: GasMeter;
  /** Changes of this call alone; dropped when it fails. */
  readonly state: StateOverlay;
  /** Events of this call alone; dropped when it fails. */
  readonly events: Event[];
  /** Events that earlier calls of the transaction emitted and that still stand. */
  readonly eventsBefore: number;
  /** Nothing may be written, whatever the method says. */
  readonly readOnly: boolean;
  /** Contracts that are running, outermost first; this one not included. */
  readonly running: readonly string[];
  /** Values that the running calls of WebAssembly hold. */
  readonly stack: number;
}

/** How a call ended: with the returned bytes, or with a status and nothing kept. */
export type CallOutcome =
  | { readonly ok: true; readonly returnValue: Uint8Array }
  | { readonly ok: false; readonly status: string; readonly detail: string };

/** Runs a call to its end. Throws only what no receipt may show. */
export type RunCall = (call: Call) => CallOutcome;
