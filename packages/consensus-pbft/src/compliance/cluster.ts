import { taggedSm3 } from "@credlink/crypto";
import {
  type Digest,
  height as toHeight,
  toHex,
  utf8,
  type ValidatorIndex,
  view,
} from "@credlink/primitives";
import { verifyEvidence } from "../certificates.ts";
import type { Effect, ReplicaOptions, Timing } from "../effects.ts";
import type { Message, Proposal, UnsignedMessage } from "../messages.ts";
import { defaultReplicaOptions, defaultTiming } from "../replica.ts";
import { emptySkipList, nextSkipList, type SkipList, skippedAt } from "../rotation.ts";
import { decodeEvidence, encodeEvidence, evidenceOf } from "../signed-evidence.ts";
import { type SignatureContext, signatureClaims, signedPayload } from "../signed-payloads.ts";
import {
  createRoster,
  createValidatorSet,
  indexOfKey,
  primaryOf,
  type Roster,
  type Validator,
  type ValidatorSet,
} from "../validator-set.ts";
import { decodeMessage, encodeMessage } from "../wire.ts";
import { Checks } from "./checks.ts";
import { createDice, fakeSignature, fakeValidator, verifyFakeSignature } from "./fakes.ts";
import { TestNode, type TestNodeHost } from "./node.ts";
import { EventQueue } from "./queue.ts";

/** A message on its way. Numbers are those of nodes, not validator indices. */
export interface Delivery {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
  readonly nowMs: number;
}

/** How a cluster behaves; times in milliseconds. */
export interface TestClusterOptions {
  /** Number of nodes. */
  readonly n: number;
  readonly seed?: number;
  readonly replica?: Partial<ReplicaOptions>;
  /** Local settings of single nodes. */
  readonly replicaOf?: (node: number) => Partial<ReplicaOptions>;
  /** One-way delay, drawn uniformly; default 1 to 2. */
  readonly delayMs?: readonly [min: number, max: number];
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  readonly fsyncMs?: number;
  readonly executeMs?: number;
  readonly commitMs?: number;
  /** Clock error of a node. */
  readonly skewMs?: (node: number) => number;
  /** Numbers of the nodes in V(height); default: all. */
  readonly members?: (height: number) => readonly number[];
  /** Timing of a height, where it differs from the defaults. */
  readonly timing?: (height: number) => Partial<Timing>;
  /** Whether validators that miss their turns are skipped, as on every real chain; default true. */
  readonly skipping?: boolean;
  /** What the script does to a message: false drops it, a number delays it by so much more. */
  readonly script?: (delivery: Delivery) => boolean | number;
  /** Overrides what a node's executor says of a block. */
  readonly judge?: (node: number, proposal: Proposal) => boolean | undefined;
  /** Keeps all inputs and effects of each node. */
  readonly trace?: boolean;
  /** Whether a node that hears of heads two or more above its own syncs; default true. */
  readonly status?: boolean;
}

/**
 * Replicas of one chain in one thread on virtual time: same options, same run. Invariants are
 * checked at every vote and decision; `checks.violations` lists what broke.
 */
export class TestCluster implements TestNodeHost {
  readonly options: TestClusterOptions;
  readonly checks = new Checks();
  readonly validators: readonly Validator[];
  readonly nodes: readonly TestNode[];
  readonly chainId = "test";
  readonly genesisDigest: Digest = taggedSm3("test/genesis");
  readonly byzantine = new Set<number>();
  /** Every message delivered, in order, when `trace` is set. */
  readonly delivered: Delivery[] = [];
  nowMs = 1_700_000_000_000;
  readonly #queue = new EventQueue();
  readonly #dice: () => number;
  readonly #sets = new Map<string, ValidatorSet>();
  /** Digest of a block -> who is skipped after it. */
  readonly #skipLists = new Map<string, SkipList>();
  readonly #pool: { readonly transaction: Uint8Array; readonly nodes: ReadonlySet<number> }[] = [];
  #groups: readonly ReadonlySet<number>[] | null = null;
  #nonce = 0;

  constructor(options: TestClusterOptions) {
    this.options = options;
    this.#dice = createDice(options.seed ?? 1);
    this.validators = Array.from({ length: options.n }, (_, node) => fakeValidator(node));
    this.nodes = this.validators.map(({ publicKey }, node) => {
      const local = { ...options.replica, ...options.replicaOf?.(node) };
      const { chainId, genesisDigest } = this;
      const all = { ...defaultReplicaOptions, ...local, chainId, genesisDigest, publicKey };
      return new TestNode(this, node, all);
    });
  }

