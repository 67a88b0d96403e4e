import type { ConsensusLedger } from "@credlink/ledger";
import { equalBytes, height as toHeight } from "@credlink/primitives";
import type { KnownValidators } from "./known-validators.ts";
import type { WatchedStep } from "./replica-watch.ts";

/** Counts the rare situations that honest replicas get into: what no run met, no run has shown. */
export class Situations {
  readonly #validators: KnownValidators;
  readonly counts: Record<string, number> = {};

  constructor(validators: KnownValidators) {
    this.#validators = validators;
  }

  note(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** A block was committed: does the next height pass over somebody whose turn it would be? */
  onHead(ledger: Pick<ConsensusLedger, "head" | "rosterOn">): void {
    const { header, digest } = ledger.head;
    const roster = ledger.rosterOn(digest, toHeight(header.height + 1));
    if (roster !== null && roster.active.length < roster.validators.length) {
      this.note("primaries skipped");
    }
  }

  /** One step of an honest replica. */
  onStep({ effects }: WatchedStep): void {
    let decidedIn: number | null = null;
    for (const effect of effects) {
      if (effect.type === "decide") decidedIn = effect.certificate.view;
      else if (effect.type === "fetch-proposal") this.note("block fetched from those who prepared");
      else if (effect.type === "report") this.#onReport(effect, decidedIn);
    }
  }

  #onReport(
    {
      code,
      height,
      view,
    }: { readonly code: string; readonly height: number; readonly view: number },
    decidedIn: number | null,
  ): void {
    switch (code) {
      case "CONSENSUS_REPROPOSED":
        this.note("proposed again after a view change");
        return;
      case "CONSENSUS_DECIDED":
        if (decidedIn !== null && decidedIn !== view) this.note("decided by another view");
        return;
      case "CONSENSUS_ABSTAINING":
        this.note("abstention entered");
        return;
      case "CONSENSUS_RECOVERED":
        this.note("abstention left");
        return;
      case "CONSENSUS_PEER_AHEAD":
        if (view > 0) this.note("synced past its own view");
        return;
      case "CONSENSUS_PROPOSAL_UNTIMELY":
        this.note("proposal out of time");
        return;
      case "CONSENSUS_VIEW_ENTERED":
        if (this.#hasChanged(height)) {
          this.note("validators changed where the view did");
        }
        return;
    }
  }

  /** Whether V(height) is another list than the one before it. */
  #hasChanged(height: number): boolean {
    const [own, before] = [this.#validators.at(height), this.#validators.at(height - 1)];
    return own !== null && before !== null && !equalBytes(own.hash, before.hash);
  }
}

/**
 * What a bulk run must meet in one of a thousand seeds at least: every kind of fault, and view
 * changes. The rarer situations above are counted and reported; how rare they are is not settled.
 */
export const WANTED: readonly string[] = [
  "decided in a view above 0",
  "view 2 or above",
  "crash",
  "restart",
  "blackout",
  "partition",
  "cut",
  "clog",
  "slowDisk",
  "clockJump",
  "clockStop",
  "pause",
  "diskFault",
  "vote log lost",
  "vote log rolled back",
  "machine rolled back",
  "readFault",
  "wan",
  "abstention entered",
  "abstention left",
  "primaries skipped",
  "vote log of several segments",
  "churn",
  "timing changes",
];

/** Runs below this say nothing about what is rare. */
export const LEAST_SEEDS = 1_000;

/** Names of what fewer than one in a thousand seeds met; empty for short runs. */
export function neglected(
  met: Readonly<Record<string, number>>,
  seeds: number,
  wanted: readonly string[] = WANTED,
): readonly string[] {
  if (seeds < LEAST_SEEDS) return [];
  return wanted.filter((name) => (met[name] ?? 0) * 1_000 < seeds);
}
