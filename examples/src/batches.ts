import { MAX_SUBMISSIONS, submitAllArgsCodec } from "@credlink/contracts";
import { encode, toHex } from "@credlink/primitives";
import type { CredentialStep, ExampleKey } from "./step.ts";

/** Submissions that one transaction of `submitAll` carries, or one step that stands alone. */
export interface StepBatch {
  readonly steps: readonly CredentialStep[];
  readonly sender: ExampleKey | null;
  readonly coSigners: readonly ExampleKey[];
  readonly method: CredentialStep["method"] | "submitAll";
  readonly args: Uint8Array;
}

/** Steps of one stage as few transactions: together what the same parties sign. */
export function batchesOf(steps: readonly CredentialStep[]): readonly StepBatch[] {
  const groups = new Map<string, CredentialStep[]>();
  for (const step of steps) {
    const key = step.method === "submit" ? partiesOf(step) : toHex(step.id);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(step);
  }
  return [...groups.values()].flatMap(cut).map(batchOf);
}

function partiesOf({ sender, coSigners }: CredentialStep): string {
  const signers = coSigners.map(({ address }) => toHex(address)).sort();
  return [sender === null ? "institution" : toHex(sender.address), ...signers].join();
}

function cut(group: readonly CredentialStep[]): readonly (readonly CredentialStep[])[] {
  const count = Math.ceil(group.length / MAX_SUBMISSIONS);
  return Array.from({ length: count }, (_, i) =>
    group.slice(i * MAX_SUBMISSIONS, (i + 1) * MAX_SUBMISSIONS),
  );
}

function batchOf(steps: readonly CredentialStep[]): StepBatch {
  const [first] = steps;
  if (first === undefined) throw new Error("a batch has steps");
  const { sender, coSigners, method, args } = first;
  const records = steps.flatMap(({ record }) => record ?? []);
  if (steps.length === 1 || records.length !== steps.length) {
    return { steps, sender, coSigners, method, args };
  }
  const all = encode(submitAllArgsCodec, { records });
  return { steps, sender, coSigners, method: "submitAll", args: all };
}
