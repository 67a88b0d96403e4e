import {
  CryptoError,
  equalSecrets,
  sm2Decrypt,
  sm2Encrypt,
  taggedSm3,
  wipe,
} from "@credlink/crypto";
import {
  bytes,
  bytesUpTo,
  concatBytes,
  encode,
  equalBytes,
  fromHex,
  invariant,
  oneOf,
  type Random,
  struct,
  text,
  toHex,
  u32,
  union,
  type ValueOf,
} from "@credlink/primitives";
import { BACKUP_KEY_BYTES, type BackupHeader, MAX_CUSTODIANS } from "./backup-format.ts";
import { createContainer } from "./container.ts";
import { KeysError } from "./errors.ts";
import { openUnderPassword, passwordSealCodec, sealUnderPassword } from "./password-seal.ts";
import { keyIdOf } from "./records.ts";
import { combineShares, type Share, splitSecret } from "./shamir.ts";

/**
 * A backup's key among custodians: a file for each, under its password or its SM2 key.
 *
 * The backup's header, which is bound to its content, holds the digest of every share: a share that
 * is altered, swapped or of another backup is named before anything is combined.
 */

/** Who keeps a share, and what opens it. */
export interface Custodian {
  readonly name: string;
  readonly lock: { readonly publicKey: Uint8Array } | { readonly password: string };
}

type Lock =
  | { readonly type: "password"; readonly seal: ValueOf<typeof passwordSealCodec> }
  | { readonly type: "key"; readonly recipient: Uint8Array; readonly sealed: Uint8Array };

const headCodec = struct({
  format: oneOf("credlink/backup-share/1"),
  backup: bytes(16),
  custodian: text(63),
  index: u32,
  threshold: u32,
  count: u32,
});
type ShareHead = ValueOf<typeof headCodec>;

const shareCodec = struct({
  head: headCodec,
  lock: union<Lock>({
    password: [1, struct({ seal: passwordSealCodec })],
    key: [2, struct({ recipient: bytes(32), sealed: bytesUpTo(512) })],
  }),
});

const container = createContainer("CREDLINK BACKUP SHARE", shareCodec, "KEYS_SHARE_ALTERED");

function digestOf(backup: Uint8Array, share: Share): Uint8Array {
  return taggedSm3("credlink/backup-share/1", backup, Uint8Array.of(share.index), share.bytes);
}

/** What a share's lock is bound to. */
function contextOf(head: ShareHead): Uint8Array {
  return taggedSm3("credlink/backup-share-head/1", encode(headCodec, head));
}

function lockShare(
  random: Random,
  head: ShareHead,
  share: Share,
  custodian: Custodian,
  iterations: number | undefined,
): Lock {
  const context = contextOf(head);
  const { lock } = custodian;
  if ("password" in lock) {
    const seal = sealUnderPassword(random, lock.password, context, share.bytes, iterations);
    return { type: "password", seal };
  }
  const plain = concatBytes(context, share.bytes);
  try {
    const recipient = fromHex(keyIdOf(lock.publicKey));
    return { type: "key", recipient, sealed: sm2Encrypt(lock.publicKey, plain) };
  } finally {
    wipe(plain);
  }
}

function checkCustodians(custodians: readonly Custodian[], threshold: number): void {
  const count = custodians.length;
  const names = new Set(custodians.map(({ name }) => name));
  const isValid =
    Number.isInteger(threshold) &&
    threshold >= 2 &&
    threshold <= count &&
    count <= MAX_CUSTODIANS &&
    names.size === count &&
    [...names].every((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name));
  if (!isValid) {
    throw new KeysError("KEYS_CUSTODIANS_INVALID", `${threshold} of ${count}, ${names.size} names`);
  }
}

/** A custodian's share, ready to be handed over. */
export interface ShareFile {
  readonly custodian: string;
  readonly index: number;
  /** PEM text. */
  readonly text: string;
}

/**
 * Splits a backup's key.
 * @throws KeysError KEYS_CUSTODIANS_INVALID, KEYS_PASSWORD_SHORT; CryptoError
 *   CRYPTO_PUBLIC_KEY_INVALID
 */
