/** An SM3 computation that takes its message in pieces. */
export interface Sm3 {
  /** Appends bytes of the message. */
  update(data: Uint8Array): Sm3;
  /** The digest, 32 bytes. The object is spent afterwards. */
  digest(): Uint8Array;
}

/** A key pair on the SM2 curve. */
export interface KeyPair {
  /** 32 bytes, big-endian, in 1 … n−2. */
  readonly privateKey: Uint8Array;
  /** Uncompressed point, 65 bytes: 0x04 ‖ x ‖ y. */
  readonly publicKey: Uint8Array;
}

/** Key, initialisation vector and input of one SM4-CBC operation. */
export interface Sm4CbcInput {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes, unpredictable, never used twice with one key. */
  readonly iv: Uint8Array;
  /** Plaintext to encrypt or ciphertext to decrypt. */
  readonly data: Uint8Array;
}

/** Key, first counter block and input of one SM4-CTR operation. */
export interface Sm4CtrInput {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** First counter block, 16 bytes; the whole block counts up, modulo 2^128. */
  readonly counter: Uint8Array;
  readonly data: Uint8Array;
}

/**
 * What differs between Node (OpenSSL) and the browser (plain TypeScript and noble). Everything
 * else of this package is written once over this interface. Lengths are checked by the callers.
 */
export interface Platform {
  sm3(data: Uint8Array): Uint8Array;
  createSm3(): Sm3;
  hmacSm3(key: Uint8Array, data: Uint8Array): Uint8Array;
  pbkdf2HmacSm3(
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    lengthBytes: number,
  ): Uint8Array;
  randomBytes(length: number): Uint8Array;
  /** One block of 16 bytes. */
  sm4EncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array;
  /** PKCS#7 padded. */
  sm4CbcEncrypt(input: Sm4CbcInput): Uint8Array;
  /** Undefined when the padding is wrong. */
  sm4CbcDecrypt(input: Sm4CbcInput): Uint8Array | undefined;
  sm4Ctr(input: Sm4CtrInput): Uint8Array;
  /** The public key of a private key that was checked. */
  sm2PublicKey(privateKey: Uint8Array): Uint8Array;
  /** Signs with a private key that was checked: r ‖ s. */
  sm2Sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** Takes a private key that was checked into a signing function, which keeps no view on it. */
  sm2SignWith(privateKey: Uint8Array): (message: Uint8Array) => Uint8Array;
  /** Never throws. The signature's form and range were checked; the public key was not. */
  sm2Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
