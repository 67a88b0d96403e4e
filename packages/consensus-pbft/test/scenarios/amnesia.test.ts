import { type Digest, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import type { TestCluster } from "../../src/compliance.ts";
import type { PreparedCertificate, UnsignedMessage } from "../../src/messages.ts";
import { blockOn, bytes, clusterWithLiar, h1, LIVE, self, tell } from "./liar.ts";

function commitOf(digest: Digest, inView: number): UnsignedMessage {
  return { type: "commit", height: h1, view: view(inView), digest, sender: self };
}

/** The liar's entry of a view, with what it says it had prepared. */
function entry(ofView: number, prepared: PreparedCertificate | null): UnsignedMessage {
  const place = { height: h1, view: view(ofView), sender: self };
  const [preparedView, preparedDigest] = [prepared?.view ?? null, prepared?.digest ?? null];
  return { type: "view-change", ...place, preparedView, preparedDigest, prepared };
}

/** A true certificate that a quorum prepared a block in a view. */
function preparedIn(cluster: TestCluster, digest: Digest, inView: number): PreparedCertificate {
  const place = { height: h1, view: view(inView), digest };
  const signatures = [0, 1, 2].map((node) => {
    const index = validatorIndex(node);
    const vote = cluster.sign(node, { type: "prepare", ...place, sender: index });
    if (vote.type !== "prepare") throw new Error("a PREPARE");
    return { index, signature: vote.signature };
  });
  return { ...place, signatures };
}

const convicted = (cluster: TestCluster): number =>
  cluster.nodes
    .flatMap(({ evidence }) => evidence)
    .filter(({ first, second }) => first.type === "commit" && second.type === "view-change").length;

function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((first, at) =>
    orders(items.filter((_, other) => other !== at)).map((rest) => [first, ...rest]),
  );
}

describe("known bug 9: amnesia is provable whatever the liar says between", () => {
  test("a COMMIT, the entry that denies it, and a later one that does not: in every order", () => {
    for (const order of orders([0, 1, 2])) {
      const cluster = clusterWithLiar();
      const { digest } = blockOn(cluster, [bytes("a")]);
      const prepared = preparedIn(cluster, digest, 1);
      const messages = [commitOf(digest, 1), entry(2, null), entry(3, prepared)];
      for (const at of order) {
        const message = messages[at];
        if (message !== undefined) tell(cluster, message);
        cluster.run(10);
      }
      expect(convicted(cluster), `order ${order.join(" ")}`).toBe(LIVE.length);
      expect(cluster.checks.violations).toEqual([]);
    }
  });

  test("entries that all say what was committed convict nobody, in any order", () => {
    for (const order of orders([0, 1, 2, 3])) {
      const cluster = clusterWithLiar();
      const { digest } = blockOn(cluster, [bytes("a")]);
      const messages = [
        entry(1, null),
        commitOf(digest, 1),
        entry(2, preparedIn(cluster, digest, 1)),
        entry(3, preparedIn(cluster, digest, 2)),
      ];
      for (const at of order) {
        const message = messages[at];
        if (message !== undefined) tell(cluster, message);
        cluster.run(10);
      }
      expect(convicted(cluster), `order ${order.join(" ")}`).toBe(0);
    }
  });
});
