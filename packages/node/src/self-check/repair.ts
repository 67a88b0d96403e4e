import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type CommitCertificate,
  signatureClaims,
  type ValidatorSet,
  verifyCommitCertificate,
  verifyEvidence,
} from "@credlink/consensus-pbft";
import { createVerificationPool, sm2Verify, type VerificationPool } from "@credlink/crypto";
import {
  type Block,
  createLedger,
  type Executor,
  type Genesis,
  headerDigest,
  historyRecordCodec,
  type KeyValueStore,
  type Ledger,
  LedgerError,
  readStoredBlock,
  readStoredStatements,
  type SeenStatements,
} from "@credlink/ledger";
import { equalBytes, type Height, height, type Logger, tryDecode } from "@credlink/primitives";
import type { TransferredBlock } from "../engine/protocols.ts";
import { damageBehind } from "./damage-watch.ts";

const NOTHING_SEEN: SeenStatements = { statements: [], dropped: 0 };

/** What a rebuild works with. */
export interface RebuildComponents {
  /** The database that cannot be trusted; only read. */
  readonly from: KeyValueStore;
  /** An empty one. */
  readonly to: KeyValueStore;
  readonly executor: Executor;
  readonly genesis: Genesis;
  readonly verifier: Pick<VerificationPool, "verify">;
  readonly logger: Logger;
  /** Asks others for a block whose own copy is damaged; null when nobody has it. */
  readonly fetchBlock?: (at: Height) => Promise<TransferredBlock | null>;
  readonly historyHeights?: number;
}

/** What a rebuild came to. */
export interface RebuildResult {
  /** Height up to which the chain was built again. */
  readonly height: number;
  /** Heights whose own copy was damaged and that others gave. */
  readonly fetched: readonly number[];
  /** Height whose own copy was damaged and that nobody gave; null when all were built. */
  readonly missing: number | null;
}

/**
 * Builds a chain again from what is still good of a damaged database: every block is judged by its
 * certificate, executed, and compared with its roots, as one that came from a peer would be.
 * Blocks that are damaged come from `fetchBlock`; what nobody gives, sync brings later.
 */
export async function rebuildChain(parts: RebuildComponents): Promise<RebuildResult> {
  const { executor, genesis, historyHeights } = parts;
  const kept = historyHeights === undefined ? {} : { historyHeights };
  const ledger = await createLedger({ store: parts.to, executor, genesis, ...kept });
  const fetched: number[] = [];
  const last = await highestStored(parts.from);
  for (let next = 1; next <= last; next++) {
    const at = height(next);
    if (await commitOwn(parts, ledger, at)) continue;
    const given = (await parts.fetchBlock?.(at)) ?? null;
    if (given === null || !(await commitBlock(parts, ledger, given, null))) {
      return { height: next - 1, fetched, missing: next };
    }
    fetched.push(next);
    parts.logger.info("damaged block fetched", { height: next });
  }
  return { height: last, fetched, missing: null };
}

async function highestStored(store: KeyValueStore): Promise<number> {
  const [row] = await store.range("blocks", { reverse: true, limit: 1 });
  const key = row?.[0];
  if (key === undefined || key.length !== 8) return 0;
  return Number(new DataView(key.buffer, key.byteOffset).getBigUint64(0));
}

/** Commits our own copy of a block, if it is still good. */
async function commitOwn(parts: RebuildComponents, ledger: Ledger, at: Height): Promise<boolean> {
  try {
    const row = readStoredBlock(parts.from, at);
    if (row === null) return false;
    const bodies = await parts.from.getMany("bodies", row.block.body.transactionIds);
    const transactions = bodies.filter((body) => body !== null);
    if (transactions.length !== bodies.length) return false;
    const { block, certificate } = row;
    return await commitBlock(
      parts,
      ledger,
      { block, certificate, transactions },
      row.justification,
    );
  } catch (error) {
    if (error instanceof LedgerError || damageBehind(error) !== undefined) return false;
    throw error;
  }
}

