import { type Clock, equalBytes, type Logger, type PeerId } from "@credlink/primitives";
import type { EngineErrorCode } from "./errors.ts";
import { type InstanceChain, instanceSignature, isAbout } from "./instance-statements.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  type InstanceReply,
  type InstanceStatement,
  type InstanceWord,
  MAX_INSTANCES,
} from "./protocols.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";

/** What witnessing works with. */
export interface WitnessComponents {
  readonly chain: InstanceChain;
  readonly signatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly instruments: Pick<EngineInstruments, "peerKeysShared">;
  /** Key of the next height's validator behind a peer; null when it is none. */
  readonly keyOf: (peer: PeerId) => Uint8Array | null;
}

/**
 * Carries what the processes of one key say of one another between them: they have one peer id, so
 * they cannot reach each other. Nobody has to believe a witness: the statements are signed.
 */
export interface InstanceWitness {
  /** Takes a word of a validator's process; the reply is for that process. */
  hear(peer: PeerId, word: InstanceWord): Promise<InstanceReply>;
  /** Its last connection ended: none of its processes is known to live. */
  forget(peer: PeerId): void;
}

/** A process is taken to live for this long after its last word, milliseconds. */
const LIVE_MS = 15_000;

interface Heard {
  readonly instance: Uint8Array;
  readonly atMs: number;
  /** Verified, and its own. */
  readonly statements: readonly InstanceStatement[];
}

interface Known {
  /** At most `MAX_INSTANCES`, the one heard last at the end. */
  heard: readonly Heard[];
  isReported: boolean;
}

const NOTHING: InstanceReply = { others: [], statements: [] };

class Witness implements InstanceWitness {
  readonly #parts: WitnessComponents;
  readonly #known = new Map<PeerId, Known>();

  constructor(parts: WitnessComponents) {
    this.#parts = parts;
  }

  async hear(peer: PeerId, word: InstanceWord): Promise<InstanceReply> {
    const key = this.#parts.keyOf(peer);
    if (key === null) return NOTHING;
    const { instance } = word;
    // Before anything is awaited: who has left meanwhile stays forgotten.
    const known = this.#known.get(peer) ?? { heard: [], isReported: false };
    this.#known.set(peer, known);
    const statements = await this.#verified(peer, key, word);
    const nowMs = this.#parts.clock.monotonicMs();
    const others = known.heard
      .filter((one) => !equalBytes(one.instance, instance) && nowMs - one.atMs <= LIVE_MS)
      .slice(1 - MAX_INSTANCES);
    known.heard = [...others, { instance, atMs: nowMs, statements }];
    if (!known.isReported && haveMet(known.heard)) this.#report(peer, known);
    return {
      others: others.map((one) => one.instance),
      statements: others.flatMap((one) =>
        one.statements.filter((each) => isAbout(each, one.instance, instance)).slice(0, 1),
      ),
    };
  }

  forget(peer: PeerId): void {
    this.#known.delete(peer);
  }

  /** A word's statements if all of them are its speaker's; what is not is a fault, and none counts. */
  async #verified(
    peer: PeerId,
    key: Uint8Array,
    { instance, statements }: InstanceWord,
  ): Promise<readonly InstanceStatement[]> {
    if (statements.length === 0) return [];
    const { budget, signatures, chain } = this.#parts;
    if (!budget.spend(peer, "signatures", statements.length)) return [];
    const requests = statements.map((one) => instanceSignature(chain, key, one));
    const areOwn = statements.every((one) => isAbout(one, instance, null));
    if (areOwn && (await signatures.verifyAll(requests, "consensus"))) return statements;
    budget.blame(peer);
    return [];
  }

  /** No fault of the peer's for which it should be cut: its operator must hear of it. */
  #report(peer: PeerId, known: Known): void {
    const { logger, instruments } = this.#parts;
    const code: EngineErrorCode = "NODE_PEER_KEY_SHARED";
    known.isReported = true;
    instruments.peerKeysShared.add();
    logger.error("two processes speak with one peer's key", { code, peer });
  }
}

/**
 * Whether two of these processes lived at once: each signed the other's random bytes. One that ended
 * before the other began cannot have known them.
 */
function haveMet(heard: readonly Heard[]): boolean {
  return heard.some((first) =>
    first.statements.some(({ other }) =>
      heard.some(
        (second) =>
          equalBytes(second.instance, other) &&
          second.statements.some((one) => isAbout(one, second.instance, first.instance)),
      ),
    ),
  );
}

/** Makes the witness of one node. */
export function createInstanceWitness(parts: WitnessComponents): InstanceWitness {
  return new Witness(parts);
}
