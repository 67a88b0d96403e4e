import type { Message } from "@credlink/consensus-pbft";
import { digest, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  createStatementMemory,
  MAX_STATEMENTS_PER_SENDER,
} from "../../../src/engine/seen-statements.ts";

const fill = (byte: number) => digest(new Uint8Array(32).fill(byte));

function vote(at: number, inView: number, sender: number, of = 1): Message {
  const signature = new Uint8Array(64);
  const place = { height: height(at), view: view(inView), sender: validatorIndex(sender) };
  return { type: "prepare", ...place, digest: fill(of), signature };
}

describe("S-9.2-7: memory of what was signed", () => {
  it("keeps a vote once however often it is sent, and both of two that contradict", () => {
    const memory = createStatementMemory();
    memory.note(vote(1, 0, 2));
    memory.note({ ...vote(1, 0, 2), signature: new Uint8Array(64).fill(9) } as Message);
    memory.note(vote(1, 0, 2, 7));
    const { statements, dropped } = memory.take(height(1));
    expect(statements.map((each) => each.type === "prepare" && each.digest[0])).toEqual([1, 7]);
    expect(dropped).toBe(0);
  });

  it("keeps the latest views of a sender at its bound, and counts the rest", () => {
    const memory = createStatementMemory();
    for (let at = 0; at < MAX_STATEMENTS_PER_SENDER; at++) memory.note(vote(1, at, 0));
    memory.note(vote(1, 0, 1));
    memory.note(vote(1, MAX_STATEMENTS_PER_SENDER, 0));
    const { statements, dropped } = memory.take(height(1));
    const views = statements.filter(({ sender }) => sender === 0).map((each) => each.view);
    expect(views).toEqual(Array.from({ length: MAX_STATEMENTS_PER_SENDER }, (_, at) => at + 1));
    expect(statements.filter(({ sender }) => sender === 1)).toHaveLength(1);
    expect(dropped).toBe(1);
  });

  it("forgets what is decided and takes nothing from below it or far above it", () => {
    const memory = createStatementMemory();
    memory.note(vote(4, 0, 0));
    memory.note(vote(5, 0, 0));
    memory.take(height(4));
    memory.note(vote(4, 0, 1));
    memory.note(vote(7, 0, 1));
    memory.note(vote(8, 0, 1));
    expect(memory.take(height(5)).statements).toHaveLength(1);
    expect(memory.take(height(7)).statements).toHaveLength(1);
    expect(memory.take(height(8)).statements).toHaveLength(0);
  });
});
