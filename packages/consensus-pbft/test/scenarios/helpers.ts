import { expect } from "vitest";
import type { TestCluster, TestNode } from "../../src/compliance.ts";
import type { Effect, Input, VoteRecord } from "../../src/effects.ts";
import type { Message } from "../../src/messages.ts";
import { createReplica } from "../../src/replica.ts";

/** Submits one transaction after another and waits until all live nodes have its block. */
export function expectProgress(cluster: TestCluster, blocks: number, limitMs: number): void {
  for (let block = 1; block <= blocks; block++) {
    const target = cluster.lowestHead() + 1;
    cluster.submit(`progress ${target} ${cluster.nowMs}`);
    expect(cluster.runUntil(() => cluster.lowestHead() >= target, limitMs)).toBe(true);
  }
  expect(cluster.checks.violations).toEqual([]);
}

export function isOf(
  message: Message,
  type: Message["type"],
  atHeight: number,
  atView: number,
): boolean {
  return (
    message.type === type &&
    message.type !== "decided" &&
    message.height === atHeight &&
    message.view === atView
  );
}

/** One input with the time it was handled at. */
export interface TimedInput {
  readonly input: Input;
  readonly nowMs: number;
}

/** Inputs that a traced node has handled since its start. */
export function inputsOf(node: TestNode): readonly TimedInput[] {
  return node.trace.flatMap(({ input, nowMs }) => (input === "start" ? [] : [{ input, nowMs }]));
}

/** Runs the same inputs through a new replica of that node. */
export function replay(
  node: TestNode,
  inputs: readonly TimedInput[],
  records: readonly VoteRecord[] = [],
): readonly (readonly Effect[])[] {
  const { startedWith, options, trace } = node;
  if (startedWith === null) throw new Error("the node never started");
  const replica = createReplica(options, { ...startedWith, records });
  const all: (readonly Effect[])[] = [replica.start(trace[0]?.nowMs ?? 0)];
  for (const { input, nowMs } of inputs) all.push(replica.step(input, nowMs));
  return all;
}

/** Signed votes among effects. */
export function votesIn(effects: readonly Effect[]) {
  return effects.flatMap((effect) => {
    if (effect.type !== "broadcast") return [];
    const { message } = effect;
    return message.type === "wish" || message.type === "decided" ? [] : [message];
  });
}
