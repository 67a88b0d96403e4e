import { addressFromPublicKey, generateKeyPair, sm2Sign } from "@credlink/crypto";
import { keyPossessionMessage, type ProvenKey } from "@credlink/ledger";
import { type Address, type Digest, digest } from "@credlink/primitives";

/** Genesis digest of a `TestChain`. */
export const TEST_GENESIS_DIGEST: Digest = digest(new Uint8Array(32));

/** A key pair and the address that it would give. */
export interface TestKeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: Address;
}

export function freshKey(): TestKeyPair {
  const pair = generateKeyPair();
  return { ...pair, address: addressFromPublicKey(pair.publicKey) };
}

/** A key with the proof that a member takes it as its key number `index`, counted from 0. */
export function proven(
  pair: TestKeyPair,
  address: Address,
  index: number,
  genesisDigest = TEST_GENESIS_DIGEST,
): ProvenKey {
  const { publicKey, privateKey } = pair;
  const message = keyPossessionMessage(genesisDigest, { address, index, publicKey });
  return { publicKey, possession: sm2Sign(privateKey, message) };
}
