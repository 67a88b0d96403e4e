import type { CommitCertificate, ValidatorSet } from "@credlink/consensus-pbft";
import { type Digest, equalBytes, type Height, height } from "@credlink/primitives";
import { openHistoryRow } from "./consensus-history.ts";
import { headerDigest, historyRoot, transactionId } from "./digests.ts";
import { LedgerError, type LedgerErrorCode } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { decodeU64, encodeU64 } from "./fixed-u64.ts";
import { readHistoryAnchor, readHistoryLink } from "./history-log.ts";
import { evidenceRoot, receiptRoot, transactionRoot } from "./merkle.ts";
import {
  type BlockRow,
  decodeBlockRow,
  decodePlace,
  indexKeys,
  RECEIPT_KEY_BYTES,
  readHead,
  receiptKey,
} from "./rows.ts";
import type { KeyValueStore, Space } from "./store.ts";

/** Means to check one committed block where it is stored. */
export interface BlockChecks {
  readonly genesisDigest: Digest;
  /** V(height), or null where it is not known. */
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  readonly verifyCertificate: (
    certificate: CommitCertificate,
    validators: ValidatorSet,
  ) => boolean | Promise<boolean>;
}

/**
 * Holds everything stored of one committed block against itself and its certificate: the row, its
 * link to the block above or the head, roots, transactions, receipts, places, index, history.
 * Nothing is executed and nothing is taken from memory.
 */
export async function checkStoredBlock(
  store: KeyValueStore,
  at: Height,
  checks: BlockChecks,
): Promise<readonly Finding[]> {
  return new BlockCheck(store, at, checks).run();
}

class BlockCheck {
  readonly #store: KeyValueStore;
  readonly #at: Height;
  readonly #checks: BlockChecks;
  readonly #findings: Finding[] = [];

  constructor(store: KeyValueStore, at: Height, checks: BlockChecks) {
    this.#store = store;
    this.#at = at;
    this.#checks = checks;
  }

  async run(): Promise<readonly Finding[]> {
    const row = this.#guard("blocks", encodeU64(this.#at), (bytes) =>
      decodeBlockRow(encodeU64(this.#at), bytes),
    );
    if (row !== null) {
      const digest = headerDigest(row.block.header);
      this.#checkLinks(row, digest);
      await this.#checkCertificate(row, digest);
      await this.#checkBodies(row);
      await this.#checkReceipts(row);
    }
    if (this.#at > 0) this.#checkHistory();
    return this.#findings;
  }

  #report(space: Space, key: Uint8Array, detail: string, code?: LedgerErrorCode): void {
    const found = code ?? "LEDGER_VERIFY_ROW_ALTERED";
    this.#findings.push({ code: found, space, key, height: this.#at, detail });
  }

  /** Reads one row; a missing or undecodable one is reported, and null is returned. */
  #guard<T>(space: Space, key: Uint8Array, read: (bytes: Uint8Array) => T): T | null {
    const bytes = this.#store.get(space, key);
    if (bytes === null) {
      this.#report(space, key, "a row is missing", "LEDGER_VERIFY_ROW_MISSING");
      return null;
    }
    try {
      return read(bytes);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#report(space, key, error.message);
      return null;
    }
  }

  #checkLinks({ block }: BlockRow, digest: Digest): void {
    const key = encodeU64(this.#at);
    const { header, body } = block;
    const above = this.#digestNamedAbove();
    const isWhole =
      header.height === this.#at &&
      equalBytes(header.transactionRoot, transactionRoot(body.transactionIds)) &&
      equalBytes(header.historyRoot, historyRoot(body.history)) &&
      equalBytes(header.evidenceRoot, evidenceRoot(body.evidence));
    if (!isWhole) this.#report("blocks", key, "header and body do not agree");
    if (above !== null && !equalBytes(above, digest)) {
      this.#report("blocks", key, "another block is named by the one above or by the head");
    }
    const index = indexKeys.digest(digest);
    const place = this.#guard("index", index, (bytes) => decodeU64(new Uint8Array(bytes)));
    if (place !== null && place !== this.#at) {
      this.#report("index", index, "the height of the block's digest");
    }
    const replay = indexKeys.replay(this.#at);
    const pairs = this.#guard("index", replay, (bytes) => bytes.length);
    if (pairs !== null && pairs !== 48 * body.transactionIds.length) {
      this.#report("index", replay, "the nonces of the block");
    }
  }

  /** The digest that the next block, or the head's row, has for this height. */
  #digestNamedAbove(): Digest | null {
    const key = encodeU64(this.#at + 1);
    const above = this.#store.get("blocks", key);
    try {
      if (above !== null) return decodeBlockRow(key, above).block.header.parentHash;
      const head = readHead(this.#store);
      return head?.height === this.#at ? head.digest : null;
    } catch (error) {
      // A damaged neighbour is its own finding, when its turn comes.
      if (error instanceof LedgerError) return null;
      throw error;
    }
  }

  async #checkCertificate({ block, certificate }: BlockRow, digest: Digest): Promise<void> {
    if (this.#at === 0) return;
    const validators = this.#checks.validatorsAt(this.#at);
    const holds =
      certificate.height === this.#at &&
      equalBytes(certificate.digest, digest) &&
      validators !== null &&
      equalBytes(validators.hash, block.header.validatorsHash) &&
      (await this.#checks.verifyCertificate(certificate, validators));
    if (holds) return;
    const key = encodeU64(this.#at);
    this.#report("blocks", key, "its certificate", "LEDGER_VERIFY_CERTIFICATE_INVALID");
  }

  async #checkBodies({ block }: BlockRow): Promise<void> {
    const ids = block.body.transactionIds;
    const rows = await this.#store.getMany("bodies", ids);
    for (const [index, id] of ids.entries()) {
      const body = rows[index] ?? null;
      if (body === null) {
        this.#report("bodies", id, `transaction ${index}`, "LEDGER_VERIFY_ROW_MISSING");
      } else if (!equalBytes(transactionId(body), id)) {
        this.#report("bodies", id, `transaction ${index}`);
      }
      const place = this.#guard("receipts", id, (bytes) => decodePlace(new Uint8Array(bytes)));
      if (place !== null && (place.height !== this.#at || place.index !== index)) {
        this.#report("receipts", id, `the place of transaction ${index}`);
      }
    }
  }

  async #checkReceipts({ block }: BlockRow): Promise<void> {
    const from = receiptKey({ height: this.#at, index: 0 });
    const to = receiptKey({ height: height(this.#at + 1), index: 0 });
    const rows = await this.#store.range("receipts", { from, to });
    const receipts = rows.filter(([key]) => key.length === RECEIPT_KEY_BYTES);
    const root = receiptRoot(receipts.map(([, value]) => value));
    if (equalBytes(root, block.header.receiptRoot)) return;
    this.#report("receipts", from, "receipts of the block do not hash to its receipt root");
  }

  #checkHistory(): void {
    const at = this.#at;
    const key = encodeU64(at);
    try {
      const anchor = readHistoryAnchor(this.#store, this.#checks.genesisDigest);
      if (at <= anchor.height) return;
      const below = readHistoryLink(this.#store, anchor, at - 1);
      this.#guard("history", key, (row) => openHistoryRow(below ?? anchor.link, at, row));
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#report("history", key, error.message);
    }
  }
}
