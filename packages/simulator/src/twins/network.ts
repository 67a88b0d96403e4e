import {
  createRoster,
  createValidatorSet,
  defaultReplicaOptions,
  type Effect,
  evidenceOf,
  type IndexedSignature,
  type Message,
  type Proposal,
  type ReplicaOptions,
  type Roster,
  type Successor,
  type UnsignedMessage,
} from "@credlink/consensus-pbft";
import { Checks, fakeValidator } from "@credlink/consensus-pbft/compliance";
import {
  type Digest,
  equalBytes,
  type Height,
  digest as toDigest,
  height as toHeight,
  type ValidatorIndex,
  validatorIndex,
} from "@credlink/primitives";
import { type CommittedBlock, TWINS_TIMING, type TwinsHost, TwinsInstance } from "./instance.ts";
import { Restart, type RestartHost } from "./restart.ts";
import { instanceCount, type TwinsShape, type ViewChoice } from "./scenario.ts";

/** View timeouts of a scenario: shorter than votes take to come again, so that views stay short. */
const TIMEOUT_MS = 90;
const START_MS = 1_700_000_000_000;
const NO_BYTES = new Uint8Array();
const HEAD = { height: toHeight(0), digest: toDigest(new Uint8Array(32)), timestampMs: 0 };
const rosters = new Map<number, Roster>();

function rosterOf(validators: number): Roster {
  const known = rosters.get(validators);
  if (known !== undefined) return known;
  const members = Array.from({ length: validators }, (_, at) => fakeValidator(at));
  const roster = createRoster(createValidatorSet(members));
  rosters.set(validators, roster);
  return roster;
}

/** Views of the scripted height before its primaries repeat: more than any run enters. */
const LISTED_VIEWS = 840;

/**
 * The roster of height 1 with a list of primaries of its own: as the protocol has it, L(h, v) is
 * active(h)[(h + v) mod length]; behind the script every member has its turn.
 */
function scriptedRoster(roster: Roster, choices: readonly ViewChoice[]): Roster {
  const count = roster.validators.length;
  const active = Array.from({ length: LISTED_VIEWS }, (_, place) => {
    const view = (place + LISTED_VIEWS - 1) % LISTED_VIEWS;
    return validatorIndex(choices[view]?.primary ?? place % count);
  });
  return { ...roster, active };
}

/** What kind of faulty key a scenario has. */
export type TwinsMode =
  /** WISH, which binds nobody, passes every partition: all views are entered. */
  | "open"
  /** Every message is filtered: a view is left only where a quorum hears itself. */
  | "closed";

/** The instances of one scenario and what is between them: no loss but by partition, no latency. */
export class TwinsNetwork implements TwinsHost, RestartHost {
  readonly shape: TwinsShape;
  readonly instances: readonly TwinsInstance[];
  /** V(h) of every height; that of height 1 has the primaries of the script. */
  readonly roster: Roster;
  readonly scripted: Roster;
  readonly successor: Successor;
  readonly head = HEAD;
  readonly checks = new Checks();
  readonly #choices: readonly ViewChoice[];
  readonly #mode: TwinsMode;
  /** What a signature, by its identity, was put under. */
  readonly #signed = new Map<Uint8Array, UnsignedMessage>();
  #queue: (() => void)[] = [];
  #order = 0;
  #blocks = 0;
  nowMs = START_MS;
  isHealed = false;
  /** Scripted views whose choice has made a difference so far. */
  depth = 0;
  /** Pairs of excluding votes that instances noticed. */
  evidence = 0;
  /** Views that both instances of a key led with a block of their own. */
  doubleLeads = 0;
  readonly #leads = new Map<string, TwinsInstance>();
  /** Whether the key that restarted was silenced by its peers. */
  abstained = false;
  readonly #restart: Restart | null;

  constructor(shape: TwinsShape, choices: readonly ViewChoice[], mode: TwinsMode) {
    this.shape = shape;
    this.#choices = choices;
    this.#mode = mode;
    this.roster = rosterOf(shape.validators);
    this.scripted = scriptedRoster(this.roster, choices);
    this.successor = { validatorsAfterNext: this.roster, timing: TWINS_TIMING };
    this.instances = Array.from({ length: instanceCount(shape) }, (_, number) => {
      const key = validatorIndex(number % shape.validators);
      return new TwinsInstance(this, number, key, key >= shape.twins);
    });
    this.#restart = shape.restart === null ? null : new Restart(this, shape.restart);
  }

  get honest(): readonly TwinsInstance[] {
    return this.instances.filter(({ isHonest }) => isHonest);
  }

  optionsOf(key: ValidatorIndex): ReplicaOptions {
    return {
      ...defaultReplicaOptions,
      chainId: "twins",
      genesisDigest: HEAD.digest,
      publicKey: fakeValidator(key).publicKey,
      baseTimeoutMs: TIMEOUT_MS,
      minTimeoutMs: TIMEOUT_MS,
      maxBaseTimeoutMs: TIMEOUT_MS,
      maxTimeoutMs: TIMEOUT_MS,
      allowNonByzantine: true,
    };
  }

