import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, test } from "vitest";
import { RateLimiter } from "../../src/engine/token-bucket.ts";
import { FailureLimiter } from "../../src/p2p/failure-limiter.ts";
import { addressKey } from "../../src/p2p/network-address.ts";
import { NonceMemory } from "../../src/p2p/nonce-memory.ts";
import { PendingHandshakes } from "../../src/p2p/pending-handshakes.ts";

describe("S-8.4-12: bans", () => {
  const limits = { maxFailures: 3, windowMs: 1_000, banMs: 500 };

  test("the last failure of the limit bans, and the ban ends", async () => {
    const clock = createSimulatedClock();
    const limiter = new FailureLimiter(limits, clock);
    expect([limiter.fail("a"), limiter.fail("a"), limiter.bannedForMs("a")]).toEqual([
      false,
      false,
      0,
    ]);
    expect(limiter.fail("a")).toBe(true);
    expect(limiter.bannedForMs("a")).toBe(500);
    expect(limiter.bannedForMs("b")).toBe(0);
    await clock.runUntil(clock.monotonicMs() + 499);
    expect(limiter.bannedForMs("a")).toBe(1);
    await clock.runUntil(clock.monotonicMs() + 1);
    expect(limiter.bannedForMs("a")).toBe(0);
    expect(limiter.fail("a")).toBe(false);
  });

  test("failures older than the window do not count", async () => {
    const clock = createSimulatedClock();
    const limiter = new FailureLimiter(limits, clock);
    limiter.fail("a");
    limiter.fail("a");
    await clock.runUntil(clock.monotonicMs() + 1_000);
    expect(limiter.fail("a")).toBe(false);
  });

  test("a ban at once is never shortened by a later one", () => {
    const limiter = new FailureLimiter(limits, createSimulatedClock());
    limiter.ban("a", 900);
    limiter.ban("a", 10);
    expect(limiter.bannedForMs("a")).toBe(900);
  });

  test("nor by the failures of handshakes that were under way when it began", () => {
    const limiter = new FailureLimiter(limits, createSimulatedClock());
    limiter.ban("a", 900);
    for (const _ of [1, 2, 3]) limiter.fail("a");
    expect(limiter.bannedForMs("a")).toBe(900);
  });

  test("a failure counts until the last millisecond of its window", async () => {
    const clock = createSimulatedClock();
    const limiter = new FailureLimiter(limits, clock);
    limiter.fail("a");
    limiter.fail("a");
    await clock.runUntil(clock.monotonicMs() + 999);
    expect(limiter.fail("a")).toBe(true);
  });
});

describe("S-8.4-12: handshakes under way", () => {
  test("so many and no more, of one address and of all; a place comes back once", () => {
    const pending = new PendingHandshakes({ total: 3, perAddress: 2 });
    const [first, second] = [pending.take("a"), pending.take("a")];
    expect([typeof first, typeof second, pending.take("a")]).toEqual([
      "function",
      "function",
      "perAddress",
    ]);
    expect(typeof pending.take("b")).toBe("function");
    expect([pending.take("c"), pending.size]).toEqual(["total", 3]);
    if (typeof first === "function") {
      first();
      first();
    }
    expect(pending.size).toBe(2);
    expect([typeof pending.take("c"), pending.take("d")]).toEqual(["function", "total"]);
  });

  test.each([
    ["/ip4/10.1.2.3/tcp/5", "10.1.2.3"],
    ["/ip6/2001:db8:1:2:3:4:5:6/tcp/5", "2001:db8:1:2::/64"],
    ["/ip6/2001:db8:1:2:ffff::/tcp/5", "2001:db8:1:2::/64"],
    ["/ip6/2001:db8::1/tcp/5", "2001:db8:0:0::/64"],
    ["/ip6/::1/tcp/5", "0:0:0:0::/64"],
    ["/ip6/::ffff:10.1.2.3/tcp/5", "10.1.2.3"],
    ["/ip6/::ffff:a01:203/tcp/5", "10.1.2.3"],
    ["/ip6zone/eth0/ip6/fe80::1/tcp/5", "fe80:0:0:0::/64"],
    ["/unix/x", "unknown"],
    ["", "unknown"],
  ])("%s counts under %s", (multiaddress, key) => {
    expect(addressKey(multiaddress)).toBe(key);
  });
});

test("a nonce is new once, and the oldest of too many is forgotten", () => {
  const memory = new NonceMemory(2);
  const nonce = (byte: number) => new Uint8Array(32).fill(byte);
  expect([1, 1, 2, 3, 3, 1].map((byte) => memory.admit(nonce(byte)))).toEqual([
    true,
    false,
    true,
    true,
    false,
    true,
  ]);
});

describe("token buckets", () => {
  test("a burst passes, then the rate, and the wait is said", async () => {
    const clock = createSimulatedClock();
    const limiter = new RateLimiter({ perSecond: 10, burst: 3 }, clock);
    expect([1, 2, 3, 4].map(() => limiter.take("a"))).toEqual([0, 0, 0, 100]);
    expect(limiter.take("b")).toBe(0);
    await clock.runUntil(clock.monotonicMs() + 99);
    expect(limiter.take("a")).toBeGreaterThan(0);
    await clock.runUntil(clock.monotonicMs() + 1);
    expect(limiter.take("a")).toBe(0);
    expect(limiter.take("a")).toBeGreaterThan(0);
  });

  test("an idle key never holds more than its burst", async () => {
    const clock = createSimulatedClock();
    const limiter = new RateLimiter({ perSecond: 10, burst: 2 }, clock);
    await clock.runUntil(clock.monotonicMs() + 60_000);
    expect([1, 2, 3].map(() => limiter.take("a") === 0)).toEqual([true, true, false]);
  });
});
