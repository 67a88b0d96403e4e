import type { CommitCertificate, ValidatorSet } from "@credlink/consensus-pbft";
import { type Digest, equalBytes, type Height, height, tryDecode } from "@credlink/primitives";
import { createLedger } from "./chain.ts";
import { headerDigest, transactionId } from "./digests.ts";
import { LedgerError, type LedgerErrorCode } from "./errors.ts";
import type { Executor } from "./executor.ts";
import type { Finding } from "./finding.ts";
import { decodeU64, encodeU64 } from "./fixed-u64.ts";
import type { Genesis } from "./genesis.ts";
import type { Ledger, VerifyEvidence, VerifyHistory, VerifySignatures } from "./ledger.ts";
import { createMemoryStore } from "./memory-store.ts";
import { type BlockRow, decodeBlockRow, historyRecordCodec, readHead, readPruned } from "./rows.ts";
import type { KeyValueStore } from "./store.ts";
import { verifyConsensusHistory } from "./verify-history.ts";
import { compareStores, type VerifyScope } from "./verify-rows.ts";

/** Means and limits of a verification. */
export interface ChainChecks {
  /** Whether a certificate verifies under V(certificate.height). */
  readonly verifyCertificate: (
    certificate: CommitCertificate,
    validators: ValidatorSet,
  ) => boolean | Promise<boolean>;
  readonly verifySignatures: VerifySignatures;
  /** Default: the record's certificate by `verifyCertificate`. */
  readonly verifyHistory?: VerifyHistory;
  readonly verifyEvidence?: VerifyEvidence;
  /** Called after each block. */
  readonly onProgress?: (progress: {
    readonly height: Height;
    readonly headHeight: Height;
  }) => void;
  /** Where the chain is built again; must be empty. Default: memory, as much as the chain takes. */
  readonly scratch?: KeyValueStore;
}

/**
 * Verifies a stored chain from genesis on: links, header digests, certificates, transactions and
 * their signatures, execution, roots, receipts, state values, tree pages and indexes. The chain is
 * built again in a scratch store from blocks and transactions alone, then every stored row is
 * compared with what it must be, and the history of consensus is held against all of it: a
 * flipped byte anywhere is found.
 *
 * Where a block cannot be executed again (its own row or a transaction is damaged), verification
 * of later blocks is limited to their own rows: one fault does not hide behind another, but the
 * state is judged only once the fault is repaired.
 */
export async function verifyChain(
  store: KeyValueStore,
  executor: Executor,
  genesis: Genesis,
  checks: ChainChecks,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const scratch = checks.scratch ?? createMemoryStore();
  const ledger = await createLedger({ store: scratch, executor, genesis });
  const headHeight = await readHeadHeight(store);
  const walk = new Walk(store, ledger, checks, findings, headHeight);
  const last = await walk.run();
  const isWhole = last === headHeight;
  if (isWhole) await pruneLike(store, ledger);
  const scope: VerifyScope = isWhole ? { type: "whole" } : { type: "up-to", last };
  findings.push(...(await compareStores(store, scratch, scope)));
  const { chainId, genesisDigest } = ledger;
  const history = await verifyConsensusHistory(store, {
    chainId,
    genesisDigest,
    headHeight,
    validatorsAt: (at) => ledger.validatorsAt(at),
    verifySignatures: checks.verifySignatures,
  });
  findings.push(...history);
  return findings;
}

/** As the head says; where its row is damaged, the highest block that is stored. */
async function readHeadHeight(store: KeyValueStore): Promise<Height> {
  try {
    const head = readHead(store);
    if (head !== null) return head.height;
  } catch (error) {
    if (!isLedgerError(error)) throw error;
  }
  const rows = await store.range("blocks", { reverse: true, limit: 1 });
  const key = rows[0]?.[0];
  return key?.length === 8 ? height(decodeU64(key)) : height(0);
}

/** Prunes the scratch store as the stored one was. */
async function pruneLike(store: KeyValueStore, ledger: Ledger): Promise<void> {
  try {
    const pruned = readPruned(store);
    if (pruned >= 0) await ledger.pruneStale(height(pruned));
  } catch (error) {
    if (!isLedgerError(error)) throw error;
  }
}

function isLedgerError(error: unknown): error is LedgerError {
  return error instanceof LedgerError;
}

class Walk {
  readonly #store: KeyValueStore;
  readonly #ledger: Ledger;
  readonly #checks: ChainChecks;
  readonly #findings: Finding[];
  readonly #headHeight: Height;

  constructor(
    store: KeyValueStore,
    ledger: Ledger,
    checks: ChainChecks,
    findings: Finding[],
    headHeight: Height,
  ) {
    this.#store = store;
    this.#ledger = ledger;
    this.#checks = checks;
    this.#findings = findings;
    this.#headHeight = headHeight;
  }

