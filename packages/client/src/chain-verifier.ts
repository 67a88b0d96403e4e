import {
  type CommitCertificate,
  commitCertificateCodec,
  createValidatorSet,
  type Validator,
  type ValidatorSet,
  verifyCommitCertificate,
} from "@credlink/consensus-pbft/certificates";
import { sm2Verify } from "@credlink/crypto";
import {
  type Genesis,
  genesisCodec,
  genesisDigest,
  type Header,
  headerCodec,
  headerDigest,
} from "@credlink/ledger";
import {
  AppError,
  accept,
  type Codec,
  type Digest,
  decode,
  digest,
  equalBytes,
  fromHex,
  type Height,
  type Result,
  refuse,
  toHex,
  tryDecode,
} from "@credlink/primitives";
import { clientError } from "./errors.ts";

/** A header as the gateway hands it out: hexadecimal bytes, not believed yet. */
export interface HeaderClaim {
  readonly height: number;
  readonly digest: string;
  readonly header: string;
  /** Empty for the genesis block. */
  readonly certificate: string;
}

/** A header whose commit certificate a quorum of the right validators signed. */
export interface VerifiedHeader {
  readonly header: Header;
  readonly digest: Digest;
  readonly height: Height;
  /** Null for the genesis block, which its child's certified parent hash proves. */
  readonly certificate: CommitCertificate | null;
}

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
  /** @throws ClientError CLIENT_HEADER_ALTERED, CLIENT_CERTIFICATE_INVALID, … */
  verifyHeader(claim: HeaderClaim): Promise<VerifiedHeader>;
}

/** Headers verified before that are remembered: one block's receipts share one certificate. */
const REMEMBERED_HEADERS = 256;

interface TrustedSet {
  /** A height at which this set is V(height). */
  readonly height: number;
  readonly set: ValidatorSet;
}

/** Reads genesis bytes. @throws ClientError CLIENT_GENESIS_MISMATCH when they are not genesis. */
export function readGenesis(bytes: Uint8Array): {
  readonly genesis: Genesis;
  readonly digest: Digest;
} {
  try {
    const genesis = decode(genesisCodec, bytes);
    return { genesis, digest: genesisDigest(genesis) };
  } catch (cause) {
    throw clientError("CLIENT_GENESIS_MISMATCH", "not the bytes of a genesis", { cause });
  }
}

/**
 * A verifier that trusts `genesis` and nothing else.
 *
 * Headers are believed when a quorum of V(height) certified them. V(1) stands in genesis; later
 * sets are believed when a certified header names their digest as the next one's, found by
 * bisection between the last trusted height and the header asked for.
 *
 * @throws ClientError CLIENT_GENESIS_MISMATCH
 */
