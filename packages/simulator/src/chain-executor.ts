import {
  createValidatorSet,
  emptySkipList,
  faultBound,
  nextSkipList,
  type SkipList,
  skipListCodec,
  skippedAt,
  type Validator,
  type ValidatorSet,
  validatorCodec,
  validatorsCodec,
} from "@credlink/consensus-pbft";
import {
  type ExecutableTransaction,
  type ExecutionContext,
  type Executor,
  evidenceWrites,
  type Genesis,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  PARAMETERS_CONTRACT,
  type Parameters,
  parametersCodec,
  type Receipt,
  type StateView,
  type StateWrite,
  SUCCESS,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import {
  type Codec,
  decode,
  encode,
  list,
  sharedReading,
  struct,
  text,
  tryDecode,
  utf8,
} from "@credlink/primitives";

/** The contract that bulk runs call. */
export const BOOK_CONTRACT = "book";
export const BOOK_VERSION = "1.0.0";
const GAS = 100;
const VALIDATORS_KEY = utf8("set");
const SKIP_LIST_KEY = utf8("skip-list");
const PARAMETERS_KEY = utf8("parameters");
const CALLABLE: ReadonlySet<string> = new Set([
  BOOK_CONTRACT,
  VALIDATORS_CONTRACT,
  PARAMETERS_CONTRACT,
]);

/** `validators.change`: who joins, at the end of the list, and which node ids leave. */
export interface ValidatorChange {
  readonly add: readonly Validator[];
  readonly remove: readonly string[];
}

export const validatorChangeCodec: Codec<ValidatorChange> = struct({
  add: list(validatorCodec, 16),
  remove: list(text(128), 16),
});

/**
 * A small honest executor. A call of the book writes its arguments under its own id: calling
 * twice with one id would fail, so that a transaction that is executed twice shows in its receipt
 * and the roots. `validators.change` and `parameters.set` are what governance can do, under the
 * real limits but by anybody; turns of primaries are noted by the real rule.
 */
export function createChainExecutor(members: readonly Member[]): Executor {
  const sets = new WeakMap<Uint8Array, ValidatorSet>();
  return {
    judgeCall: (_view, { contract }) => (CALLABLE.has(contract) ? null : "BOOK_UNKNOWN"),
    genesis: (genesis) => genesisWrites(genesis, members),
    async execute(parent, context, transactions) {
      const block = new BookBlock(parent);
      const receipts = transactions.map((transaction) => block.run(transaction));
      block.end(context);
      return { receipts, writes: block.writes(), gasUsed: GAS * transactions.length };
    },
    async query() {
      throw new Error("bulk runs ask no queries");
    },
    validators(view) {
      const value = view.get(VALIDATORS_CONTRACT, VALIDATORS_KEY);
      if (value === null) throw new Error("the state names no validators");
      const known = sets.get(value);
      if (known !== undefined) return known;
      const set = createValidatorSet(decode(validatorsCodec, value));
      sets.set(value, set);
      return set;
    },
    skipped: (view, height) => skippedAt(skipListIn(view), height),
    parameters: parametersIn,
  };
}

function genesisWrites(genesis: Genesis, members: readonly Member[]): readonly StateWrite[] {
  const validators = encode(validatorsCodec, genesis.validators);
  const parameters = encode(parametersCodec, genesis.parameters);
  return [
    { contract: VALIDATORS_CONTRACT, key: VALIDATORS_KEY, value: validators },
    { contract: PARAMETERS_CONTRACT, key: PARAMETERS_KEY, value: parameters },
    ...members.map((member) => ({
      contract: MEMBERS_CONTRACT,
      key: memberKey(member.address),
      value: encode(memberCodec, member),
    })),
  ];
}

const readSkipList = sharedReading((value: Uint8Array) => decode(skipListCodec, value));
const readParameters = sharedReading((value: Uint8Array) => decode(parametersCodec, value));
const readValidators = sharedReading((value: Uint8Array) => decode(validatorsCodec, value));

function skipListIn(view: StateView): SkipList {
  const value = view.get(VALIDATORS_CONTRACT, SKIP_LIST_KEY);
  return value === null ? emptySkipList : readSkipList(value);
}

function parametersIn(view: StateView): Parameters {
  const value = view.get(PARAMETERS_CONTRACT, PARAMETERS_KEY);
  if (value === null) throw new Error("the state names no parameters");
  return readParameters(value);
}

/** One block in execution: what it writes, and how often it changed the validators. */
class BookBlock {
  readonly #parent: StateView;
  readonly #book: StateWrite[] = [];
  readonly #before: readonly Validator[];
  #validators: readonly Validator[];
  #changes = 0;
  #parameters: Uint8Array | null = null;
  #skipList: SkipList | null = null;

  constructor(parent: StateView) {
    this.#parent = parent;
    const value = parent.get(VALIDATORS_CONTRACT, VALIDATORS_KEY);
    if (value === null) throw new Error("the state names no validators");
    this.#before = readValidators(value);
    this.#validators = this.#before;
  }

  run(transaction: ExecutableTransaction): Receipt {
    const { id, contractVersion } = transaction;
    return {
      transactionId: id,
      status: this.#call(transaction),
      gasUsed: GAS,
      contractVersion,
      returnValue: new Uint8Array(0),
      events: [],
    };
  }

  #call({ id, contract, method, args }: ExecutableTransaction): string {
    // What it is worth lies in its place in the chain.
    if (contract === VALIDATORS_CONTRACT && method === "recover") return SUCCESS;
    if (contract === VALIDATORS_CONTRACT) return this.#change(args);
    if (contract === PARAMETERS_CONTRACT) return this.#setParameters(args);
    if (this.#parent.get(BOOK_CONTRACT, id) !== null) return "BOOK_TWICE";
    this.#book.push({ contract: BOOK_CONTRACT, key: id, value: args });
    return SUCCESS;
  }

  /** At most max(1, f) changes a block, and one validator at least stays. */
  #change(args: Uint8Array): string {
    const change = tryDecode(validatorChangeCodec, args);
    if (!change.ok) return "BOOK_ARGUMENTS";
    const { add, remove } = change.value;
    const changes = this.#changes + add.length + remove.length;
    if (changes > Math.max(1, faultBound(this.#before.length))) return "BOOK_TOO_MANY_CHANGES";
    const names = new Set(this.#validators.map(({ nodeId }) => nodeId));
    const isUnknown = remove.some((nodeId) => !names.has(nodeId));
    if (isUnknown || add.some(({ nodeId }) => names.has(nodeId))) return "BOOK_MEMBERSHIP";
    const kept = this.#validators.filter(({ nodeId }) => !remove.includes(nodeId));
    if (kept.length + add.length === 0) return "BOOK_TOO_FEW";
    this.#validators = [...kept, ...add];
    this.#changes = changes;
    return SUCCESS;
  }

  #setParameters(args: Uint8Array): string {
    if (!tryDecode(parametersCodec, args).ok) return "BOOK_ARGUMENTS";
    this.#parameters = args;
    return SUCCESS;
  }

  /** Records evidence and notes whose turn it was, as at the end of every real block. */
  end(context: ExecutionContext): void {
    this.#book.push(...evidenceWrites(context));
    const { height, turn } = context;
    const before = skipListIn(this.#parent);
    const after = nextSkipList(before, {
      height,
      ...turn,
      validatorsAfterNext: this.#validators,
    });
    if (after !== before) this.#skipList = after;
  }

  writes(): readonly StateWrite[] {
    const writes = [...this.#book];
    const put = (contract: string, key: Uint8Array, value: Uint8Array) =>
      writes.push({ contract, key, value });
    if (this.#validators !== this.#before) {
      put(VALIDATORS_CONTRACT, VALIDATORS_KEY, encode(validatorsCodec, this.#validators));
    }
    if (this.#parameters !== null) put(PARAMETERS_CONTRACT, PARAMETERS_KEY, this.#parameters);
    if (this.#skipList !== null) {
      put(VALIDATORS_CONTRACT, SKIP_LIST_KEY, encode(skipListCodec, this.#skipList));
    }
    return writes;
  }
}

/** Parameters of bulk runs: small blocks, many of them. */
export const bulkParameters = Object.freeze({
  blockGasLimit: 100 * GAS * 100,
  transactionGasLimit: 100 * GAS,
  maxBlockTransactions: 64,
  maxBlockBytes: 64 * 1024,
  minBlockIntervalMs: 20,
  emptyBlockIntervalMs: 0,
  precisionMs: 500,
  messageDelayMs: 500,
  contractStateEntries: 1_000_000,
  contractStateBytes: 1_000_000_000,
});
