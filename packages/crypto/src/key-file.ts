import { equalBytes, utf8 } from "@credlink/primitives";
import {
  assertStrictDer,
  DER_TAG,
  DerReader,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsigned,
} from "./der.ts";
import { CryptoError } from "./errors.ts";
import { encodePrivateKeyInfo, SM2_KEY_ALGORITHM } from "./key-encoding.ts";
import { decodePem, encodePem } from "./pem.ts";
import type { Platform } from "./platform.ts";
import { checkedPrivateKey, PRIVATE_KEY_BYTES } from "./sm2-curve.ts";

/**
 * Private keys in PKCS#8 under PBES2 with PBKDF2-HMAC-SM3 and SM4-CBC, as GmSSL writes them.
 * @see RFC 5958, RFC 8018 §6.2, appendix A.2
 */

const ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY";
const PLAIN_LABEL = "PRIVATE KEY";
const SALT_BYTES = 16;
const IV_BYTES = 16;
const SM4_KEY_BYTES = 16;
/** What GmSSL writes, and the most that it reads. */
export const DEFAULT_KEY_ITERATIONS = 65_536;
const MIN_KEY_ITERATIONS = 1_024;
/** A larger count in a foreign file would stop the process for minutes. */
const MAX_KEY_ITERATIONS = 10_000_000;

const OID_PBES2 = derObjectIdentifier("1.2.840.113549.1.5.13");
const OID_PBKDF2 = derObjectIdentifier("1.2.840.113549.1.5.12");
const OID_HMAC_SM3 = derObjectIdentifier("1.2.156.10197.1.401.2");
const OID_SM4_CBC = derObjectIdentifier("1.2.156.10197.1.104.2");

/** The platform's parts that key files need. */
export type KeyFilePlatform = Pick<
  Platform,
  "pbkdf2HmacSm3" | "randomBytes" | "sm2PublicKey" | "sm4CbcDecrypt" | "sm4CbcEncrypt"
>;

interface EncryptedKey {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
}

function malformed(detail: string): CryptoError {
  return new CryptoError("CRYPTO_KEY_FILE_MALFORMED", detail);
}

function encodeEncryptedKey(key: EncryptedKey): Uint8Array {
  const iterations = new Uint8Array(4);
  new DataView(iterations.buffer).setUint32(0, key.iterations);
  const derivation = derSequence(
    OID_PBKDF2,
    derSequence(
      derElement(DER_TAG.octetString, key.salt),
      derUnsigned(iterations),
      derUnsigned(Uint8Array.of(SM4_KEY_BYTES)),
      derSequence(OID_HMAC_SM3),
    ),
  );
  const cipher = derSequence(OID_SM4_CBC, derElement(DER_TAG.octetString, key.iv));
  return derSequence(
    derSequence(OID_PBES2, derSequence(derivation, cipher)),
    derElement(DER_TAG.octetString, key.ciphertext),
  );
}

function requireIdentifier(reader: DerReader, expected: Uint8Array, what: string): void {
  if (!equalBytes(reader.read(DER_TAG.objectIdentifier).raw, expected)) throw malformed(what);
}

function decodeDerivation(reader: DerReader): Pick<EncryptedKey, "salt" | "iterations"> {
  requireIdentifier(reader, OID_PBKDF2, "key derivation is not PBKDF2");
  const parameters = reader.enter();
  reader.end();
  const salt = parameters.read(DER_TAG.octetString).content;
  const iterations = parameters.smallInteger();
  if (parameters.nextTag === DER_TAG.integer && parameters.smallInteger() !== SM4_KEY_BYTES) {
    throw malformed("derived key is not 16 bytes");
  }
  const digest = parameters.enter();
  parameters.end();
  requireIdentifier(digest, OID_HMAC_SM3, "pseudo-random function is not HMAC-SM3");
  if (!digest.isEmpty) digest.read(DER_TAG.null);
  digest.end();
  if (iterations < 1 || iterations > MAX_KEY_ITERATIONS) throw malformed("iteration count");
  return { salt, iterations };
}

function decodeEncryptedKey(der: Uint8Array): EncryptedKey {
  assertStrictDer(der);
  const outer = new DerReader(der).enter();
  const scheme = outer.enter();
  const ciphertext = outer.read(DER_TAG.octetString).content;
  outer.end();
  requireIdentifier(scheme, OID_PBES2, "scheme is not PBES2");
  const parameters = scheme.enter();
  scheme.end();
  const derivation = decodeDerivation(parameters.enter());
  const cipher = parameters.enter();
  parameters.end();
  requireIdentifier(cipher, OID_SM4_CBC, "cipher is not SM4-CBC");
  const iv = cipher.read(DER_TAG.octetString).content;
  cipher.end();
  const isWhole = ciphertext.length > 0 && ciphertext.length % IV_BYTES === 0;
  if (iv.length !== IV_BYTES || !isWhole) throw malformed("vector or ciphertext length");
  return { ...derivation, iv, ciphertext };
}

/**
 * The private key of PKCS#8 DER; a public key inside must be its own.
 * @throws CryptoError CRYPTO_KEY_FILE_MALFORMED
 */
function decodePrivateKeyInfo(platform: KeyFilePlatform, der: Uint8Array): Uint8Array {
  assertStrictDer(der);
  const info = new DerReader(der).enter();
  if (info.smallInteger() !== 0) throw malformed("PKCS#8 version");
  if (!equalBytes(info.read(DER_TAG.sequence).raw, SM2_KEY_ALGORITHM)) {
    throw malformed("not an SM2 key");
  }
  const key = new DerReader(info.read(DER_TAG.octetString).content).enter();
  if (key.smallInteger() !== 1) throw malformed("EC key version");
  const scalar = key.read(DER_TAG.octetString).content;
  if (scalar.length === 0 || scalar.length > PRIVATE_KEY_BYTES) throw malformed("key length");
  const privateKey = checkedPrivateKey(scalar);
  while (!key.isEmpty) {
    const part = key.read();
    if (part.tag !== 0xa1) continue;
    const point = new DerReader(part.content).read(DER_TAG.bitString).content.subarray(1);
    if (!equalBytes(point, platform.sm2PublicKey(privateKey))) throw malformed("two keys");
  }
  return privateKey;
}

