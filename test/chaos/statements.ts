import type { Client } from "@credlink/client";
import { type ConsensusHistory, consensusHistoryCodec } from "@credlink/ledger";
import { AppError, decode, fromHex, toHex } from "@credlink/primitives";
import type { Violation } from "./chain-record.ts";

/** What a validator said, apart from what it said it of. */
export type Statement = ConsensusHistory["statements"][number];

function topicOf({ height, type, sender, view }: Statement): string {
  return `${type} of validator ${sender} at height ${height}, view ${view}`;
}

/** What must not differ between two statements of one topic. */
function wordOf(statement: Statement): string {
  switch (statement.type) {
    case "pre-prepare":
    case "wish":
      // A wish binds to nothing, and an overlapping primary may propose again on another parent.
      return "";
    case "view-change":
      return `${statement.preparedView} ${toHex(statement.preparedDigest ?? new Uint8Array(0))}`;
    default:
      return toHex(statement.digest);
  }
}

/**
 * Every signed vote that any node remembers, across restarts and restored disks: no validator may
 * have said two things of one (type, height, view), whoever heard which.
 */
export class StatementRecord {
  readonly violations: Violation[] = [];
  readonly #words = new Map<string, { readonly word: string; readonly by: string }>();
  /** Validator -> heights at which a vote of it is remembered. */
  readonly heights = new Map<number, Set<number>>();
  readonly #liars: ReadonlySet<number>;

  /** @param liars validators that are told to contradict themselves: they may. */
  constructor(liars: readonly number[] = []) {
    this.#liars = new Set(liars);
  }

  see(by: string, statement: Statement): void {
    const heights = this.heights.get(statement.sender) ?? new Set();
    heights.add(statement.height);
    this.heights.set(statement.sender, heights);
    if (this.#liars.has(statement.sender)) return;
    const topic = topicOf(statement);
    const word = wordOf(statement);
    const known = this.#words.get(topic);
    if (known === undefined) {
      this.#words.set(topic, { word, by });
    } else if (known.word !== word) {
      const detail = `${topic}: ${known.by} heard ${known.word}, ${by} ${word}`;
      this.violations.push({ rule: "equivocation", detail });
    }
  }

  /** Reads what a node remembers of heights `from` to `to`; of some it may remember nothing. */
  async read(by: string, client: Client, from: number, to: number): Promise<void> {
    for (let height = from; height <= to; height += 1) {
      try {
        const answer = await client.call("consensus.history", { height });
        const { statements } = decode(consensusHistoryCodec, fromHex(answer.history));
        for (const statement of statements) this.see(by, statement);
      } catch (error) {
        if (!(error instanceof AppError && error.code === "API_NOT_FOUND")) throw error;
      }
    }
  }
}
