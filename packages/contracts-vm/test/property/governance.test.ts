import {
  type DecisionClass,
  defaultGovernance,
  type GovernanceRules,
  type GovernedCall,
  memberTargetCodec,
  setParametersArgsCodec,
  setRulesArgsCodec,
} from "@credlink/ledger";
import { address, encode } from "@credlink/primitives";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  type Holder,
  testParameters,
} from "../support/consortium.ts";
import { Governance, genesisOf } from "../support/governance.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
beforeAll(async () => {
  consortium = await createConsortium({ organizations: 7, validators: 7 });
});

type Step =
  | { readonly type: "vote"; readonly by: number; readonly approve: boolean }
  | { readonly type: "wait"; readonly part: number }
  | { readonly type: "cancel"; readonly by: number };

const steps = (n: number): fc.Arbitrary<readonly Step[]> => {
  const by = fc.nat(n - 1);
  const vote = fc.record({ type: fc.constant("vote" as const), by, approve: fc.boolean() });
  const wait = fc.record({
    type: fc.constant("wait" as const),
    part: fc.integer({ max: 60, min: 1 }),
  });
  const cancel = fc.record({ type: fc.constant("cancel" as const), by });
  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: vote },
      { weight: 2, arbitrary: wait },
      { weight: 1, arbitrary: cancel },
    ),
    { maxLength: 12 },
  );
};

/** What governance must do, said as plainly as possible: exact parts by products of integers. */
class Model {
  readonly votes = new Map<number, boolean>();
  state = "voting";
  private readonly weights: readonly number[];
  private readonly part: readonly [numerator: number, denominator: number];

  constructor(weights: readonly number[], part: readonly [number, number]) {
    this.weights = weights;
    this.part = part;
  }

  vote(by: number, approve: boolean): void {
    if (this.state !== "voting") return;
    this.votes.set(by, approve);
    if (this.exceeds(this.sum(true))) this.state = "executed";
    else if (!this.exceeds(this.total - this.sum(false))) this.state = "rejected";
  }

  end(state: "expired" | "cancelled"): void {
    if (this.state === "voting") this.state = state;
  }

  private get total(): number {
    return this.weights.reduce((sum, weight) => sum + weight, 0);
  }

  private sum(approve: boolean): number {
    const same = [...this.votes].filter(([, vote]) => vote === approve);
    return same.reduce((sum, [by]) => sum + nth(this.weights, by), 0);
  }

  private exceeds(weight: number): boolean {
    const [numerator, denominator] = this.part;
    return BigInt(weight) * BigInt(denominator) > BigInt(this.total) * BigInt(numerator);
  }
}

function callOf(decision: DecisionClass, rules: GovernanceRules): GovernedCall {
  if (decision === "ordinary") {
    const args = encode(setParametersArgsCodec, { parameters: testParameters });
    return { contract: "parameters", method: "set", args };
  }
  if (decision === "constitutional") {
    const args = encode(setRulesArgsCodec, { rules });
    return { contract: "governance", method: "setRules", args };
  }
  const args = encode(memberTargetCodec, { address: address(new Uint8Array(32)) });
  return { contract: "governance", method: "restrictMember", args };
}

describe("T-4.2.3: proposals and votes against a model", () => {
  it.each([1, 3, 4, 7])("of %i organisations of any weights, in every class", async (n) => {
    const chain = new TestChain(genesisOf(consortium, n));
    const admins: readonly Holder[] = consortium.admins.slice(0, n);
    const governance = new Governance(chain, nth(admins, 0));
    const names = admins.map(({ certificate }) => certificate.subject.organization);
    const start = { view: chain.view, timeMs: chain.timeMs };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: n, maxLength: n }),
        fc.constantFrom<DecisionClass>("ordinary", "constitutional", "emergency"),
        fc.nat(n - 1),
        steps(n),
        async (weights, decision, proposer, script) => {
          [chain.view, chain.timeMs] = [start.view, start.timeMs];
          const voters = names.map((organization, at) => ({
            ...{ organization, weight: nth(weights, at) },
          }));
          const rules: GovernanceRules = { ...defaultGovernance(names), voters };
          const change = encode(setRulesArgsCodec, { rules });
          const set = await governance.run("setRules", change, ...admins);
          expect(set.status).toBe("SUCCESS");
          const { numerator, denominator, votingMs } = rules[decision];
          const model = new Model(weights, [numerator, denominator]);
          const call = callOf(decision, rules);
          const number = await governance.open(call, 0, nth(admins, proposer));
          model.vote(proposer, true);
          const { expiresMs } = await governance.get(number);
          for (const step of script) {
            if (step.type === "vote") {
              await governance.vote(number, step.approve, nth(admins, step.by));
              model.vote(step.by, step.approve);
            } else if (step.type === "cancel") {
              await governance.cancel(number, nth(admins, step.by));
              if (step.by === proposer) model.end("cancelled");
            } else {
              chain.timeMs += Math.floor((votingMs * step.part) / 100);
              await chain.block();
            }
            if (chain.timeMs >= expiresMs) model.end("expired");
            const proposal = await governance.get(number);
            // A member that does not exist is not restricted: the decision is carried out, and fails.
            const done = decision === "emergency" ? "failed" : "executed";
            expect(proposal.state).toBe(model.state === "executed" ? done : model.state);
            const kept = proposal.votes.map(({ organization, approve }) => [organization, approve]);
            expect(new Map(kept.map(([name, approve]) => [name, approve]))).toEqual(
              new Map([...model.votes].map(([by, approve]) => [nth(names, by), approve])),
            );
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});
