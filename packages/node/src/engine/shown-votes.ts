import type { Message, ValidatorSet } from "@credlink/consensus-pbft";
import type { Ledger } from "@credlink/ledger";
import { type PeerId, height as toHeight } from "@credlink/primitives";
import { requestsOf } from "./message-door.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";
import type { ValidatorDirectory } from "./validator-directory.ts";

/** What judging needs of the node. */
export interface ShownVotesComponents {
  readonly ledger: Ledger;
  readonly directory: ValidatorDirectory;
  readonly signatures: ConsensusSignatures;
  /** A vote is proven ours. */
  readonly onOwn: (vote: Message) => void;
}

/**
 * Votes that peers show as ours. Only a signature of ours makes one count: an unsigned claim could
 * silence anybody. A vote of a height whose validators we do not know yet is tried under those that
 * we know, and kept until we know better, so that no low head of ours lets it pass unnoticed.
 */
export interface ShownVotes {
  /** Resolves when it is judged, or kept. */
  take(peer: PeerId, vote: Message): Promise<void>;
  /** The head moved: judges what was kept and can be judged now; null when there is nothing. */
  onHead(): Promise<void> | null;
  /** Proven ones above the head, the highest last; at most a few. */
  readonly own: readonly Message[];
}

type Vote = Exclude<Message, { readonly type: "decided" }>;

/** Proven votes remembered for a replica that does not run yet. */
const MAX_OWN = 8;

class Shown implements ShownVotes {
  readonly #parts: ShownVotesComponents;
  /** One a peer, of a height whose validators are not known. */
  readonly #waiting = new Map<PeerId, Vote>();
  #own: Vote[] = [];

  constructor(parts: ShownVotesComponents) {
    this.#parts = parts;
  }

  get own(): readonly Message[] {
    return this.#own;
  }

  async take(peer: PeerId, vote: Message): Promise<void> {
    const { ledger, directory } = this.#parts;
    if (vote.type === "decided" || vote.height <= ledger.head.header.height) return;
    const set = directory.at(vote.height);
    const guess = set ?? directory.at(toHeight(ledger.head.header.height + 2));
    const isOwn = guess !== null && (await this.#isOwn(vote, guess));
    if (isOwn) {
      this.#waiting.delete(peer);
      this.#own = [...this.#own, vote].sort((a, b) => a.height - b.height).slice(-MAX_OWN);
      this.#parts.onOwn(vote);
    } else if (set === null) this.#waiting.set(peer, vote);
  }

  onHead(): Promise<void> | null {
    const known = [...this.#waiting].filter(([, { height }]) => {
      return this.#parts.directory.at(height) !== null;
    });
    if (known.length === 0) return null;
    for (const [peer] of known) this.#waiting.delete(peer);
    return Promise.all(known.map(([peer, vote]) => this.take(peer, vote))).then(() => {});
  }

  async #isOwn(vote: Vote, set: ValidatorSet): Promise<boolean> {
    const { ledger, directory, signatures } = this.#parts;
    if (directory.indexIn(set) !== vote.sender) return false;
    const requests = requestsOf(vote, set, ledger)?.slice(0, 1);
    if (requests?.length !== 1) return false;
    try {
      return await signatures.verifyAll(requests, "consensus");
    } catch {
      // The verifier is full: the peer shows it again in a second.
      return false;
    }
  }
}

/** Makes the judge of one node. */
export function createShownVotes(parts: ShownVotesComponents): ShownVotes {
  return new Shown(parts);
}
