/** DER as a tree that may be broken in every way: what is written need not be what can be read. */

/** One element. */
export interface DerNode {
  tag: number;
  /** Of a constructed element, or of a string that holds an encoding. */
  children: DerNode[] | undefined;
  /** Of a primitive element; for a BIT STRING with children, what stands before them. */
  content: Uint8Array;
  /** Length octets to write instead of the right ones. */
  lengthOctets?: readonly number[];
}

const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NONE = new Uint8Array(0);

/** The end of the element at `at`, and where its content begins; undefined where none is whole. */
function spanOf(bytes: Uint8Array, at: number): { start: number; end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > 3) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
  const start = at + 2 + count;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

function readMany(bytes: Uint8Array, depth: number): DerNode[] | undefined {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const span = spanOf(bytes, at);
    const tag = bytes[at];
    if (span === undefined || tag === undefined || depth > 30) return undefined;
    nodes.push(nodeOf(tag, bytes.subarray(span.start, span.end), depth));
    at = span.end;
  }
  return nodes;
}

function nodeOf(tag: number, content: Uint8Array, depth: number): DerNode {
  if ((tag & 0x20) !== 0) {
    const children = readMany(content, depth + 1);
    return { tag, children, content: children === undefined ? content : NONE };
  }
  const prefix = tag === BIT_STRING ? 1 : 0;
  const isHolder = tag === OCTET_STRING || tag === BIT_STRING;
  // A key identifier may look like an encoding by chance: only whole SEQUENCEs and the like count.
  const inner = content.subarray(prefix);
  const children = isHolder && inner.length > 2 ? readMany(inner, depth + 1) : undefined;
  return { tag, children, content: children === undefined ? content : content.subarray(0, prefix) };
}

/** Reads one element; undefined when the bytes are not exactly one. */
export function readTree(bytes: Uint8Array): DerNode | undefined {
  const nodes = readMany(bytes, 0);
  return nodes?.length === 1 ? nodes[0] : undefined;
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 | digits.length, ...digits];
}

/** Writes a tree: with right lengths, but where a node says otherwise. */
export function writeTree(node: DerNode): Uint8Array {
  const parts = (node.children ?? []).map(writeTree);
  const size = node.content.length + parts.reduce((sum, part) => sum + part.length, 0);
  const head = [node.tag & 0xff, ...(node.lengthOctets ?? lengthOctets(size))];
  const bytes = new Uint8Array(head.length + size);
  bytes.set(head);
  bytes.set(node.content, head.length);
  let at = head.length + node.content.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Every node of a tree, parents first. */
export function nodesOf(node: DerNode): readonly DerNode[] {
  return [node, ...(node.children ?? []).flatMap(nodesOf)];
}
