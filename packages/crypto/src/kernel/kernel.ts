import { equalBytes } from "@credlink/primitives";
import { sm3 } from "../pure/sm3.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, zInput } from "../sm2-curve.ts";
import { instantiateKernel, type KernelExports } from "./module.ts";

/** One signature to be verified. */
export interface Sm2Claim {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  /** r ‖ s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Verifies SM2 signatures under the default ID. Neither constant in time nor meant to be. */
export interface Sm2Kernel {
  /** Never throws: false for whatever is no signature of the message under the key. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** The same of each, which is faster than one by one. */
  verifyAll(claims: readonly Sm2Claim[]): readonly boolean[];
  /** Keys that have a table at this moment. */
  readonly tables: number;
}

export interface Sm2KernelOptions {
  /** Most bytes of tables; one takes 288 KiB. Default 32 MiB. */
  readonly tableBytes?: number;
  /** Uses after which a key gets a table, which costs as much as ten verifications without. Default 12. */
  readonly usesBeforeTable?: number;
  /** Most keys that are remembered: Z, and how often they were used. Default 8,192. */
  readonly keys?: number;
  /** Digest of long messages, where it is faster than the kernel's own. */
  readonly sm3?: (data: Uint8Array) => Uint8Array;
}

const DEFAULT_TABLE_BYTES = 32 * 1024 * 1024;
const DEFAULT_USES = 12;
const DEFAULT_KEYS = 8192;
const Z_BYTES = 32;
const PAGE = 65_536;
/** Longer messages are digested outside. */
const MAX_MESSAGE = 4_096;
const BATCH = 64;
const ITEM_BYTES = 100;
const ITEM_SIGNATURE = 4;
const ITEM_HASH = ITEM_SIGNATURE + SIGNATURE_BYTES;
/** From so many signatures on, a batch is faster than one by one. */
const LEAST_BATCH = 4;

/** A key that was seen. */
interface Key {
  readonly publicKey: Uint8Array;
  readonly z: Uint8Array;
  uses: number;
  /** Which table is its own; −1: none. */
  slot: number;
  /** Number of its last use among all. */
  usedAt: number;
}

/** Keys by their bytes: by four of them first, for a text of all 65 costs more than the lookup. */
class KeyMap {
  readonly #most: number;
  readonly #groups = new Map<number, Key[]>();
  /** In order of arrival. */
  readonly #all = new Set<Key>();

  constructor(most: number) {
    this.#most = most;
  }

  find(publicKey: Uint8Array): Key | undefined {
    return this.#groups
      .get(groupOf(publicKey))
      ?.find((key) => equalBytes(key.publicKey, publicKey));
  }

  /** Adds a key that is not there; when there are too many, the first goes that has no table. */
  add(key: Key): void {
    if (this.#all.size >= this.#most) this.#removeOne();
    const group = groupOf(key.publicKey);
    this.#groups.set(group, [...(this.#groups.get(group) ?? []), key]);
    this.#all.add(key);
  }

  #removeOne(): void {
    for (const key of this.#all) {
      if (key.slot >= 0) continue;
      this.#all.delete(key);
      const group = groupOf(key.publicKey);
      const rest = (this.#groups.get(group) ?? []).filter((other) => other !== key);
      if (rest.length === 0) this.#groups.delete(group);
      else this.#groups.set(group, rest);
      return;
    }
  }
}

/** The last four bytes of y: whoever makes keys that share them gains nothing but a longer list. */
function groupOf(publicKey: Uint8Array): number {
  const at = PUBLIC_KEY_BYTES - 4;
  const byte = (i: number): number => publicKey[at + i] ?? 0;
  return (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3);
}

class Kernel implements Sm2Kernel {
  readonly #wasm: KernelExports;
  readonly #sm3: (data: Uint8Array) => Uint8Array;
  readonly #usesBeforeTable: number;
  /** Tables that there may be; fewer once the memory for one more was refused. */
  #slots: number;
  readonly #tableBytes: number;
  readonly #keys: KeyMap;
  /** Those with a table, by its place. */
  readonly #tabled: Key[] = [];
  #uses = 0;
  // Memory from `base` on: point, signature, digest, Z ‖ message; then the tables.
  readonly #point: number;
  readonly #signature: number;
  readonly #hash: number;
  readonly #text: number;
  readonly #firstTable: number;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(options: Sm2KernelOptions, wasm: KernelExports) {
    this.#wasm = wasm;
    this.#sm3 = options.sm3 ?? sm3;
    this.#usesBeforeTable = options.usesBeforeTable ?? DEFAULT_USES;
    // Keys with tables stay, so there is room for one more at least.
    const maxKeys = options.keys ?? DEFAULT_KEYS;
    this.#keys = new KeyMap(maxKeys);
    this.#tableBytes = wasm.tableBytes();
    const budget = options.tableBytes ?? DEFAULT_TABLE_BYTES;
    this.#slots = Math.min(Math.floor(budget / this.#tableBytes), maxKeys - 1);
    this.#point = wasm.heapBase();
    this.#signature = this.#point + 64;
    this.#hash = this.#signature + SIGNATURE_BYTES;
    this.#text = this.#hash + 32;
    this.#firstTable = this.#text + Z_BYTES + MAX_MESSAGE;
    this.#bytes = new Uint8Array(0);
    this.#view = new DataView(new ArrayBuffer(0));
    this.#reserve(this.#firstTable);
  }

