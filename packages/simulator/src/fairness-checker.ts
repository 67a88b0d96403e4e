import { CheckFailure } from "./checker-errors.ts";

/** A decided block as fairness is judged by it. */
export interface FairBlock {
  readonly height: number;
  /** Node that proposed it, and the primary of view 0 of its height. */
  readonly proposer: string | null;
  readonly primary: string | null;
  /** Whether it could have taken another transaction. */
  readonly hasRoom: boolean;
  /** Ids of its transactions. */
  readonly transactions: ReadonlySet<string>;
}

interface Waiting {
  /** Blocks up to this height may have been built before everybody knew the transaction. */
  readonly builtUpTo: number;
  deadline: number;
}

/**
 * What a healed core gives everybody (I18). Chain quality: the block of a height whose first
 * primary belongs to the core is that primary's, so that the honest have the share of blocks that
 * they have of turns. Inclusion: a transaction that waits in all pools of the core stands in one
 * of the f + 2 blocks after the one under way, for one of the last f + 1 is of an honest primary
 * that knew it; where none of their blocks had room, in one of the next f + 2.
 */
export class FairnessChecker {
  readonly #core: ReadonlySet<string>;
  readonly #faultBound: number;
  /** First height that is judged: everything of it happened in the healed network. */
  readonly #fromHeight: number;
  readonly #waiting = new Map<string, Waiting>();
  /** Heights of blocks of the core's own primaries that had room. */
  readonly #roomy = new Set<number>();
  /** Blocks judged, and those of the core's primaries among them. */
  judged = 0;
  honest = 0;
  included = 0;

  constructor(core: ReadonlySet<string>, faultBound: number, fromHeight: number) {
    this.#core = core;
    this.#faultBound = faultBound;
    this.#fromHeight = fromHeight;
  }

  /** A transaction is in all pools of the core while its furthest node decides `deciding`. */
  onKnown(transaction: string, deciding: number): void {
    const deadline = deciding + this.#faultBound + 2;
    this.#waiting.set(transaction, { builtUpTo: deciding + 1, deadline });
  }

  /**
   * The next decided block, each height once.
   *
   * @throws CheckFailure I18
   */
  onBlock(block: FairBlock): void {
    const { height, proposer, primary, hasRoom, transactions } = block;
    for (const id of transactions) if (this.#waiting.delete(id)) this.included++;
    const isOfCore = proposer !== null && proposer === primary && this.#core.has(proposer);
    if (isOfCore && hasRoom) this.#roomy.add(height);
    if (height < this.#fromHeight) return;
    this.judged++;
    if (isOfCore) this.honest++;
    if (primary !== null && this.#core.has(primary) && proposer !== primary) {
      const text = `the turn of ${primary} was lost to ${proposer ?? "nobody known"}`;
      throw new CheckFailure("I18", `chain quality: at ${height} ${text}`);
    }
    for (const [id, waiting] of this.#waiting) this.#checkDeadline(id, waiting, height);
  }

  #checkDeadline(id: string, waiting: Waiting, height: number): void {
    if (height < waiting.deadline) return;
    for (let at = waiting.builtUpTo + 1; at <= height; at++) {
      if (!this.#roomy.has(at)) continue;
      const text = `block ${at} had room for ${id}, which all knew since ${waiting.builtUpTo - 1}`;
      throw new CheckFailure("I18", `inclusion: ${text}`);
    }
    waiting.deadline += this.#faultBound + 2;
  }
}
