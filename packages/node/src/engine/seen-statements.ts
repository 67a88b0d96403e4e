import { type Message, type Statement, statementOf } from "@credlink/consensus-pbft";
import type { SeenStatements } from "@credlink/ledger";
import { equalBytes, type Height } from "@credlink/primitives";

/** Statements of one validator about one height that are remembered; of the latest views. */
export const MAX_STATEMENTS_PER_SENDER = 32;
/** Heights above the last decided one that are remembered: the replica's window and one more. */
const WINDOW = 3;

/** What was seen signed about heights that are not decided yet, for their history. */
export interface StatementMemory {
  /** Takes a message whose signatures were verified, a peer's or our own. */
  note(message: Message): void;
  /** What is known of a height that is being committed; it and all below it are forgotten. */
  take(height: Height): SeenStatements;
  /** Statements remembered, of all heights. */
  readonly size: number;
}

interface SeenHeight {
  readonly bySender: Map<number, Statement[]>;
  dropped: number;
}

/** The digest that a statement is for; null where it is for none. */
function digestOf(statement: Statement): Uint8Array | null {
  if (statement.type === "wish") return null;
  return statement.type === "view-change" ? statement.preparedDigest : statement.digest;
}

/** Whether two statements of one signer say the same: a retransmission, signed again. */
function saysSame(a: Statement, b: Statement): boolean {
  if (a.type !== b.type || a.view !== b.view) return false;
  const [one, other] = [digestOf(a), digestOf(b)];
  return one === null || other === null ? one === other : equalBytes(one, other);
}

/** Makes the memory of one engine. */
export function createStatementMemory(): StatementMemory {
  const heights = new Map<number, SeenHeight>();
  let lastTaken = -1;

  const keep = (seen: SeenHeight, statement: Statement): void => {
    const known = seen.bySender.get(statement.sender) ?? [];
    if (known.some((each) => saysSame(each, statement))) return;
    seen.bySender.set(statement.sender, known);
    known.push(statement);
    if (known.length <= MAX_STATEMENTS_PER_SENDER) return;
    known.sort((a, b) => a.view - b.view);
    known.shift();
    seen.dropped += 1;
  };

  return {
    note(message) {
      const statement = statementOf(message);
      if (statement === null || statement.height <= lastTaken) return;
      if (lastTaken >= 0 && statement.height > lastTaken + WINDOW) return;
      const seen = heights.get(statement.height) ?? { bySender: new Map(), dropped: 0 };
      heights.set(statement.height, seen);
      keep(seen, statement);
    },
    take(height) {
      const seen = heights.get(height);
      lastTaken = height;
      for (const known of [...heights.keys()]) if (known <= height) heights.delete(known);
      if (seen === undefined) return { statements: [], dropped: 0 };
      return { statements: [...seen.bySender.values()].flat(), dropped: seen.dropped };
    },
    get size() {
      let size = 0;
      for (const { bySender } of heights.values()) {
        for (const { length } of bySender.values()) size += length;
      }
      return size;
    },
  };
}
