import { createValidatorSet, type ValidatorSet, validatorsCodec } from "@credlink/consensus-pbft";
import {
  type Digest,
  decode,
  encode,
  equalBytes,
  height,
  validatorIndex,
} from "@credlink/primitives";
import { type Block, HEADER_VERSION, type Header } from "./block.ts";
import { blockOperations } from "./commit-batch.ts";
import { genesisDigest, headerDigest, historyRoot } from "./digests.ts";
import { LedgerError } from "./errors.ts";
import { netWrites, updateStateTree } from "./execution.ts";
import type { Executor } from "./executor.ts";
import { decodeU64, encodeU64 } from "./fixed-u64.ts";
import { type Genesis, genesisCodec } from "./genesis.ts";
import type { Candidate, SealedCandidate } from "./ledger.ts";
import { EMPTY_MERKLE_ROOT } from "./merkle.ts";
import { CandidatePages, type CommittedPages } from "./page-store.ts";
import { type CommittedReplayGuard, REPLAY_WINDOW } from "./replay-guard.ts";
import {
  corruptRow,
  decodeBlockRow,
  genesisCertificate,
  indexKeys,
  metadataOperation,
  readHead,
  readMetadata,
  SCHEMA_VERSION,
} from "./rows.ts";
import { treeRoot } from "./state-tree.ts";
import { LayeredView, type StateBase, WriteSet } from "./state-view.ts";
import type { KeyValueStore } from "./store.ts";
import { rosterAfter, type Tip } from "./tip.ts";

/** What opening works with. */
export interface OpeningParts {
  readonly store: KeyValueStore;
  readonly executor: Executor;
  readonly genesis: Genesis;
  readonly base: StateBase;
  readonly pages: CommittedPages;
  readonly replay: CommittedReplayGuard;
}

const GENESIS_HEIGHT = height(0);

/** Opens the stored chain at its head, or writes the genesis block into an empty store. */
export async function openTip(parts: OpeningParts): Promise<Tip> {
  const schema = readMetadata(parts.store, "schema");
  if (schema === null) {
    await initialise(parts);
  } else if (decodeU64(schema) !== SCHEMA_VERSION) {
    throw new LedgerError({ code: "LEDGER_SCHEMA_UNSUPPORTED" }, `schema ${decodeU64(schema)}`);
  }
  const stored = readMetadata(parts.store, "genesis");
  if (stored === null || !equalBytes(stored, encode(genesisCodec, parts.genesis))) {
    throw new LedgerError({ code: "LEDGER_GENESIS_MISMATCH" }, "the store has another genesis");
  }
  return loadHead(parts);
}

/** @throws LedgerError LEDGER_STORE_CORRUPT when head, block and state do not agree. */
async function loadHead({ store, executor, base, pages, replay }: OpeningParts): Promise<Tip> {
  const head = readHead(store);
  if (head === null) throw corruptRow("the head is missing");
  const key = encodeU64(head.height);
  const row = store.get("blocks", key);
  if (row === null) throw corruptRow(`block ${head.height} is missing`);
  const { header } = decodeBlockRow(key, row).block;
  if (!equalBytes(headerDigest(header), head.digest)) throw corruptRow("the head is another block");
  if (!equalBytes(treeRoot(pages, head.height), header.stateRoot)) {
    throw corruptRow("the state tree does not belong to the head");
  }
  const from = Math.max(1, head.height + 1 - REPLAY_WINDOW);
  const bounds = { from: indexKeys.replay(from), to: indexKeys.replay(head.height + 1) };
  for (const [at, pairs] of await store.range("index", bounds)) {
    replay.load(height(decodeU64(at.subarray(1))), pairs);
  }
  const { height: at, timestampMs, stateRoot } = header;
  const { digest } = head;
  const view = LayeredView.committed({ height: at, digest, timestampMs, root: stateRoot }, base);
  const validatorsAfterNext = rosterAfter(executor, view);
  return { digest, header, view, pages, replay, validatorsAfterNext, execution: null };
}

