import type { Validator, ValidatorSet } from "@credlink/consensus-pbft/certificates";
import type { Genesis } from "@credlink/ledger";
import { type Digest, equalBytes, toHex } from "@credlink/primitives";
import { clientError } from "./errors.ts";
import {
  checkHeader,
  type HeaderClaim,
  readGenesis,
  readHeader,
  type VerifiedHeader,
} from "./header-claims.ts";
import { type TrustedList, TrustedLists, type ValidatorsLink } from "./trusted-lists.ts";

/** Where the verifier gets headers and validator lists from: nothing it says is believed. */
export interface ChainSource {
  header(height: number): Promise<HeaderClaim>;
  /** V(height). */
  validators(height: number): Promise<readonly Validator[]>;
}

/** Believes headers by certificates only, starting from genesis. */
export interface ChainVerifier {
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  /** Height of the highest header verified so far; 0 at first. */
  readonly highest: number;
  /** What led from genesis to the validators of the headers verified so far, by height. */
  readonly links: readonly ValidatorsLink[];
  /** @throws ClientError CLIENT_HEADER_ALTERED, CLIENT_CERTIFICATE_INVALID, … */
  verifyHeader(claim: HeaderClaim): Promise<VerifiedHeader>;
}

/** Headers verified before that are remembered: one block's receipts share one certificate. */
const REMEMBERED_HEADERS = 256;

/**
 * A verifier that trusts `genesis` and nothing else.
 *
 * Headers are believed when a quorum of V(height) certified them. V(1) stands in genesis; later
 * sets are believed when a certified header names their digest as the next one's, found by
 * bisection between the last height with a believed list and the header asked for.
 *
 * @throws ClientError CLIENT_GENESIS_MISMATCH
 */
export function createChainVerifier(genesisBytes: Uint8Array, source: ChainSource): ChainVerifier {
  const { genesis, digest: trustedDigest } = readGenesis(genesisBytes);
  const { chainId } = genesis;
  const chain = { chainId, genesisDigest: trustedDigest };
  const lists = new TrustedLists(genesis.validators);
  const verified = new Map<string, VerifiedHeader>();
  let highest = 0;

  function remember(header: VerifiedHeader): VerifiedHeader {
    verified.set(toHex(header.digest), header);
    const [oldest] = verified.keys();
    if (verified.size > REMEMBERED_HEADERS && oldest !== undefined) verified.delete(oldest);
    return header;
  }

  function check(claim: HeaderClaim, set: ValidatorSet): VerifiedHeader {
    const header = checkHeader(claim, set, chain);
    highest = Math.max(highest, claim.height);
    return remember(header);
  }

  /** Follows certified headers from the last believed list until V(target) is known. */
  async function trustSetOf(target: number, hash: Digest): Promise<ValidatorSet> {
    for (;;) {
      const known = lists.find(target, hash);
      if (known !== null) return known;
      const from = lists.latest(target);
      if (from.height >= target) {
        throw clientError("CLIENT_VALIDATORS_UNKNOWN", `no certified way to V(${target})`);
      }
      await findNext(from, target);
    }
  }

  /** A change of validators above `from.height` and at most at `target`. */
  async function findNext(from: TrustedList, target: number): Promise<void> {
    let low = from.height;
    let high = target;
    let claim = await source.header(low);
    let last = check(claim, from.set);
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      const between = await source.header(middle);
      if (equalBytes(readHeader(between, chainId).header.validatorsHash, from.set.hash)) {
        claim = between;
        last = check(between, from.set);
        low = middle;
      } else {
        high = middle;
      }
    }
    lists.extend(claim, last, await source.validators(high));
  }

  /** The genesis block is unsigned: its child's certified parent hash proves it. */
  async function verifyGenesisBlock(claim: HeaderClaim): Promise<VerifiedHeader> {
    const read = readHeader(claim, chainId);
    const child = await source.header(1).catch(() => null);
    if (child === null) throw clientError("CLIENT_HEAD_UNPROVEN", "there is no block 1 yet");
    const proof = check(child, lists.latest(1).set);
    if (!equalBytes(proof.header.parentHash, read.digest)) {
      throw clientError("CLIENT_HEADER_ALTERED", "block 1 names another genesis block");
    }
    return { ...read, height: read.header.height, certificate: null };
  }

  return {
    genesis,
    genesisDigest: trustedDigest,
    get highest() {
      return highest;
    },
    get links() {
      return lists.links;
    },
    async verifyHeader(claim) {
      if (claim.height === 0) return verifyGenesisBlock(claim);
      const { header, digest: own } = readHeader(claim, chainId);
      const known = verified.get(toHex(own));
      if (known !== undefined) return known;
      return check(claim, await trustSetOf(claim.height, header.validatorsHash));
    },
  };
}
