import { describe, expect, test } from "vitest";
import { createTestCluster } from "../../src/compliance.ts";

describe("normal case", () => {
  for (const n of [1, 2, 4, 5, 7, 10]) {
    test(`S-9.2-1: ${n} validators decide the same ten blocks`, () => {
      const cluster = createTestCluster({ n, replica: { allowNonByzantine: true } });
      cluster.start();
      for (let block = 1; block <= 10; block++) {
        cluster.submit(`transaction ${block}`);
        expect(cluster.runUntil(() => cluster.lowestHead() >= block, 2000)).toBe(true);
      }
      expect(cluster.checks.violations).toEqual([]);
      const views = cluster.nodes.map((node) => node.reports.get("CONSENSUS_VIEW_ENTERED") ?? 0);
      expect(views).toEqual(views.map(() => 0));
    });
  }
});
