import type { MethodName, MethodResult, Params } from "@credlink/api";
import type { Genesis } from "@credlink/ledger";
import { envelopeCodec, SUCCESS, transactionId } from "@credlink/ledger";
import { type Digest, encode, fromHex, toHex } from "@credlink/primitives";
import { type ChainVerifier, createChainVerifier } from "./chain-verifier.ts";
import { ClientError, clientError, GatewayError } from "./errors.ts";
import type { HeaderClaim, VerifiedHeader } from "./header-claims.ts";
import type { KeptReceipt } from "./receipts/lines.ts";
import { checkReceiptContent, checkReceiptOutcome, verifyReceipt } from "./receipts/verify.ts";
import {
  type CommittedTransaction,
  type VerifiedBlock,
  type VerifiedOutcome,
  type VerifiedState,
  type VerifiedStates,
  verifyBlock,
  verifyOutcome,
  verifyState,
  verifyStates,
} from "./records.ts";
import { createRpc, type Fetch, type Rpc } from "./rpc.ts";
import { createSession, type Identity, type Session } from "./session.ts";
import {
  type Call,
  createTransactionBuilder,
  type SignedCall,
  type TransactionBuilder,
} from "./transactions.ts";
import type { ValidatorsLink } from "./trusted-lists.ts";
import { fetchValidators } from "./validators.ts";

