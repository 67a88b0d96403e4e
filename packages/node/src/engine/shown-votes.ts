import { type Message, missesOwnVote, type ValidatorSet } from "@credlink/consensus-pbft";
import type { ConsensusLedger } from "@credlink/ledger";
import { type Height, type Logger, type PeerId, height as toHeight } from "@credlink/primitives";
import type { ConsensusDriver } from "./consensus-driver.ts";
import type { EngineErrorCode } from "./errors.ts";
import { peerIdsOf } from "./height-claims.ts";
import { requestsOf } from "./message-door.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";
import type { ValidatorDirectory } from "./validator-directory.ts";
import type { VoteLog } from "./vote-log.ts";

/** A message that its sender signed. */
type OwnVote = Exclude<Message, { readonly type: "decided" }>;

/** What judging needs of the node. */
export interface ShownVotesComponents {
  readonly ledger: ConsensusLedger;
  readonly directory: ValidatorDirectory;
  readonly signatures: ConsensusSignatures;
  readonly logger: Logger;
  /** The vote log; null before it is open. */
  readonly voteLog: () => VoteLog | null;
  /** What hears of a vote that is proven ours; null while no replica runs. */
  readonly replica: () => Pick<ConsensusDriver, "feed"> | null;
  /** The vote log could not be written. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Votes that peers show as ours. Only a signature of ours makes one count: an unsigned claim could
 * silence anybody. A vote of a height whose validators we do not know yet is tried under those that
 * we know, and kept until we know better, so that no low head of ours lets it pass unnoticed.
 */
export interface ShownVotes {
  /** Resolves when it is judged, or kept; rejects when the verifier cannot judge it now. */
  take(peer: PeerId, vote: Message): Promise<void>;
  /** The head moved: judges what was kept and can be judged now; null when there is nothing. */
  onHead(): Promise<void> | null;
  /** Votes that cannot be judged yet. */
  readonly size: number;
}

/** Votes that are kept for peers that are no validators: anybody may show one, validators must. */
export const MAX_STRANGERS = 64;

class Shown implements ShownVotes {
  readonly #parts: ShownVotesComponents;
  /** One a peer, of a height whose validators are not known; the one shown last at the end. */
  readonly #waiting = new Map<PeerId, OwnVote>();

  constructor(parts: ShownVotesComponents) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#waiting.size;
  }

  async take(peer: PeerId, vote: Message): Promise<void> {
    const { ledger, directory } = this.#parts;
    if (vote.type === "decided" || vote.height <= ledger.head.header.height) return;
    const set = directory.at(vote.height);
    const guess = set ?? directory.at(toHeight(ledger.head.header.height + 2));
    const isOwn = guess !== null && (await this.#isOwn(vote, guess));
    if (isOwn) {
      this.#waiting.delete(peer);
      this.#onOwn(vote);
    } else if (set === null) this.#keep(peer, vote);
  }

  /** No number of strangers crowds out what validators show. */
  #keep(peer: PeerId, vote: OwnVote): void {
    this.#waiting.delete(peer);
    this.#waiting.set(peer, vote);
    const members = peerIdsOf(this.#parts.directory.next());
    const strangers = [...this.#waiting.keys()].filter((id) => !members.includes(id));
    const [oldest] = strangers;
    if (oldest !== undefined && strangers.length > MAX_STRANGERS) this.#waiting.delete(oldest);
  }

  onHead(): Promise<void> | null {
    const known = [...this.#waiting].filter(([, { height }]) => {
      return this.#parts.directory.at(height) !== null;
    });
    if (known.length === 0) return null;
    for (const [peer] of known) this.#waiting.delete(peer);
    const again = (peer: PeerId, vote: OwnVote): Promise<void> =>
      this.take(peer, vote).catch(() => {
        this.#keep(peer, vote);
      });
    return Promise.all(known.map(([peer, vote]) => again(peer, vote))).then(() => {});
  }

  #onOwn(message: OwnVote): void {
    const { ledger, logger, onFatal, replica, voteLog } = this.#parts;
    const [running, log] = [replica(), voteLog()];
    if (running !== null) running.feed({ type: "own-vote", message });
    else if (log !== null) {
      distrustIfMissing(log, ledger.head.header.height, message, logger).catch(onFatal);
    }
  }

  async #isOwn(vote: OwnVote, set: ValidatorSet): Promise<boolean> {
    const { ledger, directory, signatures } = this.#parts;
    if (directory.indexIn(set) !== vote.sender) return false;
    const requests = requestsOf(vote, set, ledger)?.slice(0, 1);
    if (requests?.length !== 1) return false;
    return signatures.verifyAll(requests, "consensus");
  }
}

/** Makes the judge of one node. */
export function createShownVotes(parts: ShownVotesComponents): ShownVotes {
  return new Shown(parts);
}

/**
 * Before a replica runs: a vote of ours above the head that the log does not know makes the log
 * untrusted, now and after a restart. The head may soon pass it; what else is missing nobody knows.
 */
async function distrustIfMissing(
  log: VoteLog,
  head: Height,
  vote: OwnVote,
  logger: Logger,
): Promise<void> {
  if (log.abstain !== null || !missesOwnVote(log.records, head, vote)) return;
  const code: EngineErrorCode = "NODE_VOTE_LOG_UNTRUSTED";
  const reason = `${vote.type} of height ${vote.height} is missing`;
  logger.error("vote log cannot be trusted, abstaining", { code, reason });
  await log.distrust(vote.height);
}
