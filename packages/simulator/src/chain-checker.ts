import {
  type CommitCertificate,
  verifyCommitCertificate,
} from "@credlink/consensus-pbft/certificates";
import { type ConsensusLedger, genesisDigest } from "@credlink/ledger";
import type { CommittedBlock } from "@credlink/node/engine";
import { equalBytes, height as toHeight, toHex } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";
import type { KnownValidators } from "./known-validators.ts";
import type { Profile } from "./profile.ts";

interface Decided {
  readonly digest: string;
  readonly stateRoot: string;
  readonly timestampMs: number;
}

/** The omniscient view of the chain: what honest nodes committed, all together. */
export class ChainChecker {
  readonly #profile: Profile;
  readonly #validators: KnownValidators;
  /** height -> the block. */
  readonly #chain = new Map<number, Decided>();
  /** Transaction id -> the height it was committed at. */
  readonly #places = new Map<string, number>();
  /** node -> height it reported last in this life. */
  readonly #heights = new Map<string, number>();
  /** height -> the certificate that was found good last. */
  readonly #verified = new Map<number, CommitCertificate>();
  /** Highest view in which a block was decided. */
  highestView = 0;
  certificates = 0;

  constructor(profile: Profile, validators: KnownValidators) {
    this.#profile = profile;
    this.#validators = validators;
  }

  get height(): number {
    return this.#chain.size;
  }

  /** Height that a node reported last; what is durable becomes known a moment later. */
  reported(node: string): number {
    return this.#heights.get(node) ?? 0;
  }

  /** The node's machine is what it was when it reported this height. */
  onRolledBack(node: string, height: number): void {
    this.#heights.set(node, height);
  }

  hasTransaction(id: string): boolean {
    return this.#places.has(id);
  }

  /**
   * A process came up: its head must be a block that was decided, or genesis, and not below what
   * an earlier process of the node reported as durable.
   *
   * @throws CheckFailure I4 and what `onCommit` throws
   */
  onBoot(node: string, ledger: ConsensusLedger): void {
    const { height } = ledger.head.header;
    const before = this.reported(node);
    if (height < before) {
      throw new CheckFailure("I4", `${node} reported ${before} and came back with ${height}`);
    }
    this.#heights.set(node, height);
    // The last block may have become durable in the very moment of the crash.
    for (let at = Math.max(1, this.#chain.size); at <= height; at++) this.#check(node, at, ledger);
    if (height > 0) this.#check(node, height, ledger);
  }

  /** @throws CheckFailure I1, I2, I4, I9, I12, I14, I15 */
  onCommit(node: string, block: CommittedBlock, ledger: ConsensusLedger): void {
    const before = this.#heights.get(node) ?? 0;
    if (block.height !== before + 1) {
      throw new CheckFailure("I4", `${node} committed ${block.height} after ${before}`);
    }
    this.#heights.set(node, block.height);
    this.#check(node, block.height, ledger);
    for (const id of block.transactionIds) this.#place(toHex(id), block.height);
    for (const [at, receipt] of block.receipts.entries()) {
      if (receipt.status === "BOOK_TWICE") {
        throw new CheckFailure("I12", `transaction ${at} of ${block.height} was executed before`);
      }
    }
  }

  #check(node: string, height: number, ledger: ConsensusLedger): void {
    const found = ledger.header(toHeight(height));
    const certificate = ledger.certificate(toHeight(height));
    if (found === null || certificate === null) {
      throw new CheckFailure("I4", `${node} has no block ${height} below its head`);
    }
    const digest = toHex(found.digest);
    const stateRoot = toHex(found.header.stateRoot);
    const known = this.#chain.get(height);
    if (known !== undefined && known.digest !== digest) {
      throw new CheckFailure("I1", `two blocks at height ${height}, one on ${node}`);
    }
    if (known !== undefined && known.stateRoot !== stateRoot) {
      throw new CheckFailure("I14", `two states at height ${height}, one on ${node}`);
    }
    const { timestampMs, parentHash } = found.header;
    if (known === undefined) {
      this.#checkLink(height, toHex(parentHash), timestampMs);
      this.#validators.onDecided(found.header, ledger);
      this.#chain.set(height, { digest, stateRoot, timestampMs });
    }
    this.#checkCertificate(node, certificate);
  }

  #place(id: string, height: number): void {
    const known = this.#places.get(id);
    if (known !== undefined && known !== height) {
      throw new CheckFailure("I12", `one transaction in blocks ${known} and ${height}`);
    }
    this.#places.set(id, height);
  }

  #checkLink(height: number, parent: string, timestampMs: number): void {
    if (height === 1) return;
    const below = this.#chain.get(height - 1);
    if (below?.digest !== parent) {
      throw new CheckFailure("I2", `block ${height} does not follow block ${height - 1}`);
    }
    if (timestampMs <= below.timestampMs) {
      throw new CheckFailure("I15", `block ${height} is not later than block ${height - 1}`);
    }
  }

  #checkCertificate(node: string, certificate: CommitCertificate): void {
    const { genesis, verifyOne } = this.#profile;
    this.certificates++;
    this.highestView = Math.max(this.highestView, certificate.view);
    const chain = { chainId: genesis.chainId, genesisDigest: genesisDigest(genesis) };
    const { height } = certificate;
    const known = this.#verified.get(height);
    if (known !== undefined && isSameProof(known, certificate)) return;
    const set = this.#validators.at(height);
    if (set === null) throw new CheckFailure("I2", `nobody knows V(${height})`);
    const verdict = verifyCommitCertificate(certificate, set, chain, verifyOne);
    if (!verdict.ok) throw new CheckFailure("I9", `${node}, ${height}: ${verdict.code}`);
    this.#verified.set(height, certificate);
  }
}

/** Most nodes show the very signatures that another node has shown. */
function isSameProof(a: CommitCertificate, b: CommitCertificate): boolean {
  return (
    a.view === b.view &&
    equalBytes(a.digest, b.digest) &&
    a.signatures.length === b.signatures.length &&
    a.signatures.every(({ index, signature }, at) => {
      const other = b.signatures[at];
      return other?.index === index && equalBytes(signature, other.signature);
    })
  );
}
