import type { Roster } from "@credlink/consensus-pbft";
import {
  type Parameters,
  REPLAY_WINDOW,
  type ReplayGuard,
  type SealedCandidate,
} from "@credlink/ledger";
import type { ParentTip } from "@credlink/ledger/rules";
import { textOfBytes } from "@credlink/primitives";

/** A block that somebody has built or judged: one object for all nodes of a run. */
export interface SharedTip extends ParentTip {
  /** Null for the genesis block. */
  readonly parent: SharedTip | null;
  readonly candidate: SealedCandidate;
  /** In force for the block after it. */
  readonly parameters: Parameters;
  /** V(height + 1) with its primaries. */
  readonly nextRoster: Roster;
}

/** The block at a height of the branch that ends in `tip`; null above it. */
export function ancestorAt(tip: SharedTip, height: number): SharedTip | null {
  let at: SharedTip | null = tip;
  while (at !== null && at.header.height > height) at = at.parent;
  return at?.header.height === height ? at : null;
}

interface Entry<Value> {
  readonly tip: SharedTip;
  readonly value: Value;
}

/** What the blocks of all branches say about keys: a branch hears its own blocks, the last first. */
export class BranchIndex<Value> {
  readonly #entries = new Map<string, Entry<Value>[]>();

  add(key: string, tip: SharedTip, value: Value): void {
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, [{ tip, value }]);
    else known.push({ tip, value });
  }

  /** What the branch that ends in `tip` says last, and in which block; undefined: nothing. */
  find(key: string, tip: SharedTip): Entry<Value> | undefined {
    let latest: Entry<Value> | undefined;
    for (const entry of this.#entries.get(key) ?? []) {
      const { height } = entry.tip.header;
      if (latest !== undefined && height <= latest.tip.header.height) continue;
      if (ancestorAt(tip, height) === entry.tip) latest = entry;
    }
    return latest;
  }
}

/** The text that stands for (sender, nonce). */
export function nonceKey(sender: Uint8Array, nonce: Uint8Array): string {
  return textOfBytes(sender) + textOfBytes(nonce);
}

/** The nonces that the branch of a block has used. */
export function replayGuardOf(used: BranchIndex<true>, tip: () => SharedTip): ReplayGuard {
  return {
    includes(sender, nonce, height) {
      const found = used.find(nonceKey(sender, nonce), tip());
      return found !== undefined && height - found.tip.header.height <= REPLAY_WINDOW;
    },
  };
}
