import {
  BUILT_IN_VERSION,
  type EnrolmentOutcome,
  enrollIndividualsArgsCodec,
  enrolmentOutcomesCodec,
  type IndividualToEnroll,
  MAX_INDIVIDUALS,
  MEMBERS_CONTRACT,
} from "@credlink/ledger";
import { encode, toHex } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { ClientError, clientError, GatewayError } from "./errors.ts";
import { decodeClaim } from "./header-claims.ts";
import type { CommittedTransaction } from "./records.ts";
import type { Call } from "./transactions.ts";

/** Transactions of one enrolment that are under way at once. */
export const ENROLMENT_LANES = 8;
/** Most individuals of one `enrolIndividuals`: what the lanes carry. */
export const MAX_ENROLMENT_ROUND = ENROLMENT_LANES * MAX_INDIVIDUALS;

/** Gas of a call before its items, and of one individual, with room. */
const CALL_GAS = 1_000_000;
const INDIVIDUAL_GAS = 80_000;
/** How often a transaction is tried when the node is busy or the transaction expired. */
const ATTEMPTS = 20;
const BUSY_PAUSE_MS = 250;

/** The block's time must lie before the end. */
export interface Validity {
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What the chain made of one individual, and where that stands. */
export interface EnrolledIndividual {
  readonly outcome: EnrolmentOutcome;
  readonly transactionId: string;
  readonly height: number;
}

/** The call for 1 to `MAX_INDIVIDUALS` individuals; one that is sent again does no harm. */
export function enrollIndividualsCall(
  individuals: readonly IndividualToEnroll[],
  validity: Validity,
): Call {
  return {
    contract: MEMBERS_CONTRACT,
    version: BUILT_IN_VERSION,
    method: "enrollIndividuals",
    args: encode(enrollIndividualsArgsCodec, { individuals, ...validity }),
    gasLimit: CALL_GAS + individuals.length * INDIVIDUAL_GAS,
  };
}

/**
 * Enrols individuals, as an admin or an institution, in as many transactions as they need, side by
 * side; one answer each, in their order, proven. A node that is busy is asked again after the time
 * that it names. After a failure some may be on chain: the same call again finds them `present`.
 *
 * @param individuals at most `MAX_ENROLMENT_ROUND`.
 * @throws ClientError CLIENT_TRANSACTION_FAILED, …; GatewayError
 */
export async function enrolIndividuals(
  client: Client,
  individuals: readonly IndividualToEnroll[],
  validity: Validity,
): Promise<readonly EnrolledIndividual[]> {
  if (individuals.length > MAX_ENROLMENT_ROUND) {
    throw new RangeError(`at most ${MAX_ENROLMENT_ROUND} individuals`);
  }
  const batches: Promise<readonly EnrolledIndividual[]>[] = [];
  for (let at = 0; at < individuals.length; at += MAX_INDIVIDUALS) {
    batches.push(enrolBatch(client, individuals.slice(at, at + MAX_INDIVIDUALS), validity));
  }
  // All are awaited before one failure is told: none goes on behind the caller's back.
  const settled = await Promise.allSettled(batches);
  return settled.flatMap((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}

async function enrolBatch(
  client: Client,
  individuals: readonly IndividualToEnroll[],
  validity: Validity,
): Promise<readonly EnrolledIndividual[]> {
  const call = enrollIndividualsCall(individuals, validity);
  const { receipt, header, id } = await executePatiently(client, call);
  const transactionId = toHex(id);
  const outcomes = decodeClaim(enrolmentOutcomesCodec, receipt.returnValue, "outcomes");
  if (outcomes.length !== individuals.length) {
    throw clientError("CLIENT_RESPONSE_MALFORMED", "one outcome is due per individual");
  }
  return outcomes.map((outcome) => ({ outcome, transactionId, height: header.height }));
}

async function executePatiently(client: Client, call: Call): Promise<CommittedTransaction> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.execute(call);
    } catch (error) {
      const pauseMs = pauseAfter(error);
      if (pauseMs === null || attempt >= ATTEMPTS) throw error;
      await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** How long to wait before another attempt; null when that would not help. */
function pauseAfter(error: unknown): number | null {
  if (error instanceof GatewayError) return error.details.retryAfterMs ?? null;
  if (!(error instanceof ClientError)) return null;
  const { code } = error.details;
  const isPassing = code === "CLIENT_TRANSACTION_EXPIRED" || code === "CLIENT_TRANSACTION_PENDING";
  return isPassing ? BUSY_PAUSE_MS : null;
}
