import { SUCCESS } from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import {
  type BusinessMonth,
  batchesOf,
  type CredentialStep,
  generateBusinessMonth,
} from "../../../../examples/src/index.ts";
import { proposeArgsCodec, recordDigest, signArgsCodec } from "../../src/index.ts";
import { type TestCall, TestChain } from "./chain.ts";
import { createGenesis, DAY_MS, GENESIS_MS, keySource, memberKeyOf } from "./consortium.ts";

/** A step or a batch of them as one transaction with all its signatures. */
export function asWhole({
  sender,
  method,
  args,
  coSigners,
}: Pick<CredentialStep, "sender" | "args" | "coSigners"> & { readonly method: string }): TestCall {
  return { sender: sender ?? memberKeyOf("institution"), method, args, coSigners };
}

/** Steps that rest on earlier stages alone, stage by stage. */
export function stagesOf(month: BusinessMonth): readonly (readonly CredentialStep[])[] {
  const stages = [...new Set(month.steps.map(({ stage }) => stage))];
  return stages.map((stage) => month.steps.filter((step) => step.stage === stage));
}

async function open(chain: TestChain, month: BusinessMonth): Promise<void> {
  await chain.register(month.relationKeys.map(({ key, ...rest }) => ({ ...rest, ...key })));
}

/** A whole month, and a chain that knows its relation keys: what is measured is submitted there. */
export async function openMonth(
  seed: string,
): Promise<{ readonly chain: TestChain; readonly month: BusinessMonth }> {
  const month = generateBusinessMonth({
    seed,
    startMs: GENESIS_MS - 32 * DAY_MS,
    institutionAddress: memberKeyOf("institution").address,
    regulator: memberKeyOf("regulator"),
    createKey: keySource(seed),
  });
  const chain = await TestChain.open(await createGenesis());
  await open(chain, month);
  return { chain, month };
}

/** Submits a whole month, stage by stage; the code of every step that was refused. */
export async function submitMonth(
  chain: TestChain,
  month: BusinessMonth,
): Promise<readonly string[]> {
  await open(chain, month);
  const refused: string[] = [];
  for (const steps of stagesOf(month)) {
    const receipts = await chain.block(steps.map(asWhole));
    for (const [i, { status }] of receipts.entries()) {
      if (status !== SUCCESS) refused.push(`${steps[i]?.name}: ${status}`);
    }
  }
  return refused;
}

/**
 * The same month in the same blocks, what the same parties sign in one transaction. What was
 * refused, and how many transactions it took.
 */
export async function submitMonthInBatches(
  chain: TestChain,
  month: BusinessMonth,
): Promise<{ readonly refused: readonly string[]; readonly transactions: number }> {
  await open(chain, month);
  const refused: string[] = [];
  let transactions = 0;
  for (const steps of stagesOf(month)) {
    const receipts = await chain.block(batchesOf(steps).map(asWhole));
    transactions += receipts.length;
    for (const { status } of receipts) if (status !== SUCCESS) refused.push(status);
  }
  return { refused, transactions };
}

/**
 * The same month with every party on its own: the issuer proposes, and each co-signer signs in a
 * transaction that it sends itself. What was refused, and how many signed so.
 */
export async function coSignMonth(
  chain: TestChain,
  month: BusinessMonth,
): Promise<{ readonly refused: readonly string[]; readonly signatures: number }> {
  await open(chain, month);
  const refused: string[] = [];
  let signatures = 0;
  for (const steps of stagesOf(month)) {
    const untilMs = chain.ledger.head.header.timestampMs + DAY_MS;
    const first = steps.map((step) => proposalOf(step, untilMs) ?? asWhole(step));
    const second = steps.flatMap(signaturesOf);
    signatures += second.length;
    for (const calls of [first, second]) {
      for (const { status } of await chain.block(calls))
        if (status !== SUCCESS) refused.push(status);
    }
  }
  return { refused, signatures };
}

function proposalOf(step: CredentialStep, untilMs: number): TestCall | null {
  const { method, record, coSigners } = step;
  if (method !== "submit" || record === null || coSigners.length === 0) return null;
  const args = encode(proposeArgsCodec, { record, untilMs, correction: null });
  return { ...asWhole(step), coSigners: [], method: "propose", args };
}

function signaturesOf({ method, record, coSigners }: CredentialStep): readonly TestCall[] {
  if (method !== "submit" || record === null) return [];
  const args = encode(signArgsCodec, { id: record.id, digest: recordDigest(record) });
  return coSigners.map((sender) => ({ sender, method: "sign", args }));
}
