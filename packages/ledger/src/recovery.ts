import {
  type Address,
  addressCodec,
  bytes,
  bytesUpTo,
  type Codec,
  concatBytes,
  list,
  nullable,
  oneOf,
  struct,
  u32,
  u53,
  utf8,
} from "@credlink/primitives";
import type { ProvenKey } from "./member-calls.ts";

/** How long a member may object to its recovery when governance said nothing: three days. */
export const DEFAULT_RECOVERY_DELAY_MS = 3 * 86_400_000;
/** Bounds of that time: an hour, and 90 days. */
export const MIN_RECOVERY_DELAY_MS = 3_600_000;
export const MAX_RECOVERY_DELAY_MS = 90 * 86_400_000;
/** A recovery that is not completed so long after its time is over. */
export const RECOVERY_OPEN_MS = 30 * 86_400_000;
/** Most recoveries on a page of `members.recoveries`. */
export const MAX_LISTED_RECOVERIES = 32;

/**
 * `members.proposeRecovery`, by who manages a member that lost its key, and `members.recoverAdmin`, by
 * a decision of the consortium: the member's next key, which its holder proves as in a rotation.
 */
export interface ProposeRecoveryArgs extends ProvenKey {
  readonly address: Address;
  /** DER over the new key, or null: certificate and validity stay. */
  readonly certificate: Uint8Array | null;
}

const recoveryKeyFields = {
  address: addressCodec,
  publicKey: bytes(65),
  possession: bytes(64),
  certificate: nullable(bytesUpTo(4 * 1024)),
};
export const proposeRecoveryArgsCodec: Codec<ProposeRecoveryArgs> = struct(recoveryKeyFields);

/** A recovery that waits, at `recoveryKey(address)` in `MEMBERS_CONTRACT`. */
export interface Recovery extends ProposeRecoveryArgs {
  /** Null: a decision of the consortium. */
  readonly proposedBy: Address | null;
  /** Block times, milliseconds: from when it can be completed, and until when. */
  readonly fromMs: number;
  readonly untilMs: number;
}
export const recoveryCodec: Codec<Recovery> = struct({
  ...recoveryKeyFields,
  proposedBy: nullable(addressCodec),
  fromMs: u53,
  untilMs: u53,
});

/** `members.cancelRecovery` and `members.completeRecovery`. */
export interface RecoveryTarget {
  readonly address: Address;
}
export const recoveryTargetCodec: Codec<RecoveryTarget> = struct({ address: addressCodec });

/** `members.setRecoveryDelay`, a constitutional decision. */
export interface SetRecoveryDelayArgs {
  readonly delayMs: number;
}
export const setRecoveryDelayArgsCodec: Codec<SetRecoveryDelayArgs> = struct({ delayMs: u53 });

/** `members.recoveries`, read-only: those that are open, by the member's address. */
export interface ListRecoveriesArgs {
  /** First address; null: from the beginning. */
  readonly from: Address | null;
  /** 1 to `MAX_LISTED_RECOVERIES`. */
  readonly limit: number;
}
export const listRecoveriesArgsCodec: Codec<ListRecoveriesArgs> = struct({
  from: nullable(addressCodec),
  limit: u32,
});

const listedRecoveryFields = {
  address: addressCodec,
  publicKey: bytes(65),
  proposedBy: nullable(addressCodec),
  fromMs: u53,
  untilMs: u53,
};

/** A recovery without its proofs. */
export type ListedRecovery = Omit<Recovery, "possession" | "certificate">;
export const listedRecoveryCodec: Codec<ListedRecovery> = struct(listedRecoveryFields);
export const recoveryListCodec: Codec<readonly ListedRecovery[]> = list(
  listedRecoveryCodec,
  MAX_LISTED_RECOVERIES,
);

export const recoverySteps = ["proposed", "cancelled", "completed"] as const;
export type RecoveryStep = (typeof recoverySteps)[number];

/** Topic of the event of every step of a recovery; data: `recoveryEventCodec`. */
export const RECOVERY_TOPIC = "recovery";
export const recoveryEventCodec: Codec<ListedRecovery & { readonly step: RecoveryStep }> = struct({
  step: oneOf(...recoverySteps),
  ...listedRecoveryFields,
});

/** State key in `MEMBERS_CONTRACT` of a member's recovery: "recovery/" and the address. */
export function recoveryKey(address: Address): Uint8Array {
  return concatBytes(RECOVERY_PREFIX, address);
}

const RECOVERY_PREFIX = utf8("recovery/");
