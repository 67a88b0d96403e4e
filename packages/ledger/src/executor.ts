import type { Turn, Validator, ValidatorSet } from "@credlink/consensus-pbft";
import type { Address, Digest, Height } from "@credlink/primitives";
import type { Misbehaviour } from "./evidence.ts";
import type { Genesis, Parameters } from "./genesis.ts";
import type { Receipt } from "./receipt.ts";

/** A value of the state: bytes under a key of one contract. */
export interface StateEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A range of one contract's keys, ascending; `limit` at most `MAX_RANGE_ENTRIES`. */
export interface StateRange {
  readonly contract: string;
  /** Inclusive. */
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
  readonly limit: number;
}

export const MAX_RANGE_ENTRIES = 256;
export const MAX_STATE_KEY_BYTES = 128;
export const MAX_STATE_VALUE_BYTES = 256 * 1024;

/**
 * The state after one block: an immutable overlay on its parent, known by that block's digest.
 * Several candidates of height h and one of h + 1 live side by side.
 */
export interface StateView {
  readonly height: Height;
  /** Digest of the block whose state this is; at height 0 the genesis block's. */
  readonly digest: Digest;
  readonly timestampMs: number;
  readonly root: Digest;
  /**
   * The value of a key, or null. The key's memory is the caller's, who may change it afterwards.
   * @param name the key as `textOfBytes` writes it, of a caller who has it.
   */
  get(contract: string, key: Uint8Array, name?: string): Uint8Array | null;
  /**
   * Entries of a range, this overlay merged over its parents.
   * @throws NeedsRange when the committed part was not loaded yet.
   */
  range(range: StateRange): readonly StateEntry[];
  /** Loads the committed part of a range, so that `range` answers. */
  loadRange(range: StateRange): Promise<void>;
}

/** Thrown through the executor's pure core; its shell loads the range and runs the call again. */
export class NeedsRange extends Error {
  override readonly name = "NeedsRange";
  readonly range: StateRange;

  constructor(range: StateRange) {
    super("a range of the committed state is not loaded");
    this.range = range;
  }
}

/** A change of one key; `value` null deletes it. */
export interface StateWrite {
  readonly contract: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** How far back a block's ancestors are known to the calls in it, heights. */
export const ANCESTOR_WINDOW = 100;

export interface BlockContext {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly height: Height;
  readonly timestampMs: number;
  /**
   * Digest of the block at a height of this branch, from `height` − `ANCESTOR_WINDOW` up to
   * `height` − 1; null for every other height, and always in a query.
   */
  readonly ancestorDigest: (height: Height) => Digest | null;
}

/** What a block brings to its execution beyond its transactions. */
export interface ExecutionContext extends BlockContext {
  /** Whose turn the height was, and who took it. */
  readonly turn: Pick<Turn, "primary" | "proposer" | "validatorCount">;
  /** Validators whose COMMITs for the block of height − 2 its history has; absent: none. */
  readonly signers?: readonly Validator[];
  /** Validators that the block's evidence convicts; absent: none. See `evidenceWrites`. */
  readonly misbehaviours?: readonly Misbehaviour[];
}

/** A transaction whose envelope was judged: what execution needs, decoded once. */
export interface ExecutableTransaction {
  readonly id: Digest;
  readonly sender: Address;
  /** All signers, the sender first. */
  readonly signers: readonly Address[];
  readonly contract: string;
  readonly contractVersion: string;
  readonly method: string;
  readonly args: Uint8Array;
  readonly gasLimit: number;
}

export interface ExecutionResult {
  /** In order of the transactions. */
  readonly receipts: readonly Receipt[];
  readonly gasUsed: number;
  /** Net changes of the whole block, each key once, in no particular order. */
  readonly writes: readonly StateWrite[];
}

/**
 * Runs transactions, then records the block's evidence (`evidenceWrites`): code, arguments and state
 * reads determine receipts, gas and writes.
 * Owned here, implemented by contracts-vm; it writes nothing and remembers nothing that shows.
 */
export interface Executor {
  /** The state of height 0. */
  genesis(genesis: Genesis): readonly StateWrite[];
  execute(
    parent: StateView,
    context: ExecutionContext,
    transactions: readonly ExecutableTransaction[],
  ): Promise<ExecutionResult>;
  /** A read-only call on `view`: nothing it writes is kept. Its receipt is not on chain. */
  query(view: StateView, context: BlockContext, call: ExecutableTransaction): Promise<Receipt>;
  /**
   * The status that a call would get for its contract and version alone: unknown, stopped; null
   * when they can be called on `view`. For the door, so that a client hears at once what a block
   * would only tell it later; a block judges again by running the call.
   */
  judgeCall(
    view: StateView,
    call: Pick<ExecutableTransaction, "contract" | "contractVersion">,
  ): string | null;
  /** V(h + 2) as the state after block h names it. */
  validators(view: StateView): ValidatorSet;
  /** Node ids that are not primary at `height`, which is h + 1 or h + 2 for the state after h. */
  skipped(view: StateView, height: Height): readonly string[];
  /** Parameters in force for block h + 1. */
  parameters(view: StateView): Parameters;
}
