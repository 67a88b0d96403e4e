import type { MethodResult, Params } from "@credlink/api";
import { merkleProofCodec, receiptCodec } from "@credlink/ledger";
import { type Digest, digest, encode, fromHex, toHex } from "@credlink/primitives";
import type { TransactionOutcome } from "../engine/types.ts";
import type { GatewayComponents } from "./context.ts";
import { showHeader } from "./encodings.ts";
import { CallError, refuseCall } from "./errors.ts";

type Components = Pick<GatewayComponents, "engine" | "ledger" | "remedyOf">;
type Outcome = MethodResult<"transaction.get">;

/** How long a client that found the gateway full should stay away, milliseconds. */
const BUSY_RETRY_MS = 500;

/** `transaction.submit` */
export async function submit(
  { engine }: Components,
  params: Params<"transaction.submit">,
): Promise<MethodResult<"transaction.submit">> {
  const taken = await engine.submit(fromHex(params.transaction));
  if (taken.ok) return { id: toHex(taken.value.id) };
  const retryAfterMs = "retryAfterMs" in taken ? taken.retryAfterMs : undefined;
  throw new CallError(taken.code, taken.detail ?? taken.code, retryAfterMs);
}

/** `transaction.submitBatch`: all are judged together, so that signatures are checked in bulk. */
export async function submitBatch(
  { engine, remedyOf }: Components,
  params: Params<"transaction.submitBatch">,
): Promise<MethodResult<"transaction.submitBatch">> {
  const outcomes = await Promise.all(
    params.transactions.map((transaction) => engine.submit(fromHex(transaction))),
  );
  const results = outcomes.map((taken) => {
    if (taken.ok) return { id: toHex(taken.value.id) };
    const retryAfterMs = "retryAfterMs" in taken ? taken.retryAfterMs : undefined;
    const refusal = { code: taken.code, remedy: remedyOf(taken.code) };
    return retryAfterMs === undefined ? refusal : { ...refusal, retryAfterMs };
  });
  return { results };
}

async function showOutcome(
  { ledger }: Components,
  id: Digest,
  outcome: TransactionOutcome,
): Promise<Outcome> {
  if (outcome.status !== "committed") return { status: outcome.status };
  const [record, transactionProof, receiptProof] = await Promise.all([
    ledger.transaction(id),
    ledger.transactionProof(id),
    ledger.receiptProof(id),
  ]);
  if (record === null || transactionProof === null || receiptProof === null) {
    throw refuseCall("API_INTERNAL", "a committed transaction has no record");
  }
  return {
    status: "committed",
    height: record.height,
    index: record.index,
    transaction: toHex(record.transaction),
    receipt: toHex(encode(receiptCodec, record.receipt)),
    transactionProof: toHex(encode(merkleProofCodec, transactionProof)),
    receiptProof: toHex(encode(merkleProofCodec, receiptProof)),
    header: showHeader(record.header, record.digest, record.certificate),
  };
}

/** `transaction.get` */
export async function getTransaction(
  components: Components,
  params: Params<"transaction.get">,
): Promise<Outcome> {
  const id = digest(fromHex(params.id));
  return showOutcome(components, id, await components.engine.outcome(id));
}

/**
 * `transaction.wait`, with a bound on how many wait at once. When the gateway closes all are
 * answered with what is known then.
 */
export function createWait(
  components: Components,
  maxWaiters: () => number,
  closing: Promise<void>,
): (params: Params<"transaction.wait">) => Promise<Outcome> {
  let waiting = 0;
  return async (params) => {
    if (waiting >= maxWaiters()) throw refuseCall("API_BUSY", undefined, BUSY_RETRY_MS);
    const id = digest(fromHex(params.id));
    waiting++;
    try {
      const outcome = await Promise.race([
        components.engine.waitFor(id, params.timeoutMs),
        closing.then(() => components.engine.outcome(id)),
      ]);
      return await showOutcome(components, id, outcome);
    } finally {
      waiting--;
    }
  };
}
