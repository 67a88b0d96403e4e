import {
  CryptoError,
  sm2Decrypt,
  sm2Encrypt,
  sm2Verify,
  sm4GcmDecrypt,
  sm4GcmEncrypt,
  taggedSm3,
  wipe,
} from "@credlink/crypto";
import {
  bytes,
  bytesUpTo,
  encode,
  equalBytes,
  fromHex,
  oneOf,
  type Random,
  type Signer,
  struct,
  tryDecode,
} from "@credlink/primitives";
import { createContainer } from "./container.ts";
import { KeysError } from "./errors.ts";
import { keyIdOf } from "./records.ts";

/**
 * Sign, then encrypt: what one holder of a key sends to another, in confidence and signed.
 *
 * The signature is inside and covers the recipient, so that nobody can take a signed content out
 * and send it on as if it had been meant for somebody else. The content is encrypted by SM4-GCM
 * under a fresh key, which SM2 encrypts for the recipient.
 */

const SIGNATURE_DOMAIN = "credlink/envelope/1";
const CONTENT_KEY_BYTES = 16;
const IV_BYTES = 12;
const MAX_CONTENT_BYTES = 4 * 1024 * 1024;

const signedCodec = struct({
  purpose: oneOf("key", "message"),
  content: bytesUpTo(MAX_CONTENT_BYTES),
  senderKey: bytes(65),
  signature: bytes(64),
});

const envelopeCodec = struct({
  format: oneOf("credlink/envelope/1"),
  /** Id of the recipient's key. */
  recipient: bytes(32),
  /** SM2 ciphertext of the content key. */
  wrappedKey: bytesUpTo(512),
  iv: bytes(IV_BYTES),
  sealed: bytesUpTo(MAX_CONTENT_BYTES + 1024),
});

const container = createContainer("CREDLINK ENVELOPE", envelopeCodec, "KEYS_ENVELOPE_MALFORMED");

/** What an envelope is for; an envelope of one purpose is refused as one of another. */
export type EnvelopePurpose = "key" | "message";

function signedDigest(purpose: EnvelopePurpose, recipient: Uint8Array, content: Uint8Array) {
  return taggedSm3(`${SIGNATURE_DOMAIN}/${purpose}`, recipient, content);
}

function associatedData(recipient: Uint8Array, wrappedKey: Uint8Array): Uint8Array {
  return taggedSm3("credlink/envelope-head/1", recipient, wrappedKey);
}

/**
 * PEM text of an envelope.
 * @throws CryptoError CRYPTO_PUBLIC_KEY_INVALID
 */
export async function sealEnvelope(
  components: { readonly random: Random; readonly signer: Signer },
  input: {
    readonly purpose: EnvelopePurpose;
    readonly recipientKey: Uint8Array;
    readonly content: Uint8Array;
  },
): Promise<string> {
  const { random, signer } = components;
  const { purpose, recipientKey, content } = input;
  const recipient = fromHex(keyIdOf(recipientKey));
  const signature = await signer.sign(signedDigest(purpose, recipient, content));
  const senderKey = signer.publicKey;
  const data = encode(signedCodec, { purpose, content, senderKey, signature });
  const key = random.bytes(CONTENT_KEY_BYTES);
  try {
    const wrappedKey = sm2Encrypt(recipientKey, key);
    const iv = random.bytes(IV_BYTES);
    const aad = associatedData(recipient, wrappedKey);
    const sealed = sm4GcmEncrypt({ key, iv, aad, data });
    return container.write({ format: "credlink/envelope/1", recipient, wrappedKey, iv, sealed });
  } finally {
    wipe(key, data);
  }
}

/** What was in an envelope. */
export interface OpenedEnvelope {
  /** The caller's to wipe. */
  readonly content: Uint8Array;
  /** Who signed it: 65 bytes. */
  readonly senderKey: Uint8Array;
}

function decryptEnvelope(
  envelope: ReturnType<typeof container.read>,
  privateKey: Uint8Array,
): Uint8Array {
  const { recipient, wrappedKey, iv, sealed } = envelope;
  let key: Uint8Array | undefined;
  try {
    key = sm2Decrypt(privateKey, wrappedKey);
    return sm4GcmDecrypt({ key, iv, aad: associatedData(recipient, wrappedKey), data: sealed });
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new KeysError("KEYS_ENVELOPE_MALFORMED", "altered", { cause });
  } finally {
    if (key !== undefined) wipe(key);
  }
}

/**
 * Opens an envelope and verifies its sender.
 * @param input.senderKey who must have signed it, 65 bytes; undefined takes any sender, whom the
 *   caller must then judge
 * @throws KeysError KEYS_ENVELOPE_MALFORMED, KEYS_ENVELOPE_RECIPIENT, KEYS_ENVELOPE_SENDER
 */
export function openEnvelope(
  text: string,
  input: {
    readonly purpose: EnvelopePurpose;
    readonly publicKey: Uint8Array;
    readonly privateKey: Uint8Array;
    readonly senderKey?: Uint8Array;
  },
): OpenedEnvelope {
  const envelope = container.read(text);
  if (!equalBytes(envelope.recipient, fromHex(keyIdOf(input.publicKey)))) {
    throw new KeysError("KEYS_ENVELOPE_RECIPIENT", "for another key");
  }
  const plain = decryptEnvelope(envelope, input.privateKey);
  const signed = tryDecode(signedCodec, plain, { maxBytes: plain.length });
  if (!signed.ok || signed.value.purpose !== input.purpose) {
    throw new KeysError("KEYS_ENVELOPE_MALFORMED", "of another purpose or form");
  }
  const { content, senderKey, signature } = signed.value;
  const isExpected = input.senderKey === undefined || equalBytes(senderKey, input.senderKey);
  const digest = signedDigest(input.purpose, envelope.recipient, content);
  if (!isExpected || !sm2Verify(senderKey, digest, signature)) {
    throw new KeysError("KEYS_ENVELOPE_SENDER", "not signed by whom it should be");
  }
  const opened = { content: content.slice(), senderKey: senderKey.slice() };
  wipe(plain);
  return opened;
}
