import type {
  CommitCertificate,
  Justification,
  Roster,
  ValidatorSet,
} from "@credlink/consensus-pbft";
import {
  type Block,
  type BlockReference,
  type BlockRefusalCode,
  type Candidate,
  type ConsensusLedger,
  type Decision,
  type DecodedTransaction,
  type ExecutionRequest,
  type Genesis,
  headerDigest,
  historyRecordCodec,
  type JudgementPlace,
  judgeEnvelope,
  judgeEvidence,
  type KeyValueStore,
  LedgerError,
  type Member,
  type MemoryStoreSnapshot,
  type Parameters,
  type ProposalCheck,
  type Receipt,
  type ReplayGuard,
  readMember,
  type SealedBlock,
  type SealedCandidate,
  type StateView,
  type TransactionPlace,
  type WriteOperation,
} from "@credlink/ledger";
import {
  genesisCertificate,
  isSameBody,
  LAST_HEIGHT_WITHOUT_HISTORY,
} from "@credlink/ledger/rules";
import {
  type Address,
  accept,
  copyBytes,
  type Digest,
  encode,
  equalBytes,
  type Height,
  invariant,
  type Result,
  refuse,
  toHex,
} from "@credlink/primitives";
import type { SharedTip } from "./branches.ts";
import type { SharedChain } from "./shared-chain.ts";
import { validatorsOn } from "./validators-on.ts";

/** A committed block and how this node saw it decided. */
interface Row {
  readonly tip: SharedTip;
  readonly certificate: CommitCertificate;
  readonly justification: Justification | null;
}

/** What a stored value stands for: the store keeps the digest of a block, and this very array. */
const rowOf = new WeakMap<Uint8Array, Row>();

/** What one node's ledger is made of. */
export interface LeanLedgerParts {
  readonly chain: SharedChain;
  readonly store: KeyValueStore;
  /** Passes when this machine has executed a block; null: at once. */
  readonly executed: () => Promise<void> | null;
}

/** `blocks`: height -> digest of the block, which stands for its row. */
function keyOf(height: number): Uint8Array {
  const key = new Uint8Array(8);
  for (let at = 7, rest = height; rest > 0; at--, rest = Math.floor(rest / 256))
    key[at] = rest % 256;
  return key;
}

/** Opens the chain in a store, or begins it with the genesis block. */
export async function openLeanLedger(parts: LeanLedgerParts): Promise<ConsensusLedger> {
  const { store, chain } = parts;
  if (store.get("blocks", keyOf(0)) === null) {
    const { root } = chain;
    const certificate = genesisCertificate(root.digest);
    await store.write([blockOperation({ tip: root, certificate, justification: null })], {
      sync: true,
    });
  }
  const rows = (await store.range("blocks", {})).map(([, value]) => {
    const row = rowOf.get(value);
    invariant(row !== undefined, "a row of this run");
    return row;
  });
  return new LeanLedger(parts, rows);
}

function blockOperation(row: Row): WriteOperation {
  const value = copyBytes(row.tip.digest);
  rowOf.set(value, row);
  return { type: "put", space: "blocks", key: keyOf(row.tip.header.height), value };
}

/**
 * The chain of one simulated node: the rules, candidates and order of writing of the real ledger
 * over blocks that all nodes of the run share. State is a hash chain; a block is one small row.
 */
class LeanLedger implements ConsensusLedger {
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  readonly chainId: string;
  readonly #chain: SharedChain;
  readonly #store: KeyValueStore;
  readonly #executed: LeanLedgerParts["executed"];
  /** Committed blocks by height. */
  readonly #rows: Row[];
  #head: SharedTip;
  /** Blocks that this node built or judged good, above the head or beside it. */
  readonly #candidates = new Map<string, SharedTip>();
  readonly #places = new Map<string, TransactionPlace>();
  readonly #storedBodies = new Set<string>();
  #writing: Promise<unknown> = Promise.resolve();
  #failure: unknown = null;

  constructor({ chain, store, executed }: LeanLedgerParts, rows: Row[]) {
    this.#chain = chain;
    this.#store = store;
    this.#executed = executed;
    this.genesis = chain.genesis;
    this.genesisDigest = chain.genesisDigest;
    this.chainId = chain.genesis.chainId;
    this.#rows = rows;
    for (const { tip } of rows) this.#placeAll(tip);
    const last = rows.at(-1);
    invariant(last !== undefined, "a chain begins with its genesis block");
    this.#head = last.tip;
  }

  get head(): BlockReference {
    return this.#head;
  }

  #tip(digest: Digest): SharedTip | null {
    if (digest === this.#head.digest || equalBytes(digest, this.#head.digest)) return this.#head;
    return this.#candidates.get(toHex(digest)) ?? null;
  }

