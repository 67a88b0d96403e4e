import type { Codec } from "@credlink/primitives";
import type { Client, WaitOptions } from "./client.ts";
import { decodeClaim } from "./header-claims.ts";
import type { CommittedTransaction } from "./records.ts";
import type { Call } from "./transactions.ts";

/** A call that succeeded: what it returned, and the transaction and receipt that prove it. */
export interface Executed<T> {
  readonly result: T;
  readonly committed: CommittedTransaction;
}

/**
 * Executes a call and reads what it returned.
 * @throws ClientError CLIENT_TRANSACTION_FAILED, …
 */
export async function executeFor<T>(
  client: Client,
  call: Call,
  codec: Codec<T>,
  options?: WaitOptions,
): Promise<Executed<T>> {
  const committed = await client.execute(call, options);
  return { result: decodeClaim(codec, committed.receipt.returnValue, "answer"), committed };
}
