import {
  createValidatorSet,
  type Validator,
  type ValidatorSet,
} from "@credlink/consensus-pbft/certificates";
import { type Digest, equalBytes } from "@credlink/primitives";
import { clientError } from "./errors.ts";
import { type HeaderClaim, readValidators, type VerifiedHeader } from "./header-claims.ts";

/** A list of validators that is believed. */
export interface TrustedList {
  /** A height at which it is V(height). */
  readonly height: number;
  readonly set: ValidatorSet;
}

/** What made a list believed: the certified last block of the one before, and the list itself. */
export interface ValidatorsLink {
  readonly claim: HeaderClaim;
  readonly validators: readonly Validator[];
}

/**
 * Lists of validators that lead back to genesis, by the height from which each is believed. V(1)
 * stands in genesis; a later one is believed when a certified header names its digest as the next
 * one's.
 */
export class TrustedLists {
  /** Invariant: ascending by height. */
  readonly #lists: TrustedList[];
  readonly #links = new Map<number, ValidatorsLink>();

  constructor(genesisValidators: readonly Validator[]) {
    this.#lists = [{ height: 1, set: createValidatorSet(genesisValidators) }];
  }

  /** What led from genesis to the lists that are believed so far, ascending by height. */
  get links(): readonly ValidatorsLink[] {
    return [...this.#links.values()].sort((a, b) => a.claim.height - b.claim.height);
  }

  /** The list with this digest, believed at a height not above the one given; null when none is. */
  find(height: number, hash: Digest): ValidatorSet | null {
    const known = this.#lists.find(
      (each) => each.height <= height && equalBytes(each.set.hash, hash),
    );
    return known?.set ?? null;
  }

  /** The last list that is believed at a height not above the one given, which is at least 1. */
  latest(height: number): TrustedList {
    const known = this.#lists.findLast((each) => each.height <= height) ?? this.#lists[0];
    if (known === undefined) throw clientError("CLIENT_VALIDATORS_UNKNOWN", "no list at all");
    return known;
  }

  /**
   * Believes V(last + 1), because the certified header of `last` names its digest.
   * @throws ClientError CLIENT_VALIDATORS_UNKNOWN
   */
  extend(claim: HeaderClaim, last: VerifiedHeader, validators: readonly Validator[]): TrustedList {
    const set = readValidators(validators);
    const height = last.height + 1;
    if (set === null || !equalBytes(set.hash, last.header.nextValidatorsHash)) {
      const detail = `V(${height}) is not what block ${last.height} names`;
      throw clientError("CLIENT_VALIDATORS_UNKNOWN", detail);
    }
    const list = { height, set };
    this.#lists.push(list);
    this.#lists.sort((a, b) => a.height - b.height);
    this.#links.set(height, { claim, validators });
    return list;
  }
}
