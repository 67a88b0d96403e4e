import type { DigestOfParts } from "../digest-replacement.ts";
import { instantiate, type WasmMemory } from "../wasm.ts";
import { KERNEL_CODE } from "./code.ts";

/** What the module offers; addresses are of its memory. See assembly/sm3/index.ts. */
interface Sm3Exports {
  readonly memory: WasmMemory;
  roomAddress(): number;
  laneBytes(): number;
  digestsAddress(): number;
  hash(blocks: number): void;
}

/** Digests of many messages, each in parts behind one prefix: 32 bytes each, in their order. */
export type Sm3OfAll = (
  prefix: Uint8Array,
  messages: readonly (readonly Uint8Array[])[],
) => Uint8Array[];

/** Messages that are computed side by side. */
const LANES = 4;
/** A message alone takes longer beside three idle lanes than by itself. */
const MIN_LANES = 2;
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** One bit and the length: what every message is padded with at least. */
const PADDING_BYTES = 9;

const NONE: readonly Uint8Array[] = [];

/** Memory of the four messages, and of their digests. */
interface Lanes {
  readonly bytes: number;
  /** Puts a message into a lane, with its padding. */
  put(lane: number, prefix: Uint8Array, parts: readonly Uint8Array[], blocks: number): void;
  hash(blocks: number): void;
  digest(lane: number): Uint8Array;
}

function openLanes(): Lanes {
  const wasm = instantiate<Sm3Exports>(KERNEL_CODE);
  const bytes = wasm.laneBytes();
  // Its memory does not grow.
  const { buffer } = wasm.memory;
  const room = new Uint8Array(buffer, wasm.roomAddress(), LANES * bytes);
  const view = new DataView(buffer, wasm.roomAddress(), LANES * bytes);
  const digests = new Uint8Array(buffer, wasm.digestsAddress(), LANES * DIGEST_BYTES);
  return {
    bytes,
    put(lane, prefix, parts, blocks) {
      const start = lane * bytes;
      room.set(prefix, start);
      let at = start + prefix.length;
      for (const part of parts) {
        room.set(part, at);
        at += part.length;
      }
      const end = start + blocks * BLOCK_BYTES;
      room[at] = 0x80;
      room.fill(0, at + 1, end - 4);
      // A lane is far below 2^29 bytes: the length in bits is one word.
      view.setUint32(end - 4, (at - start) * 8);
    },
    hash: (blocks) => wasm.hash(blocks),
    digest: (lane) => digests.slice(lane * DIGEST_BYTES, (lane + 1) * DIGEST_BYTES),
  };
}

/**
 * SM3 of many messages, four of as many blocks at a time by vector instructions. What finds no
 * others, or is too long for a lane, goes to `one`.
 * @throws WebAssembly.CompileError where vectors are unknown; an EvalError where a page's policy
 * forbids WebAssembly
 */
export function createSm3Kernel(one: DigestOfParts): Sm3OfAll {
  const lanes = openLanes();
  return (prefix, messages) => {
    const answers = new Array<Uint8Array>(messages.length);
    /** Places of messages that wait for others, by their blocks. */
    const waiting = new Map<number, number[]>();
    const partsAt = (place: number) => messages[place] ?? NONE;
    const waitingFor = (blocks: number): number[] => {
      const places = waiting.get(blocks) ?? [];
      if (places.length === 0) waiting.set(blocks, places);
      return places;
    };
    // Messages of one list mostly have the length of the one before.
    let [others, othersBlocks] = [waitingFor(1), 1];
    const run = (blocks: number, places: number[]): void => {
      for (let lane = 0; lane < places.length; lane++) {
        lanes.put(lane, prefix, partsAt(places[lane] as number), blocks);
      }
      lanes.hash(blocks);
      for (let lane = 0; lane < places.length; lane++) {
        answers[places[lane] as number] = lanes.digest(lane);
      }
      places.length = 0;
    };
    for (let place = 0; place < messages.length; place++) {
      let length = prefix.length;
      for (const part of partsAt(place)) length += part.length;
      const blocks = Math.ceil((length + PADDING_BYTES) / BLOCK_BYTES);
      if (blocks * BLOCK_BYTES > lanes.bytes) {
        answers[place] = one(prefix, partsAt(place));
        continue;
      }
      if (blocks !== othersBlocks) [others, othersBlocks] = [waitingFor(blocks), blocks];
      if (others.push(place) === LANES) run(blocks, others);
    }
    for (const [blocks, places] of waiting) {
      if (places.length >= MIN_LANES) run(blocks, places);
      else for (const place of places) answers[place] = one(prefix, partsAt(place));
    }
    return answers;
  };
}
