import { NeedsRange, type StateEntry, type StateRange, type StateView } from "@credlink/ledger";
import { textOfBytes } from "@credlink/primitives";
import { VmError } from "./errors.ts";
import type { StateReader } from "./state-overlay.ts";

/** Times that one range is loaded again because the view forgot it before it was read. */
const MAX_TRIES = 16;

/**
 * A view as the runs of one transaction read it. A view forgets loaded ranges when it holds many:
 * what a transaction was given stays here until `release`, so that each of its runs gets further.
 */
export class HeldRanges implements StateReader {
  private readonly view: StateView;
  private readonly held = new Map<string, readonly StateEntry[]>();

  constructor(view: StateView) {
    this.view = view;
  }

  get(contract: string, key: Uint8Array, name?: string): Uint8Array | null {
    return this.view.get(contract, key, name);
  }

  /** @throws NeedsRange */
  range(range: StateRange): readonly StateEntry[] {
    const name = nameOf(range);
    let entries = this.held.get(name);
    if (entries === undefined) {
      entries = this.view.range(range);
      this.held.set(name, entries);
    }
    return entries;
  }

  /** Loads what a run needed. @throws VmError VM_HOST_FAILURE where the view never answers. */
  async load(range: StateRange): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await this.view.loadRange(range);
      if (this.answers(range)) return;
    }
    throw new VmError("VM_HOST_FAILURE", "the state never answers a range");
  }

  /** Forgets what is held: the transaction is settled. */
  release(): void {
    this.held.clear();
  }

  private answers(range: StateRange): boolean {
    try {
      this.range(range);
      return true;
    } catch (error) {
      if (error instanceof NeedsRange) return false;
      throw error;
    }
  }
}

function nameOf({ contract, from, to, limit }: StateRange): string {
  return `${contract}/${limit}/${from.length}/${textOfBytes(from)}${textOfBytes(to)}`;
}
