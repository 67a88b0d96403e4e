import {
  createValidatorSet,
  type Validator,
  type ValidatorSet,
  validatorsCodec,
} from "@credlink/consensus-pbft";
import {
  type Executor,
  evidenceWrites,
  type Genesis,
  MEMBERS_CONTRACT,
  type Member,
  memberCodec,
  memberKey,
  type Receipt,
  type StateWrite,
  VALIDATORS_CONTRACT,
} from "@credlink/ledger";
import { decode, encode, utf8 } from "@credlink/primitives";

/** The contract that bulk runs call. */
export const BOOK_CONTRACT = "book";
export const BOOK_VERSION = "1.0.0";
const GAS = 100;
const VALIDATORS_KEY = utf8("set");

/**
 * A small honest executor: a call writes its arguments under its own id. Calling twice with one
 * id would fail, so that a transaction that is executed twice shows in its receipt and the roots.
 */
export function createChainExecutor(members: readonly Member[]): Executor {
  const sets = new WeakMap<Uint8Array, ValidatorSet>();
  return {
    judgeCall: (_view, { contract }) => (contract === BOOK_CONTRACT ? null : "BOOK_UNKNOWN"),
    genesis(genesis: Genesis): readonly StateWrite[] {
      const validators: readonly Validator[] = genesis.validators;
      return [
        {
          contract: VALIDATORS_CONTRACT,
          key: VALIDATORS_KEY,
          value: encode(validatorsCodec, validators),
        },
        ...members.map((member) => ({
          contract: MEMBERS_CONTRACT,
          key: memberKey(member.address),
          value: encode(memberCodec, member),
        })),
      ];
    },
    async execute(parent, context, transactions) {
      const receipts: Receipt[] = [];
      const writes: StateWrite[] = [];
      for (const { id, args, contractVersion } of transactions) {
        const isNew = parent.get(BOOK_CONTRACT, id) === null;
        if (isNew) writes.push({ contract: BOOK_CONTRACT, key: id, value: args });
        receipts.push({
          transactionId: id,
          status: isNew ? "SUCCESS" : "BOOK_TWICE",
          gasUsed: GAS,
          contractVersion,
          returnValue: new Uint8Array(0),
          events: [],
        });
      }
      writes.push(...evidenceWrites(context));
      return { receipts, writes, gasUsed: GAS * transactions.length };
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
    parameters: () => bulkParameters,
  };
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
});
