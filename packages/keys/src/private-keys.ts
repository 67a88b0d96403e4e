import {
  CryptoError,
  decryptPrivateKey,
  encryptPrivateKey,
  publicKeyFromPrivate,
  wipe,
} from "@credlink/crypto";
import { equalBytes, fromHex, struct, toHex, utf8 } from "@credlink/primitives";
import { createContainer } from "./container.ts";
import { KeysError } from "./errors.ts";
import { moveAside, readPrivate, writeNew } from "./files.ts";
import {
  checkNewPassword,
  openUnderPassword,
  passwordSealCodec,
  sealUnderPassword,
} from "./password-seal.ts";
import { type KeyRecord, titleOf } from "./records.ts";
import type { StoreSession } from "./store.ts";

/** Private keys on their way between memory and the files of a store. */

const archived = createContainer(
  "CREDLINK ARCHIVED KEY",
  struct({ seal: passwordSealCodec }),
  "KEYS_PASSWORD_WRONG",
);

function contextOf(record: KeyRecord): Uint8Array {
  return utf8(`credlink/archived-key/1 ${record.id}`);
}

/** Writes a key's file under a password, in the form of its record's state. */
export async function savePrivateKey(
  session: StoreSession,
  record: KeyRecord,
  privateKey: Uint8Array,
  password: string,
): Promise<void> {
  checkNewPassword(password);
  const { random, iterations } = session.components;
  const options = iterations === undefined ? {} : { iterations };
  const text =
    record.state === "archived"
      ? archived.write({
          seal: sealUnderPassword(random, password, contextOf(record), privateKey, iterations),
        })
      : encryptPrivateKey(privateKey, password, options);
  // Only a crash between file and entry leaves a file there that no entry knows of.
  await moveAside(session.fileOf(record));
  await writeNew(session.fileOf(record), text);
}

function openText(record: KeyRecord, text: string, password: string): Uint8Array {
  if (record.state === "archived") {
    return openUnderPassword(password, contextOf(record), archived.read(text).seal);
  }
  try {
    return decryptPrivateKey(text, password);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    if (cause.code === "CRYPTO_KEY_PLAINTEXT") throw cause;
    throw new KeysError("KEYS_PASSWORD_WRONG", titleOf(record), { cause });
  }
}

/**
 * Runs `work` with a record's private key and wipes it afterwards.
 * @throws KeysError KEYS_FILE_MISSING, KEYS_PASSWORD_WRONG, KEYS_STORE_OPEN; CryptoError
 *   CRYPTO_KEY_PLAINTEXT
 */
export async function withPrivateKey<T>(
  session: StoreSession,
  record: KeyRecord,
  password: string,
  work: (privateKey: Uint8Array) => Promise<T>,
): Promise<T> {
  const text = await readPrivate(session.fileOf(record));
  if (text === null) throw new KeysError("KEYS_FILE_MISSING", titleOf(record));
  const privateKey = openText(record, text, password);
  try {
    // Whoever swapped two files of a store is found out here, before anything is signed.
    if (!equalBytes(publicKeyFromPrivate(privateKey), fromHex(record.publicKey))) {
      throw new KeysError("KEYS_PASSWORD_WRONG", `${titleOf(record)}: the file holds another key`);
    }
    return await work(privateKey);
  } finally {
    wipe(privateKey);
  }
}

/** The public key of a private one, as records have it. */
export function publicHexOf(privateKey: Uint8Array): string {
  return toHex(publicKeyFromPrivate(privateKey));
}