/** Turns what the inner decoders throw into one code. */
function reading<T>(
  code: "CRYPTO_KEY_FILE_MALFORMED" | "CRYPTO_KEY_PASSWORD_WRONG",
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new CryptoError(code, "the key cannot be read", { cause: error });
  }
}

/**
 * PEM text of a private key, encrypted under a password.
 * @param options.iterations of PBKDF2; default 65,536, from 1,024 to 10,000,000. GmSSL 3 reads no
 *   other count than its own 65,536.
 * @throws CryptoError CRYPTO_PRIVATE_KEY_INVALID; CRYPTO_LENGTH_INVALID for an empty password or
 *   an iteration count out of range
 */
export function encryptPrivateKey(
  platform: KeyFilePlatform,
  privateKey: Uint8Array,
  password: string,
  options: { readonly iterations?: number } = {},
): string {
  const key = checkedPrivateKey(privateKey);
  const iterations = options.iterations ?? DEFAULT_KEY_ITERATIONS;
  const isInRange = iterations >= MIN_KEY_ITERATIONS && iterations <= MAX_KEY_ITERATIONS;
  if (!Number.isInteger(iterations) || !isInRange || password === "") {
    throw new CryptoError("CRYPTO_LENGTH_INVALID", "password or iteration count");
  }
  const salt = platform.randomBytes(SALT_BYTES);
  const iv = platform.randomBytes(IV_BYTES);
  const wrapping = platform.pbkdf2HmacSm3(utf8(password), salt, iterations, SM4_KEY_BYTES);
  const data = encodePrivateKeyInfo(key, platform.sm2PublicKey(key));
  const ciphertext = platform.sm4CbcEncrypt({ key: wrapping, iv, data });
  return encodePem(ENCRYPTED_LABEL, encodeEncryptedKey({ salt, iterations, iv, ciphertext }));
}

/** PEM text of a private key without encryption: for development and for other tools only. */
export function plaintextPrivateKey(platform: KeyFilePlatform, privateKey: Uint8Array): string {
  const key = checkedPrivateKey(privateKey);
  return encodePem(PLAIN_LABEL, encodePrivateKeyInfo(key, platform.sm2PublicKey(key)));
}

/** What opens a key file. */
export interface KeyFileAccess {
  /** Needed for an encrypted file. */
  readonly password?: string;
  /** Whether a file without encryption is read at all; default false. */
  readonly allowPlaintext?: boolean;
}

/**
 * The private key (32 bytes) of PEM text.
 * @throws CryptoError CRYPTO_KEY_PASSWORD_WRONG, CRYPTO_KEY_FILE_MALFORMED, CRYPTO_KEY_PLAINTEXT,
 *   CRYPTO_PEM_MALFORMED
 */
export function decryptPrivateKey(
  platform: KeyFilePlatform,
  pem: string,
  access: KeyFileAccess | string,
): Uint8Array {
  const { password = "", allowPlaintext = false } =
    typeof access === "string" ? { password: access } : access;
  if (pem.includes(`-----BEGIN ${PLAIN_LABEL}-----`)) {
    if (!allowPlaintext) throw new CryptoError("CRYPTO_KEY_PLAINTEXT", "the key is not encrypted");
    const der = decodePem(PLAIN_LABEL, pem);
    return reading("CRYPTO_KEY_FILE_MALFORMED", () => decodePrivateKeyInfo(platform, der));
  }
  const der = decodePem(ENCRYPTED_LABEL, pem);
  const encrypted = reading("CRYPTO_KEY_FILE_MALFORMED", () => decodeEncryptedKey(der));
  const { salt, iterations, iv, ciphertext } = encrypted;
  const key = platform.pbkdf2HmacSm3(utf8(password), salt, iterations, SM4_KEY_BYTES);
  const plaintext = platform.sm4CbcDecrypt({ key, iv, data: ciphertext });
  if (plaintext === undefined) {
    throw new CryptoError("CRYPTO_KEY_PASSWORD_WRONG", "wrong password or altered file");
  }
  // A wrong password passes the padding check once in 256 tries: then the key itself is garbage.
  return reading("CRYPTO_KEY_PASSWORD_WRONG", () => decodePrivateKeyInfo(platform, plaintext));
}

/** Key files over one platform. */
export interface KeyFileSuite {
  /** PEM text of a private key, encrypted under a password. */
  readonly encryptPrivateKey: (
    privateKey: Uint8Array,
    password: string,
    options?: { readonly iterations?: number },
  ) => string;
  /** The private key (32 bytes) of PEM text; the second argument is the password or an access. */
  readonly decryptPrivateKey: (pem: string, access: KeyFileAccess | string) => Uint8Array;
  /** PEM text of a private key without encryption: for development and for other tools only. */
  readonly plaintextPrivateKey: (privateKey: Uint8Array) => string;
}

/** Binds key files to one platform. */
export function createKeyFileSuite(platform: KeyFilePlatform): KeyFileSuite {
  return {
    encryptPrivateKey: (key, password, options) =>
      encryptPrivateKey(platform, key, password, options),
    decryptPrivateKey: (pem, access) => decryptPrivateKey(platform, pem, access),
    plaintextPrivateKey: (key) => plaintextPrivateKey(platform, key),
  };
}
