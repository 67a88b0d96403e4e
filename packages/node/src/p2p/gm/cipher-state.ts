import { wipe } from "@credlink/crypto";
import { invariant } from "@credlink/primitives";
import { refusedByUs } from "../handshake-channel.ts";
import { NOISE_KEY_BYTES, type NoiseCipher, type NoisePrimitives } from "./noise-primitives.ts";

/**
 * Messages of one direction under one key: 2^20 of 65,535 bytes are 2^32 blocks, of which no two
 * collide with a probability above 2^−64.
 */
export const REKEY_AFTER_MESSAGES = 2 ** 20;
/** The last nonce; the specification allows 2^64 − 2, and 2^53 messages take longer than we live. */
export const LAST_NONCE = Number.MAX_SAFE_INTEGER;

/** The nonce that is kept for making the next key. @see Noise revision 34, §4.2 "REKEY" */
const REKEY_NONCE = 2n ** 64n - 1n;
const NOTHING = new Uint8Array(0);

/**
 * A key and the count of its messages. Both ends count alike, so a message that is lost, doubled
 * or out of its turn does not decrypt. @see Noise revision 34, §5.1 "CipherState", §11.3 "Rekey"
 */
export class CipherState {
  readonly #primitives: Pick<NoisePrimitives, "createCipher">;
  #cipher: NoiseCipher;
  #nonce: number;
  #isWiped = false;

  /** @param nonce of the first message; default 0 */
  constructor(primitives: Pick<NoisePrimitives, "createCipher">, key: Uint8Array, nonce = 0) {
    invariant(key.length === NOISE_KEY_BYTES, "a noise key has 32 bytes");
    this.#primitives = primitives;
    this.#cipher = primitives.createCipher(key);
    this.#nonce = nonce;
  }

  /** @throws AdmissionError NODE_ADMISSION_CHANNEL_EXHAUSTED */
  seal(data: Uint8Array, associated: Uint8Array = NOTHING): Uint8Array {
    const nonce = this.#begin();
    const sealed = this.#cipher.seal(nonce, data, associated);
    this.#nonce++;
    return sealed;
  }

  /** @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN, _EXHAUSTED */
  open(data: Uint8Array, associated: Uint8Array = NOTHING): Uint8Array {
    const nonce = this.#begin();
    let plain: Uint8Array;
    try {
      plain = this.#cipher.open(nonce, data, associated);
    } catch (cause) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "a message does not decrypt", cause);
    }
    this.#nonce++;
    return plain;
  }

  /** Clears the key; nothing is sealed or opened any more. */
  wipe(): void {
    this.#isWiped = true;
    this.#cipher.wipe();
  }

  #begin(): bigint {
    if (this.#isWiped) throw refusedByUs("NODE_ADMISSION_ABORTED", "the connection closed");
    if (this.#nonce > LAST_NONCE - 1) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_EXHAUSTED", "no nonce is left");
    }
    if (this.#nonce > 0 && this.#nonce % REKEY_AFTER_MESSAGES === 0) this.#rekey();
    return BigInt(this.#nonce);
  }

  #rekey(): void {
    const zeros = new Uint8Array(NOISE_KEY_BYTES);
    const sealed = this.#cipher.seal(REKEY_NONCE, zeros, NOTHING);
    const next = this.#primitives.createCipher(sealed.subarray(0, NOISE_KEY_BYTES));
    wipe(sealed);
    this.#cipher.wipe();
    this.#cipher = next;
  }
}
