import { sm4GcmDecrypt, sm4GcmEncrypt, taggedSm3, wipe } from "@credlink/crypto";
import {
  bytes,
  bytesUpTo,
  encode,
  list,
  nullable,
  oneOf,
  type Random,
  struct,
  text,
  tryDecode,
  u32,
  u53,
  union,
  type ValueOf,
} from "@credlink/primitives";
import { createContainer } from "./container.ts";
import { KeysError } from "./errors.ts";
import { keyKinds } from "./lifecycle.ts";
import { openUnderPassword, passwordSealCodec, sealUnderPassword } from "./password-seal.ts";

/**
 * A backup: keys with what the store knows of them, sealed by SM4-GCM under a fresh key, which is
 * itself sealed under a password or split among custodians. The header is bound to the content.
 */

export const BACKUP_KEY_BYTES = 16;
const IV_BYTES = 12;
const MAX_KEYS = 4_096;
export const MAX_CUSTODIANS = 32;

const keyCodec = struct({
  name: text(63),
  version: u32,
  kind: oneOf(...keyKinds),
  state: oneOf("pre-active", "active", "suspended", "archived"),
  activeSinceMs: nullable(u53),
  privateKey: bytes(32),
});
const contentCodec = list(keyCodec, MAX_KEYS);
export type BackupKey = ValueOf<typeof keyCodec>;

const custodianCodec = struct({ name: text(63), index: u32, shareDigest: bytes(32) });

type Protection =
  | { readonly type: "password"; readonly seal: ValueOf<typeof passwordSealCodec> }
  | {
      readonly type: "shares";
      readonly threshold: number;
      readonly custodians: readonly ValueOf<typeof custodianCodec>[];
    };

const headerCodec = struct({
  format: oneOf("credlink/key-backup/1"),
  id: bytes(16),
  store: bytes(32),
  createdAtMs: u53,
  keyIds: list(bytes(32), MAX_KEYS),
  protection: union<Protection>({
    password: [1, struct({ seal: passwordSealCodec })],
    shares: [2, struct({ threshold: u32, custodians: list(custodianCodec, MAX_CUSTODIANS) })],
  }),
});
export type BackupHeader = ValueOf<typeof headerCodec>;

const backupCodec = struct({
  header: headerCodec,
  iv: bytes(IV_BYTES),
  sealed: bytesUpTo(1024 * 1024),
});
export type Backup = ValueOf<typeof backupCodec>;

export const backupContainer = createContainer(
  "CREDLINK KEY BACKUP",
  backupCodec,
  "KEYS_BACKUP_MALFORMED",
);

function associatedData(header: BackupHeader): Uint8Array {
  return taggedSm3("credlink/key-backup-header/1", encode(headerCodec, header));
}

/** What the password of an unsplit backup is bound to. */
function passwordContext(id: Uint8Array): Uint8Array {
  return taggedSm3("credlink/key-backup-password/1", id);
}

/** Seals the backup's key under a password. @throws KeysError KEYS_PASSWORD_SHORT */
export function protectByPassword(
  random: Random,
  input: {
    readonly id: Uint8Array;
    readonly key: Uint8Array;
    readonly password: string;
    readonly iterations?: number;
  },
): Protection {
  const { id, key, password, iterations } = input;
  const seal = sealUnderPassword(random, password, passwordContext(id), key, iterations);
  return { type: "password", seal };
}

/** The key of a backup that is under a password. @throws KeysError KEYS_PASSWORD_WRONG */
export function openByPassword(header: BackupHeader, password: string): Uint8Array {
  if (header.protection.type !== "password") {
    throw new KeysError("KEYS_SHARES_TOO_FEW", "this backup is opened by custodians' shares");
  }
  return openUnderPassword(password, passwordContext(header.id), header.protection.seal);
}

/** PEM text of a backup. */
export function sealBackup(
  random: Random,
  header: BackupHeader,
  key: Uint8Array,
  keys: readonly BackupKey[],
): string {
  const data = encode(contentCodec, keys);
  const iv = random.bytes(IV_BYTES);
  try {
    const sealed = sm4GcmEncrypt({ key, iv, aad: associatedData(header), data });
    return backupContainer.write({ header, iv, sealed });
  } finally {
    wipe(data);
  }
}

/** The keys of a backup, the caller's to wipe. @throws KeysError KEYS_BACKUP_MALFORMED */
export function openBackup(backup: Backup, key: Uint8Array): readonly BackupKey[] {
  const { header, iv, sealed } = backup;
  let data: Uint8Array;
  try {
    data = sm4GcmDecrypt({ key, iv, aad: associatedData(header), data: sealed });
  } catch (cause) {
    throw new KeysError("KEYS_BACKUP_MALFORMED", "altered", { cause });
  }
  const keys = tryDecode(contentCodec, data);
  if (!keys.ok) throw new KeysError("KEYS_BACKUP_MALFORMED", keys.code);
  const copies = keys.value.map((each) => ({ ...each, privateKey: each.privateKey.slice() }));
  wipe(data);
  return copies;
}
