import {
  ANCESTOR_WINDOW,
  BUILT_IN_VERSION,
  type ExecutableTransaction,
  type ExecutionContext,
  type ExecutionResult,
  type Executor,
  type Genesis,
  type Misbehaviour,
  NeedsRange,
  type Receipt,
  type StateEntry,
  type StateRange,
  type StateView,
  type StateWrite,
} from "@credlink/ledger";
import {
  type Address,
  compareBytes,
  type Digest,
  digest,
  type Height,
  height,
  toHex,
  utf8,
} from "@credlink/primitives";
import { createExecutor } from "../../src/index.ts";
import { GENESIS_MS } from "./consortium.ts";

const ZERO = digest(new Uint8Array(32));

/** A state in memory that, like the ledger's, answers a range only once it was loaded. */
export class MemoryView implements StateView {
  readonly digest: Digest = ZERO;
  readonly root: Digest = ZERO;
  readonly height: Height;
  readonly timestampMs: number;
  readonly rows = new Map<string, StateEntry>();
  private readonly loaded = new Set<string>();
  loads = 0;

  constructor(
    at: number,
    timestampMs: number,
    rows: Iterable<readonly [string, StateEntry]>,
    writes: readonly StateWrite[],
  ) {
    this.height = height(at);
    this.timestampMs = timestampMs;
    for (const [name, entry] of rows) this.rows.set(name, entry);
    for (const { contract, key, value } of writes) {
      const name = `${contract}/${toHex(key)}`;
      if (value === null) this.rows.delete(name);
      else this.rows.set(name, { key, value });
    }
  }

  get(contract: string, key: Uint8Array): Uint8Array | null {
    return this.rows.get(`${contract}/${toHex(key)}`)?.value ?? null;
  }

  range(range: StateRange): readonly StateEntry[] {
    if (!this.loaded.has(nameOf(range))) throw new NeedsRange(range);
    return [...this.rows]
      .filter(([name]) => name.startsWith(`${range.contract}/`))
      .map(([, entry]) => entry)
      .filter(({ key }) => compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0)
      .sort((a, b) => compareBytes(a.key, b.key))
      .slice(0, range.limit);
  }

  async loadRange(range: StateRange): Promise<void> {
    this.loads++;
    this.loaded.add(nameOf(range));
  }
}

function nameOf(range: StateRange): string {
  return `${range.contract}/${toHex(range.from)}-${toHex(range.to)}/${range.limit}`;
}

export interface TestCall {
  readonly contract: string;
  readonly method: string;
  readonly args?: Uint8Array;
  readonly signers: readonly Address[];
  readonly version?: string;
  readonly gasLimit?: number;
}

let counter = 0;

/** A transaction as the envelope's judge hands it over. */
export function transactionOf(call: TestCall): ExecutableTransaction {
  const [sender] = call.signers;
  if (sender === undefined) throw new Error("a transaction has a sender");
  const id = new Uint8Array(32);
  id.set(utf8(`${++counter}`));
  return {
    id: digest(id),
    sender,
    signers: call.signers,
    contract: call.contract,
    contractVersion: call.version ?? BUILT_IN_VERSION,
    method: call.method,
    args: call.args ?? Uint8Array.of(0x90),
    gasLimit: call.gasLimit ?? 100_000_000,
  };
}

/** What stands for the digest of the block at a height. */
export function ancestorAt(at: number): Digest {
  return digest(new Uint8Array(32).fill(at % 256));
}

function isAncestor(head: number, at: number): boolean {
  return at <= head && at + ANCESTOR_WINDOW > head;
}

/** A chain of states without blocks: what the executor sees of a ledger. */
export class TestChain {
  readonly executor: Executor;
  view: MemoryView;
  timeMs = GENESIS_MS;
  /** Whose turn the next block is, and who takes it. */
  /** Validators that signed the block two below the next one. */
  signers: NonNullable<ExecutionContext["signers"]> = [];
  turn: ExecutionContext["turn"] = { primary: "n0", proposer: "n0", validatorCount: 4 };

  constructor(genesis: Genesis, executor: Executor = createExecutor()) {
    this.executor = executor;
    this.view = new MemoryView(0, GENESIS_MS, [], executor.genesis(genesis));
  }

  context(): ExecutionContext {
    return {
      chainId: "test-chain",
      genesisDigest: ZERO,
      height: height(this.view.height + 1),
      timestampMs: this.timeMs,
      ancestorDigest: (at) => (isAncestor(this.view.height, at) ? ancestorAt(at) : null),
      turn: this.turn,
      signers: this.signers,
    };
  }

  block(...transactions: readonly ExecutableTransaction[]): Promise<ExecutionResult> {
    return this.blockOf(transactions);
  }

  /** A block whose evidence convicts validators. */
  async blockOf(
    transactions: readonly ExecutableTransaction[],
    misbehaviours: readonly Misbehaviour[] = [],
  ): Promise<ExecutionResult> {
    this.timeMs += 1_000;
    const context = { ...this.context(), misbehaviours };
    const result = await this.executor.execute(this.view, context, transactions);
    const at = this.view.height + 1;
    this.view = new MemoryView(at, this.timeMs, this.view.rows, result.writes);
    return result;
  }

  /** Executes one transaction in a block of its own. */
  async run(call: TestCall): Promise<Receipt> {
    const { receipts } = await this.block(transactionOf(call));
    const [receipt] = receipts;
    if (receipt === undefined) throw new Error("a transaction has a receipt");
    return receipt;
  }

  query(call: TestCall): Promise<Receipt> {
    return this.executor.query(this.view, this.context(), transactionOf(call));
  }
}
