import { expect, it, vi } from "vitest";
import { runBatch } from "../../src/index.ts";

vi.mock("../../../consensus-pbft/src/quorum.ts", async (original) => {
  const real = await original<typeof import("../../../consensus-pbft/src/quorum.ts")>();
  return { ...real, quorum: (count: number) => real.quorum(count) - 1 };
});

it("negative control: with quorums of one less, one twin is enough to break agreement", () => {
  const tally = runBatch({
    shape: { validators: 4, twins: 1, blocks: 2, views: 2, restart: null },
    mode: "open",
    seed: null,
    from: 0,
    count: 64 ** 2,
  });
  expect(tally.failed.map(({ reason }) => reason)).toContain("fork at height 1");
});