async function commitBlock(
  parts: RebuildComponents,
  ledger: Ledger,
  { block, certificate, transactions }: TransferredBlock,
  justification: Parameters<Ledger["commit"]>[2]["justification"],
): Promise<boolean> {
  const at = block.header.height;
  const validators = ledger.validatorsAt(height(ledger.head.header.height + 1));
  if (validators === null || !isDecided(ledger, block, certificate, validators)) return false;
  const chain = { chainId: ledger.chainId, genesisDigest: ledger.genesisDigest };
  const isCertified = (of: CommitCertificate, under: ValidatorSet): boolean =>
    verifyCommitCertificate(of, under, chain, sm2Verify).ok;
  const checked = await ledger.checkProposal({
    block,
    transactions,
    verifySignatures: (claims) => parts.verifier.verify(claims),
    verifyHistory: (history, _height, under) => {
      const record = tryDecode(historyRecordCodec, history);
      return record.ok && isCertified(record.value.certificate, under);
    },
    verifyEvidence: (evidence, under) => verifyEvidence(evidence, under, chain, sm2Verify).ok,
  });
  if (!checked.ok) {
    parts.logger.warn("block not built again", { height: at, code: checked.code });
    return false;
  }
  const seen = await goodStatements(parts, ledger, at, validators);
  await ledger.commit(checked.value, block, {
    certificate,
    justification: justification ?? null,
    seen,
  });
  return true;
}

/** Whether a block is the next one, and q of V(height) decided it. */
function isDecided(
  ledger: Ledger,
  block: Block,
  certificate: CommitCertificate,
  validators: ValidatorSet,
): boolean {
  const { header, digest: parent } = ledger.head;
  const { chainId, genesisDigest } = ledger;
  return (
    block.header.height === header.height + 1 &&
    equalBytes(block.header.parentHash, parent) &&
    certificate.height === block.header.height &&
    equalBytes(certificate.digest, headerDigest(block.header)) &&
    verifyCommitCertificate(certificate, validators, { chainId, genesisDigest }, sm2Verify).ok
  );
}

/** What our own history of a height still holds that its signers signed. */
async function goodStatements(
  { from, verifier }: RebuildComponents,
  ledger: Ledger,
  at: Height,
  validators: ValidatorSet,
): Promise<SeenStatements> {
  const known = readStatements(from, at);
  if (known === null) return NOTHING_SEEN;
  const { chainId, genesisDigest } = ledger;
  const context = { chainId, genesisDigest, validatorsHash: validators.hash };
  const good: SeenStatements["statements"][number][] = [];
  for (const statement of known.statements) {
    const requests = signatureClaims(statement, context).map(({ index, ...claim }) => ({
      ...claim,
      publicKey: validators.validators[index]?.publicKey ?? new Uint8Array(65),
    }));
    const verdicts = await verifier.verify(requests);
    if (statement.height === at && verdicts.every((one) => one)) good.push(statement);
  }
  return { statements: good, dropped: known.dropped + known.statements.length - good.length };
}

/** What our history of a height holds; null when it cannot be read. */
function readStatements(from: KeyValueStore, at: Height): SeenStatements | null {
  try {
    return readStoredStatements(from, at);
  } catch (error) {
    if (damageBehind(error) !== undefined) return null;
    throw error;
  }
}

/** Folders of a repair beside the database's own. */
const NEW_FOLDER = "db.repaired";
const OLD_FOLDER = "db.polluted";

/** How databases are opened. */
export type OpenStore = (path: string, create: boolean) => Promise<KeyValueStore>;

/**
 * Builds the database of a stopped node again and puts the new one in its place. The old one is
 * kept beside it as `db.polluted` until the next repair. The vote log is not touched: what this
 * validator promised stays promised.
 */
export async function repairDatabase(
  folders: { readonly dataDir: string; readonly database: string },
  open: OpenStore,
  parts: Omit<RebuildComponents, "from" | "to" | "verifier">,
): Promise<RebuildResult> {
  const [fresh, old] = [join(folders.dataDir, NEW_FOLDER), join(folders.dataDir, OLD_FOLDER)];
  // A repair that was interrupted between its two renames left the old database aside.
  if (!existsSync(folders.database) && existsSync(old)) await rename(old, folders.database);
  const from = await open(folders.database, false);
  let result: RebuildResult;
  try {
    await rm(fresh, { recursive: true, force: true });
    const to = await open(fresh, true);
    const verifier = createVerificationPool({ threads: 1, maxQueuedSignatures: 1_000_000 });
    try {
      result = await rebuildChain({ ...parts, from, to, verifier });
    } finally {
      await verifier.close();
      await to.close();
    }
  } finally {
    await from.close();
  }
  await rm(old, { recursive: true, force: true });
  await rename(folders.database, old);
  await rename(fresh, folders.database);
  return result;
}
