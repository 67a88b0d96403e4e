import type { Client } from "@credlink/client";
import { blockCodec, headerCodec, headerDigest } from "@credlink/ledger";
import { decode, fromHex, toHex } from "@credlink/primitives";

/** A block as a node's gateway shows it. */
export interface SeenBlock {
  readonly height: number;
  readonly digest: string;
  readonly parent: string;
  readonly stateRoot: string;
  readonly proposer: number;
  readonly timestampMs: number;
  /** Hexadecimal ids. */
  readonly transactions: readonly string[];
}

/** Reads one block; nothing is taken from the gateway but the block's own bytes. */
export async function readBlock(client: Client, height: number): Promise<SeenBlock> {
  const answer = await client.call("block.get", { height });
  const { header, body } = decode(blockCodec, fromHex(answer.block));
  const canonical = decode(headerCodec, fromHex(answer.header));
  const digest = toHex(headerDigest(header));
  if (digest !== answer.digest || digest !== toHex(headerDigest(canonical))) {
    throw new Error(`block ${height} of ${client.url} is not what its digest says`);
  }
  return {
    height: header.height,
    digest,
    parent: toHex(header.parentHash),
    stateRoot: toHex(header.stateRoot),
    proposer: header.proposer,
    timestampMs: header.timestampMs,
    transactions: body.transactionIds.map(toHex),
  };
}

/** Something that no run may show. */
export interface Violation {
  readonly rule:
    | "agreement"
    | "equivocation"
    | "chain"
    | "duplicate"
    | "lost"
    | "progress"
    | "exit"
    | "memory"
    | "log"
    | "store";
  readonly detail: string;
}

/**
 * What all nodes were ever seen to hold, whoever was asked and however often it was restarted: one
 * block per height, for good, and every transaction in one place.
 */
export class ChainRecord {
  readonly violations: Violation[] = [];
  readonly #blocks = new Map<number, SeenBlock & { readonly by: string }>();
  /** Transaction -> height. */
  readonly places = new Map<string, number>();
  #highest = 0;

  get height(): number {
    return this.#highest;
  }

  get blocks(): readonly SeenBlock[] {
    return [...this.#blocks.values()].sort((a, b) => a.height - b.height);
  }

  /** A node showed a block. */
  see(by: string, block: SeenBlock): void {
    const known = this.#blocks.get(block.height);
    if (known !== undefined) {
      if (known.digest === block.digest && known.stateRoot === block.stateRoot) return;
      const detail = `height ${block.height}: ${known.by} has ${known.digest}, ${by} ${block.digest}`;
      this.violations.push({ rule: "agreement", detail });
      return;
    }
    this.#blocks.set(block.height, { ...block, by });
    this.#highest = Math.max(this.#highest, block.height);
    const below = this.#blocks.get(block.height - 1);
    if (below !== undefined && below.digest !== block.parent) {
      this.violations.push({
        rule: "chain",
        detail: `height ${block.height} of ${by}: its parent`,
      });
    }
    for (const id of block.transactions) this.#place(id, block.height);
  }

  /** A node says what its head is. */
  seeHead(by: string, head: { height: number; headDigest: string; stateRoot: string }): void {
    const known = this.#blocks.get(head.height);
    if (known === undefined) return;
    if (known.digest === head.headDigest && known.stateRoot === head.stateRoot) return;
    const detail = `head ${head.height}: ${known.by} has ${known.digest}, ${by} ${head.headDigest}`;
    this.violations.push({ rule: "agreement", detail });
  }

  #place(id: string, height: number): void {
    const known = this.places.get(id);
    if (known === undefined) this.places.set(id, height);
    else if (known !== height) {
      const detail = `transaction ${id} stands at ${known} and at ${height}`;
      this.violations.push({ rule: "duplicate", detail });
    }
  }
}
