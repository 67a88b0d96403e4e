import {
  type Clock,
  encode,
  equalBytes,
  type Logger,
  type Network,
  type PeerId,
  type Signer,
  tryDecode,
} from "@credlink/primitives";
import { keepMembers } from "./height-claims.ts";
import {
  type InstanceChain,
  instanceSignature,
  instanceSigningMessage,
  isAbout,
} from "./instance-statements.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  INSTANCE_PROTOCOL,
  type InstanceReply,
  type InstanceStatement,
  instanceReplyCodec,
  instanceWordCodec,
  MAX_INSTANCE_BYTES,
} from "./protocols.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";
import { RateLimiter } from "./token-bucket.ts";

/** What watching over the own key works with. */
export interface WatchComponents {
  readonly chain: InstanceChain;
  /** This process: random bytes of its start. */
  readonly instance: Uint8Array;
  readonly network: Network;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly signatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly logger: Logger;
  readonly requestTimeoutMs: number;
  /** The other validators of the next height; none while we are none. */
  readonly witnesses: () => readonly PeerId[];
  /** A witness answered: `isClear` may have changed. */
  readonly onAnswer: () => void;
  /** Another process has our key; called once. */
  readonly onShared: (proof: InstanceStatement, peer: PeerId) => void;
}

/** Asks the other validators whether another process speaks with our key. */
export interface InstanceWatch {
  start(): void;
  /** To be called about once a second: asks whom it is time to ask. */
  tick(): void;
  /**
   * Whether the first vote may be cast as far as other processes are concerned: `needed` witnesses
   * have answered, and none shows another process, or none could prove it within `CLAIM_MS`.
   */
  isClear(needed: number): boolean;
  stop(): void;
}

/**
 * A peer is asked this often, milliseconds; at every tick before its first answer, and while it shows
 * another process.
 */
const ASK_MS = 5_000;
/** A process that a peer shows and nobody proves holds up the first vote for this long, milliseconds. */
const CLAIM_MS = 10_000;
/** What one peer may have us sign: it can show any bytes. */
const SIGNATURES = { perSecond: 1, burst: 4 };

interface Asked {
  dueAtMs: number;
  isAsking: boolean;
  showsOthers: boolean;
  /** What we say of the processes that it showed last. */
  statements: readonly InstanceStatement[];
}

class Watch implements InstanceWatch {
  readonly #parts: WatchComponents;
  readonly #asked = new Map<PeerId, Asked>();
  /** Witnesses that have answered since our start. */
  readonly #answered = new Map<PeerId, true>();
  readonly #signatures: RateLimiter;
  #claimedAtMs: number | null = null;
  #isShared = false;
  #isStopped = false;

  constructor(parts: WatchComponents) {
    this.#parts = parts;
    this.#signatures = new RateLimiter(SIGNATURES, parts.clock);
  }

