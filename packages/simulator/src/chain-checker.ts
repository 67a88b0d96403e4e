import {
  type CommitCertificate,
  type ValidatorSet,
  verifyCommitCertificate,
} from "@credlink/consensus-pbft/certificates";
import { genesisDigest, type Ledger } from "@credlink/ledger";
import type { CommittedBlock } from "@credlink/node/engine";
import { height as toHeight, toHex } from "@credlink/primitives";
import { CheckFailure } from "./checker-errors.ts";
import type { Profile } from "./profile.ts";

interface Decided {
  readonly digest: string;
  readonly stateRoot: string;
}

/** The omniscient view of the chain: what honest nodes committed, all together. */
export class ChainChecker {
  readonly #profile: Profile;
  readonly #set: ValidatorSet;
  /** height -> the block. */
  readonly #chain = new Map<number, Decided>();
  /** Transaction id -> the height it was committed at. */
  readonly #places = new Map<string, number>();
  /** node -> height it reported last in this life. */
  readonly #heights = new Map<string, number>();
  /** Highest view in which a block was decided. */
  highestView = 0;
  certificates = 0;

  constructor(profile: Profile, set: ValidatorSet) {
    this.#profile = profile;
    this.#set = set;
  }

  get height(): number {
    return this.#chain.size;
  }

  /** Height that a node reported last; what is durable becomes known a moment later. */
  reported(node: string): number {
    return this.#heights.get(node) ?? 0;
  }

  hasTransaction(id: string): boolean {
    return this.#places.has(id);
  }

  /** A process came up: its head must be a block that was decided, or genesis. */
  onBoot(node: string, ledger: Ledger): void {
    const { height } = ledger.head.header;
    this.#heights.set(node, height);
    // The last block may have become durable in the very moment of the crash.
    for (let at = Math.max(1, this.#chain.size); at <= height; at++) this.#check(node, at, ledger);
    if (height > 0) this.#check(node, height, ledger);
  }

  /** @throws CheckFailure I1, I2, I4, I9, I12, I14 */
  onCommit(node: string, block: CommittedBlock, ledger: Ledger): void {
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

  #check(node: string, height: number, ledger: Ledger): void {
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
    this.#checkCertificate(node, certificate);
    if (known !== undefined) return;
    this.#checkLink(height, toHex(found.header.parentHash));
    this.#chain.set(height, { digest, stateRoot });
  }

  #place(id: string, height: number): void {
    const known = this.#places.get(id);
    if (known !== undefined && known !== height) {
      throw new CheckFailure("I12", `one transaction in blocks ${known} and ${height}`);
    }
    this.#places.set(id, height);
  }

  #checkLink(height: number, parent: string): void {
    const below = this.#chain.get(height - 1);
    if (height > 1 && below?.digest !== parent) {
      throw new CheckFailure("I2", `block ${height} does not follow block ${height - 1}`);
    }
  }

  #checkCertificate(node: string, certificate: CommitCertificate): void {
    const { genesis, verifyOne } = this.#profile;
    this.certificates++;
    this.highestView = Math.max(this.highestView, certificate.view);
    const chain = { chainId: genesis.chainId, genesisDigest: genesisDigest(genesis) };
    const verdict = verifyCommitCertificate(certificate, this.#set, chain, verifyOne);
    if (!verdict.ok)
      throw new CheckFailure("I9", `${node}, ${certificate.height}: ${verdict.code}`);
  }
}
