import {
  checkEvidenceShape,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  evidenceClaims,
  evidenceOf,
  MAX_EVIDENCE_BYTES,
  type SignedVote,
  type ValidatorSet,
} from "@credlink/consensus-pbft/certificates";
import {
  type ConsensusLedger,
  compareEvidence,
  MAX_BLOCK_EVIDENCE,
  type VerifyEvidence,
} from "@credlink/ledger";
import {
  type AdmittedPeer,
  type Digest,
  type Height,
  type Logger,
  type Network,
  type PeerId,
  height as toHeight,
} from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import type { EvidenceFiles } from "./evidence-files.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import { EVIDENCE_PROTOCOL } from "./protocols.ts";
import type { ConsensusSignatures, SignatureRequest } from "./signature-memory.ts";
import type { ValidatorDirectory } from "./validator-directory.ts";

/** What the pool works with. */
export interface EvidenceComponents {
  readonly ledger: ConsensusLedger;
  readonly network: Network;
  readonly logger: Logger;
  readonly instruments: EngineInstruments;
  readonly signatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly directory: ValidatorDirectory;
  readonly files: EvidenceFiles;
  /** Called when there is more to propose than before. */
  readonly onAdded: () => void;
}

/** Proofs of misbehaviour that wait for a block: found here, or told by validators. */
export interface EvidencePool {
  /** Takes up what an earlier process kept; all of it is judged again. */
  load(): Promise<void>;
  /** Receives what other validators found. */
  serve(): void;
  /** Two votes that the replica saw exclude each other; it has verified messages only. */
  found(first: SignedVote, second: SignedVote): void;
  /** What a block of `height` on a parent may carry, in its order. */
  select(parentDigest: Digest, height: Height): readonly Uint8Array[];
  /**
   * Pieces that are worth a block of their own: the next one could carry them, and their signers
   * were not recorded lately. Who contradicts itself about every block would else keep an idle
   * chain busy for ever; further pieces go along with the next block that has work.
   */
  readonly pending: number;
  /** Whether a signer is proven guilty in a view: nothing more of it counts there. */
  isConvicted(height: Height, sender: number, view: number): boolean;
  /** The head moved, to a block with this evidence: forgets what is recorded, or too old to be. */
  onCommitted(recorded: readonly Uint8Array[]): void;
  /** Sends what waits again: a message may have been lost. */
  sendAgain(): void;
  /** Pieces held, whenever a block may carry them. */
  readonly size: number;
}

/** Pieces held; each needs another signer or height. */
const MAX_POOLED = 256;
/** A signer that was recorded is no work for so many heights. */
const QUIET_HEIGHTS = 100;
/** Pieces whose signatures are being verified. */
const MAX_JUDGING = 64;
/** What waits is sent again every so many calls of `sendAgain`. */
const SEND_AGAIN_EVERY = 5;

interface Piece {
  readonly evidence: Evidence;
  readonly bytes: Uint8Array;
}

function keyOf({ height, sender }: Evidence): string {
  return `${height}/${sender}`;
}

/** Both signatures with the signer's key. */
function requestsOf(
  evidence: Evidence,
  set: ValidatorSet,
  chain: Pick<ConsensusLedger, "chainId" | "genesisDigest">,
): readonly SignatureRequest[] {
  const { chainId, genesisDigest } = chain;
  const context = { chainId, genesisDigest, validatorsHash: set.hash };
  return evidenceClaims(evidence, context).flatMap(({ index, message, signature }) => {
    const signer = set.validators[index];
    return signer === undefined ? [] : [{ publicKey: signer.publicKey, message, signature }];
  });
}

/** Judges the signatures of evidence in blocks; most were seen before and cost nothing. */
export function createEvidenceVerifier(
  chain: Pick<ConsensusLedger, "chainId" | "genesisDigest">,
  signatures: ConsensusSignatures,
): VerifyEvidence {
  return async (evidence, validators) => {
    const requests = requestsOf(evidence, validators, chain);
    return requests.length === 2 && (await signatures.verifyAll(requests, "consensus"));
  };
}

class Pool implements EvidencePool {
  readonly #parts: EvidenceComponents;
  readonly #pieces = new Map<string, Piece>();
  readonly #judging = new Set<string>();
  /** Consensus key -> height of the last block that recorded its signer. */
  readonly #recorded = new Map<string, number>();
  #pending = 0;
  #calls = 0;

  constructor(parts: EvidenceComponents) {
    this.#parts = parts;
  }

  get pending(): number {
    return this.#pending;
  }

  get size(): number {
    return this.#pieces.size;
  }

