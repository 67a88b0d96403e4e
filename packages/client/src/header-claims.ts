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

/** A header's bytes read, nothing about it believed. */
export interface ReadHeader {
  readonly header: Header;
  readonly digest: Digest;
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

/** The set behind a list that somebody names; null when the list cannot be one. */
export function readValidators(list: readonly Validator[]): ValidatorSet | null {
  try {
    return createValidatorSet(list);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** @throws ClientError CLIENT_RECORD_ALTERED, CLIENT_HEADER_ALTERED */
export function readHeader(claim: HeaderClaim, chainId: string): ReadHeader {
  const bytes = fromHex(claim.header);
  const header = decodeClaim(headerCodec, bytes, "header");
  const actual = headerDigest(header);
  const isSame =
    header.height === claim.height && header.chainId === chainId && toHex(actual) === claim.digest;
  if (!isSame) throw clientError("CLIENT_HEADER_ALTERED", `block ${claim.height} is another`);
  return { header, digest: digest(actual) };
}

/** Decodes what somebody sent. @throws ClientError CLIENT_RECORD_ALTERED */
export function decodeClaim<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T {
  const result = tryDecode(codec, bytes);
  if (!result.ok) {
    throw clientError("CLIENT_RECORD_ALTERED", `${what}: ${result.detail ?? result.code}`);
  }
  return result.value;
}

/**
 * A header that a quorum of `set` certified.
 * @throws ClientError CLIENT_CERTIFICATE_INVALID, CLIENT_HEADER_ALTERED, CLIENT_RECORD_ALTERED
 */
export function checkHeader(
  claim: HeaderClaim,
  set: ValidatorSet,
  chain: { readonly chainId: string; readonly genesisDigest: Digest },
): VerifiedHeader {
  const read = readHeader(claim, chain.chainId);
  const bytes = fromHex(claim.certificate);
  const certificate = decodeClaim(commitCertificateCodec, bytes, "certificate");
  const verdict = judgeCertificate(read, certificate, set, chain.genesisDigest);
  if (!verdict.ok) {
    const detail = `block ${claim.height}: ${verdict.code} ${verdict.detail ?? ""}`;
    throw clientError("CLIENT_CERTIFICATE_INVALID", detail.trimEnd());
  }
  return { ...read, height: read.header.height, certificate };
}

function judgeCertificate(
  read: ReadHeader,
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
