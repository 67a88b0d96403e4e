import { describe, expect, it } from "vitest";
import { createSeededRandom, createSimulatedClock } from "../../src/index.ts";

describe("simulated clock", () => {
  it("runs events by time, and equal times in the order they were scheduled", async () => {
    const clock = createSimulatedClock();
    const seen: string[] = [];
    clock.schedule(5, () => seen.push("five"));
    clock.schedule(1, () => seen.push("one, first"));
    clock.schedule(1, () => seen.push("one, second"));
    const cancel = clock.schedule(2, () => seen.push("never"));
    cancel();
    await clock.runUntil(10);
    expect(seen).toEqual(["one, first", "one, second", "five"]);
    expect(clock.monotonicMs()).toBe(10);
  });

  it("lets promises go on before the next event", async () => {
    const clock = createSimulatedClock();
    const seen: string[] = [];
    clock.schedule(1, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await null;
        seen.push("chain");
      })();
    });
    clock.schedule(1, () => seen.push("next event"));
    await clock.runUntil(1);
    expect(seen).toEqual(["chain", "next event"]);
  });

  it("waits for registered work outside virtual time", async () => {
    const clock = createSimulatedClock();
    const seen: string[] = [];
    clock.schedule(1, () => {
      const pool = new Promise<void>((resolve) => setTimeout(resolve, 15));
      void clock.external(pool).then(() => seen.push("pool"));
    });
    clock.schedule(2, () => seen.push("next event"));
    await clock.runUntil(2);
    expect(seen).toEqual(["pool", "next event"]);
  });

  it("takes a stopped process's timers with it, and shows it its own wall time", async () => {
    const clock = createSimulatedClock();
    const process = clock.process(-250);
    let fired = false;
    process.schedule(1, () => {
      fired = true;
    });
    expect(process.nowMs()).toBe(clock.nowMs() - 250);
    process.stop();
    await clock.runUntil(5);
    expect(fired).toBe(false);
  });

  it("orders a thousand random events", async () => {
    const clock = createSimulatedClock();
    const random = createSeededRandom(3);
    const seen: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const delay = random.integer(200);
      clock.schedule(delay, () => seen.push(delay));
    }
    await clock.runUntil(200);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBe(1_000);
  });
});

describe("seeded random", () => {
  it("repeats itself for a seed and differs between seeds", () => {
    const draw = (seed: number) => [...createSeededRandom(seed).bytes(16)];
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1)).not.toEqual(draw(1 + 2 ** 32));
  });

  it("is even enough: each of 16 values within 10 % of its share", () => {
    const random = createSeededRandom(42);
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) {
      const value = random.integer(16);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(1_000);
  });

  it("forks generators that do not shift the parent differently", () => {
    const [a, b] = [createSeededRandom(5), createSeededRandom(5)];
    const fork = a.fork("network");
    fork.bytes(100);
    b.fork("disk");
    expect(a.next()).toBe(b.next());
  });

  it("shuffles without losing anything", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = createSeededRandom(9).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
