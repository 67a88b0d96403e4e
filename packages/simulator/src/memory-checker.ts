import type { Replica } from "@credlink/consensus-pbft";
import { defaultEngineOptions, type Engine } from "@credlink/node/engine";
import { CheckFailure } from "./checker-errors.ts";
import type { DurableSegment } from "./durable-votes.ts";
import type { KnownValidators } from "./known-validators.ts";
import { engineLimits, replicaLimits } from "./memory-limits.ts";

/** Steps of one node between two looks. */
const LOOK_EVERY = 16;
/** Heights below the head whose votes the log keeps (docs/protocol/consensus.md §11). */
const KEPT_HEIGHTS = 2;
/** Blocks that may follow while a segment is being deleted, which takes two syncs. */
const DELETION_BLOCKS = 4;

/** What is looked at of one node. */
export interface Holder {
  readonly name: string;
  readonly engine: Pick<Engine, "holdings"> | null;
}

/** Bounded memory (I13): nothing that a node keeps grows beyond what the protocol says. */
export class MemoryChecker {
  readonly #validators: KnownValidators;
  readonly #peers: number;
  readonly #segmentBytes: number;
  readonly #steps = new Map<string, number>();
  /** Peer ids of all lists so far, and up to which height they were taken. */
  readonly #everMembers = new Set<string>();
  #known = -1;
  /** Node -> blocks that its process has committed: the first of them delete what is left over. */
  readonly #blocks = new Map<string, number>();
  /** Looks so far. */
  looks = 0;

  constructor(validators: KnownValidators, peers: number, segmentBytes: number) {
    this.#validators = validators;
    this.#peers = peers;
    this.#segmentBytes = segmentBytes;
  }

  /**
   * A step of a node's replica; every so many of them are looked at.
   *
   * @throws CheckFailure I13
   */
  onStep(holder: Holder, replica: Replica): void {
    const steps = (this.#steps.get(holder.name) ?? 0) + 1;
    this.#steps.set(holder.name, steps);
    if (steps % LOOK_EVERY === 0) this.look(holder, replica);
  }

  /** @throws CheckFailure I13 */
  look({ name, engine }: Holder, replica: Replica): void {
    this.looks++;
    const { height, view } = replica.status;
    const members = this.#membersAt(height);
    const nextMembers = this.#membersAt(height + 1);
    let lateMembers = members;
    for (let at = height - 9; at < height; at++) {
      lateMembers = Math.max(lateMembers, this.#membersAt(at));
    }
    const place = { members, nextMembers, lateMembers, view };
    compare(`${name} at ${height}/${view}`, replica.holdings, replicaLimits(place));
    if (engine === null) return;
    const most = Math.max(lateMembers, nextMembers, this.#membersAt(height + 2));
    const everMembers = this.#countEver(height + 2);
    const counts = { members: most, everMembers, peers: this.#peers };
    const limits = engineLimits(counts, defaultEngineOptions.mempool);
    compare(`${name} at ${height}`, engine.holdings(), limits);
  }

  /** A new process of a node. */
  onBoot(name: string): void {
    this.#blocks.set(name, 0);
  }

  /**
   * The vote log of a node that has reported `height` as durable: segments are of bounded size, and
   * full ones that speak of old heights alone are gone.
   *
   * @throws CheckFailure I13
   */
  onCommit(name: string, height: number, segments: readonly DurableSegment[]): void {
    const blocks = (this.#blocks.get(name) ?? 0) + 1;
    this.#blocks.set(name, blocks);
    for (const { bytes, frames } of segments) {
      if (bytes <= this.#segmentBytes || frames <= 1) continue;
      throw new CheckFailure("I13", `${name} has a segment of ${bytes} bytes in its vote log`);
    }
    const [oldest] = segments;
    const needed = height - KEPT_HEIGHTS - DELETION_BLOCKS;
    if (blocks <= DELETION_BLOCKS || segments.length <= 1) return;
    if (oldest === undefined || oldest.maxHeight > needed) return;
    const text = `${segments.length} segments, the oldest up to ${oldest.maxHeight}`;
    throw new CheckFailure("I13", `${name} at ${height} does not delete old votes: ${text}`);
  }

  #membersAt(height: number): number {
    return this.#validators.at(Math.max(height, 0))?.validators.length ?? 0;
  }

  #countEver(height: number): number {
    for (; this.#known < height; this.#known++) {
      const set = this.#validators.at(this.#known + 1);
      if (set === null) break;
      for (const { peerId } of set.validators) this.#everMembers.add(peerId);
    }
    return this.#everMembers.size;
  }
}

function compare<T extends object>(where: string, held: T, limits: T): void {
  for (const [what, limit] of Object.entries(limits)) {
    const count: unknown = Reflect.get(held, what);
    if (typeof count === "number" && count <= limit) continue;
    throw new CheckFailure("I13", `${where} holds ${what}: ${count}, at most ${limit}`);
  }
}
