import { type Digest, digest, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import {
  createTestCluster,
  INVALID_TRANSACTION,
  proposalOf,
  type TestCluster,
} from "../../src/compliance.ts";
import type { Message, UnsignedMessage } from "../../src/messages.ts";
import { expectProgress, isOf } from "./helpers.ts";
import {
  BAD,
  blockOn,
  bytes,
  clusterWithLiar,
  h1,
  LIVE,
  prePrepare,
  self,
  tell,
  v0,
} from "./liar.ts";

function evidenceOf(cluster: TestCluster): readonly string[] {
  return cluster.nodes.flatMap((node) =>
    node.evidence.map(({ first, second }) => `${first.type}+${second.type} of ${second.sender}`),
  );
}

describe("Byzantine validators", () => {
  test("S-9.2-4: two proposals to two halves: no fork, evidence, and the next view decides", () => {
    const cluster = clusterWithLiar();
    const [a, b] = [blockOn(cluster, [bytes("a")]), blockOn(cluster, [bytes("b")])];
    tell(cluster, prePrepare(a), [0]);
    tell(cluster, prePrepare(b), [2, 3]);
    tell(cluster, prePrepare(a), [3]);
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    expect(evidenceOf(cluster)).toContain("pre-prepare+pre-prepare of 1");
    expectProgress(cluster, 3, 10_000);
  });

  test("a PREPARE is remembered across a restart: the other proposal gets none", () => {
    const cluster = clusterWithLiar();
    tell(cluster, prePrepare(blockOn(cluster, [bytes("a")])), [0]);
    cluster.run(50);
    cluster.nodes[0]?.crash();
    cluster.nodes[0]?.start();
    tell(cluster, prePrepare(blockOn(cluster, [bytes("b")])), [0]);
    cluster.run(50);
    const votes = cluster.nodes[0]?.log.filter((record) => record.type === "prepare-voted");
    expect(votes).toHaveLength(1);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("a decision goes with the justification that was accepted, not with one of a liar", () => {
    const cluster = clusterWithLiar({ trace: true });
    const block = blockOn(cluster, [bytes("a")]);
    tell(cluster, prePrepare(block, view(1), { viewChanges: [], prepared: null }));
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    const decisions = cluster.nodes.flatMap(({ trace }) =>
      trace.flatMap(({ effects }) => effects.filter((effect) => effect.type === "decide")),
    );
    expect(decisions.map(({ certificate }) => certificate.view)).toEqual([1, 1, 1]);
    for (const { justification } of decisions) {
      expect(justification?.viewChanges.length).toBeGreaterThanOrEqual(3);
    }
  });

  for (const type of ["prepare", "commit"] as const) {
    test(`two different ${type.toUpperCase()}s of one view are evidence, and count once`, () => {
      const cluster = clusterWithLiar();
      const vote = (digest: Digest) => ({ type, height: h1, view: v0, digest, sender: self });
      tell(cluster, vote(blockOn(cluster, [bytes("a")]).digest));
      tell(cluster, vote(blockOn(cluster, [bytes("b")]).digest));
      cluster.submit("honest");
      expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
      expect(evidenceOf(cluster)).toContain(`${type}+${type} of 1`);
      expect(cluster.checks.violations).toEqual([]);
    });
  }

  test("known bug 9: amnesia is provable: COMMIT, then a VIEW-CHANGE that denies it", () => {
    for (const isCommitFirst of [true, false]) {
      const cluster = clusterWithLiar();
      const digest = blockOn(cluster, []).digest;
      const commit: UnsignedMessage = {
        type: "commit",
        height: h1,
        view: v0,
        digest,
        sender: self,
      };
      const denial: UnsignedMessage = {
        type: "view-change",
        height: h1,
        view: view(1),
        preparedView: null,
        preparedDigest: null,
        sender: self,
        prepared: null,
      };
      for (const message of isCommitFirst ? [commit, denial] : [denial, commit]) {
        tell(cluster, message);
        cluster.run(10);
      }
      expect(evidenceOf(cluster).filter((text) => text === "commit+view-change of 1")).toHaveLength(
        LIVE.length,
      );
      expect(cluster.checks.violations).toEqual([]);
    }
  });

  test("known bugs 62 and 67: many signatures of one key are one vote", () => {
    const cluster = clusterWithLiar();
    const proposal = blockOn(cluster, [bytes("a")]);
    tell(cluster, prePrepare(proposal));
    for (let copy = 0; copy < 10; copy++) {
      const { digest } = proposal;
      tell(cluster, { type: "prepare", height: h1, view: v0, digest, sender: self }, [0]);
      tell(cluster, { type: "commit", height: h1, view: v0, digest, sender: self }, [0]);
    }
    cluster.partition([0, 1], [2], [3]);
    cluster.run(300);
    expect(cluster.nodes[0]?.head.height).toBe(0);
    expect(cluster.nodes[0]?.replica.status.phase).toBe("preprepared");
  });

  test("S-9.2-2: an invalid block gets no PREPARE from an honest validator", () => {
    let prepares = 0;
    const cluster = createTestCluster({
      n: 4,
      script: ({ message, from }) => {
        if (from !== BAD && isOf(message, "prepare", 1, 0)) prepares++;
        return true;
      },
    });
    cluster.byzantine.add(BAD);
    cluster.start();
    tell(cluster, prePrepare(blockOn(cluster, [INVALID_TRANSACTION])));
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    expect(prepares).toBe(0);
    expect(cluster.nodes[0]?.reports.has("CONSENSUS_PROPOSAL_INVALID")).toBe(true);
    expectProgress(cluster, 2, 10_000);
  });

  test("known bug 43: each header field that breaks a rule is refused before any vote", () => {
    const cluster = clusterWithLiar();
    const good = {
      height: h1,
      parentDigest: cluster.genesisDigest,
      proposer: self,
      timestampMs: cluster.nowMs,
      validatorsHash: cluster.validatorsAt(1).hash,
      nextValidatorsHash: cluster.validatorsAt(2).hash,
      transactions: [bytes("a")],
    };
    const other = cluster.validatorsAt(1).hash.map((byte) => byte ^ 1);
    const wrong = [
      { ...good, proposer: validatorIndex(2) },
      { ...good, proposer: validatorIndex(9) },
      { ...good, timestampMs: 0 },
      { ...good, timestampMs: cluster.nowMs + 60_000 },
      { ...good, timestampMs: cluster.nowMs - 60_000 },
      { ...good, validatorsHash: digest(other) },
      { ...good, nextValidatorsHash: digest(other) },
      { ...good, transactions: Array.from({ length: 2001 }, (_, at) => bytes(`${at}`)) },
    ];
    for (const [at, block] of wrong.entries()) {
      const fresh = clusterWithLiar();
      tell(fresh, prePrepare(proposalOf(block)));
      fresh.run(100);
      for (const node of LIVE) {
        expect([at, fresh.nodes[node]?.log]).toEqual([at, []]);
        const { reports } = fresh.nodes[node] ?? { reports: new Map() };
        const refused =
          reports.has("CONSENSUS_PROPOSAL_REFUSED") || reports.has("CONSENSUS_PROPOSAL_UNTIMELY");
        expect(refused).toBe(true);
      }
    }
    const fine = clusterWithLiar();
    tell(fine, prePrepare(proposalOf(good)));
    fine.run(100);
    expect(fine.nodes[0]?.log[0]?.type).toBe("prepare-voted");
  });

  test("known bug 46: a pre-prepare of a huge view without justification moves nobody", () => {
    const cluster = clusterWithLiar();
    const huge = view(2 ** 31 - 4);
    for (const atView of [view(4), view(400), huge]) {
      const proposal = blockOn(cluster, [bytes(`${atView}`)]);
      tell(cluster, prePrepare(proposal, atView));
      tell(cluster, { ...forged(cluster, proposal, atView) });
    }
    cluster.run(50);
    for (const node of LIVE) {
      expect(cluster.nodes[node]?.replica.status.view).toBe(0);
      expect(cluster.nodes[node]?.log).toEqual([]);
    }
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 10_000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test.each([4, 7])(
    "a pre-prepare of a later view does not keep the primary of %i from its turn",
    (n) => {
      const cluster = createTestCluster({ n });
      // Number 2 is the primary of (1, 1); number 1, that of (1, 0), is honest.
      const later = validatorIndex(2);
      cluster.byzantine.add(later);
      cluster.start();
      const honest = cluster.nodes.map(({ number }) => number).filter((each) => each !== later);
      const proposal = blockOn(cluster, [bytes("early")], h1, later);
      tell(cluster, prePrepare(proposal, view(1), null, later), honest);
      cluster.run(50);
      cluster.submit("waiting", honest);
      expect(cluster.runUntil(() => cluster.lowestHead(honest) >= 1, 1_000)).toBe(true);
      const decided = cluster.nodes[0]?.chain.get(h1)?.certificate;
      expect(decided?.view).toBe(0);
      expect(cluster.checks.violations).toEqual([]);
    },
  );

  test("a pre-prepare of a later view starts no timer on an idle chain", () => {
    const cluster = createTestCluster({ n: 4 });
    const later = validatorIndex(2);
    cluster.byzantine.add(later);
    cluster.start();
    const proposal = blockOn(cluster, [bytes("early")], h1, later);
    tell(cluster, prePrepare(proposal, view(1), null, later), [0, 1, 3]);
    cluster.run(60_000);
    for (const node of [0, 1, 3]) {
      expect(cluster.nodes[node]?.replica.status).toMatchObject({ height: 1, view: 0 });
    }
  });

  test("known bug 59: q commits for a block that our validation refused: halt, never skip", () => {
    const cluster = createTestCluster({ n: 4, judge: (node) => (node === 3 ? false : undefined) });
    cluster.start();
    cluster.submit("diverging");
    expect(cluster.runUntil(() => cluster.lowestHead([0, 1, 2]) >= 1, 3000)).toBe(true);
    cluster.run(1000);
    expect(cluster.nodes[3]?.halts).toEqual(["CONSENSUS_EXECUTION_DIVERGED"]);
    expect(cluster.nodes[3]?.replica.status.halted).toBe(true);
    expect(cluster.nodes[3]?.head.height).toBe(0);
    expect(cluster.nodes[3]?.replica.step({ type: "work", pending: true }, 0)).toEqual([]);
  });

  test("one more liar than tolerated forks the chain, and the checker sees it", () => {
    // Negative control: two of four equivocate; were this green, the checker would be blind.
    const cluster = createTestCluster({ n: 4 });
    cluster.byzantine.add(BAD);
    cluster.byzantine.add(2);
    cluster.start();
    cluster.partition([0, 1, 2], [1, 2, 3]);
    for (const [node, text] of [
      [0, "a"],
      [3, "b"],
    ] as const) {
      const proposal = blockOn(cluster, [bytes(text)]);
      const { digest } = proposal;
      tell(cluster, prePrepare(proposal), [node]);
      for (const type of ["prepare", "commit"] as const) {
        for (const liar of [1, 2]) {
          const sender = validatorIndex(liar);
          const vote = cluster.sign(liar, { type, height: h1, view: v0, digest, sender });
          cluster.deliver(liar, node, vote);
        }
      }
    }
    cluster.run(200);
    expect(cluster.checks.violations).toEqual(["fork at height 1"]);
  });
});

function forged(
  cluster: TestCluster,
  proposal: ReturnType<typeof blockOn>,
  atView: ReturnType<typeof view>,
): UnsignedMessage {
  const vote = cluster.sign(BAD, {
    type: "view-change",
    height: h1,
    view: atView,
    preparedView: null,
    preparedDigest: null,
    sender: self,
    prepared: null,
  });
  const one = requireViewChange(vote);
  const { type: _type, prepared: _prepared, ...signedPart } = one;
  const justification = { viewChanges: [signedPart], prepared: null };
  const message = prePrepare(proposal, atView);
  return message.type === "pre-prepare" ? { ...message, justification } : message;
}

function requireViewChange(message: Message) {
  if (message.type !== "view-change") throw new Error("not a view change");
  return message;
}
