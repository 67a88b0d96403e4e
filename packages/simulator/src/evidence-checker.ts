import {
  type ChainContext,
  type Message,
  type SignedVote,
  signedPayload,
  type VerifySignature,
} from "@credlink/consensus-pbft";
import { toHex } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";
import { HeardPromises } from "./heard-promises.ts";
import type { KnownValidators } from "./known-validators.ts";
import type { WatchedStep } from "./replica-watch.ts";

/** What one process heard of one traitor at one place, while it was deciding there. */
interface FirstHeard {
  readonly content: string;
}

interface Process {
  height: number;
  /** Places of the height being decided, by type, view and sender. */
  readonly heard: Map<string, FirstHeard>;
  promises: HeardPromises;
  /** `sender/type/type` of the evidence that was given at this height or the one below. */
  readonly convicted: Set<string>;
}

/**
 * Evidence (I11). Soundness: what a node gives as evidence are two votes that exclude each other,
 * signed by a traitor. Completeness: a process that hears two excluding votes of one sender in
 * the view that it is in, or a COMMIT and a denial of it in any views, gives evidence of them.
 */
export class EvidenceChecker {
  readonly #chain: ChainContext;
  readonly #validators: KnownValidators;
  readonly #verify: VerifySignature;
  readonly #isTraitor: (nodeId: string) => boolean;
  readonly #processes = new WeakMap<object, Process>();
  /** Pieces of evidence that honest nodes gave. */
  given = 0;

  constructor(parts: {
    readonly chain: ChainContext;
    readonly validators: KnownValidators;
    readonly verify: VerifySignature;
    readonly isTraitor: (nodeId: string) => boolean;
  }) {
    this.#chain = parts.chain;
    this.#validators = parts.validators;
    this.#verify = parts.verify;
    this.#isTraitor = parts.isTraitor;
  }

  /** @throws CheckFailure I11 */
  check(node: string, { input, effects, replica }: WatchedStep): void {
    const process = this.#of(replica);
    for (const effect of effects) {
      if (effect.type !== "evidence") continue;
      this.#judge(node, effect.first, effect.second);
      const { first, second } = effect;
      process.convicted.add(`${first.height}/${second.sender}/${first.type}/${second.type}`);
    }
    if (input?.type === "message") this.#hear(node, input.message, process, replica);
    process.promises.enter(replica.status.height === process.height ? replica.status.view : 0);
  }

  #judge(node: string, first: SignedVote, second: SignedVote): void {
    this.given++;
    const set = this.#validators.at(first.height);
    const signer = set?.validators[first.sender];
    if (set === null || signer === undefined) return;
    const fail = (text: string): never => {
      throw new CheckFailure("I11", `${node} gives evidence of ${signer.nodeId}: ${text}`);
    };
    if (!this.#isTraitor(signer.nodeId)) fail("it is honest");
    if (first.sender !== second.sender || first.height !== second.height) fail("of two places");
    const context = { ...this.#chain, validatorsHash: set.hash };
    for (const vote of [first, second]) {
      const payload = signedPayload(context, vote);
      if (!this.#verify(signer.publicKey, payload, vote.signature)) fail("not signed by it");
    }
    if (!excludes(first, second)) fail(`${first.type} and ${second.type} do not exclude`);
  }

  #hear(node: string, message: Message, process: Process, replica: WatchedStep["replica"]): void {
    if (message.type === "wish" || message.type === "decided") return;
    const { height, type, view, sender } = message;
    const nodeId = this.#validators.at(height)?.validators[sender]?.nodeId;
    if (nodeId === undefined || !this.#isTraitor(nodeId)) return;
    const status = replica.status;
    if (status.height !== height || status.halted) return;
    if (process.height !== height) {
      process.height = height;
      process.heard.clear();
      process.promises = new HeardPromises();
    }
    if (type === "commit" || type === "view-change") {
      const mustConvict = process.promises.hear(message, status.view);
      if (mustConvict && !process.convicted.has(`${height}/${sender}/commit/view-change`)) {
        throw new CheckFailure("I11", `${node} heard ${nodeId} deny its COMMIT at ${height}`);
      }
    }
    if (type === "view-change" || status.view !== view) return;
    if (type === "pre-prepare" && status.primary !== sender) return;
    const parent = type === "pre-prepare" ? toHex(message.parentDigest) : "";
    const place = `${type}/${view}/${sender}/${parent}`;
    const content = toHex(message.digest);
    const first = process.heard.get(place);
    if (first === undefined) process.heard.set(place, { content });
    else if (first.content !== content) {
      if (process.convicted.has(`${height}/${sender}/${type}/${type}`)) return;
      throw new CheckFailure("I11", `${node} heard ${nodeId} contradict itself: ${place}`);
    }
  }

  #of(replica: object): Process {
    const known = this.#processes.get(replica);
    if (known !== undefined) return known;
    const fresh: Process = {
      height: 0,
      heard: new Map(),
      promises: new HeardPromises(),
      convicted: new Set(),
    };
    this.#processes.set(replica, fresh);
    return fresh;
  }
}

/** Whether no honest validator could have signed both: written anew, not the replica's rule. */
function excludes(first: SignedVote, second: SignedVote): boolean {
  if (first.type === "commit" && second.type === "view-change") {
    return second.view > first.view && (second.preparedView ?? -1) < first.view;
  }
  if (first.view !== second.view) return false;
  if (first.type === "view-change" && second.type === "view-change") {
    const claim = ({ preparedView, preparedDigest }: typeof first): string =>
      `${preparedView}/${preparedDigest === null ? "" : toHex(preparedDigest)}`;
    return claim(first) !== claim(second);
  }
  if (first.type === "view-change" || second.type === "view-change") return false;
  if (first.type !== second.type || toHex(first.digest) === toHex(second.digest)) return false;
  if (first.type !== "pre-prepare" || second.type !== "pre-prepare") return true;
  return toHex(first.parentDigest) === toHex(second.parentDigest);
}