  #require(digest: Digest): SharedTip {
    const tip = this.#tip(digest);
    if (tip !== null) return tip;
    const code = "LEDGER_PARENT_UNKNOWN";
    throw new LedgerError({ code, digest }, "neither the head nor a candidate");
  }

  reference(digest: Digest): BlockReference | null {
    const tip = this.#tip(digest);
    if (tip !== null) return tip;
    const shared = this.#chain.tip(digest);
    return shared !== null && this.#rows[shared.header.height]?.tip === shared ? shared : null;
  }

  stateAt(digest: Digest): StateView | null {
    return this.#tip(digest)?.view ?? null;
  }

  validatorsAt(height: Height): ValidatorSet | null {
    const row = this.#rows[Math.max(0, height - 2)];
    return row?.tip.validatorsAfterNext ?? null;
  }

  validatorsOn(parentDigest: Digest, height: Height): ValidatorSet | null {
    const tip = this.#tip(parentDigest);
    return tip && validatorsOn(tip, height);
  }

  rosterOn(parentDigest: Digest, height: Height): Roster | null {
    const tip = this.#tip(parentDigest);
    if (tip === null) return null;
    if (height === tip.header.height + 2) return tip.validatorsAfterNext;
    return height === tip.header.height + 1 ? tip.nextRoster : null;
  }

  parametersAfter(digest: Digest): Parameters | null {
    return this.#tip(digest)?.parameters ?? null;
  }

  replayGuardAt(digest: Digest): ReplayGuard | null {
    return this.#tip(digest)?.replay ?? null;
  }

  judge(
    transaction: Uint8Array | DecodedTransaction,
    on: JudgementPlace,
  ): ReturnType<ConsensusLedger["judge"]> {
    const tip = this.#require(on.parentDigest);
    return judgeEnvelope(transaction, {
      parent: tip.view,
      header: { height: on.height, timestampMs: on.timestampMs },
      chainId: this.chainId,
      genesisDigest: this.genesisDigest,
      replay: on.replay ?? tip.replay,
      parameters: tip.parameters,
    });
  }

  judgeEvidence(
    evidence: Uint8Array,
    { parentDigest, height }: Pick<JudgementPlace, "parentDigest" | "height">,
  ): ReturnType<ConsensusLedger["judgeEvidence"]> {
    const tip = this.#require(parentDigest);
    return judgeEvidence(evidence, {
      parent: tip.view,
      height,
      validatorsOn: (at) => validatorsOn(tip, at),
    });
  }

  judgeCall(call: Pick<DecodedTransaction, "contract" | "contractVersion">): string | null {
    return this.#chain.executor.judgeCall(this.#head.view, call);
  }

  async execute(request: ExecutionRequest): Promise<Candidate> {
    const parent = this.#require(request.parentDigest);
    invariant(request.height === parent.header.height + 1, "a block is one above its parent");
    invariant(request.timestampMs > parent.header.timestampMs, "a block is later than its parent");
    await this.#executed();
    return this.#chain.execute(request, parent);
  }

  historyFor(parentDigest: Digest, height: Height): Uint8Array | null {
    if (height <= LAST_HEIGHT_WITHOUT_HISTORY) return new Uint8Array(0);
    const parent = this.#tip(parentDigest);
    if (parent === null || parent.header.height !== height - 1) return null;
    const row = this.#rows[height - 2];
    if (row === undefined || row.tip !== parent.parent) return null;
    const { certificate, justification } = row;
    return encode(historyRecordCodec, { certificate, justification });
  }

  buildBlock(candidate: Candidate): SealedCandidate {
    const parent = this.#require(candidate.parentDigest);
    return this.#keep(this.#chain.build(candidate, parent));
  }

  #keep(tip: SharedTip): SealedCandidate {
    this.#candidates.set(toHex(tip.digest), tip);
    return tip.candidate;
  }

  async checkProposal(check: ProposalCheck): Promise<Result<SealedCandidate, BlockRefusalCode>> {
    const { block } = check;
    const { parentHash } = block.header;
    const known = this.candidate(headerDigest(block.header));
    if (known !== null && isSameBody(known.sealed.block, block)) return accept(known);
    const parent = this.#tip(parentHash);
    if (parent === null) return refuse("LEDGER_BLOCK_PARENT_UNKNOWN");
    const { result, isExecuted } = await this.#chain.judge(check, parent);
    if (isExecuted) await this.#executed();
    if (!result.ok) return result;
    // The parent may have lost to a rival while we judged.
    if (this.#tip(parentHash) === null) return refuse("LEDGER_BLOCK_PARENT_UNKNOWN");
    return accept(this.#keep(this.#chain.seal(result.value, parent, block)));
  }

  candidate(digest: Digest): SealedCandidate | null {
    return this.#candidates.get(toHex(digest))?.candidate ?? null;
  }

  async persistBodies(transactions: readonly DecodedTransaction[]): Promise<void> {
    const missing = transactions.filter(({ id }) => !this.#storedBodies.has(toHex(id)));
    if (missing.length === 0) return;
    await this.#store.write(missing.map(bodyOperation), { sync: true });
    for (const { id } of missing) this.#storedBodies.add(toHex(id));
  }

  commit(candidate: Candidate, block: Block, decision: Decision): Promise<BlockReference> {
    const run = this.#writing.then(() => {
      if (this.#failure === null) return this.#commit(candidate, block, decision);
      const cause = this.#failure;
      throw new LedgerError({ code: "LEDGER_STORE_FAILED" }, "an earlier write failed", { cause });
    });
    this.#writing = run.catch(() => {});
    return run;
  }

  async #commit(candidate: Candidate, block: Block, decision: Decision): Promise<BlockReference> {
    const tip = this.#requireCommittable(candidate, block, decision);
    const { certificate, justification = null } = decision;
    const row: Row = { tip, certificate, justification };
    const { transactions } = tip.candidate;
    const missing = transactions.filter(({ id }) => !this.#storedBodies.has(toHex(id)));
    try {
      await this.#store.write([blockOperation(row), ...missing.map(bodyOperation)], { sync: true });
    } catch (cause) {
      this.#failure = cause;
      throw new LedgerError({ code: "LEDGER_STORE_FAILED" }, "a batch was not written", { cause });
    }
    for (const { id } of transactions) this.#storedBodies.delete(toHex(id));
    this.#rows.push(row);
    this.#placeAll(tip);
    this.#candidates.delete(toHex(tip.digest));
    this.#head = tip;
    this.#dropOrphans();
    return tip;
  }

  /** @throws LedgerError when this block cannot follow the head as it was decided. */
  #requireCommittable(candidate: Candidate, block: Block, { certificate }: Decision): SharedTip {
    const tip = candidate.sealed && (this.#candidates.get(toHex(candidate.sealed.digest)) ?? null);
    if (tip === null || !isSameBody(tip.candidate.sealed.block, block)) {
      const { digest = certificate.digest } = candidate.sealed ?? {};
      const code = "LEDGER_CANDIDATE_MISMATCH";
      throw new LedgerError({ code, digest }, "the block is not the candidate's");
    }
    const { digest } = tip;
    if (tip.parent !== this.#head) {
      const code = "LEDGER_PARENT_NOT_HEAD";
      throw new LedgerError({ code, digest }, "the block does not follow the head");
    }
    if (certificate.height !== tip.header.height || !equalBytes(certificate.digest, digest)) {
      const code = "LEDGER_CERTIFICATE_MISMATCH";
      throw new LedgerError({ code, digest }, "the certificate is for another block");
    }
    return tip;
  }

  #placeAll({ candidate, header }: SharedTip): void {
    for (const [index, { id }] of candidate.transactions.entries()) {
      this.#places.set(toHex(id), { height: header.height, index });
    }
  }

  #dropOrphans(): void {
    if (this.#candidates.size === 0) return;
    const ascending = [...this.#candidates].sort(
      ([, a], [, b]) => a.header.height - b.header.height,
    );
    for (const [name, { header }] of ascending) {
      if (this.#tip(header.parentHash) === null) this.#candidates.delete(name);
    }
  }

  async block(height: Height): Promise<SealedBlock | null> {
    const row = this.#rows[height];
    if (row === undefined) return null;
    const { block, digest } = row.tip.candidate.sealed;
    const bodies = await this.#store.getMany("bodies", block.body.transactionIds);
    const transactions = bodies.map((body) => {
      if (body !== null) return body;
      const code = "LEDGER_STORE_CORRUPT";
      throw new LedgerError({ code }, `a transaction of block ${height} is missing`);
    });
    return { block, digest, certificate: row.certificate, transactions };
  }

  header(height: Height): BlockReference | null {
    return this.#rows[height]?.tip ?? null;
  }

  certificate(height: Height): CommitCertificate | null {
    return this.#rows[height]?.certificate ?? null;
  }

  place(id: Digest): TransactionPlace | null {
    return this.#places.get(toHex(id)) ?? null;
  }

  body(id: Digest): Uint8Array | null {
    return this.#store.get("bodies", id);
  }

  receipt(id: Digest): Receipt | null {
    const place = this.place(id);
    if (place === null) return null;
    return this.#rows[place.height]?.tip.candidate.receipts[place.index] ?? null;
  }

  member(address: Address): Member | null {
    return readMember(this.#head.view, address);
  }
}

function bodyOperation({ id, bytes }: DecodedTransaction): WriteOperation {
  return { type: "put", space: "bodies", key: id, value: bytes };
}

/** What nodes of one head must share: their blocks, and the bodies of their transactions. */
export function leanRows(contents: MemoryStoreSnapshot): ReadonlyMap<string, Uint8Array> {
  const shared = new Map<string, Uint8Array>();
  const bodies = new Map(contents.get("bodies")?.map(([key, value]) => [toHex(key), value]));
  for (const [, value] of contents.get("blocks") ?? []) {
    const candidate = rowOf.get(value)?.tip.candidate;
    shared.set(`blocks/${candidate?.height}`, value);
    for (const { id } of candidate?.transactions ?? []) {
      const name = toHex(id);
      const body = bodies.get(name);
      if (body !== undefined) shared.set(`bodies/${name}`, body);
    }
  }
  return shared;
}
