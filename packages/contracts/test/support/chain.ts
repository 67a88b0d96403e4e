import { sm2Sign, sm2Verify, sm3 } from "@credlink/crypto";
import {
  ACCOUNT_TRANSACTION_VERSION,
  accountTransactionCodec,
  BUILT_IN_VERSION,
  createLedger,
  createMemoryStore,
  type Decision,
  type DecodedTransaction,
  decodeSignedTransaction,
  type Executor,
  endorsementMessage,
  type Genesis,
  type Ledger,
  type Receipt,
  type RelationKey,
  registerRelationKeysArgsCodec,
  SUCCESS,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  transactionCodec,
  transactionSigningMessage,
} from "@credlink/ledger";
import {
  type Address,
  compareBytes,
  encode,
  type Height,
  height,
  invariant,
  toHex,
  utf8,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { CREDENTIAL_CONTRACT, CREDENTIAL_CONTRACT_VERSION } from "../../src/index.ts";
import { freshExecutor, memberKeyOf, type TestKey } from "./consortium.ts";

/** A call to be signed and executed. */
export interface TestCall {
  readonly sender: TestKey;
  readonly coSigners?: readonly TestKey[];
  /** Sender and co-signers sign as one for this account, which is the transaction's sender. */
  readonly account?: Address;
  /** Default: the credential contract. */
  readonly contract?: string;
  readonly version?: string;
  readonly method: string;
  readonly args: Uint8Array;
}

/** Puts the signatures of a height's validators into a certificate. */
export type Certify = (
  draft: Decision["certificate"],
  validators: NonNullable<ReturnType<Ledger["validatorsAt"]>>,
) => Decision["certificate"];

const GAS_LIMIT = 50_000_000;
const KEYS_PER_CALL = 64;

/**
 * A chain of one validator in memory: real ledger, real executor, real signatures; only consensus
 * is left out.
 */
export class TestChain {
  readonly ledger: Ledger;
  readonly executor: Executor;
  private nonce = 0;
  private readonly certify: Certify;

  private constructor(ledger: Ledger, executor: Executor, certify: Certify) {
    this.ledger = ledger;
    this.executor = executor;
    this.certify = certify;
  }

  /** @param certify who signs the blocks; by default nobody does */
  static async open(
    genesis: Genesis,
    executor: Executor = freshExecutor(),
    certify: Certify = (draft) => draft,
  ): Promise<TestChain> {
    const ledger = await createLedger({ store: createMemoryStore(), executor, genesis });
    return new TestChain(ledger, executor, certify);
  }

  get stateRoot(): string {
    return toHex(this.ledger.head.header.stateRoot);
  }

  /** Signs, judges, executes and commits calls as one block of the given time. */
  async block(calls: readonly TestCall[], timestampMs?: number): Promise<readonly Receipt[]> {
    const { ledger } = this;
    const parent = ledger.head;
    const at = height(parent.header.height + 1);
    const validators = ledger.validatorsAt(at);
    invariant(validators !== null, "the next height's validators are known");
    const place = {
      parentDigest: parent.digest,
      height: at,
      timestampMs: timestampMs ?? parent.header.timestampMs + 1_000,
      proposer: validatorIndex(at % validators.validators.length),
    };
    const transactions = calls.map((call) => this.sign(call));
    for (const transaction of transactions) {
      const judged = ledger.judge(transaction, place);
      invariant(judged.ok, judged.ok ? "" : `envelope refused: ${judged.code}`);
      for (const { publicKey, message, signature } of judged.value.claims) {
        invariant(sm2Verify(publicKey, message, signature), "a signature holds");
      }
    }
    const history = ledger.historyFor(parent.digest, at) ?? new Uint8Array(0);
    const candidate = await ledger.execute({ ...place, transactions, history });
    const { sealed } = ledger.buildBlock(candidate);
    await ledger.persistBodies(transactions);
    await ledger.commit(candidate, sealed.block, {
      certificate: this.certify(
        { height: at, view: view(0), digest: sealed.digest, signatures: [] },
        validators,
      ),
    });
    return candidate.receipts;
  }

  /** One call in a block of its own. */
  async run(call: TestCall, timestampMs?: number): Promise<Receipt> {
    const [receipt] = await this.block([call], timestampMs);
    invariant(receipt !== undefined, "a transaction has a receipt");
    return receipt;
  }

  /** A read-only call at the head. */
  query(method: string, args: Uint8Array, sender: TestKey): Promise<Receipt> {
    const { header } = this.ledger.head;
    const { state, context } = this.atHead(header.height, header.timestampMs);
    return this.executor.query(state, context, this.sign({ sender, method, args }));
  }

  /** The head's state, and what a call of that height and time is told of the chain. */
  private atHead(at: Height, timestampMs: number) {
    const { ledger } = this;
    const state = ledger.stateAt(ledger.head.digest);
    invariant(state !== null, "the head has a state");
    const { chainId, genesisDigest } = ledger;
    const ancestorDigest = () => null;
    return { state, context: { chainId, genesisDigest, height: at, timestampMs, ancestorDigest } };
  }

  /** The head's state, and the block that would follow it; a second later unless said otherwise. */
  private next(timestampMs = this.ledger.head.header.timestampMs + 1_000) {
    const at = height(this.ledger.head.header.height + 1);
    const { state, context } = this.atHead(at, timestampMs);
    const turn = { primary: "node0", proposer: "node0", validatorCount: 4 };
    return { state, context: { ...context, turn } };
  }

  /**
   * Executes calls on the head as often as asked, without keeping anything; processor time.
   * @param rounds at least 1
   */
  async measure(calls: readonly TestCall[], rounds: number) {
    const { state, context } = this.next();
    const transactions = calls.map((call) => this.sign(call));
    const start = process.cpuUsage();
    let result = await this.executor.execute(state, context, transactions);
    for (let round = 1; round < rounds; round++) {
      result = await this.executor.execute(state, context, transactions);
    }
    const { user, system } = process.cpuUsage(start);
    // A refused call is cheaper than what it stands for.
    const refused = result.receipts.find(({ status }) => status !== SUCCESS);
    invariant(refused === undefined, `a measured call was refused: ${refused?.status}`);
    return { microseconds: user + system, gas: result.gasUsed };
  }

  /**
   * Executes calls on the head as a block of their own that is not kept: receipts, and how many
   * rows of the credential contract it would have written.
   */
  async attempt(calls: readonly TestCall[], timestampMs?: number) {
    const { state, context } = this.next(timestampMs);
    const transactions = calls.map((call) => this.sign(call));
    const { receipts, writes } = await this.executor.execute(state, context, transactions);
    const own = writes.filter(({ contract }) => contract === CREDENTIAL_CONTRACT);
    return { receipts, writes: own.length };
  }

  /** Registers relation keys in as many calls as it takes. */
  async register(keys: readonly RelationKey[], by: TestKey = memberKeyOf("institution")) {
    for (let from = 0; from < keys.length; from += KEYS_PER_CALL) {
      const receipt = await this.run({
        sender: by,
        contract: "members",
        version: BUILT_IN_VERSION,
        method: "registerRelationKeys",
        args: encode(registerRelationKeysArgsCodec, {
          keys: keys.slice(from, from + KEYS_PER_CALL),
        }),
      });
      invariant(receipt.status === SUCCESS, `relation keys refused: ${receipt.status}`);
    }
  }

  private sign(call: TestCall): DecodedTransaction {
    const others = new Map((call.coSigners ?? []).map((key) => [toHex(key.address), key]));
    others.delete(toHex(call.sender.address));
    const coSigners = [...others.values()].sort((a, b) => compareBytes(a.address, b.address));
    const { account } = call;
    const { genesisDigest } = this.ledger;
    const transaction = encode(transactionCodec, {
      version: account === undefined ? TRANSACTION_VERSION : ACCOUNT_TRANSACTION_VERSION,
      chainId: this.ledger.chainId,
      sender: account ?? call.sender.address,
      nonce: sm3(utf8(`nonce/${this.nonce++}`)).slice(0, 16),
      expiryHeight: height(this.ledger.head.header.height + 100),
      contract: call.contract ?? CREDENTIAL_CONTRACT,
      contractVersion: call.version ?? CREDENTIAL_CONTRACT_VERSION,
      method: call.method,
      args: call.args,
      gasLimit: GAS_LIMIT,
    });
    const signers = [call.sender, ...coSigners];
    const signWith = (message: Uint8Array) =>
      signers.map(({ address, privateKey }) => ({
        address,
        signature: sm2Sign(privateKey, message),
      }));
    const decoded = decodeSignedTransaction(
      account === undefined
        ? encode(signedTransactionCodec, {
            transaction,
            signatures: signWith(transactionSigningMessage(genesisDigest, transaction)),
          })
        : encode(accountTransactionCodec, {
            version: ACCOUNT_TRANSACTION_VERSION,
            transaction,
            signatures: signWith(endorsementMessage(genesisDigest, account, transaction))
              .map(({ address, signature }) => ({ address: account, signer: address, signature }))
              .sort((a, b) => compareBytes(a.signer, b.signer)),
          }),
    );
    invariant(decoded.ok, "our own transaction decodes");
    return decoded.value;
  }
}