  get tables(): number {
    return this.#tabled.length;
  }

  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES) return false;
    const key = this.#use(publicKey);
    if (key === null) return false;
    this.#digest(key, message, this.#hash);
    return this.#verifyDigest(key, signature);
  }

  verifyAll(claims: readonly Sm2Claim[]): readonly boolean[] {
    const results = new Array<boolean>(claims.length).fill(false);
    for (let from = 0; from < claims.length; from += BATCH) {
      this.#verifySome(claims.slice(from, from + BATCH), (index, isGood) => {
        results[from + index] = isGood;
      });
    }
    return results;
  }

  #verifySome(claims: readonly Sm2Claim[], answer: (index: number, isGood: boolean) => void): void {
    // First all keys: one that gets a table may take that of another.
    const keys = claims.map(({ publicKey, signature }) =>
      signature.length === SIGNATURE_BYTES ? this.#use(publicKey) : null,
    );
    const together: number[] = [];
    const items = this.#wasm.itemsAddress();
    for (const [index, { message, signature }] of claims.entries()) {
      const key = keys[index] ?? null;
      if (key === null) continue;
      if (key.slot < 0) {
        this.#digest(key, message, this.#hash);
        answer(index, this.#verifyDigest(key, signature));
        continue;
      }
      const item = items + together.length * ITEM_BYTES;
      this.#view.setUint32(item, this.#tableOf(key.slot), true);
      this.#bytes.set(signature, item + ITEM_SIGNATURE);
      this.#digest(key, message, item + ITEM_HASH);
      together.push(index);
    }
    if (together.length >= LEAST_BATCH) {
      this.#wasm.verifyBatch(together.length);
      const answers = this.#wasm.answersAddress();
      for (const [place, index] of together.entries()) {
        answer(index, this.#bytes[answers + place] === 1);
      }
      return;
    }
    for (const [place, index] of together.entries()) {
      const item = items + place * ITEM_BYTES;
      const table = this.#view.getUint32(item, true);
      answer(index, this.#wasm.verifyKnown(table, item + ITEM_SIGNATURE, item + ITEM_HASH) === 1);
    }
  }

  /** Verifies what `#hash` holds. */
  #verifyDigest(key: Key, signature: Uint8Array): boolean {
    this.#bytes.set(signature, this.#signature);
    if (key.slot >= 0) {
      return this.#wasm.verifyKnown(this.#tableOf(key.slot), this.#signature, this.#hash) === 1;
    }
    return this.#setKey(key.publicKey) && this.#wasm.verifyCold(this.#signature, this.#hash) === 1;
  }

  /** SM3(Z ‖ message) into the kernel's memory. */
  #digest(key: Key, message: Uint8Array, out: number): void {
    if (message.length > MAX_MESSAGE) {
      const whole = new Uint8Array(Z_BYTES + message.length);
      whole.set(key.z);
      whole.set(message, Z_BYTES);
      this.#bytes.set(this.#sm3(whole), out);
      return;
    }
    this.#bytes.set(key.z, this.#text);
    this.#bytes.set(message, this.#text + Z_BYTES);
    this.#wasm.digest(out, this.#text, Z_BYTES + message.length);
  }

  /** The key, which counts one use more; null when it is no point of the curve. */
  #use(publicKey: Uint8Array): Key | null {
    if (publicKey.length !== PUBLIC_KEY_BYTES || publicKey[0] !== 0x04) return null;
    const key = this.#keys.find(publicKey) ?? this.#meet(publicKey);
    if (key === null) return null;
    key.uses++;
    key.usedAt = ++this.#uses;
    if (key.slot < 0 && key.uses > this.#usesBeforeTable && this.#slots > 0) this.#giveTable(key);
    return key;
  }

  #meet(publicKey: Uint8Array): Key | null {
    if (!this.#setKey(publicKey)) return null;
    const own = publicKey.slice();
    const key = { publicKey: own, z: this.#sm3(zInput(own)), uses: 0, slot: -1, usedAt: 0 };
    this.#keys.add(key);
    return key;
  }

  #giveTable(key: Key): void {
    if (!this.#setKey(key.publicKey)) return;
    if (this.#tabled.length < this.#slots && !this.#hasRoom(this.#tabled.length)) {
      // The machine gives no more memory: the tables that there are must do.
      this.#slots = this.#tabled.length;
      if (this.#slots === 0) return;
    }
    key.slot = this.#freeSlot();
    this.#tabled[key.slot] = key;
    this.#wasm.buildTable(this.#tableOf(key.slot));
  }

  /** A table that nobody has yet, or that of the key which was used longest ago. */
  #freeSlot(): number {
    if (this.#tabled.length < this.#slots) return this.#tabled.length;
    const oldest = this.#tabled.reduce((left, right) =>
      left.usedAt < right.usedAt ? left : right,
    );
    const { slot } = oldest;
    oldest.slot = -1;
    oldest.uses = 0;
    return slot;
  }

  #hasRoom(slot: number): boolean {
    try {
      this.#reserve(this.#tableOf(slot + 1));
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  #setKey(publicKey: Uint8Array): boolean {
    this.#bytes.set(publicKey.subarray(1), this.#point);
    return this.#wasm.setKey(this.#point) === 1;
  }

  #tableOf(slot: number): number {
    return this.#firstTable + slot * this.#tableBytes;
  }

  /** Makes the memory reach `end`. @throws RangeError when the machine does not give it */
  #reserve(end: number): void {
    const { memory } = this.#wasm;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    if (this.#bytes.buffer === memory.buffer) return;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }
}

/**
 * A kernel of its own, with memory and tables of its own. It says nothing of whether this machine
 * runs it rightly: `openSm2Kernel` does.
 */
export function createSm2Kernel(
  options: Sm2KernelOptions = {},
  wasm: KernelExports = instantiateKernel(),
): Sm2Kernel {
  return new Kernel(options, wasm);
}
