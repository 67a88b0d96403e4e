import type { Commit, ViewChange } from "@credlink/consensus-pbft";

/** Views behind the current one, and before it, whose COMMITs a replica keeps (consensus.md §8). */
const VIEWS_BEHIND = 8;
const VIEWS_AHEAD = 2;
/** View changes of one signer that it keeps for what they deny. */
const KEPT_DENIALS = 11;

/**
 * What one process heard its traitors promise and deny about one height, and whom it must convict
 * for it: written anew from docs/protocol/consensus.md §8 and §9, not the replica's rule. Only
 * denials that claim nothing prepared are held against anybody: they need no certificate.
 */
export class HeardPromises {
  /** Sender -> views of its COMMITs that a replica keeps. */
  readonly #commits = new Map<number, Set<number>>();
  /** Sender -> views of its view changes that claim nothing prepared. */
  readonly #denials = new Map<number, Set<number>>();
  /** Sender -> views of all its view changes. */
  readonly #entries = new Map<number, Set<number>>();
  #view = 0;

  /** Hears a message after which the process is in `view`; whether its sender is convicted now. */
  hear(message: Commit | ViewChange, view: number): boolean {
    const mustConvict =
      message.type === "commit" ? this.#commit(message, view) : this.#deny(message, view);
    const isCountless = of(this.#entries, message.sender).size > KEPT_DENIALS;
    return mustConvict && !isCountless;
  }

  /** The process is in `view` now. */
  enter(view: number): void {
    this.#view = view;
  }

  #commit({ sender, view: at }: Commit, view: number): boolean {
    if (at + VIEWS_BEHIND >= view && at <= this.#view + VIEWS_AHEAD) {
      of(this.#commits, sender).add(at);
    }
    return [...of(this.#denials, sender)].some((denied) => denied > at);
  }

  #deny({ sender, view: at, preparedView }: ViewChange, view: number): boolean {
    of(this.#entries, sender).add(at);
    if (preparedView !== null) return false;
    of(this.#denials, sender).add(at);
    const commits = [...of(this.#commits, sender)];
    const past = Math.max(-1, ...commits.filter((each) => each + VIEWS_BEHIND < view));
    const held = commits.filter((each) => each + VIEWS_BEHIND >= view || each === past);
    return held.some((each) => each < at);
  }
}

function of(sets: Map<number, Set<number>>, sender: number): Set<number> {
  const known = sets.get(sender) ?? new Set<number>();
  sets.set(sender, known);
  return known;
}
