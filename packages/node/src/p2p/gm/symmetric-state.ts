import { wipe } from "@credlink/crypto";
import { concatBytes, invariant, utf8 } from "@credlink/primitives";
import { CipherState } from "./cipher-state.ts";
import { NOISE_HASH_BYTES, type NoisePrimitives } from "./noise-primitives.ts";

const NOTHING = new Uint8Array(0);

/** Two keys from a chaining key and new material. @see Noise revision 34, §4.3 "HKDF" */
function deriveTwo(
  primitives: NoisePrimitives,
  chainingKey: Uint8Array,
  material: Uint8Array,
): readonly [Uint8Array, Uint8Array] {
  const { hmac } = primitives;
  const extracted = hmac(chainingKey, material);
  const first = hmac(extracted, Uint8Array.of(1));
  const second = hmac(extracted, concatBytes(first, Uint8Array.of(2)));
  wipe(extracted);
  return [first, second];
}

/** Keys and the running hash of a handshake. @see Noise revision 34, §5.2 "SymmetricState" */
export class SymmetricState {
  readonly #primitives: NoisePrimitives;
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(primitives: NoisePrimitives) {
    const name = utf8(primitives.name);
    invariant(name.length <= NOISE_HASH_BYTES, "a protocol name is not hashed");
    this.#primitives = primitives;
    this.#hash = new Uint8Array(NOISE_HASH_BYTES);
    this.#hash.set(name);
    this.#chainingKey = this.#hash.slice();
  }

  /** 32 bytes over all that was said so far. */
  get hash(): Uint8Array {
    return this.#hash.slice();
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#primitives.hash(concatBytes(this.#hash, data));
  }

  /** Takes a shared secret in, and wipes it. */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = deriveTwo(this.#primitives, this.#chainingKey, secret);
    wipe(this.#chainingKey, secret);
    this.#chainingKey = chainingKey;
    this.#cipher?.wipe();
    this.#cipher = new CipherState(this.#primitives, key);
    wipe(key);
  }

  /** Bytes that a part of a message takes beyond its plaintext at this point. */
  get overheadBytes(): number {
    return this.#cipher === undefined ? 0 : 16;
  }

  encryptAndHash(data: Uint8Array): Uint8Array {
    const sealed = this.#cipher?.seal(data, this.#hash) ?? data;
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN */
  decryptAndHash(data: Uint8Array): Uint8Array {
    const plain = this.#cipher?.open(data, this.#hash) ?? data;
    this.mixHash(data);
    return plain;
  }

  /** The ciphers of the session: from the initiator, from the responder. Ends the handshake. */
  split(): readonly [CipherState, CipherState] {
    const [first, second] = deriveTwo(this.#primitives, this.#chainingKey, NOTHING);
    const ciphers = [
      new CipherState(this.#primitives, first),
      new CipherState(this.#primitives, second),
    ] as const;
    wipe(this.#chainingKey, first, second);
    this.#cipher?.wipe();
    return ciphers;
  }
}
