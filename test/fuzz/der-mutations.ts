import type { SeededRandom } from "@credlink/testkit";
import { type DerNode, nodesOf, readTree, writeTree } from "./der-tree.ts";

const NONE = new Uint8Array(0);
const utf8 = new TextEncoder();

/** Object identifiers that certificates hold, and some that ours do not. */
const OIDS: readonly (readonly number[])[] = [
  [0x55, 0x04, 0x03],
  [0x55, 0x04, 0x0a],
  [0x55, 0x04, 0x0b],
  [0x55, 0x1d, 0x0e],
  [0x55, 0x1d, 0x0f],
  [0x55, 0x1d, 0x13],
  [0x55, 0x1d, 0x14],
  [0x55, 0x1d, 0x15],
  [0x55, 0x1d, 0x1b],
  [0x55, 0x1d, 0x1c],
  [0x55, 0x1d, 0x23],
  [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d],
  [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75],
  [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
  [0x80, 0x01],
  [0x81],
  [],
  new Array<number>(40).fill(0xff),
];

const INTEGERS: readonly (readonly number[])[] = [
  [],
  [0],
  [0xff],
  [0x80],
  [0, 0],
  [0, 0x7f],
  [0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0, 0x80, 0, 0, 0],
  [1, ...new Array<number>(8).fill(0)],
  [0x7f, ...new Array<number>(19).fill(0xff)],
  [0, ...new Array<number>(20).fill(0xff)],
  [0x7f, ...new Array<number>(20).fill(0xff)],
  new Array<number>(300).fill(0x55),
];

const TEXTS: readonly string[] = [
  "",
  "validator",
  "admin",
  "ca",
  "CN",
  "中".repeat(64),
  "😀".repeat(64),
  "x".repeat(64),
  "x".repeat(65),
  "\u0000",
  "a\u0000b",
  "é",
  "e\u0301",
  "\u202e",
  "x".repeat(5_000),
  "991231235959Z",
  "000229000000Z",
  "490101000000Z",
  "500101000000Z",
  "20500101000000Z",
  "99991231235959Z",
  "00000101000000Z",
  "20260230000000Z",
  "20261121000000.5Z",
  "202611210000Z",
  "20261121000000+0800",
  "+26112100000Z",
];

const LENGTHS: readonly (readonly number[])[] = [
  [0x80],
  [0xff],
  [0x81, 0x05],
  [0x82, 0x00, 0x05],
  [0x84, 0xff, 0xff, 0xff, 0xff],
  [0x85, 1, 0, 0, 0, 0],
  [0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0],
  [1],
  [0x7f],
];

const TAGS = [
  1, 2, 3, 4, 5, 6, 10, 12, 19, 20, 22, 23, 24, 30, 48, 49, 0x80, 0xa0, 0xa3, 0x1f, 0x24,
];

type Change = (node: DerNode, random: SeededRandom, donor: readonly DerNode[]) => void;

const clone = (node: DerNode): DerNode => structuredClone(node);

function becomePrimitive(node: DerNode, content: Iterable<number>): void {
  node.children = undefined;
  node.content = Uint8Array.from(content);
}

function index(random: SeededRandom, length: number): number {
  return random.integer(Math.max(1, length));
}

const changes: readonly Change[] = [
  (node, random) => {
    node.tag = random.chance(0.7) ? random.pick(TAGS) : random.integer(256);
  },
  (node, random) => {
    node.lengthOctets = random.pick(LENGTHS);
  },
  (node, random) => becomePrimitive(node, random.pick(INTEGERS)),
  (node, random) => becomePrimitive(node, random.pick(OIDS)),
  (node, random) => becomePrimitive(node, utf8.encode(random.pick(TEXTS))),
  (node, random) => becomePrimitive(node, random.bytes(random.integer(70))),
  (node, random) => {
    if (node.content.length === 0) return;
    const content = Uint8Array.from(node.content);
    content[index(random, content.length)] = random.integer(256);
    node.content = content;
  },
  (node, random) => {
    node.content = node.content.subarray(0, index(random, node.content.length));
  },
  (node, random) => {
    node.content = Uint8Array.from([...node.content, ...random.bytes(1 + random.integer(4))]);
  },
  (node, random) => {
    node.children?.splice(index(random, node.children.length), 1);
  },
  (node, random) => {
    const { children } = node;
    const child = children?.[index(random, children.length)];
    if (child !== undefined) children?.splice(index(random, children.length + 1), 0, clone(child));
  },
  (node, random) => {
    if (node.children !== undefined) node.children = random.shuffle(node.children);
  },
  (node) => {
    node.children = [];
    node.content = NONE;
  },
  (node, random) => {
    const depth = random.pick([1, 2, 20, 24, 25, 40, 400]);
    const tag = random.pick([0x30, 0x31, 0xa0, 0x24]);
    let inner: DerNode = clone(node);
    for (let i = 0; i < depth; i++) inner = { tag, children: [inner], content: NONE };
    Object.assign(node, inner);
  },
  (node, random, donor) => {
    Object.assign(node, clone(random.pick(donor)));
  },
  (node, random, donor) => {
    node.children?.splice(index(random, node.children.length + 1), 0, clone(random.pick(donor)));
  },
  (node, random) => {
    if (node.children === undefined || node.children.length === 0) return;
    const child = random.pick(node.children);
    const times = random.pick([2, 17, 300]);
    if (times * writeTree(child).length < 40_000) {
      node.children.push(...Array.from({ length: times }, () => clone(child)));
    }
  },
];

/** Changes some nodes of a tree in place. `donor`: nodes of other samples to put in. */
export function mutateTree(tree: DerNode, random: SeededRandom, donor: readonly DerNode[]): void {
  const times = random.pick([1, 1, 1, 2, 3]);
  for (let i = 0; i < times; i++) random.pick(changes)(random.pick(nodesOf(tree)), random, donor);
}

/** Changes bytes without looking at what they mean. */
export function mutateBytes(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const at = index(random, bytes.length);
  switch (random.integer(5)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.from([...bytes, ...random.bytes(1 + random.integer(3))]);
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...random.bytes(1), ...bytes.subarray(at)]);
    default: {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << random.integer(8));
      return changed;
    }
  }
}

/** A sample's tree. */
export function treeOf(bytes: Uint8Array): DerNode {
  const tree = readTree(bytes);
  if (tree === undefined) throw new Error("a sample is DER");
  return tree;
}
