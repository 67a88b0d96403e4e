/** What no run may break, checked at every message and decision of every honest node. */
import { equalBytes, type Height, invariant, toHex } from "@credlink/primitives";
import type { Effect, VoteRecord } from "../effects.ts";
import type { CommitCertificate, Proposal, UnsignedMessage } from "../messages.ts";

/** Whether a durable record covers a vote (persist before send). */
export function isCovered(records: readonly VoteRecord[], message: UnsignedMessage): boolean {
  if (message.type === "wish" || message.type === "decided") return true;
  return records.some((record) => {
    switch (message.type) {
      case "pre-prepare":
        return (
          record.type === "proposed" &&
          record.height === message.height &&
          record.view === message.view &&
          equalBytes(record.digest, message.digest)
        );
      case "prepare":
        return (
          record.type === "prepare-voted" &&
          record.height === message.height &&
          record.view === message.view &&
          equalBytes(record.digest, message.digest)
        );
      case "commit":
        return (
          record.type === "commit-voted" &&
          record.certificate.height === message.height &&
          record.certificate.view === message.view &&
          equalBytes(record.certificate.digest, message.digest)
        );
      case "view-change":
        return (
          record.type === "entered-view" &&
          record.height === message.height &&
          record.view === message.view
        );
      default:
        return false;
    }
  });
}

/** Remembers every vote of a node, across its restarts, and every decision of the cluster. */
export class Checks {
  readonly #votes = new Map<string, string>();
  readonly #entered = new Map<string, number>();
  readonly #decided = new Map<Height, string>();
  /** Violations so far; empty in a run that holds. */
  readonly violations: string[] = [];

  /** One vote put on the wire by an honest node. */
  vote(node: number, message: UnsignedMessage, durable: readonly VoteRecord[]): void {
    if (message.type === "decided" || message.type === "wish") return;
    const { type, height, view } = message;
    if (!isCovered(durable, message)) this.#violate(`node ${node}: ${type} sent before durable`);
    const parent = type === "pre-prepare" ? toHex(message.parentDigest) : "";
    const key = `${node}/${type}/${height}/${view}/${parent}`;
    const content =
      type === "view-change"
        ? `${message.preparedView}/${toHex(message.preparedDigest ?? new Uint8Array())}`
        : toHex(message.digest);
    const before = this.#votes.get(key);
    if (before !== undefined && before !== content) this.#violate(`equivocation: ${key}`);
    this.#votes.set(key, content);
    const place = `${node}/${height}`;
    const entered = this.#entered.get(place) ?? 0;
    if (view < entered) this.#violate(`node ${node}: ${type} in view ${view} < ${entered}`);
    if (type === "view-change") this.#entered.set(place, view);
  }

  decision(node: number, head: Height, proposal: Proposal, certificate: CommitCertificate): void {
    const { height, digest } = proposal;
    if (height !== head + 1) this.#violate(`node ${node} decides ${height} on head ${head}`);
    if (!equalBytes(certificate.digest, digest)) this.#violate(`node ${node}: other certificate`);
    const text = toHex(digest);
    const before = this.#decided.get(height);
    if (before !== undefined && before !== text) this.#violate(`fork at height ${height}`);
    this.#decided.set(height, text);
  }

  evidence(
    effect: Extract<Effect, { readonly type: "evidence" }>,
    isHonest: boolean,
    isProof: boolean,
  ): void {
    if (!isProof) this.#violate(`evidence that proves nothing: ${effect.first.type}`);
    if (isHonest) this.#violate(`evidence against an honest node: ${effect.first.type}`);
  }

  refusedOwn(node: number, code: string): void {
    this.#violate(`node ${node}: own message refused: ${code}`);
  }

  #violate(text: string): void {
    this.violations.push(text);
    invariant(this.violations.length < 1000, "a run full of violations");
  }
}