export function createChainVerifier(genesisBytes: Uint8Array, source: ChainSource): ChainVerifier {
  const { genesis, digest: trustedDigest } = readGenesis(genesisBytes);
  let trusted: TrustedSet = { height: 1, set: createValidatorSet(genesis.validators) };
  const knownSets = new Map<string, ValidatorSet>([[toHex(trusted.set.hash), trusted.set]]);
  const verified = new Map<string, VerifiedHeader>();
  let highest = 0;

  function remember(header: VerifiedHeader): VerifiedHeader {
    verified.set(toHex(header.digest), header);
    const [oldest] = verified.keys();
    if (verified.size > REMEMBERED_HEADERS && oldest !== undefined) verified.delete(oldest);
    return header;
  }

  function check(claim: HeaderClaim, set: ValidatorSet): VerifiedHeader {
    const header = readHeader(claim, genesis.chainId);
    const certificate = readCertificate(claim);
    const verdict = judgeCertificate(header, certificate, set, trustedDigest);
    if (!verdict.ok) {
      const detail = `block ${claim.height}: ${verdict.code} ${verdict.detail ?? ""}`;
      throw clientError("CLIENT_CERTIFICATE_INVALID", detail.trimEnd());
    }
    highest = Math.max(highest, claim.height);
    return remember({ ...header, height: header.header.height, certificate });
  }

  /** Follows certified headers from the trusted set until V(target) is known. */
  async function trustSetOf(target: number, hash: Digest): Promise<ValidatorSet> {
    const atHand = knownSets.get(toHex(hash));
    if (atHand !== undefined) return atHand;
    while (!equalBytes(trusted.set.hash, hash)) {
      if (trusted.height >= target) {
        throw clientError("CLIENT_VALIDATORS_UNKNOWN", `no certified way to V(${target})`);
      }
      trusted = await nextSet(trusted, target);
      knownSets.set(toHex(trusted.set.hash), trusted.set);
    }
    return trusted.set;
  }

  /** The first change of validators above `from.height` and at most at `target`. */
  async function nextSet(from: TrustedSet, target: number): Promise<TrustedSet> {
    let low = from.height;
    let high = target;
    let last = check(await source.header(low), from.set);
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      const claim = await source.header(middle);
      if (equalBytes(readHeader(claim, genesis.chainId).header.validatorsHash, from.set.hash)) {
        last = check(claim, from.set);
        low = middle;
      } else {
        high = middle;
      }
    }
    const set = readValidators(await source.validators(high));
    if (set === null || !equalBytes(set.hash, last.header.nextValidatorsHash)) {
      throw clientError("CLIENT_VALIDATORS_UNKNOWN", `V(${high}) is not what block ${low} names`);
    }
    return { height: high, set };
  }

  /** The genesis block is unsigned: its child's certified parent hash proves it. */
  async function verifyGenesisBlock(claim: HeaderClaim): Promise<VerifiedHeader> {
    const read = readHeader(claim, genesis.chainId);
    const child = await source.header(1).catch(() => null);
    if (child === null) throw clientError("CLIENT_HEAD_UNPROVEN", "there is no block 1 yet");
    const proof = check(child, trusted.height === 1 ? trusted.set : genesisSet());
    if (!equalBytes(proof.header.parentHash, read.digest)) {
      throw clientError("CLIENT_HEADER_ALTERED", "block 1 names another genesis block");
    }
    return { ...read, height: read.header.height, certificate: null };
  }

  const genesisSet = (): ValidatorSet => createValidatorSet(genesis.validators);

  return {
    genesis,
    genesisDigest: trustedDigest,
    get highest() {
      return highest;
    },
    async verifyHeader(claim) {
      if (claim.height === 0) return verifyGenesisBlock(claim);
      const { header, digest: own } = readHeader(claim, genesis.chainId);
      const known = verified.get(toHex(own));
      if (known !== undefined) return known;
      return check(claim, await trustSetOf(claim.height, header.validatorsHash));
    },
  };
}

/** The set behind a gateway's list; null when the list cannot be one. */
export function readValidators(list: readonly Validator[]): ValidatorSet | null {
  try {
    return createValidatorSet(list);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

function readHeader(
  claim: HeaderClaim,
  chainId: string,
): { readonly header: Header; readonly digest: Digest } {
  const bytes = fromHex(claim.header);
  const header = decodeClaim(headerCodec, bytes, "header");
  const actual = headerDigest(header);
  const isSame =
    header.height === claim.height && header.chainId === chainId && toHex(actual) === claim.digest;
  if (!isSame) throw clientError("CLIENT_HEADER_ALTERED", `block ${claim.height} is another`);
  return { header, digest: digest(actual) };
}

function readCertificate(claim: HeaderClaim): CommitCertificate {
  return decodeClaim(commitCertificateCodec, fromHex(claim.certificate), "certificate");
}

/** Decodes what a gateway sent. @throws ClientError CLIENT_RECORD_ALTERED */
export function decodeClaim<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T {
  const result = tryDecode(codec, bytes);
  if (!result.ok) {
    throw clientError("CLIENT_RECORD_ALTERED", `${what}: ${result.detail ?? result.code}`);
  }
  return result.value;
}

function judgeCertificate(
  read: { readonly header: Header; readonly digest: Digest },
  certificate: CommitCertificate,
  set: ValidatorSet,
  chainDigest: Digest,
): Result<null> {
  const { header } = read;
  if (!equalBytes(header.validatorsHash, set.hash)) return refuse("OTHER_VALIDATORS");
  if (certificate.height !== header.height) return refuse("OTHER_HEIGHT");
  if (!equalBytes(certificate.digest, read.digest)) return refuse("OTHER_DIGEST");
  const context = {
    chainId: header.chainId,
    genesisDigest: chainDigest,
    validatorsHash: set.hash,
  };
  const verdict = verifyCommitCertificate(certificate, set, context, sm2Verify);
  return verdict.ok ? accept(null) : verdict;
}