  /** An instance is in a view of the scripted height: from here on its choice matters. */
  noteView(view: number): void {
    this.depth = Math.max(this.depth, Math.min(view + 1, this.#choices.length));
  }

  nextOrder(): number {
    return this.#order++;
  }

  enqueue(run: () => void): void {
    this.#queue.push(run);
  }

  /** Whether there is something to decide: one block while scripted, then without end. */
  hasWork(height: number): boolean {
    return this.isHealed || height === 0;
  }

  /** Whether `to` hears `from` now. Two instances of one key never do: none shall give way. */
  hears(from: TwinsInstance, to: TwinsInstance): boolean {
    if (from === to) return true;
    if (from.key === to.key) return false;
    const choice = this.isHealed ? undefined : this.#choices[from.round];
    if (choice === undefined) return true;
    return choice.blockOf[from.number] === choice.blockOf[to.number];
  }

  heardBy(to: TwinsInstance): readonly TwinsInstance[] {
    return this.instances.filter((from) => from !== to && this.hears(from, to));
  }

  #sign(from: TwinsInstance, message: UnsignedMessage): Message {
    if (from.isHonest) this.checks.vote(from.number, message, from.log);
    if (message.type === "decided") return message;
    const signature = new Uint8Array(1);
    this.#signed.set(signature, message);
    return { ...message, signature };
  }

  broadcast(from: TwinsInstance, message: UnsignedMessage): void {
    const signed = this.#sign(from, message);
    const isOpen = this.#mode === "open" && message.type === "wish";
    for (const to of this.instances) {
      const passes = isOpen ? to === from || to.key !== from.key : this.hears(from, to);
      if (passes) this.#deliver(to, signed);
    }
  }

  send(from: TwinsInstance, key: ValidatorIndex, message: UnsignedMessage): void {
    const signed = this.#sign(from, message);
    for (const to of this.instances) {
      if (to.key === key && this.hears(from, to)) this.#deliver(to, signed);
    }
  }

  #deliver(to: TwinsInstance, message: Message): void {
    this.enqueue(() => {
      if (message.type === "pre-prepare") to.note(message.proposal);
      this.#restart?.onDelivery(to, message);
      to.feed({ type: "message", message });
    });
  }

  /** A block that no other instance, and not this one, has proposed before. */
  newProposal(
    from: TwinsInstance,
    effect: Extract<Effect, { readonly type: "build-proposal" }>,
  ): Proposal {
    this.#noteLead(from, effect);
    const digest = new Uint8Array(32);
    new DataView(digest.buffer).setUint32(0, ++this.#blocks);
    return {
      digest: toDigest(digest),
      parentDigest: effect.parentDigest,
      height: effect.height,
      proposer: from.key,
      timestampMs: Math.max(this.nowMs, effect.parentTimestampMs + 1),
      validatorsHash: this.roster.hash,
      nextValidatorsHash: this.roster.hash,
      transactionCount: 0,
      sizeBytes: 0,
      payload: NO_BYTES,
    };
  }

  #noteLead(from: TwinsInstance, { height, view }: { height: number; view: number }): void {
    const place = `${from.key}/${height}/${view}`;
    const other = this.#leads.get(place);
    if (other !== undefined && other !== from) this.doubleLeads++;
    this.#leads.set(place, from);
  }

  /** I1, I2, I4, I9 over what honest instances commit. */
  decided(node: TwinsInstance, { proposal, certificate }: CommittedBlock): void {
    if (!node.isHonest) return;
    this.checks.decision(node.number, toHeight(node.height), proposal, certificate);
    const parent = node.chain.at(-1)?.proposal.digest ?? HEAD.digest;
    if (!equalBytes(parent, proposal.parentDigest)) this.violate(node, "I2: parent");
    for (const signature of certificate.signatures) {
      if (!this.#isCommitBy(signature, certificate)) this.violate(node, "I9: certificate");
    }
  }

  #isCommitBy(
    { index, signature }: IndexedSignature,
    certificate: { readonly height: Height; readonly view: number; readonly digest: Digest },
  ): boolean {
    const signed = this.#signed.get(signature);
    return (
      signed?.type === "commit" &&
      signed.sender === index &&
      signed.height === certificate.height &&
      signed.view === certificate.view &&
      equalBytes(signed.digest, certificate.digest)
    );
  }

  convict(effect: Extract<Effect, { readonly type: "evidence" }>): void {
    this.evidence++;
    const isProof = evidenceOf(effect.first, effect.second) !== null;
    this.checks.evidence(effect, effect.first.sender >= this.shape.twins, isProof);
  }

  halted(node: TwinsInstance, code: string): void {
    if (node.isHonest) this.violate(node, `I17: halt ${code}`);
  }

  violate(node: TwinsInstance, text: string): void {
    this.checks.violations.push(`node ${node.number}: ${text}`);
  }

  /** Lets everything that is on its way arrive. */
  settle(): void {
    do {
      while (this.#queue.length > 0) {
        const batch = this.#queue;
        this.#queue = [];
        for (const run of batch) run();
      }
    } while (this.#catchUp() || this.#restart?.onQuiet() === true);
  }

  #catchUp(): boolean {
    let moved = false;
    for (const instance of this.instances) moved = instance.catchUp() || moved;
    return moved;
  }

  /** Fires the earliest timer if it is due by `endMs`; false when none is. */
  fireNext(endMs: number): boolean {
    let first: { instance: TwinsInstance; key: string; dueMs: number; order: number } | null = null;
    for (const instance of this.instances) {
      for (const [key, { dueMs, order }] of instance.timers) {
        const isLater =
          first !== null && (dueMs > first.dueMs || (dueMs === first.dueMs && order > first.order));
        if (!isLater) first = { instance, key, dueMs, order };
      }
    }
    if (first === null || first.dueMs > endMs) return false;
    const { instance, key, dueMs } = first;
    const fired = instance.timers.get(key);
    instance.timers.delete(key);
    this.nowMs = Math.max(this.nowMs, dueMs);
    if (fired !== undefined) instance.feed({ type: "timer", timer: fired.timer });
    return true;
  }
}

/** Milliseconds after which scripted views are over even where nobody can leave them. */
export function scriptedMs({ views }: TwinsShape): number {
  return (views + 1) * TIMEOUT_MS;
}
