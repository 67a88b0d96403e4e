import { taggedSm3 } from "@credlink/crypto";
import {
  bytes,
  type Codec,
  type Digest,
  encode,
  equalBytes,
  type Height,
  invariant,
  list,
  type PeerId,
  struct,
  text,
  toHex,
  type ValidatorIndex,
  type View,
  validatorIndex,
} from "@credlink/primitives";
import { ConsensusError } from "./errors.ts";

/** One member of V(h). Its place in the list is its index, valid for that height only. */
export interface Validator {
  /** Name of the node, unique in the consortium (the certificate's common name). */
  readonly nodeId: string;
  /** SM2 consensus key, 65 bytes uncompressed. */
  readonly publicKey: Uint8Array;
  /** The libp2p peer id it is reached under. */
  readonly peerId: PeerId;
}

/** V(h): ordered, not empty, no node id or key twice. */
export interface ValidatorSet {
  readonly validators: readonly Validator[];
  /** Digest of the canonical encoding of the list. */
  readonly hash: Digest;
}

/** V(h) and who of it may be primary at h: what a height's participants must agree on. */
export interface Roster extends ValidatorSet {
  /** active(h), as ascending indices in V(h); never empty. */
  readonly active: readonly ValidatorIndex[];
}

/** Most validators that one list may have. */
export const MAX_VALIDATORS = 256;

/** How one validator travels and is hashed. */
export const validatorCodec: Codec<Validator> = struct({
  nodeId: text(128),
  publicKey: bytes(65),
  peerId: text(128),
});

/** How V(h) is encoded; its hash is not part of it. */
export const validatorsCodec: Codec<readonly Validator[]> = list(validatorCodec, MAX_VALIDATORS);

/**
 * Checks a list and computes its hash: SM3("credlink/validators/1", encoding).
 *
 * @throws ConsensusError CONSENSUS_VALIDATORS_INVALID when the list is empty, too long, or has a
 *   node id, key or peer id twice.
 */
export function createValidatorSet(validators: readonly Validator[]): ValidatorSet {
  if (validators.length === 0) throw invalid("the list is empty");
  if (validators.length > MAX_VALIDATORS) throw invalid(`more than ${MAX_VALIDATORS} validators`);
  requireDistinct(
    "node id",
    validators.map((validator) => validator.nodeId),
  );
  requireDistinct(
    "public key",
    validators.map((validator) => toHex(validator.publicKey)),
  );
  requireDistinct(
    "peer id",
    validators.map((validator) => validator.peerId),
  );
  const hash = taggedSm3("credlink/validators/1", encode(validatorsCodec, validators));
  return Object.freeze({ validators: Object.freeze([...validators]), hash });
}

function requireDistinct(what: string, values: readonly string[]): void {
  if (new Set(values).size !== values.length) throw invalid(`a ${what} occurs twice`);
}

function invalid(text: string): ConsensusError {
  return new ConsensusError({ code: "CONSENSUS_VALIDATORS_INVALID" }, text);
}

/** Index of the validator with this key, or null when it is no member. */
export function indexOfKey(set: ValidatorSet, publicKey: Uint8Array): ValidatorIndex | null {
  const at = set.validators.findIndex((member) => equalBytes(member.publicKey, publicKey));
  return at < 0 ? null : validatorIndex(at);
}

/**
 * Adds active(h) to V(h).
 *
 * @param skipped node ids that are not primary at that height; others than members do not count.
 * @throws InvariantError when nobody would be left: a skip-list never holds more than f.
 */
export function createRoster(set: ValidatorSet, skipped: readonly string[] = []): Roster {
  const left = set.validators.flatMap(({ nodeId }, index) =>
    skipped.includes(nodeId) ? [] : [validatorIndex(index)],
  );
  invariant(left.length > 0, "somebody is primary");
  return Object.freeze({ ...set, active: Object.freeze(left) });
}

/** L(h, v) = active(h)[(h + v) mod |active(h)|]: the primary of a view. */
export function primaryOf({ active }: Roster, height: Height, view: View): ValidatorIndex {
  return validatorIndex(Number(active[(height + view) % active.length]));
}
