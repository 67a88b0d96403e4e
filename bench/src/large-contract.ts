import { HOST_ABI, type Manifest, manifestCodec } from "@credlink/contracts-vm";
import type { ContractDeployment } from "@credlink/ledger";
import { encode, utf8 } from "@credlink/primitives";

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const name = (text: string): number[] => sized([...utf8(text)]);

/** Adds what the first local and a number give to the second local, in a loop and a condition. */
function block(number: number): number[] {
  return [
    ...[0x20, 0, 0x41, ...leb(number % 64), 0x6c, 0x20, 1, 0x6a, 0x22, 1],
    ...[0x04, 0x40, 0x20, 1, 0x41, 3, 0x76, 0x21, 1, 0x05, 0x41, 8, 0x20, 1, 0x36, 2, 0, 0x0b],
  ];
}

/** `(i32) -> i32` of some 400 bytes, which calls the function before it. */
function body(index: number, first: number): number[] {
  const blocks = Array.from({ length: 13 }, (_, place) => block(index + place)).flat();
  const call = index === first ? [0x20, 1] : [0x20, 1, 0x10, ...leb(index - 1)];
  return sized([1, 1, 0x7f, ...blocks, ...call, 0x0b]);
}

/**
 * A contract of `sizeBytes`, or a little less: straight code, branches, calls and stores as
 * compilers make them, so that validation and rewriting have as much to do as with a real one.
 */
export function largeContract(sizeBytes: number): ContractDeployment {
  const manifest: Manifest = {
    ...{ name: "large", version: "1.0.0", abi: HOST_ABI, maxMemoryPages: 1, calls: [] },
    methods: [{ name: "run", readOnly: false, roles: ["institution"] }],
  };
  const count = Math.floor((sizeBytes - 512) / (body(1_000, 0).length + 1));
  const functions = Array.from({ length: count }, (_, index) => body(index, 0));
  const run = sized([0, 0x41, 5, 0x10, ...leb(count - 1), 0x1a, 0x0b]);
  const code = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(0, [...name("credlink.version"), ...utf8("large@1.0.0")]),
    ...section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 0]),
    ...section(3, [...leb(count + 1), ...functions.map(() => 0), 1]),
    ...section(5, [1, 1, 1, 1]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("run"), 0, ...leb(count)]),
    ...section(10, [...leb(count + 1), ...functions.flat(), ...run]),
  ]);
  return { name: "large", version: "1.0.0", code, manifest: encode(manifestCodec, manifest) };
}