export interface ClientOptions {
  /** The gateway's endpoint, for example `http://127.0.0.1:8645/rpc`. */
  readonly url: string;
  /** Trusted bytes of the chain's genesis: everything else is believed by proof only. */
  readonly genesis: Uint8Array;
  /** Who logs in and sends. Without it only calls that need no session work. */
  readonly identity?: Identity;
  /** Default: the platform's own. */
  readonly fetch?: Fetch;
  /** How long one request may take, milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** How often a safe call is tried in all when the gateway is out of reach. Default 3. */
  readonly attempts?: number;
  /** Pause before the second attempt, doubled each time, milliseconds. Default 100. */
  readonly retryDelayMs?: number;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly nowMs?: () => number;
  /**
   * Given the node's signed receipt of each transaction that is submitted (not in a batch) and of each whose
   * block was waited for, and of each request that changed a node, all verified. Absent: none is asked for.
   */
  readonly onReceipt?: (kept: KeptReceipt) => void | Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface WaitOptions extends CallOptions {
  /** Longest wait for the commit, milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/** What `contract.query` answers: the gateway's word, no proof goes with it. */
export interface QueryAnswer {
  readonly height: number;
  readonly status: string;
  readonly returnValue: Uint8Array;
  readonly gasUsed: number;
}

/** One entry of a batch submission. */
export type SubmitResult =
  | { readonly ok: true; readonly id: Digest }
  | {
      readonly ok: false;
      readonly code: string;
      readonly remedy: string;
      readonly retryAfterMs?: number;
    };

/** A member's door to one node. Answers that carry proofs are checked before they are returned. */
export interface Client {
  readonly url: string;
  readonly genesis: Genesis;
  readonly genesisDigest: Digest;
  /** The trusted bytes. */
  readonly genesisBytes: Uint8Array;
  readonly identity: Identity | undefined;
  /** Height of the highest header that was proven so far; 0 at first. */
  readonly provenHeight: number;
  /** What led from genesis to the validators of the headers proven so far, by height. */
  readonly validatorsLinks: readonly ValidatorsLink[];
  /** Any method of the gateway, typed, with login and safe retries; results are not proven. */
  call<M extends MethodName>(
    method: M,
    params: Params<M>,
    options?: CallOptions & { readonly extraTimeoutMs?: number },
  ): Promise<MethodResult<M>>;
  /** The gateway's head. It must stand on our genesis. */
  info(options?: CallOptions): Promise<MethodResult<"chain.info">>;
  status(options?: CallOptions): Promise<MethodResult<"node.status">>;
  header(height: number, options?: CallOptions): Promise<VerifiedHeader>;
  /** Believes a header that came with another answer, by its certificate. */
  proveHeader(claim: HeaderClaim): Promise<VerifiedHeader>;
  block(
    height: number,
    options?: CallOptions & { readonly transactions?: boolean },
  ): Promise<VerifiedBlock>;
  transaction(id: Digest, options?: CallOptions): Promise<VerifiedOutcome>;
  /** One value of the head's state, proven present or absent. `minHeight`: CLIENT_STALE below. */
  getState(
    contract: string,
    key: Uint8Array,
    options?: CallOptions & { readonly minHeight?: number },
  ): Promise<VerifiedState>;
  /** Up to `MAX_STATE_ENTRIES` values of one head's state, each proven present or absent. */
  getStates(
    places: readonly { readonly contract: string; readonly key: Uint8Array }[],
    options?: CallOptions,
  ): Promise<VerifiedStates>;
  queryContract(
    query: {
      readonly contract: string;
      readonly version?: string;
      readonly method: string;
      readonly args: Uint8Array;
    },
    options?: CallOptions,
  ): Promise<QueryAnswer>;
  /**
   * Verifies a receipt that the gateway gave for `content`, and hands it to `onReceipt`.
   * @param proven where the transaction stands: the receipt must say the same
   * @throws ClientError CLIENT_RECEIPT_…
   */
  keepReceipt(
    receipt: Uint8Array,
    content: Uint8Array,
    proven?: CommittedTransaction,
  ): Promise<void>;
  /** Builds and signs a call as this client's member. */
  build(call: Call): Promise<SignedCall>;
  submit(signed: Pick<SignedCall, "id" | "bytes">, options?: CallOptions): Promise<Digest>;
  submitBatch(
    signed: readonly Pick<SignedCall, "id" | "bytes">[],
    options?: CallOptions,
  ): Promise<readonly SubmitResult[]>;
  /**
   * Waits until the transaction is in a certified block.
   * @throws ClientError CLIENT_TRANSACTION_EXPIRED, CLIENT_TRANSACTION_PENDING
   */
  waitFor(id: Digest, options?: WaitOptions): Promise<CommittedTransaction>;
  /** Submits and waits; the receipt is proven but may tell of a failed execution. */
  submitAndWait(
    signed: Pick<SignedCall, "id" | "bytes">,
    options?: WaitOptions,
  ): Promise<CommittedTransaction>;
  /** Submits what was signed elsewhere, waits. @throws ClientError as `execute` */
  executeSigned(bytes: Uint8Array, options?: WaitOptions): Promise<CommittedTransaction>;
  /** Builds, submits, waits. @throws ClientError CLIENT_TRANSACTION_FAILED unless SUCCESS. */
  execute(call: Call, options?: WaitOptions): Promise<CommittedTransaction>;
}

/** Methods that a lost answer must not repeat by itself. */
const CHANGING: ReadonlySet<MethodName> = new Set([
  "transaction.submit",
  "transaction.submitBatch",
  "node.control",
]);

/** The node answers `transaction.wait` after at most this long; longer waits ask again. */
const WAIT_SLICE_MS = 20_000;

/**
 * Opens a member's door to one node.
 * @throws ClientError CLIENT_GENESIS_MISMATCH when `genesis` is not the bytes of a genesis.
 */
export function createClient(options: ClientOptions): Client {
  return new RpcClient(options);
}

class RpcClient implements Client {
  readonly url: string;
  readonly genesisBytes: Uint8Array;
  readonly identity: Identity | undefined;
  readonly #rpc: Rpc;
  readonly #session: Session;
  readonly #verifier: ChainVerifier;
  readonly #attempts: number;
  readonly #retryDelayMs: number;
  readonly #nowMs: () => number;
  readonly #builder: TransactionBuilder | undefined;
  readonly #onReceipt: ClientOptions["onReceipt"];
  #height = { value: 0, readAtMs: Number.NEGATIVE_INFINITY };

  constructor(options: ClientOptions) {
    this.url = options.url;
    this.genesisBytes = options.genesis;
    this.identity = options.identity;
    this.#attempts = options.attempts ?? 3;
    this.#retryDelayMs = options.retryDelayMs ?? 100;
    this.#nowMs = options.nowMs ?? (() => Date.now());
    this.#onReceipt = options.onReceipt;
    this.#rpc = createRpc(options);
    this.#verifier = createChainVerifier(options.genesis, {
      header: (height) => this.call("block.header", { height }),
      validators: (height) => fetchValidators(this, height),
    });
    const { genesisDigest } = this.#verifier;
    this.#session = createSession(this.#rpc, options.identity, () => genesisDigest, this.#nowMs);
    this.#builder =
      options.identity === undefined
        ? undefined
        : createTransactionBuilder({
            chainId: this.#verifier.genesis.chainId,
            genesisDigest,
            sender: options.identity,
            currentHeight: () => this.#currentHeight(),
          });
  }

  get genesis(): Genesis {
    return this.#verifier.genesis;
  }

  get genesisDigest(): Digest {
    return this.#verifier.genesisDigest;
  }

  get provenHeight(): number {
    return this.#verifier.highest;
  }