  /** Builds the chain again as far as it goes; returns the last height that was built. */
  async run(): Promise<Height> {
    let last = height(0);
    let parent: Digest = this.#ledger.head.digest;
    for (let at = 1; at <= this.#headHeight; at++) {
      const place = height(at);
      const row = this.#readRow(place);
      const transactions = row && (await this.#readBodies(row));
      if (row !== null && !equalBytes(row.block.header.parentHash, parent)) {
        this.#report(place, "LEDGER_VERIFY_BLOCK_INVALID", "does not name the block below it");
      }
      const canExecute = last === at - 1 && row !== null && transactions !== null;
      if (canExecute && (await this.#rebuild(row, transactions))) last = place;
      // Behind a block that is lost, the next link cannot be judged: take it as it is.
      parent = row === null ? (this.#parentOf(at + 1) ?? parent) : headerDigest(row.block.header);
      this.#checks.onProgress?.({ height: place, headHeight: this.#headHeight });
    }
    return last;
  }

  #report(at: Height, code: LedgerErrorCode, detail: string): void {
    this.#findings.push({ code, space: "blocks", key: encodeU64(at), height: at, detail });
  }

  #parentOf(at: number): Digest | null {
    const key = encodeU64(at);
    const bytes = this.#store.get("blocks", key);
    try {
      return bytes && decodeBlockRow(key, bytes).block.header.parentHash;
    } catch (error) {
      if (isLedgerError(error)) return null;
      throw error;
    }
  }

  #readRow(at: Height): BlockRow | null {
    const key = encodeU64(at);
    const bytes = this.#store.get("blocks", key);
    if (bytes === null) {
      this.#report(at, "LEDGER_VERIFY_ROW_MISSING", "the block is missing");
      return null;
    }
    try {
      const row = decodeBlockRow(key, bytes);
      if (row.block.header.height === at) return row;
      this.#report(at, "LEDGER_VERIFY_BLOCK_INVALID", "the block has another height");
    } catch (error) {
      if (!isLedgerError(error)) throw error;
      this.#report(at, "LEDGER_VERIFY_ROW_ALTERED", error.message);
    }
    return null;
  }

  /** Signed transactions of a block; null when one is missing or altered. */
  async #readBodies({ block }: BlockRow): Promise<readonly Uint8Array[] | null> {
    const ids = block.body.transactionIds;
    const rows = await this.#store.getMany("bodies", ids);
    const { height: at } = block.header;
    const bodies: Uint8Array[] = [];
    for (const [index, id] of ids.entries()) {
      const body = rows[index] ?? null;
      if (body !== null && equalBytes(transactionId(body), id)) {
        bodies.push(body);
        continue;
      }
      const code = body === null ? "LEDGER_VERIFY_ROW_MISSING" : "LEDGER_VERIFY_ROW_ALTERED";
      const detail = `transaction ${index} of the block`;
      this.#findings.push({ code, space: "bodies", key: id, height: at, detail });
    }
    return bodies.length === ids.length ? bodies : null;
  }

  /** Judges a stored block as a proposal and commits it to the scratch chain. */
  async #rebuild(row: BlockRow, transactions: readonly Uint8Array[]): Promise<boolean> {
    const { block, certificate, justification } = row;
    const at = block.header.height;
    await this.#checkCertificate(row);
    const { verifySignatures, verifyEvidence } = this.#checks;
    const verdict = await this.#ledger.checkProposal({
      block,
      transactions,
      verifySignatures,
      verifyHistory: this.#checks.verifyHistory ?? this.#verifyHistory,
      ...(verifyEvidence === undefined ? {} : { verifyEvidence }),
    });
    if (!verdict.ok) {
      const detail = `${verdict.code} ${verdict.detail ?? ""}`.trim();
      this.#report(at, "LEDGER_VERIFY_BLOCK_INVALID", detail);
      return false;
    }
    try {
      await this.#ledger.commit(verdict.value, block, { certificate, justification });
      return true;
    } catch (error) {
      // A certificate of another block: reported by #checkCertificate already.
      if (isLedgerError(error) && error.code === "LEDGER_CERTIFICATE_MISMATCH") return false;
      throw error;
    }
  }

  async #checkCertificate({ block, certificate }: BlockRow): Promise<void> {
    const at = block.header.height;
    const validators = this.#ledger.validatorsAt(at);
    const isOfBlock =
      certificate.height === at && equalBytes(certificate.digest, headerDigest(block.header));
    const holds =
      isOfBlock &&
      validators !== null &&
      (await this.#checks.verifyCertificate(certificate, validators));
    if (holds) return;
    const detail = isOfBlock ? "its signatures do not verify" : "it is for another block";
    this.#report(at, "LEDGER_VERIFY_CERTIFICATE_INVALID", detail);
  }

  readonly #verifyHistory: VerifyHistory = async (history, _height, validators) => {
    const record = tryDecode(historyRecordCodec, history);
    return (
      record.ok && (await this.#checks.verifyCertificate(record.value.certificate, validators))
    );
  };
}
