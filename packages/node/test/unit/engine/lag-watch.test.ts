import {
  type Commit,
  createValidatorSet,
  type Message,
  type ReplicaStatus,
} from "@credlink/consensus-pbft";
import { digest, height, validatorIndex, view } from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { createLagWatch, PATIENCE_MS } from "../../../src/engine/lag-watch.ts";

const validators = createValidatorSet(
  Array.from({ length: 4 }, (_, index) => ({
    nodeId: `node-${index}`,
    publicKey: new Uint8Array(65).fill(index),
    peerId: `node-${index}`,
  })),
);

function commit(sender: number, atHeight = 7, type: "commit" | "prepare" = "commit"): Message {
  return {
    type,
    height: height(atHeight),
    view: view(0),
    digest: digest(new Uint8Array(32)),
    sender: validatorIndex(sender),
    signature: new Uint8Array(64),
  } satisfies Omit<Commit, "type"> & { type: string } as Message;
}

/** A watch over a replica that decides 7; `leave` lets it decide 8. */
function createWatched() {
  const clock = createSimulatedClock();
  const asked: number[] = [];
  let deciding = 7;
  let phase: ReplicaStatus["phase"] = "idle";
  const status: Omit<ReplicaStatus, "phase"> = {
    height: height(7),
    view: view(0),
    primary: validatorIndex(0),
    self: validatorIndex(3),
    abstaining: false,
    halted: false,
  };
  const watch = createLagWatch({
    clock,
    status: () => ({ ...status, phase, height: height(deciding) }),
    validatorsAt: () => validators,
    require: (at) => asked.push(at),
  });
  const wait = (ms: number) => clock.runUntil(clock.monotonicMs() + ms);
  const note = (sender: number, message: Message) => watch.note(`node-${sender}`, message);
  const commits = (senders: readonly number[], at = 7) => {
    for (const sender of senders) note(sender, commit(sender, at));
  };
  const prepare = (): void => {
    phase = "prepared";
  };
  return { note, commits, asked, wait, prepare, leave: () => deciding++ };
}

describe("a validator that others leave behind", () => {
  it("asks for the block that f + 1 committed, once its patience is over and not before", async () => {
    const { commits, asked, wait } = createWatched();
    commits([0, 1, 2]);
    await wait(PATIENCE_MS - 1);
    expect(asked).toEqual([]);
    await wait(1);
    expect(asked).toEqual([7]);
  });

  it("counts itself once it holds the block prepared, whichever vote came last", async () => {
    const late = createWatched();
    late.prepare();
    late.commits([0]);
    await late.wait(PATIENCE_MS);
    expect(late.asked).toEqual([7]);
    const early = createWatched();
    early.commits([0]);
    await early.wait(PATIENCE_MS);
    expect(early.asked).toEqual([]);
    early.prepare();
    early.note(0, commit(0, 7, "prepare"));
    await early.wait(PATIENCE_MS);
    expect(early.asked).toEqual([7]);
  });

  it("asks nobody for what it alone holds prepared", async () => {
    const { note, prepare, asked, wait } = createWatched();
    prepare();
    for (const sender of [0, 1]) note(sender, commit(sender, 7, "prepare"));
    await wait(10 * PATIENCE_MS);
    expect(asked).toEqual([]);
  });

  it("asks nobody for what f alone say, however often and far, nor for PREPAREs", async () => {
    const { note, commits, asked, wait } = createWatched();
    commits([2, 2, 2]);
    commits([2], 500);
    for (const sender of [0, 1]) note(sender, commit(sender, 7, "prepare"));
    await wait(10 * PATIENCE_MS);
    expect(asked).toEqual([]);
  });

  it("asks nobody when the height is decided in time, nor strangers", async () => {
    const { note, commits, asked, wait, leave } = createWatched();
    note(9, commit(0));
    note(8, commit(0));
    await wait(2 * PATIENCE_MS);
    commits([0, 1]);
    leave();
    await wait(2 * PATIENCE_MS);
    expect(asked).toEqual([]);
  });

  it("counts what came two heights early: COMMITs of it, PREPAREs of the one below", async () => {
    const { note, commits, asked, wait, leave } = createWatched();
    commits([0, 1], 9);
    await wait(PATIENCE_MS);
    expect(asked).toEqual([9]);
    leave();
    note(0, commit(0, 11, "prepare"));
    await wait(PATIENCE_MS);
    expect(asked).toEqual([9, 9]);
    note(1, commit(1, 11, "prepare"));
    await wait(PATIENCE_MS);
    expect(asked).toEqual([9, 9, 10]);
  });
});