  start(): void {
    this.#parts.network.onPeerChange((peer, event) => {
      if (event === "left") this.#asked.delete(peer.id);
      else if (this.#parts.witnesses().includes(peer.id)) this.#askIfDue(peer.id);
    });
  }

  isClear(needed: number): boolean {
    if (this.#isShared) return true;
    if (this.#parts.witnesses().filter((peer) => this.#answered.has(peer)).length < needed) {
      return false;
    }
    const isClaimed = [...this.#asked.values()].some(({ showsOthers }) => showsOthers);
    if (!isClaimed || this.#claimedAtMs === null) return true;
    return this.#parts.clock.monotonicMs() - this.#claimedAtMs >= CLAIM_MS;
  }

  stop(): void {
    this.#isStopped = true;
  }

  tick(): void {
    if (this.#isStopped) return;
    const { network, witnesses } = this.#parts;
    const connected = new Set(network.peers().map(({ id }) => id));
    for (const peer of witnesses()) if (connected.has(peer)) this.#askIfDue(peer);
  }

  #askIfDue(peer: PeerId): void {
    const now = this.#parts.clock.monotonicMs();
    const asked = this.#asked.get(peer) ?? {
      dueAtMs: now,
      isAsking: false,
      showsOthers: false,
      statements: [],
    };
    this.#asked.set(peer, asked);
    if (!this.#isStopped && !asked.isAsking && asked.dueAtMs <= now) void this.#ask(peer, asked);
  }

  async #ask(peer: PeerId, asked: Asked): Promise<void> {
    asked.isAsking = true;
    // What is new to say is said at once; how often that may be, the limit of signatures says.
    while (await this.#askOnce(peer, asked));
    asked.isAsking = false;
  }

  /** @returns whether there is something to say that the peer does not know yet. */
  async #askOnce(peer: PeerId, asked: Asked): Promise<boolean> {
    const { network, clock, instance, logger, budget, requestTimeoutMs: timeoutMs } = this.#parts;
    asked.dueAtMs = clock.monotonicMs() + (this.#answered.has(peer) ? ASK_MS : 0);
    try {
      const word = encode(instanceWordCodec, { instance, statements: asked.statements });
      const options = { timeoutMs, maxReplyBytes: MAX_INSTANCE_BYTES };
      const bytes = await network.request(peer, INSTANCE_PROTOCOL, word, options);
      const reply = tryDecode(instanceReplyCodec, bytes, { maxBytes: MAX_INSTANCE_BYTES });
      if (reply.ok) return await this.#learn(peer, asked, reply.value);
      budget.blame(peer);
    } catch (error) {
      logger.debug("not told of other processes", { peer, error });
    }
    return false;
  }

  /** @returns the same. */
  async #learn(peer: PeerId, asked: Asked, reply: InstanceReply): Promise<boolean> {
    const { instance, clock } = this.#parts;
    for (const statement of reply.statements) await this.#judge(peer, statement);
    const others = reply.others.filter((other) => !equalBytes(other, instance));
    const statements: InstanceStatement[] = [];
    for (const other of others) {
      const known = asked.statements.find((one) => equalBytes(one.other, other));
      const statement = known ?? (await this.#sign(peer, other));
      if (statement !== null) statements.push(statement);
    }
    const isNew = statements.some((one) => !asked.statements.includes(one));
    asked.statements = statements;
    asked.showsOthers = others.length > 0;
    asked.dueAtMs = clock.monotonicMs() + (asked.showsOthers ? 0 : ASK_MS);
    if (asked.showsOthers) this.#claimedAtMs ??= clock.monotonicMs();
    this.#answered.set(peer, true);
    keepMembers(this.#answered, this.#parts.witnesses());
    this.#parts.onAnswer();
    return isNew && !this.#isStopped;
  }

  /**
   * Only our own key's word counts, by another process, about this very one: no statement from before
   * our start can name us, and whoever lacks the key can make none.
   */
  async #judge(peer: PeerId, statement: InstanceStatement): Promise<void> {
    const { chain, instance, signer, signatures, budget, onShared } = this.#parts;
    if (this.#isShared || !budget.spend(peer, "signatures")) return;
    const request = instanceSignature(chain, signer.publicKey, statement);
    const isProof =
      isAbout(statement, null, instance) && (await signatures.verifyAll([request], "consensus"));
    if (!isProof) return budget.blame(peer);
    if (this.#isShared || this.#isStopped) return;
    this.#isShared = true;
    onShared(statement, peer);
  }

  /** That we lived when `other` had begun. Says nothing of whether `other` is a process at all. */
  async #sign(peer: PeerId, other: Uint8Array): Promise<InstanceStatement | null> {
    const { chain, instance, signer } = this.#parts;
    if (this.#signatures.take(peer) > 0) return null;
    const message = instanceSigningMessage(chain, { instance, other });
    return { instance, other, signature: await signer.sign(message) };
  }
}

/** Makes the watch of one process. */
export function createInstanceWatch(parts: WatchComponents): InstanceWatch {
  return new Watch(parts);
}
