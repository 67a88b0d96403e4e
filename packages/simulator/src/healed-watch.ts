import { faultBound, primaryOf } from "@credlink/consensus-pbft";
import type { ConsensusLedger } from "@credlink/ledger";
import type { CommittedBlock } from "@credlink/node/engine";
import { type Digest, height as toHeight, toHex, view } from "@credlink/primitives";
import type { SimulatedClock } from "@credlink/testkit";
import { FairnessChecker } from "./fairness-checker.ts";
import type { KnownValidators } from "./known-validators.ts";
import type { WatchedStep } from "./replica-watch.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { ViewChecker } from "./view-checker.ts";

/** A node that was left out of a block asks for it after this time (network.md §4), milliseconds. */
const PATIENCE_MS = 150;

/** What the watch works with. */
export interface HealedParts {
  readonly clock: SimulatedClock;
  readonly core: readonly SimulatedNode[];
  readonly validators: KnownValidators;
  /** What the hops and executions of one round take at most, milliseconds. */
  readonly roundMs: number;
  readonly maxBlockTransactions: number;
  /** Whether a decided block holds a transaction, by its id in hexadecimal. */
  readonly hasTransaction: (id: string) => boolean;
}

/**
 * Watches a healed core. Once all of it decides one height in one view by votes, and nobody abstains,
 * the network has *settled*: from then on views (I19), turns and inclusion (I18) are judged.
 */
export class HealedWatch {
  readonly #parts: HealedParts;
  readonly #names: ReadonlySet<string>;
  /** Those of the core whose replica runs: one that has just started waits for its peers first. */
  readonly #running = new Set<string>();
  #views: ViewChecker | null = null;
  #fairness: FairnessChecker | null = null;
  #height = 0;
  #isLoaded = true;
  /** Height -> node that is primary in its view 0. */
  readonly #primaries = new Map<number, string>();
  /** Accepted transactions that were not seen in all pools yet. */
  readonly #unknown = new Map<string, Digest>();

  constructor(parts: HealedParts) {
    this.#parts = parts;
    this.#names = new Set(parts.core.map(({ name }) => name));
  }

  get isSettled(): boolean {
    return this.#views !== null;
  }

  /** What was judged, for coverage. */
  get counts(): Readonly<Record<string, number>> {
    return {
      "healed blocks judged": this.#fairness?.judged ?? 0,
      "healed blocks of honest turns": this.#fairness?.honest ?? 0,
      "inclusions judged": this.#fairness?.included ?? 0,
      "healed views left undecided": this.#views?.left ?? 0,
    };
  }

  /** @throws CheckFailure I19 */
  onStep(node: SimulatedNode, { replica }: WatchedStep): void {
    if (!this.#names.has(node.name)) return;
    this.#running.add(node.name);
    const { height, view: inView } = replica.status;
    if (this.#views !== null) {
      this.#views.onPlace(node.name, height, inView, this.#parts.clock.monotonicMs());
    } else this.#settle();
  }

  /** @throws CheckFailure I18 */
  onCommit(block: CommittedBlock, ledger: ConsensusLedger): void {
    const { height, digest } = block;
    if (height <= this.#height) return;
    this.#height = height;
    this.#notePrimary(ledger, digest, height + 1);
    const header = ledger.header(height)?.header;
    const members = this.#parts.validators.at(height)?.validators ?? [];
    if (!this.#isLoaded) return;
    this.#fairness?.onBlock({
      height,
      proposer: members[header?.proposer ?? -1]?.peerId ?? null,
      primary: this.#primaries.get(height) ?? null,
      hasRoom: block.transactionIds.length < this.#parts.maxBlockTransactions,
      transactions: new Set(block.transactionIds.map(toHex)),
    });
  }

  /**
   * Nothing is submitted any more. From here on fairness is not judged: a primary that no
   * transaction reached cannot know that others wait for it.
   */
  onLoadEnd(): void {
    this.#isLoaded = false;
  }

  /** A node of the core accepted a transaction. */
  onAccepted(node: SimulatedNode, id: Digest): void {
    if (this.isSettled && this.#names.has(node.name)) this.#unknown.set(toHex(id), id);
  }

  /** Looks which of the accepted transactions wait in all pools of the core now. */
  async poll(): Promise<void> {
    for (const [key, id] of this.#unknown) {
      const engines = this.#parts.core.flatMap(({ engine }) => engine ?? []);
      const outcomes = await Promise.all(engines.map((engine) => engine.outcome(id)));
      // A block that is decided and not committed yet may hold what still waits everywhere.
      const isCommitted = outcomes.some(({ status }) => status === "committed");
      if (isCommitted || this.#parts.hasTransaction(key)) this.#unknown.delete(key);
      else if (outcomes.every(({ status }) => status === "pending")) {
        this.#unknown.delete(key);
        const heights = engines.map((engine) => engine.status().replica.height);
        this.#fairness?.onKnown(key, Math.max(...heights));
      }
    }
  }

  #notePrimary(ledger: ConsensusLedger, digest: CommittedBlock["digest"], height: number): void {
    const roster = ledger.rosterOn(digest, toHeight(height));
    if (roster === null) return;
    const first = roster.validators[primaryOf(roster, toHeight(height), view(0))];
    if (first !== undefined) this.#primaries.set(height, first.peerId);
  }

  #membersAt(height: number): readonly string[] {
    const members = this.#parts.validators.at(height)?.validators ?? [];
    return members.flatMap(({ peerId }) => (this.#names.has(peerId) ? [peerId] : []));
  }

  #settle(): void {
    const { core, roundMs } = this.#parts;
    if (this.#running.size < core.length) return;
    const places = core.flatMap(({ name, engine }) => {
      const status = engine?.status().replica;
      return status === undefined || status.abstaining ? [] : [{ name, status }];
    });
    const [first] = places;
    if (first === undefined || places.length < core.length) return;
    const { height, view: inView } = first.status;
    if (places.some(({ status }) => status.height !== height || status.view !== inView)) return;
    const members = this.#parts.validators.at(height)?.validators.length ?? 0;
    const lateMs = PATIENCE_MS + 3 * roundMs;
    this.#views = new ViewChecker(2 * roundMs, lateMs, (at) => this.#membersAt(at));
    for (const { name } of places) this.#views.begin(name, height, inView);
    // The next block may overlap with this one, and have been proposed before.
    this.#fairness = new FairnessChecker(this.#names, faultBound(members), height + 2);
  }
}
