import type { GenesisContract } from "@credlink/ledger";
import { concatBytes, utf8 } from "@credlink/primitives";
import {
  assemble,
  type Code,
  call,
  contractOf,
  get,
  I32,
  i32,
  manifestOf,
  set,
} from "./assembler.ts";

const IMPORTS = [
  "input_size",
  "input_read",
  "state_put",
  "state_delete",
  "state_range",
  "buffer_read",
  "return_value",
] as const;
const [SIZE, READ, PUT, DELETE, RANGE, BUFFER, RETURN] = [0, 1, 2, 3, 4, 5, 6] as const;

const readInput: Code = [i32(0), call(READ)];
const byteAt = (at: number): Code => [i32(at), 0x2d, 0, 0];
const ADD = 0x6a;
const SUB = 0x6b;
const PAGE_AT = 8_192;

const range: Code = [
  readInput,
  [i32(5), byteAt(4)],
  [i32(5), byteAt(4), ADD],
  [call(SIZE), i32(5), SUB, byteAt(4), SUB],
  [i32(0), 0x28, 2, 0],
  call(RANGE),
];

/** A contract that stores, deletes and lists what its arguments say; made by `storageCall`. */
export function storageContract(name = "probe"): GenesisContract {
  const code = assemble({
    imports: IMPORTS,
    functions: [
      {
        name: "put",
        code: [
          readInput,
          [i32(1), byteAt(0)],
          [i32(1), byteAt(0), ADD],
          [call(SIZE), i32(1), SUB, byteAt(0), SUB],
          call(PUT),
        ],
      },
      { name: "remove", code: [readInput, i32(0), call(SIZE), call(DELETE)] },
      {
        name: "list",
        locals: [[1, I32]],
        code: [range, set(0), i32(PAGE_AT), call(BUFFER), i32(PAGE_AT), get(0), call(RETURN)],
      },
      {
        // Deletes all of [from, to) that the two-byte keys 0 to 255 name, then lists.
        name: "clear",
        locals: [[2, I32]],
        code: [
          readInput,
          [0x03, 0x40],
          [i32(4_096), get(1), 0x3a, 0, 0],
          [i32(4_096), i32(1), call(DELETE)],
          [get(1), i32(1), ADD, 0x22, 1, i32(200), 0x49, 0x0d, 0, 0x0b],
          [range, set(0), i32(PAGE_AT), call(BUFFER), i32(PAGE_AT), get(0), call(RETURN)],
        ],
      },
    ],
    memory: [4, 4],
    version: `${name}@1.0.0`,
  });
  return contractOf(code, manifestOf(["put", "remove", "list", "clear"], { name }));
}

/** Arguments of the methods of `storageContract`. */
export const storageCall = {
  put: (key: Uint8Array | string, value: Uint8Array | string): Uint8Array =>
    concatBytes(Uint8Array.of(bytesOf(key).length), bytesOf(key), bytesOf(value)),
  list: (from: Uint8Array | string, to: Uint8Array | string, limit: number): Uint8Array =>
    concatBytes(
      Uint8Array.of(limit & 0xff, limit >> 8, 0, 0, bytesOf(from).length),
      bytesOf(from),
      bytesOf(to),
    ),
};

function bytesOf(text: Uint8Array | string): Uint8Array {
  return typeof text === "string" ? utf8(text) : text;
}
