/** A private key for Diffie-Hellman. */
export interface NoiseKey {
  readonly publicKey: Uint8Array;
  /** The shared secret with the holder of a public key. @throws when that is no point to use. */
  agree(publicKey: Uint8Array): Uint8Array;
}

/** An authenticated cipher under one key of 32 bytes. */
export interface NoiseCipher {
  /** Ciphertext ‖ tag (16 bytes). `nonce` is never used twice. */
  seal(nonce: bigint, data: Uint8Array, associated: Uint8Array): Uint8Array;
  /** @throws when the tag does not fit */
  open(nonce: bigint, data: Uint8Array, associated: Uint8Array): Uint8Array;
  /** Clears the key. */
  wipe(): void;
}

/** The functions that a Noise protocol is made of. @see Noise revision 34, §4 */
export interface NoisePrimitives {
  /** Name of the protocol, such as `Noise_XX_25519_ChaChaPoly_SHA256`; at most 32 bytes. */
  readonly name: string;
  readonly publicKeyBytes: number;
  readonly generateKey: () => NoiseKey;
  /** 32 bytes. */
  readonly hash: (data: Uint8Array) => Uint8Array;
  /** HMAC over that hash: 32 bytes. */
  readonly hmac: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  readonly createCipher: (key: Uint8Array) => NoiseCipher;
}

export const NOISE_KEY_BYTES = 32;
export const NOISE_HASH_BYTES = 32;
export const NOISE_TAG_BYTES = 16;
/** Most bytes of a Noise message. @see Noise revision 34, §3 */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;
/** Most bytes of plaintext in one. */
export const MAX_NOISE_PLAINTEXT_BYTES = MAX_NOISE_MESSAGE_BYTES - NOISE_TAG_BYTES;
