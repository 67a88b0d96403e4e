import {
  type Address,
  addressCodec,
  bytes,
  type Codec,
  type Digest,
  digestCodec,
  oneOf,
  struct,
  text,
  u32,
  u53,
} from "@credlink/primitives";

/** Domain of an administrator's signature on a request that changes a node. */
export const CONTROL_DOMAIN = "credlink/node-control/1";
/** Version of the request's form. */
export const CONTROL_VERSION = 1;
/** Longest time between a request's making and its end, milliseconds. */
export const MAX_CONTROL_LIFETIME_MS = 300_000;
/** Most bytes of a canonical request. */
export const MAX_CONTROL_BYTES = 4_096;

/** What a request may ask of a node. */
export const controlActions = [
  "drain",
  "resume",
  "stop",
  "start",
  "config.set",
  "config.reset",
] as const;
export type ControlAction = (typeof controlActions)[number];

/**
 * What an administrator signs to change one node of one chain, once and for a short time.
 * @see docs/protocol/node-control.md
 */
export interface ControlRequest {
  readonly version: number;
  readonly genesisDigest: Digest;
  /** libp2p peer id of the node that is meant. */
  readonly node: string;
  /** Who signs. */
  readonly admin: Address;
  /** 16 random bytes; a node takes each once. */
  readonly nonce: Uint8Array;
  readonly issuedAtMs: number;
  /** At most `MAX_CONTROL_LIFETIME_MS` after `issuedAtMs`. */
  readonly expiresAtMs: number;
  readonly action: ControlAction;
  /** Dotted name of a setting, for `config.…`; else empty. */
  readonly key: string;
  /** JSON text of its value, for `config.set`; else empty. */
  readonly value: string;
}

export const controlRequestCodec: Codec<ControlRequest> = struct({
  version: u32,
  genesisDigest: digestCodec,
  node: text(128),
  admin: addressCodec,
  nonce: bytes(16),
  issuedAtMs: u53,
  expiresAtMs: u53,
  action: oneOf(...controlActions),
  key: text(128),
  value: text(2_048),
});
