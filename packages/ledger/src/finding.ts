import type { Height } from "@credlink/primitives";
import type { LedgerErrorCode } from "./errors.ts";
import type { Space } from "./store.ts";

/** One fault of a stored chain, and its place. */
export interface Finding {
  readonly code: LedgerErrorCode;
  readonly space: Space;
  /** The row's key as it is stored, or as it should be. */
  readonly key: Uint8Array;
  /** The block it belongs to, where the row belongs to one. */
  readonly height?: Height;
  /** Of a state value: its contract. */
  readonly contract?: string;
  /** Of a state value: its key in that contract. */
  readonly stateKey?: Uint8Array;
  /** For people. */
  readonly detail: string;
}
