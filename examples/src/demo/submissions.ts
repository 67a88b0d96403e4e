import {
  type Client,
  type CommittedTransaction,
  createClient,
  createIdentity,
  GatewayError,
} from "@credlink/client";
import {
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  type CredentialFamily,
  type CredentialType,
  credentialFamilies,
  familyOf,
} from "@credlink/contracts";
import { createSm2Signer } from "@credlink/crypto";
import { SUCCESS } from "@credlink/ledger";
import type { CredentialStep, ExampleKey } from "../step.ts";

/** What came of one credential. */
export interface Outcome {
  readonly name: string;
  readonly type: CredentialType;
  /** `SUCCESS`, the contract's refusal, or the gateway's. */
  readonly status: string;
  /** From submission to the proven receipt; null when the gateway refused. */
  readonly latencyMs: number | null;
  readonly committed: CommittedTransaction | null;
}

/** What a submission needs of a step. */
export type Submission = Pick<CredentialStep, "name" | "type" | "method" | "args"> & {
  readonly coSigners: readonly ExampleKey[];
};

/** Submissions under way at once: enough to fill blocks, few enough to keep latency honest. */
const PARALLEL = 48;

/** The identity of a key that signs. */
export function identityOf(key: ExampleKey) {
  return createIdentity(createSm2Signer(key.privateKey), key.address);
}

/** Submits one credential and waits for its proven receipt. */
export async function submitStep(client: Client, step: Submission): Promise<Outcome> {
  const { name, type } = step;
  const signed = await client.build({
    contract: CREDENTIAL_CONTRACT,
    version: CREDENTIAL_CONTRACT_VERSION,
    method: step.method,
    args: step.args,
    coSigners: step.coSigners.map(identityOf),
  });
  const startedMs = performance.now();
  try {
    const committed = await client.submitAndWait(signed);
    const latencyMs = performance.now() - startedMs;
    return { name, type, status: committed.receipt.status, latencyMs, committed };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { name, type, status: error.code, latencyMs: null, committed: null };
  }
}

/** The client by which a step is sent: the institution's, or one of the sender at that node. */
export function clientOf(client: Client, sender: ExampleKey | null, genesis: Uint8Array): Client {
  if (sender === null) return client;
  return createClient({ url: client.url, genesis, identity: identityOf(sender) });
}

/** Runs `work` over the items, a bounded number at a time, and keeps their order. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  async function lane(): Promise<void> {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await work(item, at);
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return results;
}

/** Submits steps stage by stage, those of one stage side by side and spread over the nodes. */
export async function submitSteps(
  clients: readonly Client[],
  steps: readonly CredentialStep[],
  genesis: Uint8Array,
  onStage: (stage: number, stages: number, done: number) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const stages = [...new Set(steps.map((step) => step.stage))].sort((a, b) => a - b);
  for (const [index, stage] of stages.entries()) {
    const here = steps.filter((step) => step.stage === stage);
    outcomes.push(
      ...(await inParallel(here, (step, at) =>
        submitStep(clientOf(pick(clients, at), step.sender, genesis), step),
      )),
    );
    onStage(index + 1, stages.length, outcomes.length);
  }
  return outcomes;
}

function pick(clients: readonly Client[], at: number): Client {
  const client = clients[at % clients.length];
  if (client === undefined) throw new Error("there are clients");
  return client;
}

/** Accepted and refused credentials of one family. */
export interface FamilyRow {
  readonly family: CredentialFamily;
  readonly accepted: number;
  /** Code -> how often. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Counts outcomes per family, in the families' own order. */
export function countFamilies(outcomes: readonly Outcome[]): readonly FamilyRow[] {
  return credentialFamilies.map((family) => {
    const own = outcomes.filter((outcome) => familyOf(outcome.type) === family);
    const refused = new Map<string, number>();
    for (const { status } of own) {
      if (status !== SUCCESS) refused.set(status, (refused.get(status) ?? 0) + 1);
    }
    const accepted = own.filter((outcome) => outcome.status === SUCCESS).length;
    return { family, accepted, refused };
  });
}
