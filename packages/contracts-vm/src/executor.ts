import { createValidatorSet, skippedAt, type ValidatorSet } from "@credlink/consensus-pbft";
import {
  type BlockContext,
  type Event,
  type ExecutableTransaction,
  type ExecutionContext,
  type ExecutionResult,
  type Executor,
  type Genesis,
  type Member,
  NeedsRange,
  type Parameters,
  type Receipt,
  type StateView,
  SUCCESS,
} from "@credlink/ledger";
import {
  type Address,
  type Height,
  type Logger,
  type Metrics,
  noLogger,
  noMetrics,
  textOfBytes,
} from "@credlink/primitives";
import { countContributions, type SentReceipt } from "./built-in/contributions.ts";
import { endBlock } from "./built-in/end-of-block.ts";
import { genesisState } from "./built-in/genesis-state.ts";
import { governBlock, rulesOf } from "./built-in/governance-execution.ts";
import { findBuiltIn } from "./built-in/registry.ts";
import { liftRestrictions } from "./built-in/restrictions.ts";
import { decodeRow, type Row, rememberDecoded } from "./built-in/row.ts";
import { rows } from "./built-in/rows.ts";
import type { Call, CallOutcome, Identity } from "./call.ts";
import { CallRunner, judgeCallable } from "./call-runner.ts";
import { ContractCache } from "./contract-cache.ts";
import { VmError } from "./errors.ts";
import { GasMeter } from "./gas-meter.ts";
import { transactionCost } from "./gas-schedule.ts";
import { HeldRanges } from "./held-ranges.ts";
import type { FormStore } from "./metered-module.ts";
import { contractsVmMetrics } from "./metrics.ts";
import { StateOverlay } from "./state-overlay.ts";
import { Stop } from "./stop.ts";

/** Settings and components of an executor; all have defaults. */
export interface ExecutorOptions {
  /** Most compiled contracts kept; default 64. */
  readonly cachedContracts?: number;
  /** Whether calls share WebAssembly instances that were restored between them; default true. */
  readonly reuseInstances?: boolean;
  /** Where metered forms of contracts outlive the process; default nowhere. */
  readonly forms?: FormStore;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/** What the transactions of one block share. */
interface BlockRun {
  readonly parent: StateView;
  /** The parent, and what was loaded of it for the transaction that runs. */
  readonly ranges: HeldRanges;
  readonly context: BlockContext;
  readonly state: StateOverlay;
  /** Members by address, as of the parent: changes in this block count from the next on. */
  readonly identities: Map<string, Identity | null>;
}

/**
 * An executor over this machine's WebAssembly engine. It keeps compiled contracts and nothing
 * else; the same block on the same parent gives the same bytes on every node.
 */
export function createExecutor(options: ExecutorOptions = {}): Executor {
  return new VmExecutor(options);
}

class VmExecutor implements Executor {
  private readonly logger: Logger;
  private readonly calls;
  private readonly gas;
  private readonly reruns;
  private readonly runner: CallRunner;

  constructor(options: ExecutorOptions) {
    const metrics = options.metrics ?? noMetrics;
    this.logger = options.logger ?? noLogger;
    this.calls = metrics.counter(contractsVmMetrics.calls);
    this.gas = metrics.counter(contractsVmMetrics.gas);
    this.reruns = metrics.counter(contractsVmMetrics.reruns);
    const lookups = metrics.counter(contractsVmMetrics.modules);
    const { cachedContracts: capacity = 64, reuseInstances = true, forms = null } = options;
    this.runner = new CallRunner(new ContractCache({ capacity, reuseInstances, forms, lookups }));
  }

  genesis(genesis: Genesis) {
    return genesisState(genesis);
  }

  async execute(
    parent: StateView,
    context: ExecutionContext,
    transactions: readonly ExecutableTransaction[],
  ): Promise<ExecutionResult> {
    const run = blockRun(parent, context);
    const rules = rulesOf(run.state);
    const receipts: Receipt[] = [];
    let gasUsed = 0;
    for (const transaction of transactions) {
      const receipt = await this.settle(run, transaction, false);
      receipts.push(receipt);
      gasUsed += receipt.gasUsed;
    }
    await this.govern(run);
    liftRestrictions(run.state, context);
    countContributions(run.state, rules, context, this.sharersOf(run, transactions, receipts));
    endBlock(run.state, context);
    return { receipts, gasUsed, writes: run.state.writes() };
  }

  async query(
    view: StateView,
    context: BlockContext,
    call: ExecutableTransaction,
  ): Promise<Receipt> {
    return this.settle(blockRun(view, context), call, true);
  }

  judgeCall(
    view: StateView,
    { contract, contractVersion }: Pick<ExecutableTransaction, "contract" | "contractVersion">,
  ): string | null {
    return judgeCallable(view, contract, contractVersion);
  }

