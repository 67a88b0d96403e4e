/** Deepest nesting of arrays that any format of the protocol needs, and then some. */
export const MAX_DEPTH = 16;
/** Most values in one encoding; a full block body stays far below. */
export const MAX_VALUES = 1_000_000;

/**
 * Walks msgpack bytes without allocating and says what is wrong with them, or null: a length that
 * points beyond the input, nesting deeper than `MAX_DEPTH`, more than `MAX_VALUES` values, or a
 * kind that the protocol does not use (maps, floats, extensions, signed integers below 64 bits).
 * Only after this may a decoder allocate by what the bytes claim.
 *
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function scanWire(input: Uint8Array): string | null {
  const open: number[] = [];
  let at = 0;
  let values = 0;
  do {
    if (at >= input.length) return "ends too early";
    if (++values > MAX_VALUES) return `more than ${MAX_VALUES} values`;
    const head = input[at++] as number;
    let items = 0;
    if (head < 0x80 || head === 0xc0 || head === 0xc2 || head === 0xc3) {
      // A small integer, null, false or true: nothing follows.
    } else if (head >= 0x90 && head <= 0x9f) {
      items = head & 0x0f;
    } else if (head >= 0xa0 && head <= 0xbf) {
      at += head & 0x1f;
    } else {
      const kind = KINDS.get(head);
      if (kind === undefined) return `kind 0x${head.toString(16)} is not used`;
      const size = kind.sizeBytes;
      if (at + size > input.length) return "ends too early";
      let length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + (input[at + i] as number);
      at += size;
      if (kind.follows === "items") items = length;
      else if (kind.follows === "bytes") at += length;
    }
    if (at > input.length) return "ends too early";
    if (items > 0) {
      // Every item takes a byte at least, so a claim beyond the input is refused at once.
      if (items > input.length - at) return "ends too early";
      if (open.length >= MAX_DEPTH) return `nested deeper than ${MAX_DEPTH}`;
      open.push(items);
    } else {
      while (open.length > 0) {
        const last = open.length - 1;
        const left = (open[last] as number) - 1;
        if (left > 0) {
          open[last] = left;
          break;
        }
        open.pop();
      }
    }
  } while (open.length > 0);
  return at === input.length ? null : "has bytes after its end";
}

interface Kind {
  /** Bytes of the value or of its length that follow the head. */
  readonly sizeBytes: number;
  /** What the length counts; `nothing` when those bytes are the value. */
  readonly follows: "nothing" | "bytes" | "items";
}

const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [0xc4, { sizeBytes: 1, follows: "bytes" }],
  [0xc5, { sizeBytes: 2, follows: "bytes" }],
  [0xc6, { sizeBytes: 4, follows: "bytes" }],
  [0xcc, { sizeBytes: 1, follows: "nothing" }],
  [0xcd, { sizeBytes: 2, follows: "nothing" }],
  [0xce, { sizeBytes: 4, follows: "nothing" }],
  [0xcf, { sizeBytes: 8, follows: "nothing" }],
  [0xd3, { sizeBytes: 8, follows: "nothing" }],
  [0xd9, { sizeBytes: 1, follows: "bytes" }],
  [0xda, { sizeBytes: 2, follows: "bytes" }],
  [0xdb, { sizeBytes: 4, follows: "bytes" }],
  [0xdc, { sizeBytes: 2, follows: "items" }],
  [0xdd, { sizeBytes: 4, follows: "items" }],
]);
