import type { Message } from "@credlink/consensus-pbft";
import { toHex } from "@credlink/primitives";
import type { SimulatedDisk } from "@credlink/testkit";
import { CheckFailure } from "./checker-errors.ts";
import { type DurableSegment, DurableVotes } from "./durable-votes.ts";

/** What a wire checker needs of a node. */
export interface WatchedNode {
  readonly name: string;
  readonly isByzantine: boolean;
  readonly disk: SimulatedDisk;
}

interface Sent {
  /** (type, height, view [, parent]) -> what was voted, over all lives of the node. */
  readonly votes: Map<string, { readonly height: number; readonly value: string }>;
  /** height -> highest view of a VIEW-CHANGE that was sent. */
  readonly left: Map<number, number>;
  durable: DurableVotes;
}

/** Judges every consensus message that an honest node puts on the wire, at that instant. */
export class WireChecker {
  readonly #nodes: ReadonlyMap<string, WatchedNode>;
  readonly #sent = new Map<string, Sent>();
  /** Votes seen, by type, for coverage. */
  readonly counts = new Map<string, number>();
  highestView = 0;

  constructor(nodes: readonly WatchedNode[]) {
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
  }

  /**
   * One message to one receiver; null stands for bytes that do not decode.
   *
   * @throws CheckFailure I5, I6, I7, I8, I16
   */
  check(from: string, message: Message | null): void {
    const node = this.#nodes.get(from);
    if (node === undefined || node.isByzantine) return;
    if (message === null) throw new CheckFailure("I16", `${node.name} sent what it would refuse`);
    this.counts.set(message.type, (this.counts.get(message.type) ?? 0) + 1);
    if (message.type === "decided" || message.type === "wish") return;
    this.highestView = Math.max(this.highestView, message.view);
    this.#checkVote(node, message);
  }

  /**
   * A fault took the node's vote log away or rolled it back: only what is there now counts.
   *
   * @param forgivenUpTo height up to which it may contradict what it voted before; default: it
   *   notices the loss by itself, and may not.
   */
  onLogLost(name: string, forgivenUpTo = 0): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    const sent = this.#of(node);
    sent.durable = new DurableVotes(node.disk);
    for (const [key, { height }] of sent.votes) if (height <= forgivenUpTo) sent.votes.delete(key);
    for (const height of sent.left.keys()) if (height <= forgivenUpTo) sent.left.delete(height);
  }

  /** Whether a process that comes up promised a PREPARE last that nobody was ever sent. */
  hasUnsentPrepare(name: string): boolean {
    const node = this.#nodes.get(name);
    if (node === undefined || this.#nodes.size === 1) return false;
    const { durable, votes } = this.#of(node);
    durable.refresh();
    return durable.lastPrepare !== null && !votes.has(`prepare/${durable.lastPrepare}`);
  }

  /** Highest view of a VIEW-CHANGE that anybody honest sent at a height. */
  highestViewAt(height: number): number {
    let highest = 0;
    for (const { left } of this.#sent.values()) highest = Math.max(highest, left.get(height) ?? 0);
    return highest;
  }

  /** The durable segments of a node's vote log now. */
  segmentsOf(name: string): readonly DurableSegment[] {
    const durable = this.#sent.get(name)?.durable;
    durable?.refresh();
    return durable?.segments ?? [];
  }

  #checkVote(
    node: WatchedNode,
    message: Exclude<Message, { readonly type: "decided" | "wish" }>,
  ): void {
    const sent = this.#of(node);
    const { key, value } = describe(message);
    const before = sent.votes.get(key);
    if (before !== undefined && before.value !== value) {
      throw new CheckFailure("I5", `${node.name} equivocated: ${key}`);
    }
    this.#checkView(node, message, sent);
    if (before !== undefined) return;
    sent.votes.set(key, { height: message.height, value });
    sent.durable.refresh();
    const isDurable =
      message.type === "view-change"
        ? sent.durable.entered(message.height) >= message.view
        : sent.durable.names.has(`${key}/${value}`);
    if (!isDurable) throw new CheckFailure("I6", `${node.name} sent before it was durable: ${key}`);
    if (message.type !== "view-change") return;
    const lock = sent.durable.lockAtEntry(message.height, message.view);
    if ((lock ?? "-") !== value) {
      throw new CheckFailure("I8", `${node.name}: ${key} names ${value}, its log holds ${lock}`);
    }
  }

  #checkView(
    node: WatchedNode,
    message: Exclude<Message, { readonly type: "decided" | "wish" }>,
    sent: Sent,
  ): void {
    const { type, height, view } = message;
    const left = sent.left.get(height) ?? 0;
    if (type === "view-change") sent.left.set(height, Math.max(left, view));
    else if (view < left) {
      throw new CheckFailure("I7", `${node.name} sent ${type} in ${height}/${view} after ${left}`);
    }
  }

  #of(node: WatchedNode): Sent {
    const known = this.#sent.get(node.name);
    if (known !== undefined) return known;
    const fresh: Sent = { votes: new Map(), left: new Map(), durable: new DurableVotes(node.disk) };
    this.#sent.set(node.name, fresh);
    return fresh;
  }
}

function describe(message: Exclude<Message, { readonly type: "decided" | "wish" }>): {
  readonly key: string;
  readonly value: string;
} {
  const { type, height, view } = message;
  switch (type) {
    case "pre-prepare":
      // One proposal a parent is allowed: an overlapping one may be dropped with its parent.
      return {
        key: `${type}/${height}/${view}/${toHex(message.parentDigest)}`,
        value: toHex(message.digest),
      };
    case "view-change": {
      const { preparedView, preparedDigest } = message;
      const prepared = preparedDigest === null ? "-" : `${preparedView}/${toHex(preparedDigest)}`;
      return { key: `${type}/${height}/${view}`, value: prepared };
    }
    default:
      return { key: `${type}/${height}/${view}`, value: toHex(message.digest) };
  }
}