  validators(view: StateView): ValidatorSet {
    return createValidatorSet(readRow(view, rows.validators).validators);
  }

  skipped(view: StateView, height: Height): readonly string[] {
    const { contract, key } = rows.skipList;
    const value = view.get(contract, key);
    return value === null ? [] : skippedAt(decodeRow(rows.skipList, value), height);
  }

  parameters(view: StateView): Parameters {
    return readRow(view, rows.parameters);
  }

  private settle(
    run: BlockRun,
    transaction: ExecutableTransaction,
    isQuery: boolean,
  ): Promise<Receipt> {
    return this.withRanges(run, () => this.runOnce(run, transaction, isQuery));
  }

  /** Receipts with events, each with its sender's organisation. */
  private sharersOf(
    run: BlockRun,
    transactions: readonly ExecutableTransaction[],
    receipts: readonly Receipt[],
  ): readonly SentReceipt[] {
    return receipts.flatMap((receipt, index) => {
      const transaction = transactions[index];
      if (transaction === undefined || receipt.events.length === 0) return [];
      return { organization: identityOf(run, transaction.sender).organization, receipt };
    });
  }

  private govern(run: BlockRun): Promise<void> {
    return this.withRanges(run, () => {
      const state = new StateOverlay(run.state);
      governBlock(state, run.context, findBuiltIn);
      state.mergeInto(run.state);
    });
  }

  /** Runs something until no range is missing any more; each run starts from nothing. */
  private async withRanges<T>(run: BlockRun, runOnce: () => T): Promise<T> {
    run.ranges.release();
    for (;;) {
      try {
        return runOnce();
      } catch (error) {
        if (!(error instanceof NeedsRange)) throw error;
        this.reruns.add();
        // One more range is held after it, and its gas limits how many a transaction asks for.
        await run.ranges.load(error.range);
      }
    }
  }

  private runOnce(run: BlockRun, transaction: ExecutableTransaction, isQuery: boolean): Receipt {
    const gas = new GasMeter(transaction.gasLimit);
    const state = new StateOverlay(run.state);
    const events: Event[] = [];
    const outcome = this.runCharged(run, transaction, isQuery, { gas, state, events });
    if (outcome.ok) state.mergeInto(run.state);
    this.count(outcome, gas);
    return {
      transactionId: transaction.id,
      status: outcome.ok ? SUCCESS : outcome.status,
      gasUsed: gas.used,
      contractVersion: transaction.contractVersion,
      returnValue: outcome.ok ? outcome.returnValue : new Uint8Array(0),
      events: outcome.ok ? events : [],
    };
  }

  private runCharged(
    run: BlockRun,
    transaction: ExecutableTransaction,
    isQuery: boolean,
    effects: Pick<Call, "gas" | "state" | "events">,
  ): CallOutcome {
    const { contract, contractVersion, method, args } = transaction;
    // A query may leave the version open; a transaction names what its signers have read.
    const version = isQuery && contractVersion === "" ? null : contractVersion;
    try {
      effects.gas.chargeFor(transactionCost, args.length);
      const signers = transaction.signers.map((address) => identityOf(run, address));
      const call: Call = {
        contract,
        version,
        method,
        args,
        caller: identityOf(run, transaction.sender),
        signers,
        block: run.context,
        ...effects,
        eventsBefore: 0,
        readOnly: isQuery,
        running: [],
        stack: 0,
      };
      return this.runner.run(call);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return { ok: false, status: error.status, detail: error.message };
    }
  }

  private count(outcome: CallOutcome, gas: GasMeter): void {
    this.gas.add(gas.used);
    if (outcome.ok) {
      this.calls.add(1, { outcome: "success" });
      return;
    }
    const isFailure = outcome.status.startsWith("VM_");
    this.calls.add(1, { outcome: isFailure ? "failed" : "refused" });
    this.logger.debug("call failed", { status: outcome.status, detail: outcome.detail });
  }
}

function blockRun(parent: StateView, context: BlockContext): BlockRun {
  const ranges = new HeldRanges(parent);
  return { parent, ranges, context, state: new StateOverlay(ranges), identities: new Map() };
}

function readRow<T>(view: StateView, row: Row<T>): T {
  const value = view.get(row.contract, row.key);
  if (value === null) throw new VmError("VM_STATE_CORRUPT", `no ${row.contract}`);
  return decodeRow(row, value);
}

const decodeIdentity = rememberDecoded(
  ({ address, role, organization }: Member): Identity => ({ address, role, organization }),
);

function identityOf(run: BlockRun, address: Address): Identity {
  const name = textOfBytes(address);
  let identity = run.identities.get(name);
  if (identity === undefined) {
    const row = rows.member(address);
    const value = run.parent.get(row.contract, row.key);
    identity = value === null ? null : decodeIdentity(row, value);
    run.identities.set(name, identity);
  }
  if (identity === null) throw new Stop("VM_SENDER_UNKNOWN");
  return identity;
}
