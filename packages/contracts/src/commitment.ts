import { sm3, taggedSm3 } from "@credlink/crypto";
import {
  accept,
  bytes,
  type Codec,
  concatBytes,
  type Digest,
  digest,
  encode,
  equalBytes,
  invariant,
  list,
  mapCodec,
  type Result,
  refuse,
  struct,
  text,
  u32,
  type WireValue,
} from "@credlink/primitives";
import { ContractsError } from "./errors.ts";
import { fieldValueCodec, type Payload, type PayloadSchema } from "./payload.ts";

/*
 * A payload is committed field by field: leaf = SM3(domain ‖ [schema, path, salt, value]), leaves
 * in the schema's order, absent fields as null leaves, joined as in RFC 6962 §2.1 over SM3.
 */

const FIELD_DOMAIN = "credlink/field/1";
export const SALT_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

interface Leaf {
  readonly schema: string;
  readonly path: string;
  readonly salt: Uint8Array;
  readonly value: WireValue;
}

const leafCodec: Codec<Leaf> = struct({
  schema: text(64),
  path: text(128),
  salt: bytes(SALT_BYTES),
  value: fieldValueCodec,
});

/** Salt of each field that the payload has, by path: 32 random bytes, never used twice. */
export type Salts = Readonly<Record<string, Uint8Array>>;

/** One field, opened to somebody: the leaf's content and its way to the root. */
export interface FieldDisclosure {
  readonly schema: string;
  readonly path: string;
  readonly salt: Uint8Array;
  readonly value: WireValue;
  /** Place among the schema's fields. */
  readonly index: number;
  readonly fieldCount: number;
  /** Sibling hashes from the leaf up. */
  readonly siblings: readonly Digest[];
}

/** Canonical form of a disclosure, for files and messages between members. */
export const fieldDisclosureCodec: Codec<FieldDisclosure> = struct({
  schema: text(64),
  path: text(128),
  salt: bytes(SALT_BYTES),
  value: fieldValueCodec,
  index: u32,
  fieldCount: u32,
  siblings: list(
    mapCodec(bytes(32), digest, (value) => value),
    16,
  ),
});

function fieldDigest(leaf: Leaf): Digest {
  return taggedSm3(FIELD_DOMAIN, encode(leafCodec, leaf));
}

/** Absent: 32 zero bytes, which no digest is. */
const ABSENT = digest(new Uint8Array(32));

function hashLeaf(field: Digest): Digest {
  return digest(sm3(concatBytes(LEAF, field)));
}

function hashNode(left: Digest, right: Digest): Digest {
  return digest(sm3(concatBytes(NODE, left, right)));
}

/** Largest power of two below `count`. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function rootOf(leaves: readonly Digest[]): Digest {
  const first = leaves[0];
  invariant(first !== undefined, "a schema has fields");
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return hashNode(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function siblingsOf(leaves: readonly Digest[], index: number): readonly Digest[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const left = leaves.slice(0, split);
  const right = leaves.slice(split);
  return index < split
    ? [...siblingsOf(left, index), rootOf(right)]
    : [...siblingsOf(right, index - split), rootOf(left)];
}

function leavesOf(schema: PayloadSchema, payload: Payload, salts: Salts): readonly Digest[] {
  return schema.fields.map(({ path }) => {
    const value = payload[path];
    if (value === undefined) return hashLeaf(ABSENT);
    const salt = salts[path];
    if (salt?.length !== SALT_BYTES) {
      throw new ContractsError({ code: "CONTRACTS_SALT_MISSING", path }, `${path} has no salt`);
    }
    return hashLeaf(fieldDigest({ schema: schema.id, path, salt, value }));
  });
}

/** A fresh salt for every field that the payload has. `random` gives that many random bytes. */
export function createSalts(payload: Payload, random: (length: number) => Uint8Array): Salts {
  return Object.fromEntries(Object.keys(payload).map((path) => [path, random(SALT_BYTES)]));
}

/**
 * Root and field count that the chain keeps for a payload.
 * @throws ContractsError CONTRACTS_SALT_MISSING when a present field has no salt of 32 bytes.
 */
