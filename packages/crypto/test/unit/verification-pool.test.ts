import { Worker } from "node:worker_threads";
import type { MetricDefinition, MetricLabels, Metrics } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  createVerificationPool,
  generateKeyPair,
  sm2Sign,
  type VerificationRequest,
} from "../../src/index.ts";
import { thrownCode } from "../support/doors.ts";

const pairs = Array.from({ length: 4 }, generateKeyPair);

/** `count` requests of which every third is bad, in one of several ways. */
function requestsOf(count: number): { requests: VerificationRequest[]; expected: boolean[] } {
  const requests: VerificationRequest[] = [];
  const expected: boolean[] = [];
  for (let i = 0; i < count; i++) {
    const { privateKey, publicKey } = pairs[i % 4] ?? generateKeyPair();
    const message = new Uint8Array(i % 50).fill(i);
    const good = { publicKey, message, signature: sm2Sign(privateKey, message) };
    const bad = [
      { ...good, message: Uint8Array.of(...message, 1) },
      { ...good, signature: good.signature.subarray(1) },
      { ...good, publicKey: new Uint8Array(3) },
      { ...good, signature: new Uint8Array(64) },
    ][i % 4];
    const isBad = i % 3 === 0;
    requests.push(isBad && bad !== undefined ? bad : good);
    expected.push(!isBad);
  }
  return { requests, expected };
}

/** Counts by metric name and labels. */
function createCounts(): { metrics: Metrics; counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const add =
    ({ name }: MetricDefinition) =>
    (amount = 1, labels: MetricLabels = {}) => {
      const key = [name, ...Object.values(labels)].join(" ");
      counts.set(key, (counts.get(key) ?? 0) + amount);
    };
  const metrics: Metrics = {
    counter: (definition) => ({ add: add(definition) }),
    gauge: ({ name }) => ({ set: (value) => counts.set(name, value) }),
    histogram: (definition) => ({ observe: () => add(definition)(1) }),
  };
  return { metrics, counts };
}

const WORKER = new URL("../../src/node/verification-worker.ts", import.meta.url);

describe.each([0, 1, 2])("a pool of %i threads", (threads) => {
  test("keeps the order, counts, and answers many callers at once", async () => {
    const { metrics, counts } = createCounts();
    const pool = createVerificationPool({ threads, metrics });
    const { requests, expected } = requestsOf(150);
    const whole = pool.verify(requests);
    const single = Promise.all(requests.slice(0, 30).map((each) => pool.verify([each])));
    expect(pool.queuedSignatures).toBe(180);
    expect(await whole).toEqual(expected);
    expect((await single).flat()).toEqual(expected.slice(0, 30));
    expect(await pool.verify([])).toEqual([]);
    expect(pool.queuedSignatures).toBe(0);
    expect(counts.get("credlink_crypto_verified_signatures_total good")).toBe(120);
    expect(counts.get("credlink_crypto_verified_signatures_total bad")).toBe(60);
    expect(counts.get("credlink_crypto_queued_signatures")).toBe(0);
    await pool.close();
    expect(await thrownCode(() => pool.verify(requests))).toBe("CRYPTO_POOL_CLOSED");
  });

  test("refuses a call that would pass the limit, and nothing else", async () => {
    const { metrics, counts } = createCounts();
    const pool = createVerificationPool({ threads, maxQueuedSignatures: 50, metrics });
    const { requests, expected } = requestsOf(51);
    expect(await thrownCode(() => pool.verify(requests))).toBe("CRYPTO_POOL_FULL");
    const first = pool.verify(requests.slice(0, 40));
    expect(await thrownCode(() => pool.verify(requests.slice(0, 11)))).toBe("CRYPTO_POOL_FULL");
    const second = pool.verify(requests.slice(40, 50));
    expect([...(await first), ...(await second)]).toEqual(expected.slice(0, 50));
    expect(counts.get("credlink_crypto_refused_signatures_total")).toBe(62);
    expect((await pool.verify(requests.slice(0, 50))).length).toBe(50);
    await pool.close();
  });

  test("answers urgent calls before what waits, under a limit of their own", async () => {
    // More than all threads take at once, so that some of it waits.
    const pool = createVerificationPool({ threads, maxQueuedSignatures: 600 });
    const { requests, expected } = requestsOf(600);
    const order: string[] = [];
    const flood = pool.verify(requests).then((answers) => {
      order.push("flood");
      return answers;
    });
    expect(await thrownCode(() => pool.verify(requests.slice(0, 1)))).toBe("CRYPTO_POOL_FULL");
    const votes = pool.verify(requests.slice(0, 40), { urgent: true }).then((answers) => {
      order.push("votes");
      return answers;
    });
    expect(pool.queuedSignatures).toBe(640);
    expect(await thrownCode(() => pool.verify(requests.slice(0, 561), { urgent: true }))).toBe(
      "CRYPTO_POOL_FULL",
    );
    expect(await votes).toEqual(expected.slice(0, 40));
    expect(await flood).toEqual(expected);
    expect(order).toEqual(["votes", "flood"]);
    expect(pool.queuedSignatures).toBe(0);
    await pool.close();
  });

  test("rejects what waits when it is closed", async () => {
    const pool = createVerificationPool({ threads });
    const waiting = thrownCode(() => pool.verify(requestsOf(100).requests));
    await pool.close();
    expect(await waiting).toBe("CRYPTO_POOL_CLOSED");
    expect(pool.queuedSignatures).toBe(0);
  });
});

describe("a thread that dies", () => {
  test("is replaced, and its batch verified by the next", async () => {
    const { metrics, counts } = createCounts();
    const workers: Worker[] = [];
    const createWorker = (): Worker => {
      const worker = new Worker(WORKER);
      workers.push(worker);
      return worker;
    };
    const pool = createVerificationPool({ threads: 2, metrics }, { createWorker });
    const { requests, expected } = requestsOf(300);
    const answer = pool.verify(requests);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(await answer).toEqual(expected);
    expect(workers.length).toBe(4);
    expect(counts.get("credlink_crypto_worker_failures_total")).toBe(2);
    expect(counts.get("credlink_crypto_verified_signatures_total bad")).toBe(100);
    await workers.at(-1)?.terminate();
    expect(await pool.verify(requests.slice(0, 9))).toEqual(expected.slice(0, 9));
    await pool.close();
  });

  test("again and again fails the batch, not the process", async () => {
    let started = 0;
    const createWorker = (): Worker => {
      started++;
      return new Worker("process.exit(1)", { eval: true });
    };
    const pool = createVerificationPool({ threads: 1 }, { createWorker });
    const code = await thrownCode(() => pool.verify(requestsOf(5).requests));
    expect(code).toBe("CRYPTO_POOL_WORKER_FAILED");
    expect(started).toBe(3);
    expect(pool.queuedSignatures).toBe(0);
    await pool.close();
  });
});
