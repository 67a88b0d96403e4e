import type { ValidatorSet } from "@credlink/consensus-pbft";
import { quorum } from "@credlink/consensus-pbft/certificates";
import type { ConsensusLedger } from "@credlink/ledger";
import {
  type Clock,
  encode,
  type Logger,
  type Network,
  type PeerId,
  type Random,
  type Signer,
  height as toHeight,
  toHex,
  tryDecode,
} from "@credlink/primitives";
import type { ConsensusDriver } from "./consensus-driver.ts";
import { EngineError, type EngineErrorCode } from "./errors.ts";
import { createInstanceWatch, type InstanceWatch } from "./instance-watch.ts";
import { createInstanceWitness, type InstanceWitness } from "./instance-witness.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import {
  INSTANCE_BYTES,
  INSTANCE_PROTOCOL,
  type InstanceStatement,
  instanceReplyCodec,
  instanceWordCodec,
  MAX_INSTANCE_BYTES,
} from "./protocols.ts";
import type { ConsensusSignatures } from "./signature-memory.ts";
import type { ValidatorDirectory } from "./validator-directory.ts";
import type { VoteLog } from "./vote-log.ts";

/** What finding a second process with one key needs of the node. */
export interface KeySharingComponents {
  readonly ledger: ConsensusLedger;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: Signer;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly directory: ValidatorDirectory;
  readonly consensusSignatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly requestTimeoutMs: number;
  /** `isClear` may have changed. */
  readonly onAnswer: () => void;
  /** The vote log; null before it is open. */
  readonly voteLog: () => Pick<VoteLog, "abstain" | "distrust"> | null;
  /** What must stop voting; null while no replica runs. */
  readonly replica: () => Pick<ConsensusDriver, "feed"> | null;
  /** The vote log could not be written. */
  readonly onFatal: (error: Error) => void;
}

/** Whether two processes run with one validator's key: ours, or that of a peer. */
export interface KeySharing {
  start(): void;
  /** To be called about once a second. */
  tick(): void;
  stop(): void;
  /**
   * Whether the first vote may be cast in this list: a quorum, we ourselves included, was asked
   * whether another process lives. Who stands in no list asks nobody, and is always clear.
   */
  isClear(set: ValidatorSet): boolean;
  /** Whether a second process with our own key was proven, since this one started. */
  readonly isShared: boolean;
  /** Abstains (again), where a second process was proven. */
  enforce(): void;
}

class Sharing implements KeySharing {
  readonly #parts: KeySharingComponents;
  readonly #watch: InstanceWatch;
  readonly #witness: InstanceWitness;
  #isShared = false;

  constructor(parts: KeySharingComponents) {
    this.#parts = parts;
    const { directory, random, ledger, consensusSignatures: signatures } = parts;
    const shared = { ...parts, signatures, chain: ledger };
    this.#witness = createInstanceWitness({ ...shared, keyOf: (peer) => this.#keyOf(peer) });
    this.#watch = createInstanceWatch({
      ...shared,
      instance: random.bytes(INSTANCE_BYTES),
      witnesses: () => {
        const set = directory.next();
        return directory.indexIn(set) === null ? [] : directory.peersOf(set, []);
      },
      onShared: (proof, peer) => this.#onShared(proof, peer),
    });
  }

  get isShared(): boolean {
    return this.#isShared;
  }

  start(): void {
    const { network, budget } = this.#parts;
    const limits = { maxBytes: MAX_INSTANCE_BYTES };
    network.onRequest(INSTANCE_PROTOCOL, limits, async (from, request) => {
      if (!budget.spend(from.id, "status")) throw new EngineError("NODE_PEER_OVER_BUDGET", "words");
      const word = tryDecode(instanceWordCodec, request, limits);
      if (!word.ok) {
        budget.blame(from.id);
        throw new EngineError("NODE_PEER_INVALID_MESSAGES", "a word that does not decode");
      }
      return encode(instanceReplyCodec, await this.#witness.hear(from.id, word.value));
    });
    network.onPeerChange((peer, event) => {
      if (event === "left") this.#witness.forget(peer.id);
    });
    this.#watch.start();
  }

  tick(): void {
    this.#watch.tick();
  }

  stop(): void {
    this.#watch.stop();
  }

  isClear(set: ValidatorSet): boolean {
    if (this.#parts.directory.indexIn(set) === null) return true;
    return this.#watch.isClear(quorum(set.validators.length) - 1);
  }

  /**
   * The other process's votes are ours and no log of ours knows them: it is the same as a log that
   * misses votes, and stays so after a restart. Only a recovery lifts it, and no process recovers
   * that knows of another one.
   */
  enforce(): void {
    if (!this.#isShared) return;
    const { ledger, voteLog, replica, onFatal } = this.#parts;
    const [running, log] = [replica(), voteLog()];
    if (running !== null) running.feed({ type: "key-shared" });
    else if (log !== null && log.abstain === null) {
      log.distrust(toHeight(ledger.head.header.height + 1)).catch(onFatal);
    }
  }

  #onShared({ instance, other }: InstanceStatement, peer: PeerId): void {
    const code: EngineErrorCode = "NODE_KEY_SHARED";
    const found = { code, peer, instance: toHex(other), other: toHex(instance) };
    this.#isShared = true;
    this.#parts.instruments.keyShared.set(1);
    this.#parts.logger.error("another process uses this key, abstaining", found);
    this.enforce();
  }

  #keyOf(peer: PeerId): Uint8Array | null {
    const { validators } = this.#parts.directory.next();
    return validators.find(({ peerId }) => peerId === peer)?.publicKey ?? null;
  }
}

/** Makes it for one process: the bytes that name the process are drawn here. */
export function createKeySharing(parts: KeySharingComponents): KeySharing {
  return new Sharing(parts);
}