  readonly timing = {
    fsyncMs: (_node: number): number => this.options.fsyncMs ?? 1,
    executeMs: (_node: number): number => this.options.executeMs ?? 1,
    commitMs: (_node: number): number => this.options.commitMs ?? 1,
    buildMs: 1,
    syncMs: 5,
  };

  skewOf(node: number): number {
    return this.options.skewMs?.(node) ?? 0;
  }

  /** Starts every node that is not Byzantine, and the exchange of heads. */
  start(): void {
    for (const node of this.nodes) if (!this.byzantine.has(node.number)) node.start();
    if (this.options.status ?? true) this.#exchangeHeads();
  }

  #exchangeHeads(): void {
    this.schedule(1000, () => {
      for (const node of this.nodes) {
        if (!node.alive) continue;
        const heads = this.nodes
          .filter((peer) => peer.alive && this.canReach(peer.number, node.number))
          .map((peer) => peer.head.height);
        const highest = Math.max(...heads);
        if (highest >= node.head.height + 2) node.syncTo(highest);
      }
      this.#exchangeHeads();
    });
  }

  validatorsAt(height: number): ValidatorSet {
    const members = this.options.members?.(height) ?? this.nodes.map((node) => node.number);
    const key = members.join();
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    const set = createValidatorSet(members.map(fakeValidator));
    this.#sets.set(key, set);
    return set;
  }

  /** V(height) with its primaries, on the branch that ends in block height − 1 or height − 2. */
  rosterAt(height: number, branch: Digest): Roster {
    const skipped = skippedAt(this.#skipListAfter(branch), toHeight(height));
    return createRoster(this.validatorsAt(height), skipped);
  }

  timingAt(height: number): Timing {
    return { ...defaultTiming, ...this.options.timing?.(height) };
  }

  #skipListAfter(digest: Digest): SkipList {
    return this.#skipLists.get(toHex(digest)) ?? emptySkipList;
  }

  /** Works out who is skipped after a block: what the executor does on a real chain. */
  noteTurn({ height, digest, parentDigest, proposer }: Proposal): void {
    if (this.options.skipping === false || this.#skipLists.has(toHex(digest))) return;
    const roster = this.rosterAt(height, parentDigest);
    const nodeIdOf = (index: ValidatorIndex) => roster.validators[index]?.nodeId ?? "";
    const list = nextSkipList(this.#skipListAfter(parentDigest), {
      height,
      primary: nodeIdOf(primaryOf(roster, height, view(0))),
      proposer: nodeIdOf(proposer),
      validatorCount: roster.validators.length,
      validatorsAfterNext: this.validatorsAt(height + 2).validators,
    });
    this.#skipLists.set(toHex(digest), list);
  }

  contextAt(height: number): SignatureContext {
    const { chainId, genesisDigest } = this;
    return { chainId, genesisDigest, validatorsHash: this.validatorsAt(height).hash };
  }

  schedule(delayMs: number, run: () => void): void {
    this.#queue.add(this.nowMs + delayMs, run);
  }

  /** Runs for so many milliseconds of virtual time. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    this.runUntil(() => false, durationMs);
    this.nowMs = endMs;
  }

  /** Runs until the condition holds; false when it did not within the limit. */
  runUntil(condition: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs;
    while (!condition()) {
      const next = this.#queue.nextMs();
      if (next > endMs) {
        this.nowMs = endMs;
        return condition();
      }
      this.nowMs = Math.max(this.nowMs, next);
      this.#queue.take()?.();
    }
    return true;
  }

  /** Puts a transaction into the pools of the given nodes (default: all). */
  submit(text: string, nodes?: readonly number[]): void {
    const holders = new Set(nodes ?? this.nodes.map((node) => node.number));
    this.#pool.push({ transaction: utf8(text), nodes: holders });
    for (const node of this.nodes) if (node.alive && holders.has(node.number)) node.feedWork();
  }

  poolOf(node: number): readonly Uint8Array[] {
    return this.#pool.filter((entry) => entry.nodes.has(node)).map((entry) => entry.transaction);
  }

  /** Splits the network; nodes named in no group are alone. Without arguments: heals. */
  partition(...groups: readonly (readonly number[])[]): void {
    this.#groups = groups.length === 0 ? null : groups.map((group) => new Set(group));
  }

  canReach(from: number, to: number): boolean {
    if (from === to) return true;
    if (this.#groups === null) return true;
    return this.#groups.some((group) => group.has(from) && group.has(to));
  }

  /** Signs a message with a node's key, as its shell would; signatures differ each time. */
  sign(node: number, message: UnsignedMessage): Message {
    if (message.type === "decided") return message;
    const { publicKey } = fakeValidator(node);
    const payload = signedPayload(this.contextAt(message.height), message);
    const signature = fakeSignature(publicKey, payload, this.#nonce++);
    return { ...message, signature };
  }

  broadcast(from: number, message: UnsignedMessage): void {
    const signed = this.sign(from, message);
    const height = signed.type === "decided" ? signed.certificate.height : signed.height;
    this.schedule(0, () => this.#arrive({ from, to: from, message: signed, nowMs: this.nowMs }));
    for (const validator of this.validatorsAt(height).validators) {
      const to = this.#numberOf(validator);
      if (to !== from) this.deliver(from, to, signed);
    }
    for (const { number } of this.nodes) {
      const isMember = indexOfKey(this.validatorsAt(height), fakeValidator(number).publicKey);
      if (isMember === null && number !== from) this.deliver(from, number, signed);
    }
  }

  sendTo(from: number, index: ValidatorIndex, message: UnsignedMessage): void {
    const signed = this.sign(from, message);
    const height = signed.type === "decided" ? signed.certificate.height : signed.height;
    const validator = this.validatorsAt(height).validators[index];
    if (validator !== undefined) this.deliver(from, this.#numberOf(validator), signed);
  }

  #numberOf(validator: Validator): number {
    return this.validators.findIndex(({ nodeId }) => nodeId === validator.nodeId);
  }

  /** Puts a signed message on the wire: what a Byzantine node does by hand. */
  deliver(from: number, to: number, message: Message): void {
    const { lossRate = 0, duplicateRate = 0, delayMs = [1, 2] } = this.options;
    const [min, max] = delayMs;
    const copies = this.#dice() < duplicateRate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delivery: Delivery = { from, to, message, nowMs: this.nowMs };
      const extra = this.options.script?.(delivery) ?? true;
      if (extra === false || this.#dice() < lossRate || !this.canReach(from, to)) continue;
      const delay = Math.round(min + this.#dice() * (max - min)) + (extra === true ? 0 : extra);
      this.schedule(delay, () => this.#arrive({ ...delivery, nowMs: this.nowMs }));
    }
  }

  /** What a shell does with bytes: decode, check every signature, hand over. */
  #arrive(delivery: Delivery): void {
    const { from, to, message } = delivery;
    const node = this.nodes[to];
    if (node === undefined || !node.alive) return;
    const decoded = decodeMessage(encodeMessage(message));
    const code = decoded.ok ? this.#refuseSignatures(decoded.value) : decoded.code;
    if (code !== null || !decoded.ok) {
      if (!this.byzantine.has(from)) this.checks.refusedOwn(from, code ?? "malformed");
      return;
    }
    if (this.options.trace) this.delivered.push(delivery);
    node.receive(decoded.value);
  }

  #refuseSignatures(message: Message): string | null {
    const height = message.type === "decided" ? message.certificate.height : message.height;
    const { validators } = this.validatorsAt(height);
    for (const claim of signatureClaims(message, this.contextAt(height))) {
      const signer = validators[claim.index];
      if (signer === undefined) return "unknown signer";
      if (!verifyFakeSignature(signer.publicKey, claim.message, claim.signature)) {
        return "bad signature";
      }
    }
    return null;
  }

  convict(effect: Extract<Effect, { readonly type: "evidence" }>): void {
    const validator = this.validatorsAt(effect.first.height).validators[effect.first.sender];
    const number = validator === undefined ? -1 : this.#numberOf(validator);
    this.checks.evidence(effect, !this.byzantine.has(number), this.#isProof(effect));
  }

  /** Whether a pair is a proof to somebody who did not see the messages come. */
  #isProof({ first, second }: Extract<Effect, { readonly type: "evidence" }>): boolean {
    const evidence = evidenceOf(first, second);
    if (evidence === null) return false;
    const decoded = decodeEvidence(encodeEvidence(evidence));
    const set = this.validatorsAt(evidence.height);
    const context = this.contextAt(evidence.height);
    return decoded.ok && verifyEvidence(decoded.value, set, context, verifyFakeSignature).ok;
  }

  /** Lowest committed height among the given nodes (default: those alive). */
  lowestHead(nodes?: readonly number[]): number {
    const heads = this.nodes
      .filter((node) => (nodes === undefined ? node.alive : nodes.includes(node.number)))
      .map((node) => node.head.height);
    return Math.min(...heads);
  }
}

/** Creates a cluster; nothing runs before `start`. */
export function createTestCluster(options: TestClusterOptions): TestCluster {
  return new TestCluster(options);
}
