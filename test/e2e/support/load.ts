import {
  type Client,
  createTransactionBuilder,
  GatewayError,
  type Identity,
  registerRelationKeysCalls,
  type SignedCall,
} from "@credlink/client";
import { generateKeyPair } from "@credlink/crypto";
import { AppError, type Digest, toHex } from "@credlink/primitives";
import { eventually } from "./wait.ts";

const DAY_MS = 86_400_000;

/** A real, cheap call: an institution registers one fresh relation key. */
export function relationKeyCall() {
  const nowMs = Date.now();
  const [call] = registerRelationKeysCalls([
    {
      publicKey: generateKeyPair().publicKey,
      role: "individual",
      validFromMs: nowMs - DAY_MS,
      validToMs: nowMs + 30 * DAY_MS,
    },
  ]);
  if (call === undefined) throw new Error("one key makes one call");
  return call;
}

/** Builds and signs such calls of one member. */
export function createCalls(client: Client, sender: Identity, expiryHeight = 900) {
  const builder = createTransactionBuilder({
    chainId: client.genesis.chainId,
    genesisDigest: client.genesisDigest,
    sender,
    currentHeight: () => 0,
    gasLimit: 10_000_000,
  });
  return (): Promise<SignedCall> => builder.build({ ...relationKeyCall(), expiryHeight });
}

/** Submits calls over and over to several nodes, as long as it is let; remembers what was taken. */
export class Load {
  readonly accepted: Digest[] = [];
  #isOn = true;
  readonly #done: Promise<void>;

  constructor(clients: readonly Client[], next: () => Promise<SignedCall>, pauseMs = 15) {
    this.#done = this.#run(clients, next, pauseMs);
  }

  async #run(clients: readonly Client[], next: () => Promise<SignedCall>, pauseMs: number) {
    for (let turn = 0; this.#isOn; turn += 1) {
      const client = clients[turn % clients.length];
      try {
        const signed = await next();
        this.accepted.push((await client?.submit(signed)) ?? signed.id);
      } catch (error) {
        // A node that is down or full takes nothing: what it did not accept it does not owe.
        if (!(error instanceof AppError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#done;
  }

  /** Every accepted transaction stands in a block, by the word of `client`, with its proof. */
  async allCommitted(client: Client): Promise<void> {
    for (const id of this.accepted) {
      await eventually(
        `transaction ${toHex(id)} is committed`,
        async () => (await client.transaction(id)).status === "committed",
        20_000,
      );
    }
  }
}

/** The code with which a submission is refused. */
export async function refusalOf(client: Client, signed: SignedCall): Promise<string> {
  try {
    await client.submit(signed);
    return "ACCEPTED";
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}