/** @throws LedgerError LEDGER_GENESIS_INVALID */
export function validatorsOfGenesis(genesis: Genesis): ValidatorSet {
  try {
    return createValidatorSet(genesis.validators);
  } catch (cause) {
    const code = "LEDGER_GENESIS_INVALID";
    throw new LedgerError({ code }, "its validators make no set", { cause });
  }
}

/** The block at height 0, the same on every node. */
async function initialise(parts: OpeningParts): Promise<void> {
  const { store, executor, genesis, base, pages, replay } = parts;
  const validators = validatorsOfGenesis(genesis);
  const net = netWrites(null, executor.genesis(genesis));
  const tree = updateStateTree(pages, null, GENESIS_HEIGHT, net);
  const header = genesisHeader(genesis, validators, tree.root);
  const block: Block = {
    header,
    body: { transactionIds: [], history: new Uint8Array(0), evidence: [] },
  };
  const digest = headerDigest(header);
  const place = { height: GENESIS_HEIGHT, digest, timestampMs: genesis.timestampMs };
  const writes = new WriteSet(net);
  const empty = LayeredView.committed({ ...place, root: tree.root }, base);
  const view = empty.overlay({ ...place, root: tree.root }, writes);
  const named = rosterAfter(executor, view);
  if (!equalBytes(named.hash, validators.hash)) {
    const code = "LEDGER_GENESIS_INVALID";
    throw new LedgerError({ code }, "the state of genesis names other validators");
  }
  const candidate: Candidate = {
    parentDigest: header.parentHash,
    height: GENESIS_HEIGHT,
    timestampMs: genesis.timestampMs,
    proposer: header.proposer,
    transactions: [],
    history: block.body.history,
    evidence: [],
    transactionRoot: header.transactionRoot,
    transactionCount: 0,
    gasUsed: 0,
    stateRoot: tree.root,
    receiptRoot: header.receiptRoot,
    receipts: [],
    validatorsAfterNext: named,
    view,
    sealed: null,
  };
  const sealed: SealedCandidate = { ...candidate, sealed: { block, digest } };
  const execution = {
    parent: null,
    transactions: [],
    receipts: [],
    encodedReceipts: [],
    writes,
    writeCount: net.length,
    tree,
    pages: new CandidatePages(pages, tree),
    replay: replay.layer(replay, GENESIS_HEIGHT),
    block,
    candidate: sealed,
  };
  const decision = { certificate: genesisCertificate(digest), justification: null };
  const operations = [
    ...blockOperations(store, execution, decision, () => false),
    metadataOperation("genesis", encode(genesisCodec, genesis)),
    metadataOperation("schema", encodeU64(SCHEMA_VERSION)),
  ];
  await store.write(operations, { sync: true });
}

/** The header of height 0. */
export function genesisHeader(
  genesis: Genesis,
  validators: ValidatorSet,
  stateRoot: Digest,
): Header {
  return {
    version: HEADER_VERSION,
    chainId: genesis.chainId,
    height: GENESIS_HEIGHT,
    parentHash: genesisDigest(genesis),
    timestampMs: genesis.timestampMs,
    proposer: validatorIndex(0),
    transactionRoot: EMPTY_MERKLE_ROOT,
    transactionCount: 0,
    gasUsed: 0,
    stateRoot,
    receiptRoot: EMPTY_MERKLE_ROOT,
    validatorsHash: validators.hash,
    nextValidatorsHash: validators.hash,
    historyRoot: historyRoot(new Uint8Array(0)),
    evidenceRoot: EMPTY_MERKLE_ROOT,
  };
}

/** V with this hash, as stored; null when no block of this chain named it. */
export function readValidators(store: KeyValueStore, hash: Digest): ValidatorSet | null {
  const row = store.get("index", indexKeys.validators(hash));
  if (row === null) return null;
  const set = createValidatorSet(decode(validatorsCodec, row));
  if (!equalBytes(set.hash, hash)) throw corruptRow("a list of validators is damaged");
  return set;
}
