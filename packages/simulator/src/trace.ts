import type { WireMessage } from "@credlink/testkit";

const TIME = new DataView(new ArrayBuffer(8));

/** A running digest over everything that happens: two runs of one seed must agree on it. */
export class Trace {
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;
  /** Whether signatures repeat; otherwise message bytes are left out, their lengths are not. */
  readonly #withBytes: boolean;
  events = 0;
  #lastBytes: Uint8Array | null = null;
  #lastDigest = 0;

  constructor(withBytes: boolean) {
    this.#withBytes = withBytes;
  }

  message(atMs: number, { from, to, protocol, kind, bytes }: WireMessage): void {
    this.event(atMs, `${from}>${to} ${protocol} ${kind} ${bytes.length}`);
    if (this.#withBytes) this.#add(this.#digestOf(bytes));
  }

  /** A broadcast is one message to many, one after another. */
  #digestOf(bytes: Uint8Array): number {
    if (bytes === this.#lastBytes) return this.#lastDigest;
    // Long messages are sampled: whatever changes in them changes digests, which are short.
    const stride = Math.max(1, bytes.length >> 6);
    let digest = 0x811c9dc5;
    for (let at = 0; at < bytes.length; at += stride) {
      digest = Math.imul(digest ^ (bytes[at] as number), 0x01000193);
    }
    this.#lastBytes = bytes;
    this.#lastDigest = digest;
    return digest;
  }

  event(atMs: number, text: string): void {
    this.events++;
    TIME.setFloat64(0, atMs);
    this.#add(TIME.getUint32(0));
    this.#add(TIME.getUint32(4));
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
  }

  get digest(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  #add(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 7) ^ value, 0x85ebca6b);
  }
}
