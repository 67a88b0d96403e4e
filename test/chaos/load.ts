import { setTimeout as delay } from "node:timers/promises";
import {
  type Client,
  createIdentity,
  createTransactionBuilder,
  type SignedCall,
  type TransactionBuilder,
} from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  submitArgsCodec,
} from "@credlink/contracts";
import { createSm2Signer } from "@credlink/crypto";
import { EXPIRY_WINDOW } from "@credlink/ledger";
import { AppError, address, encode, toHex } from "@credlink/primitives";
import { makeLoadRecord } from "../../bench/src/records.ts";
import type { Sender } from "../../bench/src/setup.ts";
import type { Session } from "./session.ts";

/** A transaction that a gateway took. */
export interface Accepted {
  readonly signed: SignedCall;
  readonly node: string;
  readonly acceptedMs: number;
}

/** Submissions that wait for their answers at once: a halted node does not stop the load. */
const MAX_UNDER_WAY = 64;
const GAS_LIMIT = 1_000_000;
/** Below the window that the chain allows: our idea of its height may be a little old. */
const EXPIRY_AHEAD = EXPIRY_WINDOW - 100;

/** Submits credentials to all nodes in turn, whatever state they are in, and remembers what was taken. */
export class ChaosLoad {
  readonly accepted = new Map<string, Accepted>();
  /** Code -> how often. */
  readonly refusals = new Map<string, number>();
  submitted = 0;
  readonly #clients: readonly (readonly [string, Client])[];
  readonly #sender: Sender;
  readonly #builder: TransactionBuilder;
  readonly #height: () => number;
  readonly #underWay = new Set<Promise<void>>();
  #isOn = true;
  readonly #done: Promise<void>;

  constructor(options: {
    readonly clients: ReadonlyMap<string, Client>;
    readonly sender: Sender;
    /** Transactions a second. */
    readonly rate: number;
    /** The chain's height, roughly. */
    readonly height: () => number;
  }) {
    this.#clients = [...options.clients];
    this.#sender = options.sender;
    this.#height = options.height;
    const [first] = this.#clients;
    if (first === undefined) throw new Error("the network has nodes");
    const [, client] = first;
    this.#builder = createTransactionBuilder({
      chainId: client.genesis.chainId,
      genesisDigest: client.genesisDigest,
      sender: createIdentity(
        createSm2Signer(options.sender.privateKey),
        address(options.sender.address),
      ),
      currentHeight: options.height,
      gasLimit: GAS_LIMIT,
    });
    this.#done = this.#run(1000 / options.rate);
  }

  /** Submits nothing more; resolves when all is answered. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#done;
    await Promise.all(this.#underWay);
  }

  async #run(pauseMs: number): Promise<void> {
    for (let number = 0; this.#isOn; number += 1) {
      const signed = await this.#build(number);
      const turn = this.#clients[number % this.#clients.length];
      if (turn !== undefined && this.#underWay.size < MAX_UNDER_WAY) {
        const work = this.#submit(signed, ...turn).finally(() => this.#underWay.delete(work));
        this.#underWay.add(work);
      }
      await delay(pauseMs);
    }
  }

  #build(number: number): Promise<SignedCall> {
    return this.#builder.build({
      contract: CREDENTIAL_CONTRACT,
      version: CREDENTIAL_CONTRACT_VERSION,
      method: "submit",
      args: encode(
        submitArgsCodec,
        makeLoadRecord("bill.insurance", this.#sender, number, Date.now()),
      ),
      expiryHeight: this.#height() + EXPIRY_AHEAD,
    });
  }

  async #submit(signed: SignedCall, node: string, client: Client): Promise<void> {
    this.submitted += 1;
    try {
      await client.submit(signed);
      this.accepted.set(toHex(signed.id), { signed, node, acceptedMs: performance.now() });
    } catch (error) {
      // What a node did not answer for it does not owe.
      if (!(error instanceof AppError)) throw error;
      this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1);
    }
  }
}

/** Submits to a session's network while `work` is under way, and ends the load whatever becomes of it. */
export async function underLoad<T>(
  { record, watch, sender }: Session,
  rate: number,
  work: (load: ChaosLoad) => Promise<T>,
): Promise<T> {
  const height = (): number => record.height;
  const load = new ChaosLoad({ clients: watch.clients, sender, rate, height });
  try {
    return await work(load);
  } finally {
    await load.stop();
  }
}
