import { describe, expect, test } from "vitest";
import { createTestCluster, type TestNode } from "../../src/compliance.ts";
import { expectProgress } from "./helpers.ts";

/** Timeouts of view 0, in the order in which a node set them. */
function firstTimeouts(node: TestNode | undefined): readonly number[] {
  return (node?.trace ?? []).flatMap(({ effects }) =>
    effects.flatMap((effect) =>
      effect.type === "set-timer" && effect.timer.kind === "view" && effect.timer.view === 0
        ? [effect.delayMs]
        : [],
    ),
  );
}

function viewChanges(node: TestNode | undefined): number {
  return node?.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0;
}

describe("adaptive timeouts", () => {
  test("T0 starts at 2 s and comes down to its lower bound on a fast network", () => {
    const cluster = createTestCluster({ n: 4, trace: true });
    cluster.start();
    expectProgress(cluster, 12, 6000);
    const timeouts = firstTimeouts(cluster.nodes[0]);
    expect(timeouts[0]).toBe(2000);
    expect(timeouts.at(-1)).toBe(500);
  });

  test.each([4, 7])(
    "a dead validator of %i does not raise T0: its heights cost one timeout",
    (n) => {
      const cluster = createTestCluster({ n, trace: true });
      cluster.start();
      expectProgress(cluster, 12, 6000);
      cluster.nodes[1]?.crash();
      expectProgress(cluster, 4 * n, 3000);
      expect(firstTimeouts(cluster.nodes[0]).at(-1)).toBe(500);
    },
  );

  test("blocks that suddenly take longer than T0 cost at most two view changes, then none", () => {
    let executeMs = 1;
    const cluster = createTestCluster({
      n: 4,
      get executeMs() {
        return executeMs;
      },
    });
    cluster.start();
    expectProgress(cluster, 12, 6000);
    executeMs = 900;
    expectProgress(cluster, 2, 20_000);
    const before = viewChanges(cluster.nodes[0]);
    expect(before).toBeLessThanOrEqual(2);
    expectProgress(cluster, 10, 20_000);
    expect(viewChanges(cluster.nodes[0])).toBe(before);
  });
});