export function splitBackupKey(
  random: Random,
  input: {
    readonly backup: Uint8Array;
    readonly key: Uint8Array;
    readonly custodians: readonly Custodian[];
    readonly threshold: number;
    readonly iterations?: number;
  },
): { readonly protection: BackupHeader["protection"]; readonly shares: readonly ShareFile[] } {
  const { backup, key, custodians, threshold, iterations } = input;
  checkCustodians(custodians, threshold);
  const count = custodians.length;
  const shares = splitSecret(random, key, { threshold, count });
  const parts = custodians.map((custodian, i) => {
    const share = shares[i];
    invariant(share !== undefined, "there is a share for each custodian");
    const { name } = custodian;
    const format = "credlink/backup-share/1";
    const head: ShareHead = {
      ...{ format, backup, custodian: name, index: share.index, threshold, count },
    };
    const lock = lockShare(random, head, share, custodian, iterations);
    return {
      noted: { name, index: share.index, shareDigest: digestOf(backup, share) },
      file: { custodian: name, index: share.index, text: container.write({ head, lock }) },
    };
  });
  wipe(...shares.map((share) => share.bytes));
  return {
    protection: { type: "shares", threshold, custodians: parts.map((part) => part.noted) },
    shares: parts.map((part) => part.file),
  };
}

/** What opens a share file. */
export type ShareAccess =
  | { readonly password: string }
  | { readonly publicKey: Uint8Array; readonly privateKey: Uint8Array };

/** How a share is called in messages. */
function titleOf(head: ShareHead): string {
  return `share ${head.index} of ${head.custodian}`;
}

function unlockByKey(
  head: ShareHead,
  lock: Extract<Lock, { readonly type: "key" }>,
  access: ShareAccess,
): Uint8Array {
  if ("password" in access || !equalBytes(lock.recipient, fromHex(keyIdOf(access.publicKey)))) {
    throw new KeysError("KEYS_SHARE_ALTERED", `${titleOf(head)}: it is locked for another key`);
  }
  const plain = sm2Decrypt(access.privateKey, lock.sealed);
  const context = contextOf(head);
  const share = plain.slice(context.length);
  const isBound = equalSecrets(plain.subarray(0, context.length), context);
  wipe(plain);
  if (isBound) return share;
  wipe(share);
  throw new KeysError("KEYS_SHARE_ALTERED", `${titleOf(head)}: its head was altered`);
}

/**
 * Opens a share file.
 * @throws KeysError KEYS_SHARE_ALTERED, which names the share
 */
export function openShare(
  file: string,
  access: ShareAccess,
): Share & { readonly backup: Uint8Array; readonly custodian: string } {
  const { head, lock } = container.read(file);
  try {
    const share =
      lock.type === "key"
        ? unlockByKey(head, lock, access)
        : openUnderPassword(
            "password" in access ? access.password : "",
            contextOf(head),
            lock.seal,
          );
    return { index: head.index, bytes: share, backup: head.backup, custodian: head.custodian };
  } catch (cause) {
    if (cause instanceof KeysError && cause.code === "KEYS_SHARE_ALTERED") throw cause;
    if (!(cause instanceof KeysError || cause instanceof CryptoError)) throw cause;
    const what = `${titleOf(head)}: altered, or the wrong key or password`;
    throw new KeysError("KEYS_SHARE_ALTERED", what, { cause });
  }
}

/**
 * The backup's key from opened shares, each held to its digest in the backup's header first.
 * @throws KeysError KEYS_SHARES_TOO_FEW, KEYS_SHARE_FOREIGN, KEYS_SHARE_ALTERED
 */
export function joinShares(
  header: BackupHeader,
  shares: readonly ReturnType<typeof openShare>[],
): Uint8Array {
  const { protection } = header;
  if (protection.type !== "shares") {
    throw new KeysError("KEYS_PASSWORD_WRONG", "this backup is opened by a password");
  }
  const seen = new Set<number>();
  for (const share of shares) {
    const title = `share ${share.index} of ${share.custodian}`;
    if (!equalBytes(share.backup, header.id)) {
      throw new KeysError("KEYS_SHARE_FOREIGN", `${title}: of backup ${toHex(share.backup)}`);
    }
    const noted = protection.custodians.find(({ index }) => index === share.index);
    const isRight =
      noted?.name === share.custodian &&
      share.bytes.length === BACKUP_KEY_BYTES &&
      equalBytes(noted.shareDigest, digestOf(header.id, share));
    if (!isRight) throw new KeysError("KEYS_SHARE_ALTERED", `${title}: not as it was handed out`);
    if (seen.has(share.index)) throw new KeysError("KEYS_SHARE_FOREIGN", `${title}: given twice`);
    seen.add(share.index);
  }
  if (seen.size < protection.threshold) {
    const what = `${seen.size} of ${protection.threshold} that are needed`;
    throw new KeysError("KEYS_SHARES_TOO_FEW", what);
  }
  return combineShares(shares);
}
