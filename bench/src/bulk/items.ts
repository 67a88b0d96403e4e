import { type Call, registerRelationKeysCalls } from "@credlink/client";
import { CREDENTIAL_CONTRACT, credentialKey } from "@credlink/contracts";
import {
  batchesOf,
  type RelationKeyToRegister,
  type StepBatch,
  type WorkerBusiness,
} from "@credlink/examples";
import { MEMBERS_CONTRACT, memberKey } from "@credlink/ledger";
import { callOf, registrationOf } from "../setup.ts";
import { type LoadPlan, type LoadSender, senderOf, workersOf } from "./plan.ts";

/** A place in the state that holds something exactly when a transaction of the load took effect. */
export interface Place {
  readonly contract: string;
  readonly key: Uint8Array;
}

/** One transaction of the load before it is signed. */
export interface Item {
  /** All items of lower stages of the chunk must be committed before. */
  readonly stage: number;
  readonly place: Place;
  /** How many credentials it puts on chain; 0: it registers the keys of some. */
  readonly records: number;
  readonly call: Call;
}

/** What tells whether relation keys are registered: they stand or fall with the first. */
function placeOfKeys(keys: readonly RelationKeyToRegister[]): Place {
  const [first] = keys;
  if (first === undefined) throw new Error("there are relation keys");
  return { contract: MEMBERS_CONTRACT, key: memberKey(first.key.address) };
}

/** The registration of keys at stage 0, and after it the steps: what the same parties sign in one. */
export function itemsOf(business: Pick<WorkerBusiness, "relationKeys" | "steps">): readonly Item[] {
  const registrations = registerRelationKeysCalls(registrationOf(business.relationKeys));
  const [call] = registrations;
  if (call === undefined || registrations.length > 1) throw new Error("keys of one call");
  const stages = [...new Set(business.steps.map(({ stage }) => stage))].sort((a, b) => a - b);
  return [
    { stage: 0, place: placeOfKeys(business.relationKeys), records: 0, call },
    ...stages.flatMap((stage) =>
      batchesOf(business.steps.filter((step) => step.stage === stage)).map((batch) => ({
        stage: 1 + stage,
        place: placeOfBatch(batch),
        records: batch.steps.length,
        call: callOf(batch),
      })),
    ),
  ];
}

/** All of a batch is on chain, or none: its first credential tells. */
function placeOfBatch({ steps: [first] }: StepBatch): Place {
  if (first === undefined) throw new Error("a batch has steps");
  return { contract: CREDENTIAL_CONTRACT, key: credentialKey(first.id) };
}

/** All transactions of a chunk. */
export function itemsOfChunk(
  senders: readonly LoadSender[],
  chunk: number,
  workers: number,
): readonly Item[] {
  const { stream } = senderOf(senders, chunk);
  return workersOf(chunk, workers).flatMap((number) => itemsOf(stream.worker(number)));
}

/** The place that a chunk fills first of all. */
export function firstPlace(senders: readonly LoadSender[], chunk: number): Place {
  const [number = 0] = workersOf(chunk, Number.POSITIVE_INFINITY);
  return placeOfKeys(senderOf(senders, chunk).stream.worker(number).relationKeys);
}

/** What a signing thread needs of a plan. */
export type SigningPlan = Pick<LoadPlan, "seed" | "startMs" | "senders" | "indexKey">;