  async load(): Promise<void> {
    for (const bytes of await this.#parts.files.load()) await this.#judge(bytes, null);
  }

  serve(): void {
    const { network } = this.#parts;
    network.onMessage(EVIDENCE_PROTOCOL, { maxBytes: MAX_EVIDENCE_BYTES }, (from, message) => {
      const reason = this.#refuseSender(from);
      if (reason !== null) this.#drop(reason);
      else void this.#judge(message, from.id);
    });
  }

  found(first: SignedVote, second: SignedVote): void {
    const evidence = evidenceOf(first, second);
    if (evidence === null || this.#pieces.has(keyOf(evidence))) return;
    this.#keep({ evidence, bytes: encodeEvidence(evidence) }, null);
  }

  select(parentDigest: Digest, height: Height): readonly Uint8Array[] {
    const { ledger } = this.#parts;
    const ascending = [...this.#pieces.values()].sort((a, b) =>
      compareEvidence(a.evidence, b.evidence),
    );
    const fitting = ascending.filter(
      ({ bytes }) => ledger.judgeEvidence(bytes, { parentDigest, height }).ok,
    );
    return fitting.slice(0, MAX_BLOCK_EVIDENCE).map(({ bytes }) => bytes);
  }

  isConvicted(height: Height, sender: number, view: number): boolean {
    const evidence = this.#pieces.get(`${height}/${sender}`)?.evidence;
    if (evidence === undefined) return false;
    return evidence.view === view || (evidence.type === "amnesia" && evidence.later.view === view);
  }

  onCommitted(recorded: readonly Uint8Array[]): void {
    const { ledger, logger, instruments } = this.#parts;
    const head = ledger.head.header.height;
    instruments.evidenceRecorded.add(recorded.length);
    if (recorded.length > 0) {
      logger.warn("misbehaviour recorded", { height: head, pieces: recorded.length });
    }
    for (const bytes of recorded) {
      const decoded = decodeEvidence(bytes);
      const signer = decoded.ok ? this.#signerOf(decoded.value) : null;
      if (signer !== null) this.#recorded.set(signer, head);
    }
    for (const [signer, at] of this.#recorded) {
      if (at + QUIET_HEIGHTS <= head) this.#recorded.delete(signer);
    }
    for (const [key, piece] of this.#pieces) {
      // What is of a height above the next block's waits for its time.
      if (piece.evidence.height > head + 1 || this.#isFitting(piece)) continue;
      this.#pieces.delete(key);
      this.#parts.files.forget(piece.evidence);
    }
    this.#count();
  }

  sendAgain(): void {
    if (this.#pieces.size === 0 || ++this.#calls % SEND_AGAIN_EVERY !== 0) return;
    for (const { bytes } of [...this.#pieces.values()].slice(0, MAX_BLOCK_EVIDENCE)) {
      this.#send(bytes, null);
    }
  }

  #refuseSender(from: AdmittedPeer): string | null {
    if (from.provisional) return "provisional";
    const isMember = this.#parts.directory.next().validators.some(({ peerId }) => {
      return peerId === from.id;
    });
    return isMember ? null : "not_validator";
  }

  #drop(reason: string): void {
    this.#parts.instruments.messagesDropped.add(1, { protocol: "evidence", reason });
  }

  /** Size and shape, what is known, the validators of its height, then signatures. */
  async #judge(bytes: Uint8Array, from: PeerId | null): Promise<void> {
    const { ledger, directory, signatures } = this.#parts;
    const decoded = decodeEvidence(bytes);
    if (!decoded.ok) return this.#blame(from, "malformed");
    const evidence = decoded.value;
    const key = keyOf(evidence);
    if (this.#pieces.has(key) || this.#judging.has(key)) return;
    if (this.#judging.size >= MAX_JUDGING) return this.#drop("busy");
    const set = directory.at(evidence.height);
    if (set === null) return this.#drop("ahead");
    const shape = checkEvidenceShape(evidence, set.validators.length);
    if (!shape.ok) return this.#blame(from, "malformed");
    const piece = { evidence, bytes };
    if (!this.#isFitting(piece)) return this.#drop("refused");
    this.#judging.add(key);
    try {
      const holds = await signatures.verifyAll(requestsOf(evidence, set, ledger), "consensus");
      if (holds) this.#keep(piece, from);
      else this.#blame(from, "bad_signature");
    } catch {
      this.#drop("verifier");
    } finally {
      this.#judging.delete(key);
    }
  }

  #blame(from: PeerId | null, reason: string): void {
    if (from !== null) this.#parts.budget.blame(from);
    this.#drop(reason);
  }

  /** Whether the next block could carry it, or the one of its own height if that is later. */
  #isFitting({ evidence, bytes }: Piece): boolean {
    const { ledger } = this.#parts;
    const { header, digest: parentDigest } = ledger.head;
    const own = Math.min(evidence.height, header.height + 2);
    const height = toHeight(Math.max(header.height + 1, own));
    return ledger.judgeEvidence(bytes, { parentDigest, height }).ok;
  }

  #keep(piece: Piece, from: PeerId | null): void {
    const key = keyOf(piece.evidence);
    if (this.#pieces.has(key) || !this.#isFitting(piece)) return;
    if (this.#pieces.size >= MAX_POOLED) {
      this.#drop("full");
      return;
    }
    this.#pieces.set(key, piece);
    const { height, sender, type } = piece.evidence;
    this.#parts.logger.warn("evidence kept", { height, sender, type });
    this.#parts.files.keep(piece.evidence, piece.bytes);
    this.#send(piece.bytes, from);
    this.#count();
    this.#parts.onAdded();
  }

  #send(bytes: Uint8Array, except: PeerId | null): void {
    const { network, directory } = this.#parts;
    for (const peer of directory.peersOf(directory.next(), [])) {
      if (peer !== except) network.send(peer, EVIDENCE_PROTOCOL, bytes);
    }
  }

  #signerOf({ height, sender }: Evidence): string | null {
    const signer = this.#parts.directory.at(height)?.validators[sender];
    return signer === undefined ? null : byteKey(signer.publicKey);
  }

  #count(): void {
    const next = this.#parts.ledger.head.header.height + 1;
    const ready = [...this.#pieces.values()].filter(({ evidence }) => {
      const signer = this.#signerOf(evidence);
      return evidence.height <= next && signer !== null && !this.#recorded.has(signer);
    });
    this.#pending = ready.length;
    this.#parts.instruments.evidencePending.set(this.#pieces.size);
  }
}

/** Makes the pool of one node. */
export function createEvidencePool(parts: EvidenceComponents): EvidencePool {
  return new Pool(parts);
}
