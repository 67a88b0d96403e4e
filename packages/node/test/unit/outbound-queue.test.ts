import type { Stream } from "@libp2p/interface";
import { expect, test } from "vitest";
import { FrameDecoder } from "../../src/p2p/frames.ts";
import { OutboundQueue } from "../../src/p2p/outbound-queue.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** The part of a stream that the queue uses, with a gate where the peer would be slow. */
function createStreamDouble() {
  const frames = new FrameDecoder(1_000_000);
  const got: number[] = [];
  const state = { writes: 0, needsDrain: false, drained: (): void => undefined };
  const stream = {
    writeStatus: "writable",
    get writableNeedsDrain() {
      return state.needsDrain;
    },
    addEventListener: () => undefined,
    abort: () => undefined,
    onDrain: () => new Promise<void>((resolve) => (state.drained = resolve)),
    send(bytes: Uint8Array) {
      state.writes++;
      frames.push(bytes);
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        got.push(frame[0] ?? -1);
      }
      return true;
    },
  };
  return { stream: stream as unknown as Stream, got, state };
}

function open(limits = { maxMessages: 3, maxBytes: 100 }) {
  const double = createStreamDouble();
  const dropped: [number, string][] = [];
  let sent = 0;
  const queue = new OutboundQueue(async () => double.stream, limits, {
    onSent: (messages) => {
      sent += messages;
    },
    onDropped: (messages, reason) => dropped.push([messages, reason]),
  });
  return { ...double, queue, dropped, sent: () => sent };
}

test("what is sent in one turn travels in one write, in order", async () => {
  const { queue, got, state, sent } = open();
  for (const byte of [1, 2, 3]) queue.push(Uint8Array.of(byte));
  await turn();
  expect([got, state.writes, sent()]).toEqual([[1, 2, 3], 1, 3]);
});

test("over the limit of messages the oldest go", async () => {
  const { queue, got, dropped } = open();
  for (const byte of [1, 2, 3, 4, 5]) queue.push(Uint8Array.of(byte));
  await turn();
  expect(got).toEqual([3, 4, 5]);
  expect(dropped).toEqual([
    [1, "queue-full"],
    [1, "queue-full"],
  ]);
});

test("over the limit of bytes the oldest go, and the newest stays however large", async () => {
  const { queue, got, dropped } = open({ maxMessages: 10, maxBytes: 100 });
  queue.push(new Uint8Array(60).fill(1));
  queue.push(new Uint8Array(40).fill(2));
  expect(dropped).toEqual([]);
  queue.push(new Uint8Array(500).fill(3));
  await turn();
  expect(got).toEqual([3]);
  expect(dropped).toEqual([[2, "queue-full"]]);
});

test("a peer that reads slowly holds at most the queue, then gets the newest", async () => {
  const { queue, got, state } = open();
  state.needsDrain = true;
  for (let byte = 0; byte < 50; byte++) {
    queue.push(Uint8Array.of(byte));
    await turn();
  }
  expect(got).toEqual([]);
  expect(queue.length).toBe(3);
  state.needsDrain = false;
  state.drained();
  await turn();
  expect(got).toEqual([47, 48, 49]);
});

test("a closed queue drops and counts", async () => {
  const { queue, got, dropped } = open();
  queue.push(Uint8Array.of(1));
  queue.close();
  queue.push(Uint8Array.of(2));
  await turn();
  expect([got, dropped]).toEqual([
    [],
    [
      [1, "left"],
      [1, "left"],
    ],
  ]);
});