export function commitPayload(
  schema: PayloadSchema,
  payload: Payload,
  salts: Salts,
): { readonly root: Digest; readonly fieldCount: number } {
  return { root: rootOf(leavesOf(schema, payload, salts)), fieldCount: schema.fields.length };
}

/** Whether the whole payload is what was committed. */
export function verifyPayload(
  schema: PayloadSchema,
  payload: Payload,
  salts: Salts,
  commitment: { readonly root: Digest; readonly fieldCount: number },
): Result<true, "CONTRACTS_COMMITMENT_MISMATCH"> {
  if (commitment.fieldCount !== schema.fields.length) {
    return refuse("CONTRACTS_COMMITMENT_MISMATCH", "another number of fields");
  }
  const known = new Set(schema.fields.map(({ path }) => path));
  const stray = Object.keys(payload).find((path) => !known.has(path));
  if (stray !== undefined) return refuse("CONTRACTS_COMMITMENT_MISMATCH", `no field ${stray}`);
  const missing = Object.keys(payload).find((path) => salts[path]?.length !== SALT_BYTES);
  if (missing !== undefined) {
    return refuse("CONTRACTS_COMMITMENT_MISMATCH", `${missing} has no salt`);
  }
  const { root } = commitPayload(schema, payload, salts);
  return equalBytes(root, commitment.root)
    ? accept(true)
    : refuse("CONTRACTS_COMMITMENT_MISMATCH", "another root");
}

/**
 * Opens one field to somebody who knows the root, and no other.
 * @throws ContractsError CONTRACTS_FIELD_ABSENT when the payload has no such field.
 */
export function discloseField(
  schema: PayloadSchema,
  payload: Payload,
  salts: Salts,
  path: string,
): FieldDisclosure {
  const index = schema.fields.findIndex((field) => field.path === path);
  const value = payload[path];
  const salt = salts[path];
  if (index < 0 || value === undefined || salt === undefined) {
    throw new ContractsError({ code: "CONTRACTS_FIELD_ABSENT", path }, `no field ${path}`);
  }
  const leaves = leavesOf(schema, payload, salts);
  const siblings = siblingsOf(leaves, index);
  const fieldCount = leaves.length;
  return { schema: schema.id, path, salt, value, index, fieldCount, siblings };
}

/** Undoes `siblingsOf`: the root that a leaf and its siblings lead to, or null. */
function climb(leaf: Digest, index: number, count: number, siblings: readonly Digest[]) {
  let rest = siblings.length;
  const up = (at: number, size: number): Digest | null => {
    if (size === 1) return leaf;
    const sibling = siblings[--rest];
    if (sibling === undefined) return null;
    const split = splitOf(size);
    const below = at < split ? up(at, split) : up(at - split, size - split);
    if (below === null) return null;
    return at < split ? hashNode(below, sibling) : hashNode(sibling, below);
  };
  const root = up(index, count);
  return rest === 0 ? root : null;
}

/** Whether the field was committed under this schema and root. Never throws. */
export function verifyDisclosure(
  schema: PayloadSchema,
  disclosure: FieldDisclosure,
  commitment: { readonly root: Digest; readonly fieldCount: number },
): Result<true, "CONTRACTS_COMMITMENT_MISMATCH"> {
  const { index, fieldCount, siblings, path, salt } = disclosure;
  const isOfSchema =
    disclosure.schema === schema.id &&
    schema.fields[index]?.path === path &&
    fieldCount === schema.fields.length &&
    fieldCount === commitment.fieldCount &&
    salt.length === SALT_BYTES;
  if (!isOfSchema) return refuse("CONTRACTS_COMMITMENT_MISMATCH", "not a field of the schema");
  const leaf = hashLeaf(fieldDigest({ schema: schema.id, path, salt, value: disclosure.value }));
  const root = climb(leaf, index, fieldCount, siblings);
  return root !== null && equalBytes(root, commitment.root)
    ? accept(true)
    : refuse("CONTRACTS_COMMITMENT_MISMATCH", "another root");
}
