/** What stands in for keys, blocks and chance in a test cluster: fast and deterministic. */
import { taggedSm3 } from "@credlink/crypto";
import {
  bytesUpTo,
  type Codec,
  concatBytes,
  type Digest,
  decode,
  digestCodec,
  encode,
  equalBytes,
  type Height,
  heightCodec,
  list,
  struct,
  u53,
  utf8,
  validatorIndexCodec,
} from "@credlink/primitives";
import type { Proposal } from "../messages.ts";
import type { Validator } from "../validator-set.ts";

/** A small seeded generator (mulberry32): uniform numbers in [0, 1). */
export function createDice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A validator whose key is a tagged digest of its number. */
export function fakeValidator(node: number): Validator {
  const half = taggedSm3("test/key", utf8(`${node}`));
  const publicKey = concatBytes(Uint8Array.of(4), half, half);
  return { nodeId: `node${node}`, publicKey, peerId: `peer${node}` };
}

/** 32 bytes of nonce and a digest over key, message and nonce: many valid ones for one message. */
export function fakeSignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  nonce: number,
): Uint8Array {
  const salt = taggedSm3("test/nonce", utf8(`${nonce}`));
  return concatBytes(salt, taggedSm3("test/signature", publicKey, message, salt));
}

export function verifyFakeSignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const salt = signature.subarray(0, 32);
  const expected = taggedSm3("test/signature", publicKey, message, salt);
  return equalBytes(signature.subarray(32), expected);
}

/** Header and body in one: the hash-chain executor's whole block. */
export interface FakeBlock {
  readonly height: Height;
  readonly parentDigest: Digest;
  readonly proposer: Proposal["proposer"];
  readonly timestampMs: number;
  readonly validatorsHash: Digest;
  readonly nextValidatorsHash: Digest;
  readonly transactions: readonly Uint8Array[];
}

const blockCodec: Codec<FakeBlock> = struct({
  height: heightCodec,
  parentDigest: digestCodec,
  proposer: validatorIndexCodec,
  timestampMs: u53,
  validatorsHash: digestCodec,
  nextValidatorsHash: digestCodec,
  transactions: list(bytesUpTo(1024), 10_000),
});

export function proposalOf(block: FakeBlock): Proposal {
  const payload = encode(blockCodec, block);
  const { transactions, ...header } = block;
  return {
    ...header,
    digest: taggedSm3("test/block", payload),
    transactionCount: transactions.length,
    sizeBytes: payload.length,
    payload,
  };
}

/** The block behind a proposal, or null when its fields are not those of its payload. */
export function blockOf(proposal: Proposal): FakeBlock | null {
  try {
    const block = decode(blockCodec, proposal.payload);
    const again = proposalOf(block);
    const isSame =
      equalBytes(again.digest, proposal.digest) &&
      equalBytes(again.parentDigest, proposal.parentDigest) &&
      equalBytes(again.validatorsHash, proposal.validatorsHash) &&
      equalBytes(again.nextValidatorsHash, proposal.nextValidatorsHash) &&
      again.height === proposal.height &&
      again.proposer === proposal.proposer &&
      again.timestampMs === proposal.timestampMs &&
      again.transactionCount === proposal.transactionCount &&
      again.sizeBytes === proposal.sizeBytes;
    return isSame ? block : null;
  } catch {
    return null;
  }
}

/** A transaction that the fake executor refuses: its block is invalid. */
export const INVALID_TRANSACTION = utf8("invalid");
