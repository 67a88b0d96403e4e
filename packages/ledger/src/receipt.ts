import {
  bytesUpTo,
  type Codec,
  type Digest,
  digestCodec,
  list,
  struct,
  text,
  u53,
} from "@credlink/primitives";

/** Status code of a transaction that took effect. Every other code means: nothing changed. */
export const SUCCESS = "SUCCESS";

export const MAX_EVENTS = 64;
export const MAX_EVENT_BYTES = 4 * 1024;
export const MAX_RETURN_BYTES = 16 * 1024;

export interface Event {
  /** The contract that emitted it. */
  readonly contract: string;
  readonly topic: string;
  readonly data: Uint8Array;
}

export interface Receipt {
  readonly transactionId: Digest;
  /** `SUCCESS`, a VM_… code, or the contract's own refusal code. */
  readonly status: string;
  readonly gasUsed: number;
  readonly contractVersion: string;
  /** Canonical bytes that the method returned; empty unless `SUCCESS`. */
  readonly returnValue: Uint8Array;
  /** Empty unless `SUCCESS`. */
  readonly events: readonly Event[];
}

export const eventCodec: Codec<Event> = struct({
  contract: text(64),
  topic: text(64),
  data: bytesUpTo(MAX_EVENT_BYTES),
});

export const receiptCodec: Codec<Receipt> = struct({
  transactionId: digestCodec,
  status: text(64),
  gasUsed: u53,
  contractVersion: text(32),
  returnValue: bytesUpTo(MAX_RETURN_BYTES),
  events: list(eventCodec, MAX_EVENTS),
});
