import {
  decryptPrivateKey,
  encryptPrivateKey,
  type KeyFileAccess,
  publicKeyFromPrivate,
  wipe,
} from "@credlink/crypto";
import { bytes, encode, oneOf, type Signer, struct, tryDecode } from "@credlink/primitives";
import { openEnvelope, sealEnvelope } from "./envelope.ts";
import { KeysError } from "./errors.ts";
import { checkNewKey, checkNewName, draftRecord, NOT_YET, requireOperation } from "./key-store.ts";
import { type KeyKind, keyKinds } from "./lifecycle.ts";
import { checkNewPassword } from "./password-seal.ts";
import { publicHexOf, savePrivateKey, withPrivateKey } from "./private-keys.ts";
import { type KeyRecord, keyIdOf } from "./records.ts";
import type { Store, StoreSession } from "./store.ts";

/** Keys into a store and out of it: never in plaintext. */

async function takeIn(
  session: StoreSession,
  privateKey: Uint8Array,
  input: { readonly name: string; readonly kind: KeyKind; readonly password: string },
  from: string,
): Promise<KeyRecord> {
  const { name, kind, password } = input;
  checkNewName(session, name);
  const publicKey = publicHexOf(privateKey);
  const draft = { ...draftRecord(name, 1, kind, publicKey), ...NOT_YET };
  checkNewKey(session, draft.id);
  await savePrivateKey(session, draft, privateKey, password);
  await session.append({
    action: "import",
    key: draft.id,
    name,
    version: 1,
    kind,
    publicKey,
    from,
  });
  return session.select(draft.id);
}

/**
 * Takes a key file of another tool into the store, under a new password.
 * @param input.access what opens the file; plaintext needs leave, which only `--dev` gives
 * @throws KeysError KEYS_KEY_DESTROYED, KEYS_KEY_EXISTS, KEYS_NAME_INVALID, KEYS_PASSWORD_SHORT;
 *   CryptoError CRYPTO_KEY_PLAINTEXT, CRYPTO_KEY_PASSWORD_WRONG, CRYPTO_KEY_FILE_MALFORMED
 */
export function importKey(
  store: Store,
  input: {
    readonly name: string;
    readonly kind: KeyKind;
    readonly pem: string;
    readonly access: KeyFileAccess;
    readonly password: string;
  },
): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const privateKey = decryptPrivateKey(input.pem, input.access);
    try {
      return await takeIn(session, privateKey, input, "file");
    } finally {
      wipe(privateKey);
    }
  });
}

/**
 * PEM text of a key under a password of its own, as GmSSL and OpenSSL read it.
 * @throws KeysError KEYS_KIND_FORBIDS, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED, KEYS_PASSWORD_SHORT
 */
export function exportKey(
  store: Store,
  selector: string,
  input: { readonly password: string; readonly exportPassword: string },
): Promise<string> {
  return store.transact(async (session) => {
    const record = session.select(selector);
    checkNewPassword(input.exportPassword);
    await requireOperation(session, record, "export");
    return withPrivateKey(session, record, input.password, async (privateKey) => {
      const pem = encryptPrivateKey(privateKey, input.exportPassword);
      await session.append({ action: "export", key: record.id, to: "file" });
      return pem;
    });
  });
}

const payloadCodec = struct({ kind: oneOf(...keyKinds), privateKey: bytes(32) });

/**
 * A key for another holder: encrypted for their SM2 key and signed by the sender.
 * @param input.signer who vouches for the key towards the recipient
 * @throws KeysError KEYS_KIND_FORBIDS, KEYS_STATE_FORBIDS, KEYS_KEY_DESTROYED; CryptoError
 *   CRYPTO_PUBLIC_KEY_INVALID
 */
export function distributeKey(
  store: Store,
  selector: string,
  input: {
    readonly password: string;
    readonly recipientKey: Uint8Array;
    readonly signer: Signer;
  },
): Promise<string> {
  return store.transact(async (session) => {
    const record = session.select(selector);
    await requireOperation(session, record, "distribute");
    return withPrivateKey(session, record, input.password, async (privateKey) => {
      const { recipientKey, signer } = input;
      const content = encode(payloadCodec, { kind: record.kind, privateKey });
      const { random } = session.components;
      const envelope = { purpose: "key", recipientKey, content } as const;
      try {
        const text = await sealEnvelope({ random, signer }, envelope);
        const recipient = keyIdOf(recipientKey);
        await session.append({ action: "distribute", key: record.id, recipient });
        return text;
      } finally {
        wipe(content);
      }
    });
  });
}

/**
 * Takes a key that was distributed to one of this store's keys of kind `encryption`.
 * @param input.recipient which of the store's keys it was sent to, and its password
 * @param input.senderKey who must have signed it, 65 bytes
 * @throws KeysError KEYS_ENVELOPE_…, KEYS_KEY_DESTROYED, KEYS_KEY_EXISTS, KEYS_NAME_INVALID
 */
export function receiveKey(
  store: Store,
  input: {
    readonly name: string;
    readonly envelope: string;
    readonly senderKey: Uint8Array;
    readonly recipient: { readonly selector: string; readonly password: string };
    readonly password: string;
  },
): Promise<KeyRecord> {
  return store.transact(async (session) => {
    const recipient = session.select(input.recipient.selector);
    await requireOperation(session, recipient, "decrypt");
    return withPrivateKey(session, recipient, input.recipient.password, async (privateKey) => {
      const publicKey = publicKeyFromPrivate(privateKey);
      const { senderKey, envelope } = input;
      const opened = openEnvelope(envelope, { purpose: "key", publicKey, privateKey, senderKey });
      await session.append({ action: "use", key: recipient.id, operation: "decrypt" });
      const payload = tryDecode(payloadCodec, opened.content);
      if (!payload.ok) throw new KeysError("KEYS_ENVELOPE_MALFORMED", payload.code);
      try {
        const { name, password } = input;
        const { kind } = payload.value;
        const from = `envelope of ${keyIdOf(opened.senderKey)}`;
        return await takeIn(session, payload.value.privateKey, { name, kind, password }, from);
      } finally {
        wipe(opened.content);
      }
    });
  });
}
