import { describe, expect, test } from "vitest";
import { createTestCluster } from "../../src/compliance.ts";
import { type RetransmissionTimes, retransmissionTimes } from "../../src/index.ts";
import { isOf } from "../scenarios/helpers.ts";

describe("retransmission", () => {
  test("goes by half the shortest timeout, between 100 and 500 ms", () => {
    const firstOf = (minTimeoutMs: number): number => retransmissionTimes(minTimeoutMs).firstMs;
    expect([1, 200, 201, 202, 500].map(firstOf)).toEqual([100, 100, 100, 101, 250]);
    expect([999, 1000, 1002, 86_400_000].map(firstOf)).toEqual([499, 500, 500, 500]);
    const usual: RetransmissionTimes = { firstMs: 250, repeatMs: 500, answerMs: 125, lateMs: 200 };
    expect(retransmissionTimes(500)).toEqual(usual);
  });

  test("what is sent again is never taken for what is merely late", () => {
    for (let minTimeoutMs = 1; minTimeoutMs < 2000; minTimeoutMs++) {
      const { firstMs, repeatMs, answerMs, lateMs } = retransmissionTimes(minTimeoutMs);
      expect(answerMs).toBeLessThan(lateMs);
      expect(lateMs).toBeLessThan(firstMs);
      expect(firstMs).toBeLessThanOrEqual(repeatMs);
    }
  });

  test("each vote comes again within 250 ms of its first copy, however late in the view that was", () => {
    const startMs = 1_700_000_000_000;
    /** Type -> when the primary sent it to node 0. */
    const sent = new Map<string, number[]>();
    const cluster = createTestCluster({
      n: 4,
      executeMs: 300,
      status: false,
      script: ({ from, to, message, nowMs }) => {
        if (from === 1 && to === 0 && message.type !== "decided" && message.view === 0) {
          const { type } = message;
          sent.set(type, [...(sent.get(type) ?? []), nowMs - startMs]);
        }
        return !isOf(message, "commit", 1, 0);
      },
    });
    cluster.start();
    cluster.submit("nobody hears that it is committed");
    cluster.run(1900);
    // The second copy of the pre-prepare stands before the first of the commit.
    expect((sent.get("pre-prepare") ?? [])[1]).toBeLessThan((sent.get("commit") ?? [])[0] ?? 0);
    for (const type of ["pre-prepare", "prepare", "commit"]) {
      const [first = 0, second = 0, third = 0, fourth = 0] = sent.get(type) ?? [];
      expect(second - first, type).toBeLessThanOrEqual(250);
      expect(third - second, type).toBeLessThanOrEqual(500);
      expect(fourth - third, type).toBe(500);
    }
  });
});
