import {
  commitCertificateCodec,
  type Statement,
  signatureClaims,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import { addressFromPublicKey } from "@credlink/crypto";
import {
  type Digest,
  encode,
  equalBytes,
  type Height,
  height,
  tryDecode,
  utf8,
} from "@credlink/primitives";
import {
  type ConsensusHistory,
  decodeHistory,
  historyLink,
  splitHistoryRow,
} from "./consensus-history.ts";
import { headerDigest } from "./digests.ts";
import type { SignatureClaim } from "./envelope.ts";
import { LedgerError, type LedgerErrorCode } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { decodeU64, encodeU64 } from "./fixed-u64.ts";
import { type HistoryAnchor, readHistoryAnchor } from "./history-log.ts";
import type { VerifySignatures } from "./ledger.ts";
import { type BlockRow, decodeBlockRow, historyRecordCodec } from "./rows.ts";
import type { KeyValueStore } from "./store.ts";
import { rowsOf } from "./verify-rows.ts";

/** What the verification of the history works with. */
export interface HistoryChecks {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly headHeight: Height;
  /** V(height) where it is known. */
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  readonly verifySignatures: VerifySignatures;
}

/**
 * Verifies the kept history of consensus: that every height has its row, that each row links to
 * the one below it, speaks of the stored block and its certificate, agrees with the record of it
 * that the block two heights on carries, and holds only statements that their signers signed.
 * Findings name the height and, in `detail`, the field.
 */
export async function verifyConsensusHistory(
  store: KeyValueStore,
  checks: HistoryChecks,
): Promise<readonly Finding[]> {
  return new HistoryWalk(store, checks).run();
}

class HistoryWalk {
  readonly #store: KeyValueStore;
  readonly #checks: HistoryChecks;
  readonly #findings: Finding[] = [];

  constructor(store: KeyValueStore, checks: HistoryChecks) {
    this.#store = store;
    this.#checks = checks;
  }

  async run(): Promise<readonly Finding[]> {
    const anchor = this.#readAnchor();
    // A row that was altered may keep its link or not: the next one may go on from either.
    let below: readonly Digest[] = [anchor.link];
    for (let at = anchor.height + 1; at <= this.#checks.headHeight; at++) {
      below = await this.#check(height(at), below);
    }
    for await (const [key] of rowsOf(this.#store, "history")) {
      if (!this.#isExpected(key, anchor)) {
        this.#report(key, "LEDGER_VERIFY_ROW_UNKNOWN", "a row of no height that is kept");
      }
    }
    return this.#findings;
  }

  #readAnchor(): HistoryAnchor {
    const { genesisDigest } = this.#checks;
    try {
      return readHistoryAnchor(this.#store, genesisDigest);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      const key = utf8("history");
      const code = "LEDGER_VERIFY_ROW_ALTERED";
      this.#findings.push({ code, space: "metadata", key, detail: "where the history begins" });
      return { height: this.#checks.headHeight, link: genesisDigest };
    }
  }

  #isExpected(key: Uint8Array, anchor: HistoryAnchor): boolean {
    if (key.length !== 8) return false;
    const at = tryU64(key);
    return at !== null && at > anchor.height && at <= this.#checks.headHeight;
  }

  #report(key: Uint8Array, code: LedgerErrorCode, detail: string, at?: Height): void {
    const place = at === undefined ? {} : { height: at };
    this.#findings.push({ code, space: "history", key, ...place, detail });
  }

  /** Judges one row; returns the links that the row above it may go on from. */
  async #check(at: Height, below: readonly Digest[]): Promise<readonly Digest[]> {
    const key = encodeU64(at);
    const row = this.#store.get("history", key);
    if (row === null) {
      this.#report(key, "LEDGER_VERIFY_ROW_MISSING", "the history is missing", at);
      return [];
    }
    const altered = (field: string): void =>
      this.#report(key, "LEDGER_VERIFY_ROW_ALTERED", field, at);
    try {
      const { link, payload } = splitHistoryRow(row);
      const fields = await this.#faults(decodeHistory(at, payload));
      const links = below.map((previous) => historyLink(previous, payload));
      // Behind a row that is lost nobody can say what this one linked to.
      const isLinked = below.length === 0 || links.some((each) => equalBytes(each, link));
      if (!isLinked && fields.length === 0) fields.push("link");
      for (const field of fields) altered(field);
      return isLinked ? [link] : [link, ...links];
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      altered(error.message);
      return [];
    }
  }

  /** The fields of a row that are not what they must be. */
  async #faults(history: ConsensusHistory): Promise<string[]> {
    const faults: string[] = [];
    const at = history.height;
    const stored = this.#blockRow(at);
    if (stored !== null) {
      const { header } = stored.block;
      if (!equalBytes(history.digest, headerDigest(header))) faults.push("digest");
      if (history.proposer !== header.proposer) faults.push("proposer");
      const [own, ofBlock] = [history.certificate, stored.certificate].map((certificate) =>
        encode(commitCertificateCodec, certificate),
      );
      if (own === undefined || ofBlock === undefined || !equalBytes(own, ofBlock)) {
        faults.push("certificate");
      }
    }
    if (this.#contradictsRecord(history)) faults.push("digest (recorded two blocks above)");
    const validators = this.#checks.validatorsAt(at);
    if (validators !== null) faults.push(...(await this.#badStatements(history, validators)));
    return faults;
  }

  /** Whether the block two heights on records that another block was decided here. */
  #contradictsRecord({ height: at, digest }: ConsensusHistory): boolean {
    const body = this.#blockRow(height(at + 2))?.block.body;
    if (body === undefined) return false;
    const record = tryDecode(historyRecordCodec, body.history);
    return record.ok && !equalBytes(record.value.certificate.digest, digest);
  }

  /** A block that is missing or damaged was met by the walk over blocks. */
  #blockRow(at: Height): BlockRow | null {
    const key = encodeU64(at);
    const bytes = at > this.#checks.headHeight ? null : this.#store.get("blocks", key);
    try {
      return bytes && decodeBlockRow(key, bytes);
    } catch (error) {
      if (error instanceof LedgerError) return null;
      throw error;
    }
  }

  async #badStatements(
    { height: at, statements }: ConsensusHistory,
    validators: ValidatorSet,
  ): Promise<readonly string[]> {
    const { chainId, genesisDigest, verifySignatures } = this.#checks;
    const context = { chainId, genesisDigest, validatorsHash: validators.hash };
    const claims: SignatureClaim[] = [];
    const owners: Statement[] = [];
    const bad = new Set<Statement>();
    for (const statement of statements) {
      if (statement.height !== at) bad.add(statement);
      for (const { index, message, signature } of signatureClaims(statement, context)) {
        const publicKey = validators.validators[index]?.publicKey;
        if (publicKey === undefined) {
          bad.add(statement);
          continue;
        }
        claims.push({ address: addressFromPublicKey(publicKey), publicKey, message, signature });
        owners.push(statement);
      }
    }
    const verdicts = await verifySignatures(claims);
    for (const [at, owner] of owners.entries()) if (verdicts[at] !== true) bad.add(owner);
    return [...bad].map(
      ({ type, sender, view }) => `${type} of validator ${sender} in view ${view}`,
    );
  }
}

function tryU64(key: Uint8Array): number | null {
  try {
    return decodeU64(key);
  } catch {
    return null;
  }
}
