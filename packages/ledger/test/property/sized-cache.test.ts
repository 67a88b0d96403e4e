import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SizedCache } from "../../src/sized-cache.ts";

/** Weight of an entry with a key of two characters and no size of its own. */
const ENTRY = 100 + 2 * 2;

describe("SizedCache", () => {
  it("never answers another value than the last one set, and forgets what was deleted", () => {
    const action = fc.record({
      type: fc.constantFrom("get", "set", "delete"),
      key: fc.integer({ min: 10, max: 25 }).map(String),
      group: fc.constantFrom("a", "b"),
      size: fc.integer({ min: 0, max: 700 }),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const cache = new SizedCache<number>(2_000);
        const model = new Map<string, number>();
        for (const [i, { type, key, group, size }] of actions.entries()) {
          if (type === "set") {
            cache.set(key, i, size, group);
            model.set(group + key, i);
          } else if (type === "delete") {
            cache.delete(key, group);
            model.delete(group + key);
          } else {
            const value = cache.get(key, group);
            if (value !== undefined) expect(value).toBe(model.get(group + key));
          }
        }
      }),
    );
  });

  it("holds no more than its bytes and keeps what was used within half of them", () => {
    const cache = new SizedCache<number>(20 * ENTRY);
    const names = Array.from({ length: 60 }, (_, i) => `${10 + i}`);
    for (const [i, name] of names.entries()) {
      cache.set(name, i, 0);
      // Used all the time: stays, however much comes and goes.
      expect(cache.get("10")).toBe(0);
    }
    const held = names.filter((name) => cache.get(name) !== undefined);
    expect(held.length).toBeLessThanOrEqual(20);
    expect(held).toContain("69");
    expect(held).toContain("10");
    expect(held).not.toContain("11");
  });

  it("does not take what is larger than half of it, and drops what stood there", () => {
    const cache = new SizedCache<number>(1_000);
    cache.set("10", 1, 0);
    cache.set("10", 2, 600);
    expect(cache.get("10")).toBeUndefined();
  });
});
