import { concatBytes, invariant } from "@credlink/primitives";
import { refusedByUs } from "../handshake-channel.ts";
import type { CipherState } from "./cipher-state.ts";
import type { NoiseKey, NoisePrimitives } from "./noise-primitives.ts";
import { SymmetricState } from "./symmetric-state.ts";

/** What a side brings to a handshake. */
export interface HandshakeInputs {
  readonly primitives: NoisePrimitives;
  /** What both sides take for granted; another one on the other side, and nothing decrypts. */
  readonly prologue: Uint8Array;
  readonly staticKey: NoiseKey;
  /** Default: a fresh one. Fixed in tests alone. */
  readonly ephemeralKey?: NoiseKey;
}

/** What a handshake comes to. */
export interface NoiseSession {
  readonly send: CipherState;
  readonly receive: CipherState;
  /** 32 bytes over the whole handshake. @see Noise revision 34, §11.2 "Channel binding" */
  readonly hash: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** What either side does; the messages differ. */
class Side {
  readonly state: SymmetricState;
  readonly ephemeral: NoiseKey;
  readonly #inputs: HandshakeInputs;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;

  constructor(inputs: HandshakeInputs) {
    this.#inputs = inputs;
    this.state = new SymmetricState(inputs.primitives);
    this.state.mixHash(inputs.prologue);
    this.ephemeral = inputs.ephemeralKey ?? inputs.primitives.generateKey();
  }

  get staticKey(): NoiseKey {
    return this.#inputs.staticKey;
  }

  get remoteEphemeral(): Uint8Array {
    invariant(this.#remoteEphemeral !== undefined, "the peer's ephemeral key was read before");
    return this.#remoteEphemeral;
  }

  get remoteStatic(): Uint8Array {
    invariant(this.#remoteStatic !== undefined, "the peer's static key was read before");
    return this.#remoteStatic;
  }

  /** Splits a message at the lengths of its first parts; the payload is the rest. */
  parts(message: Uint8Array, ...lengths: readonly number[]): readonly Uint8Array[] {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const length of lengths) {
      parts.push(message.subarray(at, at + length));
      at += length;
    }
    if (message.length < at) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "a handshake message is too short");
    }
    parts.push(message.subarray(at));
    return parts;
  }

  get keyBytes(): number {
    return this.#inputs.primitives.publicKeyBytes;
  }

  readEphemeral(key: Uint8Array): void {
    this.#remoteEphemeral = key.slice();
    this.state.mixHash(key);
  }

  readStatic(sealed: Uint8Array): void {
    this.#remoteStatic = this.state.decryptAndHash(sealed).slice();
  }

  /** @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN for a key that is no point */
  mix(own: NoiseKey, remote: Uint8Array): void {
    let secret: Uint8Array;
    try {
      secret = own.agree(remote);
    } catch (cause) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "no point of the curve", cause);
    }
    this.state.mixKey(secret);
  }
}

/** The dialling side of XX; each step once, in this order. @see Noise revision 34, §7.5 */
export class Initiator {
  readonly #side: Side;

  constructor(inputs: HandshakeInputs) {
    this.#side = new Side(inputs);
  }

  /** → e */
  writeFirst(): Uint8Array {
    const { state, ephemeral } = this.#side;
    state.mixHash(ephemeral.publicKey);
    return concatBytes(ephemeral.publicKey, state.encryptAndHash(NOTHING));
  }

  /** ← e, ee, s, es. @returns the payload. @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN */
  readSecond(message: Uint8Array): Uint8Array {
    const side = this.#side;
    const { keyBytes, state, ephemeral } = side;
    const [e = NOTHING, s = NOTHING, payload = NOTHING] = side.parts(
      message,
      keyBytes,
      keyBytes + 16,
    );
    side.readEphemeral(e);
    side.mix(ephemeral, side.remoteEphemeral);
    side.readStatic(s);
    side.mix(ephemeral, side.remoteStatic);
    return state.decryptAndHash(payload);
  }

  /** → s, se */
  writeThird(payload: Uint8Array): Uint8Array {
    const side = this.#side;
    const s = side.state.encryptAndHash(side.staticKey.publicKey);
    side.mix(side.staticKey, side.remoteEphemeral);
    return concatBytes(s, side.state.encryptAndHash(payload));
  }

  get remoteStatic(): Uint8Array {
    return this.#side.remoteStatic;
  }

  finish(): NoiseSession {
    const { hash } = this.#side.state;
    const [send, receive] = this.#side.state.split();
    return { send, receive, hash };
  }
}

/** The listening side of XX; each step once, in this order. @see Noise revision 34, §7.5 */
export class Responder {
  readonly #side: Side;

  constructor(inputs: HandshakeInputs) {
    this.#side = new Side(inputs);
  }

  /** → e. @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN */
  readFirst(message: Uint8Array): void {
    const side = this.#side;
    const [e = NOTHING, payload = NOTHING] = side.parts(message, side.keyBytes);
    if (payload.length > 0) {
      throw refusedByUs("NODE_ADMISSION_CHANNEL_BROKEN", "the first message has no payload");
    }
    side.readEphemeral(e);
    side.state.decryptAndHash(payload);
  }

  /** ← e, ee, s, es. @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN */
  writeSecond(payload: Uint8Array): Uint8Array {
    const side = this.#side;
    const { state, ephemeral } = side;
    state.mixHash(ephemeral.publicKey);
    side.mix(ephemeral, side.remoteEphemeral);
    const s = state.encryptAndHash(side.staticKey.publicKey);
    side.mix(side.staticKey, side.remoteEphemeral);
    return concatBytes(ephemeral.publicKey, s, state.encryptAndHash(payload));
  }

  /** → s, se. @returns the payload. @throws AdmissionError NODE_ADMISSION_CHANNEL_BROKEN */
  readThird(message: Uint8Array): Uint8Array {
    const side = this.#side;
    const [s = NOTHING, payload = NOTHING] = side.parts(message, side.keyBytes + 16);
    side.readStatic(s);
    side.mix(side.ephemeral, side.remoteStatic);
    return side.state.decryptAndHash(payload);
  }

  get remoteStatic(): Uint8Array {
    return this.#side.remoteStatic;
  }

  finish(): NoiseSession {
    const { hash } = this.#side.state;
    const [receive, send] = this.#side.state.split();
    return { send, receive, hash };
  }
}
