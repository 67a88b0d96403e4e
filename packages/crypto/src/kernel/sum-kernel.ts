import { concatBytes } from "@credlink/primitives";
import { numberToBytes, SM2_CURVE } from "../sm2-curve.ts";
import { instantiate, type WasmMemory } from "../wasm.ts";
import { KERNEL_CODE } from "./sum-code.ts";

/** Bytes of a point: x ‖ y, 32 bytes each, big-endian; infinity has no such form. */
export const POINT_BYTES = 64;

/** What the module offers; addresses are of its memory. See assembly/sm2/sum.ts. */
interface SumExports {
  readonly memory: WasmMemory;
  pointsAddress(): number;
  maxPoints(): number;
  sum(plus: number, count: number): number;
}

/** Sums points of the SM2 curve, in WebAssembly. */
export interface SumKernel {
  /** Most bytes that it takes at once. */
  readonly maxBytes: number;
  /**
   * Whether the first `plus` points, less those that follow, are nothing; null where one is not on the
   * curve. The bytes are whole points, `maxBytes` at most.
   */
  isZeroSum(points: Uint8Array, plus: number): boolean | null;
}

function createSumKernel(): SumKernel {
  const wasm = instantiate<SumExports>(KERNEL_CODE);
  const maxBytes = wasm.maxPoints() * POINT_BYTES;
  // Its memory does not grow.
  const memory = new Uint8Array(wasm.memory.buffer, wasm.pointsAddress(), maxBytes);
  return {
    maxBytes,
    isZeroSum(points, plus) {
      memory.set(points);
      const answer = wasm.sum(plus, points.length / POINT_BYTES);
      return answer < 0 ? null : answer === 1;
    },
  };
}

const { Gx, Gy, p } = SM2_CURVE;
const point = (x: bigint, y: bigint): Uint8Array => concatBytes(numberToBytes(x), numberToBytes(y));
const G = point(Gx, Gy);
const OPPOSITE = point(Gx, p - Gy);

/** Sums of the self-test: points, how many are added, and what comes out. */
const known: readonly (readonly [Uint8Array, number, boolean | null])[] = [
  [new Uint8Array(0), 0, true],
  [G, 1, false],
  [concatBytes(G, G), 1, true],
  [concatBytes(G, OPPOSITE), 2, true],
  [concatBytes(G, G, OPPOSITE, OPPOSITE), 4, true],
  [concatBytes(G, G, G, G), 3, false],
  [concatBytes(G, point(Gx, Gy + 1n)), 1, null],
  [point(p, Gy), 1, null],
];

/** A kernel that was tested on this machine, or null where WebAssembly is missing or answers wrongly. */
export function openSumKernel(): SumKernel | null {
  try {
    const kernel = createSumKernel();
    const isRight = known.every(
      ([points, plus, right]) => kernel.isZeroSum(points, plus) === right,
    );
    return isRight ? kernel : null;
  } catch {
    return null;
  }
}
