import type { ValidatorSet } from "@credlink/consensus-pbft/certificates";
import type { ConsensusLedger, Header } from "@credlink/ledger";
import { equalBytes, height as toHeight } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";

/** V(h) as far as the decided chain names it; what every checker judges signatures by. */
export class KnownValidators {
  readonly #sets = new Map<number, ValidatorSet>();

  /** Genesis names V(0), V(1) and V(2): changes take effect two heights later. */
  constructor(genesis: ValidatorSet) {
    for (const height of [0, 1, 2]) this.#sets.set(height, genesis);
  }

  /** Null beyond two heights above what was decided. */
  at(height: number): ValidatorSet | null {
    return this.#sets.get(height) ?? null;
  }

  /**
   * Takes V(h + 2) from a node that committed `header`, once its own hashes are those that the
   * chain promised.
   *
   * @throws CheckFailure I2
   */
  onDecided(header: Header, ledger: ConsensusLedger): void {
    const { height, validatorsHash, nextValidatorsHash } = header;
    const [own, next] = [this.at(height), this.at(height + 1)];
    if (own === null || next === null) {
      throw new CheckFailure("I2", `block ${height} was decided before the one below it`);
    }
    if (!equalBytes(own.hash, validatorsHash) || !equalBytes(next.hash, nextValidatorsHash)) {
      throw new CheckFailure("I2", `block ${height} names other validators than the chain`);
    }
    const after = ledger.validatorsAt(toHeight(height + 2));
    if (after !== null) this.#sets.set(height + 2, after);
  }
}
