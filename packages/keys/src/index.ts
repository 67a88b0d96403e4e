/**
 * Key stores: the life of SM2 keys from generation to destruction, their backups among custodians,
 * and the way from a key file to its key.
 *
 * ```ts
 * import { activateKey, createStore, generateKey, openStoredSigner } from "@credlink/keys";
 *
 * const store = await createStore("./keys");
 * const password = "correct horse battery staple";
 * await generateKey(store, { name: "admin", kind: "member", password });
 * await activateKey(store, "admin", { custodyRead: true });
 * const signer = await openStoredSigner(store, "admin", password);
 * await signer.sign(new TextEncoder().encode("hello")); // r ‖ s, and an entry of the audit log
 * ```
 */
export { type AuditEntry, type AuditEvent, readAudit } from "./audit-log.ts";
export {
  type BackupAccess,
  type BackupFiles,
  type BackupProtection,
  type BackupSelection,
  backUpKeys,
  describeBackup,
  recoverKeys,
} from "./backup.ts";
export type { Custodian, ShareAccess, ShareFile } from "./backup-shares.ts";
export { withKeyFile } from "./custody.ts";
export {
  type EnvelopePurpose,
  type OpenedEnvelope,
  openEnvelope,
  sealEnvelope,
} from "./envelope.ts";
export { KeysError, type KeysErrorCode, keysErrors } from "./errors.ts";
export {
  activateKey,
  archiveKey,
  destroyKey,
  generateKey,
  listKeys,
  openStoredSigner,
  readAuditLog,
  resumeKey,
  rotateKey,
  showKey,
  suspendKey,
  useKey,
} from "./key-store.ts";
export {
  type KeyKind,
  type KeyOperation,
  type KeyState,
  type KeyTransition,
  keyKinds,
  keyStates,
  kindRules,
} from "./lifecycle.ts";
export { MIN_PASSWORD_CHARACTERS } from "./password-seal.ts";
export { type KeyRecord, keyIdOf, titleOf } from "./records.ts";
export { combineShares, type Share, splitSecret } from "./shamir.ts";
export { createStore, openStore, type Store, type StoreComponents } from "./store.ts";
export { distributeKey, exportKey, importKey, receiveKey } from "./transfer.ts";
export { DEFAULT_BINDING, passwordOf, type TokenKey, wrapNewPassword } from "./wrapped-password.ts";
