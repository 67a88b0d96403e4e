import { invariant } from "@credlink/primitives";
import { instantiate, type WasmMemory } from "../wasm.ts";
import { KERNEL_CODE } from "./code.ts";

/** What the WebAssembly module offers; see assembly/ghash/index.ts. */
interface GhashExports {
  readonly memory: WasmMemory;
  stateAddress(): number;
  roomAddress(): number;
  roomBytes(): number;
  absorb(blocks: number): void;
}

/** GHASH under a hash key (16 bytes) over parts, each padded with zeros to whole blocks. */
export type Ghash = (hashKey: Uint8Array, parts: readonly Uint8Array[]) => Uint8Array;

const BLOCK_BYTES = 16;

/**
 * GHASH by the kernel: 25 times as fast as `ghashMasked` (200 MB/s), and as constant in time as the
 * processor's multiplication. Hash key and sum are cleared from its memory after each use.
 * @throws WebAssembly.CompileError, or an EvalError where a page's policy forbids WebAssembly
 */
export function createGhashKernel(): Ghash {
  const kernel = instantiate<GhashExports>(KERNEL_CODE);
  const room = new Uint8Array(kernel.memory.buffer, kernel.roomAddress(), kernel.roomBytes());
  const state = new Uint8Array(kernel.memory.buffer, kernel.stateAddress(), 2 * BLOCK_BYTES);
  return (hashKey, parts) => {
    invariant(hashKey.length === BLOCK_BYTES, "a hash key is one block");
    state.set(hashKey);
    for (const part of parts) {
      for (let at = 0; at < part.length; at += room.length) {
        const piece = part.subarray(at, at + room.length);
        const blocks = Math.ceil(piece.length / BLOCK_BYTES);
        room.set(piece);
        room.fill(0, piece.length, blocks * BLOCK_BYTES);
        kernel.absorb(blocks);
      }
    }
    const sum = state.slice(BLOCK_BYTES);
    state.fill(0);
    return sum;
  };
}
