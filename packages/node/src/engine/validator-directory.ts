import { indexOfKey, type ValidatorSet } from "@credlink/consensus-pbft";
import type { ConsensusLedger } from "@credlink/ledger";
import {
  type Digest,
  type Height,
  invariant,
  type PeerId,
  height as toHeight,
  type ValidatorIndex,
} from "@credlink/primitives";

/** Who validates at which height, as far as this node knows. */
export interface ValidatorDirectory {
  /** V(height): committed heights, and up to two above the last decided block. */
  at(height: Height): ValidatorSet | null;
  /** V of the height after the head. */
  next(): ValidatorSet;
  /** Our index in a list, or null. */
  indexIn(set: ValidatorSet): ValidatorIndex | null;
  /** Peers of a list without ourselves, those at `first` in front, none twice. */
  peersOf(set: ValidatorSet, first: readonly ValidatorIndex[]): readonly PeerId[];
  /** A block was decided whose commit is still under way. */
  onDecided(digest: Digest): void;
}

/** Lists that are kept decoded. */
const MAX_KEPT = 64;

/** Makes the directory of one node over its ledger. */
export function createValidatorDirectory(
  ledger: ConsensusLedger,
  publicKey: Uint8Array,
  self: PeerId,
): ValidatorDirectory {
  const kept = new Map<Height, ValidatorSet>();
  let decided: Digest | null = null;

  const at = (height: Height): ValidatorSet | null => {
    const known = kept.get(height);
    if (known !== undefined) return known;
    const set =
      ledger.validatorsAt(height) ??
      (decided === null ? null : ledger.validatorsOn(decided, height));
    if (set === null) return null;
    kept.set(height, set);
    if (kept.size > MAX_KEPT) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return set;
  };
  const next = (): ValidatorSet => {
    const set = at(toHeight(ledger.head.header.height + 1));
    invariant(set !== null, "the validators above the head are known");
    return set;
  };
  return {
    at,
    next,
    indexIn: (set) => indexOfKey(set, publicKey),
    peersOf(set, first) {
      const order = [...first, ...set.validators.keys()];
      const peers = new Set(order.flatMap((index) => set.validators[index]?.peerId ?? []));
      peers.delete(self);
      return [...peers];
    },
    onDecided(digest) {
      decided = digest;
    },
  };
}
