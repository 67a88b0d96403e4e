import {
  decodeMessage,
  type Message,
  type VoteRecord,
  voteRecordCodec,
} from "@credlink/consensus-pbft";
import { CONSENSUS_PROTOCOL, VOTE_LOG_FOLDER } from "@credlink/node/engine";
import { decode, toHex } from "@credlink/primitives";
import type { SimulatedDisk, WireMessage } from "@credlink/testkit";
import { CheckFailure } from "./checker-errors.ts";

/** What a wire checker needs of a node. */
export interface WatchedNode {
  readonly name: string;
  readonly isByzantine: boolean;
  readonly disk: SimulatedDisk;
}

const HEADER_BYTES = 100;
const FRAME_FIXED_BYTES = 25;

/** Reads the durable part of a vote log frame by frame; a reader of its own, apart from the code. */
class DurableVotes {
  readonly #disk: SimulatedDisk;
  #path: string | null = null;
  #offset = HEADER_BYTES;
  /** Names of the promises that are durable. */
  readonly names = new Set<string>();
  /** height -> highest view entered, as the log knows it. */
  readonly entered = new Map<number, number>();

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  refresh(): void {
    const path =
      this.#path ?? this.#disk.durablePaths().find((one) => one.startsWith(VOTE_LOG_FOLDER));
    if (path === undefined) return;
    this.#path = path;
    const bytes = this.#disk.durable(path, this.#offset);
    if (bytes === null) return;
    let at = 0;
    while (at + FRAME_FIXED_BYTES <= bytes.length) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      const end = at + 8 + length;
      if (length < FRAME_FIXED_BYTES - 8 || end > bytes.length) break;
      this.#take(decode(voteRecordCodec, bytes.slice(at + FRAME_FIXED_BYTES, end)));
      at = end;
    }
    this.#offset += at;
  }

  #take(record: VoteRecord): void {
    switch (record.type) {
      case "proposed":
        this.names.add(
          nameOf("pre-prepare", record, `${toHex(record.parentDigest)}/${toHex(record.digest)}`),
        );
        break;
      case "prepare-voted":
        this.names.add(nameOf("prepare", record, toHex(record.digest)));
        break;
      case "commit-voted":
        this.names.add(nameOf("commit", record.certificate, toHex(record.certificate.digest)));
        break;
      case "entered-view": {
        const known = this.entered.get(record.height) ?? 0;
        this.entered.set(record.height, Math.max(known, record.view));
        break;
      }
      case "decided":
        break;
    }
  }
}

function nameOf(
  type: string,
  { height, view }: { readonly height: number; readonly view: number },
  rest: string,
): string {
  return `${type}/${height}/${view}/${rest}`;
}

interface Sent {
  /** (type, height, view [, parent]) -> what was voted, over all lives of the node. */
  readonly votes: Map<string, string>;
  /** height -> highest view of a VIEW-CHANGE that was sent. */
  readonly left: Map<number, number>;
  readonly durable: DurableVotes;
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

  /** @throws CheckFailure I5, I6, I7 */
  check(wire: WireMessage): void {
    if (wire.protocol !== CONSENSUS_PROTOCOL) return;
    const node = this.#nodes.get(wire.from);
    if (node === undefined || node.isByzantine) return;
    const decoded = decodeMessage(wire.bytes);
    if (!decoded.ok) throw new CheckFailure("I16", `${node.name} sent what it would refuse`);
    const message = decoded.value;
    this.counts.set(message.type, (this.counts.get(message.type) ?? 0) + 1);
    if (message.type === "decided" || message.type === "wish") return;
    this.highestView = Math.max(this.highestView, message.view);
    this.#checkVote(node, message);
  }

  #checkVote(
    node: WatchedNode,
    message: Exclude<Message, { readonly type: "decided" | "wish" }>,
  ): void {
    const sent = this.#of(node);
    const { key, value } = describe(message);
    const before = sent.votes.get(key);
    if (before !== undefined && before !== value) {
      throw new CheckFailure("I5", `${node.name} equivocated: ${key}`);
    }
    this.#checkView(node, message, sent);
    if (before !== undefined) return;
    sent.votes.set(key, value);
    sent.durable.refresh();
    const isDurable =
      message.type === "view-change"
        ? (sent.durable.entered.get(message.height) ?? 0) >= message.view
        : sent.durable.names.has(`${key}/${value}`);
    if (!isDurable) throw new CheckFailure("I6", `${node.name} sent before it was durable: ${key}`);
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
