import { AppError, defineErrors } from "@credlink/primitives";

/** What a key store refuses or fails with. */
export const keysErrors = defineErrors({
  KEYS_STORE_UNKNOWN: {
    meaning: "The folder holds no key store, or one of another format version.",
    remedy: "Make one with `credlink key init`, or name the folder given to it.",
  },
  KEYS_STORE_EXISTS: {
    meaning: "The folder for a new key store is there already and not empty.",
    remedy: "Name another folder; a key store is never overwritten.",
  },
  KEYS_STORE_LOCKED: {
    meaning: "Another process is changing the key store, for longer than was waited.",
    remedy: "Try again when it has ended; the file `lock` names its process.",
  },
  KEYS_STORE_OPEN: {
    meaning: "The key store's folder or a file in it is open to others, another user's, or a link.",
    remedy: "chown it to the user that runs the command; chmod 700 folders and 600 files.",
  },
  KEYS_STORE_UNREADABLE: {
    meaning: "A file of the key store cannot be read or written.",
    remedy: "Check path, owner and disk; the cause names the system's reason.",
  },
  KEYS_AUDIT_BROKEN: {
    meaning: "An entry of the audit log does not follow from the one before it: it was altered.",
    remedy: "Take the log from a copy; find out who could write to the folder.",
  },
  KEYS_AUDIT_CUT: {
    meaning: "The audit log lacks entries that it had: its end was cut off.",
    remedy: "Take the log from a copy; find out who could write to the folder.",
  },
  KEYS_KEY_UNKNOWN: {
    meaning: "The key store has no key of that name or id.",
    remedy: "See `credlink key list`; name a version as NAME.VERSION.",
  },
  KEYS_NAME_INVALID: {
    meaning: "A key's name is taken, or not 1 to 63 of a-z, 0-9 and -.",
    remedy: "Choose another name; `key rotate` makes the next version under the same name.",
  },
  KEYS_KEY_EXISTS: {
    meaning: "The key store has that very key already, under whatever name.",
    remedy: "Use the one that is there; see `credlink key list`.",
  },
  KEYS_KEY_DESTROYED: {
    meaning: "The key was destroyed: it is not used, imported or recovered any more.",
    remedy: "Make a new key; what the old one signed still verifies by its public key.",
  },
  KEYS_STATE_FORBIDS: {
    meaning: "The key's state does not allow what was asked of it.",
    remedy: "See `credlink key show` for its state and docs/keys.md for what each allows.",
  },
  KEYS_KIND_FORBIDS: {
    meaning: "Keys of this kind are never used or moved that way.",
    remedy: "See the table of kinds in docs/keys.md; an authority's key leaves only in shares.",
  },
  KEYS_KEY_EXPIRED: {
    meaning: "The key has been active for longer than its kind allows.",
    remedy: "Make its successor with `credlink key rotate` and announce that.",
  },
  KEYS_CUSTODY_OPEN: {
    meaning: "Whoever holds the key has not said that they know how it must be kept.",
    remedy: "Read the notice that `key generate` printed; then `key activate --custody-read`.",
  },
  KEYS_FILE_MISSING: {
    meaning: "The key's file is not where the store keeps it.",
    remedy: "Recover it from a backup: `credlink key recover`.",
  },
  KEYS_PASSWORD_WRONG: {
    meaning: "The password does not open the file, or the file was altered.",
    remedy: "Give the right password, or obtain the file again.",
  },
  KEYS_PASSWORD_SHORT: {
    meaning: "A password for a new file is shorter than 12 characters.",
    remedy: "Use a longer one; `openssl rand -base64 24` makes a good one.",
  },
  KEYS_ENVELOPE_MALFORMED: {
    meaning: "The bytes are not a key envelope, or the envelope was altered.",
    remedy: "Ask its sender for it again.",
  },
  KEYS_ENVELOPE_RECIPIENT: {
    meaning: "The envelope is for another key than the one that is to open it.",
    remedy: "Open it with the key that it names, or have it sent to yours.",
  },
  KEYS_ENVELOPE_SENDER: {
    meaning: "The envelope is not signed by the sender that was expected.",
    remedy: "Do not use the key; ask the sender by another way.",
  },
  KEYS_BACKUP_MALFORMED: {
    meaning: "The file is not a backup of a key store, or was altered.",
    remedy: "Take another copy of the backup.",
  },
  KEYS_CUSTODIANS_INVALID: {
    meaning: "The number of custodians or the threshold is out of bounds, or a name comes twice.",
    remedy: "Use 2 to 32 custodians of different names and a threshold from 2 to their number.",
  },
  KEYS_SHARE_ALTERED: {
    meaning: "A share was altered, or opened with the wrong key or password; it is named.",
    remedy: "Ask that custodian for another copy, or take another custodian's share.",
  },
  KEYS_SHARE_FOREIGN: {
    meaning: "A share belongs to another backup, or stands twice among those given; it is named.",
    remedy: "Give each custodian's share of this backup once.",
  },
  KEYS_SHARES_TOO_FEW: {
    meaning: "Fewer shares were given than the backup's threshold.",
    remedy: "Gather shares of more custodians; the backup says how many are needed.",
  },
  KEYS_PKCS11_BINDING: {
    meaning: "A password file is wrapped by a token, and the package pkcs11js cannot be loaded.",
    remedy: "Install pkcs11js beside credlink, or name its path when the password is wrapped.",
  },
  KEYS_PKCS11_TOKEN: {
    meaning: "The token's library, the token, its wrapping key or a mechanism it needs is missing.",
    remedy:
      "Check the library's path and the labels; plug the token in; wrap anew if it was reset.",
  },
  KEYS_PKCS11_PIN: {
    meaning: "The token refused the PIN, or is locked after too many wrong ones.",
    remedy: "Correct the PIN file before trying again; a locked token is unlocked by its officer.",
  },
  KEYS_PKCS11_FAILED: {
    meaning: "The token failed at the operation: most often the wrapped password was altered.",
    remedy: "Take a copy of the password file; the message has the token's own code.",
  },
});

export type KeysErrorCode = keyof typeof keysErrors;

/** An operation on keys that was refused or failed for a reason its user can act on. */
export class KeysError extends AppError<{ readonly code: KeysErrorCode }> {
  constructor(code: KeysErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super({ code }, message, options);
  }
}