  /** All methods but submissions and `node.control` only read: those may be tried again. */
  async call<M extends MethodName>(
    method: M,
    params: Params<M>,
    options: CallOptions & { readonly extraTimeoutMs?: number } = {},
  ): Promise<MethodResult<M>> {
    const isSafe = !CHANGING.has(method);
    const isOpen = method === "session.challenge" || method === "session.login";
    for (let attempt = 1; ; attempt += 1) {
      const token = isOpen ? undefined : await this.#session.token();
      try {
        return await this.#rpc.call(method, params, { ...options, token });
      } catch (error) {
        const isOver = isSessionOver(error) && token !== undefined;
        // Also where nothing is tried again: the next call must not bring the same token.
        if (isOver) this.#session.drop(token);
        if (attempt >= this.#attempts) throw error;
        if (isOver) continue;
        if (!(isSafe && isOutOfReach(error))) throw error;
        await pause(this.#retryDelayMs * 2 ** (attempt - 1), options.signal);
      }
    }
  }

  async info(options: CallOptions = {}): Promise<MethodResult<"chain.info">> {
    const info = await this.call("chain.info", {}, options);
    if (info.genesisDigest !== toHex(this.genesisDigest)) {
      throw clientError("CLIENT_GENESIS_MISMATCH", `${this.url} serves another chain`);
    }
    this.#height = { value: info.height, readAtMs: this.#nowMs() };
    return info;
  }

  status(options: CallOptions = {}): Promise<MethodResult<"node.status">> {
    return this.call("node.status", {}, options);
  }

  get validatorsLinks(): readonly ValidatorsLink[] {
    return this.#verifier.links;
  }

  proveHeader(claim: HeaderClaim): Promise<VerifiedHeader> {
    return this.#verifier.verifyHeader(claim);
  }

  async header(height: number, options: CallOptions = {}): Promise<VerifiedHeader> {
    const claim = await this.call("block.header", { height }, options);
    if (claim.height !== height) throw clientError("CLIENT_HEADER_ALTERED", "another height");
    return this.#verifier.verifyHeader(claim);
  }

  async block(
    height: number,
    options: CallOptions & { readonly transactions?: boolean } = {},
  ): Promise<VerifiedBlock> {
    const transactions = options.transactions ?? false;
    const answer = await this.call("block.get", { height, transactions }, options);
    if (answer.height !== height) throw clientError("CLIENT_HEADER_ALTERED", "another height");
    return verifyBlock(this.#verifier, answer);
  }

  async transaction(id: Digest, options: CallOptions = {}): Promise<VerifiedOutcome> {
    const outcome = await this.call("transaction.get", { id: toHex(id) }, options);
    return verifyOutcome(this.#verifier, id, outcome);
  }

  async getState(
    contract: string,
    key: Uint8Array,
    options: CallOptions & { readonly minHeight?: number } = {},
  ): Promise<VerifiedState> {
    const answer = await this.call("state.get", { contract, key: toHex(key) }, options);
    const state = await verifyState(this.#verifier, { contract, key }, answer);
    const { minHeight } = options;
    if (minHeight !== undefined && state.header.height < minHeight) {
      throw clientError("CLIENT_STALE", `the head is ${state.header.height}, not ${minHeight}`);
    }
    return state;
  }

  async getStates(
    places: Parameters<Client["getStates"]>[0],
    options: CallOptions = {},
  ): Promise<VerifiedStates> {
    const entries = places.map(({ contract, key }) => ({ contract, key: toHex(key) }));
    const answer = await this.call("state.getMany", { entries }, options);
    return verifyStates(this.#verifier, places, answer);
  }

  async queryContract(
    query: Parameters<Client["queryContract"]>[0],
    options: CallOptions = {},
  ): Promise<QueryAnswer> {
    const params = { ...query, args: toHex(query.args) };
    const answer = await this.call("contract.query", params, options);
    return { ...answer, returnValue: fromHex(answer.returnValue) };
  }

  build(call: Call): Promise<SignedCall> {
    if (this.#builder === undefined) {
      return Promise.reject(clientError("CLIENT_KEY_MISSING", "no key was given"));
    }
    return this.#builder.build(call);
  }

  /**
   * The same bytes may be sent again: a transaction takes effect once. So a lost answer is met by
   * sending again, and "known already" then means that the first attempt arrived.
   */
  async submit(
    signed: Pick<SignedCall, "id" | "bytes">,
    options: CallOptions = {},
  ): Promise<Digest> {
    const params = { transaction: toHex(signed.bytes) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.call("transaction.submit", params, options);
        break;
      } catch (error) {
        if (attempt > 1 && isKnownAlready(error)) break;
        if (attempt >= this.#attempts || !isOutOfReach(error)) throw error;
        await pause(this.#retryDelayMs * 2 ** (attempt - 1), options.signal);
      }
    }
    await this.#askReceipt(signed.bytes, options);
    return signed.id;
  }

  async keepReceipt(
    receipt: Uint8Array,
    content: Uint8Array,
    proven?: CommittedTransaction,
  ): Promise<void> {
    if (this.#onReceipt === undefined) return;
    const { statement } = verifyReceipt(this.genesisBytes, receipt);
    checkReceiptContent(statement, content);
    if (proven !== undefined) checkReceiptOutcome(statement, proven);
    await this.#onReceipt({ receipt, content });
  }

  async #askReceipt(
    transaction: Uint8Array,
    options: CallOptions,
    proven?: CommittedTransaction,
  ): Promise<void> {
    if (this.#onReceipt === undefined) return;
    const params = { transaction: toHex(transaction) };
    const { receipt } = await this.call("transaction.receipt", params, options);
    await this.keepReceipt(fromHex(receipt), transaction, proven);
  }

  async submitBatch(
    signed: readonly Pick<SignedCall, "id" | "bytes">[],
    options: CallOptions = {},
  ): Promise<readonly SubmitResult[]> {
    const transactions = signed.map((one) => toHex(one.bytes));
    const { results } = await this.call("transaction.submitBatch", { transactions }, options);
    if (results.length !== signed.length) {
      throw clientError("CLIENT_RESPONSE_MALFORMED", "one result is due per transaction");
    }
    return results.map((result, place) => {
      const id = signed[place]?.id;
      if (!("id" in result) || id === undefined) return { ok: false, ...readRefusal(result) };
      return { ok: true, id };
    });
  }

  async waitFor(id: Digest, options: WaitOptions = {}): Promise<CommittedTransaction> {
    const endMs = this.#nowMs() + (options.timeoutMs ?? 30_000);
    const hexId = toHex(id);
    for (;;) {
      const timeoutMs = Math.max(0, Math.min(WAIT_SLICE_MS, Math.ceil(endMs - this.#nowMs())));
      const answer = await this.call(
        "transaction.wait",
        { id: hexId, timeoutMs },
        { ...options, extraTimeoutMs: timeoutMs },
      );
      const outcome = await verifyOutcome(this.#verifier, id, answer);
      if (outcome.status === "committed") {
        const signed = encode(envelopeCodec, outcome.signed);
        await this.#askReceipt(signed, options, outcome);
        return outcome;
      }
      if (outcome.status === "expired") {
        throw clientError("CLIENT_TRANSACTION_EXPIRED", hexId, { transactionId: hexId });
      }
      if (this.#nowMs() >= endMs) {
        throw clientError("CLIENT_TRANSACTION_PENDING", hexId, { transactionId: hexId });
      }
    }
  }

  async submitAndWait(
    signed: Pick<SignedCall, "id" | "bytes">,
    options: WaitOptions = {},
  ): Promise<CommittedTransaction> {
    return this.waitFor(await this.submit(signed, options), options);
  }

  async execute(call: Call, options: WaitOptions = {}): Promise<CommittedTransaction> {
    return this.executeSigned((await this.build(call)).bytes, options);
  }

  async executeSigned(bytes: Uint8Array, options: WaitOptions = {}): Promise<CommittedTransaction> {
    const committed = await this.submitAndWait({ id: transactionId(bytes), bytes }, options);
    const { status } = committed.receipt;
    if (status !== SUCCESS) {
      const id = toHex(committed.id);
      const { contract, method } = committed.transaction;
      const where = `transaction ${id} in block ${committed.header.height}`;
      const text = `${contract}.${method}: ${status} (${where})`;
      throw clientError("CLIENT_TRANSACTION_FAILED", text, { status, transactionId: id });
    }
    return committed;
  }

  async #currentHeight(): Promise<number> {
    if (this.#nowMs() - this.#height.readAtMs > 1_000) await this.info();
    return this.#height.value;
  }
}

function readRefusal(result: object) {
  const code = "code" in result && typeof result.code === "string" ? result.code : "UNKNOWN";
  const remedy = "remedy" in result && typeof result.remedy === "string" ? result.remedy : "";
  const retryAfterMs =
    "retryAfterMs" in result && typeof result.retryAfterMs === "number"
      ? { retryAfterMs: result.retryAfterMs }
      : {};
  return { code, remedy, ...retryAfterMs };
}

function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  return error.code === "CLIENT_UNREACHABLE" || error.code === "CLIENT_TIMEOUT";
}

function isSessionOver(error: unknown): boolean {
  return error instanceof GatewayError && error.details.httpStatus === 401;
}

function isKnownAlready(error: unknown): boolean {
  if (!(error instanceof GatewayError)) return false;
  return error.code === "NODE_MEMPOOL_KNOWN" || error.code === "LEDGER_TRANSACTION_REPLAYED";
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
