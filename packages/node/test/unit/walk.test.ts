import { expect, test } from "vitest";
import { MAX_WALK, walk } from "../../src/credential-index/walk.ts";

/** A chain of credentials, each the only neighbour of the one before. */
function idOf(number: number): Uint8Array {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, number);
  return id;
}

test("a long walk over what is in memory lets others have their turn", async () => {
  let turns = 0;
  let isWalking = true;
  const others = (): void => {
    turns += 1;
    if (isWalking) setImmediate(others);
  };
  setImmediate(others);
  const page = await walk({
    root: { id: idOf(0), type: "root" },
    depth: MAX_WALK,
    offset: 0,
    limit: MAX_WALK,
    neighbours: async (id) => {
      const next = new DataView(id.buffer).getUint32(0) + 1;
      return next < 1_000 ? [{ id: idOf(next), type: "step", relation: "next" }] : [];
    },
  });
  isWalking = false;
  expect(page?.steps).toHaveLength(1_000);
  expect(page?.next).toBeNull();
  // One after the other here: each has its own turn.
  expect(turns).toBeGreaterThan(900);
});
