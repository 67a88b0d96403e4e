import {
  type DecisionRules,
  defaultGovernance,
  type GovernanceRules,
  type GovernedCall,
  type MemberRole,
  setDelegatesArgsCodec,
  setParametersArgsCodec,
  setRulesArgsCodec,
  setWeightArgsCodec,
} from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MAX_WEIGHT, passes, rulesProblem } from "../../src/built-in/governance-rules.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  type Holder,
  issue,
  testParameters,
} from "../support/consortium.ts";
import { Governance } from "../support/governance.ts";
import { nth } from "../support/nth.ts";

const names = ["alpha", "beta", "gamma", "delta"];
const good = defaultGovernance(names);
let consortium: Consortium;
let governance: Governance;
/** One of each role of the network, each of another organisation, beside the admins. */
let people: readonly Holder[];
const roles: readonly MemberRole[] = ["enterprise", "individual", "institution", "regulator"];
let genesis: Consortium["genesis"];
beforeAll(async () => {
  consortium = await createConsortium();
  people = await Promise.all(
    roles.map((role, at) => issue(nth(consortium.organizations, at), role, `voter-${role}`)),
  );
  const added = people.map(({ certificate }) => ({ certificate: certificate.der }));
  genesis = { ...consortium.genesis, members: [...consortium.genesis.members, ...added] };
});
beforeEach(() => {
  start(good);
});

function start(rules: GovernanceRules): void {
  const chain = new TestChain({ ...genesis, governance: rules });
  governance = new Governance(chain, nth(consortium.admins, 0));
}

const admin = (at: number) => nth(consortium.admins, at);
const delegates = (...holders: readonly Holder[]) =>
  encode(setDelegatesArgsCodec, { delegates: holders.map(({ address }) => address) });
const setting: GovernedCall = {
  contract: "parameters",
  method: "set",
  args: encode(setParametersArgsCodec, { parameters: testParameters }),
};

describe("T-4.2.3: the four roles", () => {
  it("an enterprise, a worker, an institution and a regulator each cast a vote", async () => {
    for (const [at, person] of people.entries()) {
      expect((await governance.run("setDelegates", delegates(person), admin(at))).status).toBe(
        "SUCCESS",
      );
    }
    const [enterprise, worker, institution, regulator] = people;
    if (!enterprise || !worker || !institution || !regulator) throw new Error("four roles");
    const number = await governance.open(setting, governance.chain.view.height + 9, enterprise);
    expect(await governance.vote(number, false, worker)).toBe("SUCCESS");
    expect(await governance.vote(number, true, institution)).toBe("SUCCESS");
    expect(await governance.vote(number, true, regulator)).toBe("SUCCESS");
    const { votes, state } = await governance.get(number);
    expect(state).toBe("passed");
    expect(votes.map(({ organization, approve }) => [organization, approve])).toEqual([
      ["alpha", true],
      ["beta", false],
      ["gamma", true],
      ["delta", true],
    ]);
    expect(votes.map(({ voter }) => voter)).toEqual(people.map(({ address }) => address));
  });

  it("nobody votes whom no admin of its organisation named, or whose role the class leaves out", async () => {
    const ordinary: DecisionRules = { ...good.ordinary, delegateRoles: ["regulator"] };
    start({ ...good, ordinary });
    const [enterprise, , , regulator] = people;
    if (!enterprise || !regulator) throw new Error("four roles");
    expect((await governance.propose(setting, 0, regulator)).status).toBe("GOVERNANCE_VOTER");
    await governance.run("setDelegates", delegates(enterprise), admin(0));
    await governance.run("setDelegates", delegates(regulator), admin(3));
    expect((await governance.propose(setting, 0, enterprise)).status).toBe("GOVERNANCE_VOTER");
    expect((await governance.propose(setting, 0, regulator)).status).toBe("SUCCESS");
    await governance.run("setDelegates", delegates(), admin(3));
    expect((await governance.propose(setting, 0, regulator)).status).toBe("GOVERNANCE_VOTER");
  });

  it("delegates are active members of the admin's organisation, none twice, neither admins nor nodes", async () => {
    const [enterprise, worker] = people;
    if (!enterprise || !worker) throw new Error("four roles");
    const status = async (...holders: readonly Holder[]) =>
      (await governance.run("setDelegates", delegates(...holders), admin(0))).status;
    const refused = [worker, admin(0), nth(consortium.validators, 0)];
    for (const one of refused) expect(await status(one)).toBe("GOVERNANCE_DELEGATE_INVALID");
    expect(await status(enterprise, enterprise)).toBe("GOVERNANCE_DELEGATE_INVALID");
    expect(await status(enterprise, consortium.institution)).toBe("SUCCESS");
  });
});

describe("rules of governance", () => {
  const change = (rules: Partial<GovernanceRules>) => rulesProblem({ ...good, ...rules }, names);
  const voters = (...weights: readonly number[]) =>
    weights.map((weight, at) => ({ organization: nth(names, at), weight }));

  it("hold within their bounds, and at their edges", () => {
    const { ordinary, emergency } = good;
    const edges: readonly Partial<GovernanceRules>[] = [
      {},
      { voters: voters(MAX_WEIGHT, 1) },
      { ordinary: { ...ordinary, numerator: 1, denominator: 2, votingMs: 60_000 } },
      { constitutional: { ...ordinary, numerator: 999, denominator: 1_000 } },
      { emergency: { ...emergency, numerator: 0 } },
      { maxOpen: 256, maxOpenPerOrganization: 256, maxExecutions: 16 },
      { executionGas: 25_000_000, maxExecutions: 16 },
      { pointsPerBlock: 0, sharing: [] },
    ];
    for (const edge of edges) expect([edge, change(edge)]).toEqual([edge, null]);
  });

  it.each<readonly [problem: string, rules: Partial<GovernanceRules>]>([
    ["voters", { voters: [] }],
    ["voters", { voters: [...voters(1), ...voters(1)] }],
    ["voters", { voters: [{ organization: "omega", weight: 1 }] }],
    ["weight", { voters: voters(1, 0) }],
    ["weight", { voters: voters(MAX_WEIGHT + 1) }],
    ["ordinary.numerator", { ordinary: { ...good.ordinary, numerator: 2 } }],
    ["ordinary.denominator", { ordinary: { ...good.ordinary, denominator: 0 } }],
    ["ordinary.denominator", { ordinary: { ...good.ordinary, denominator: 1_001 } }],
    ["ordinary.numerator", { ordinary: { ...good.ordinary, numerator: 49, denominator: 99 } }],
    ["constitutional.numerator", { constitutional: { ...good.ordinary, denominator: 3 } }],
    ["emergency.numerator", { emergency: { ...good.emergency, numerator: 2 } }],
    ["emergency.delayMs", { emergency: { ...good.emergency, delayMs: 1 } }],
    ["ordinary.votingMs", { ordinary: { ...good.ordinary, votingMs: 59_999 } }],
    ["ordinary.delegateRoles", { ordinary: { ...good.ordinary, delegateRoles: ["admin"] } }],
    ["ordinary.delegateRoles", { ordinary: { ...good.ordinary, delegateRoles: ["validator"] } }],
    ["restrictionMs", { restrictionMs: 1 }],
    ["maxOpen", { maxOpen: 257 }],
    ["maxOpenPerOrganization", { maxOpenPerOrganization: 65 }],
    ["maxExecutions", { maxExecutions: 17 }],
    ["executionGas", { executionGas: 24_999_999 }],
    ["executionGas", { executionGas: 250_000_001 }],
    ["pointsPerBlock", { pointsPerBlock: 1_001 }],
    ["sharing", { sharing: [{ contract: "c", topic: "t", points: 0 }] }],
  ])("are refused for %s", (problem, rules) => {
    expect(change(rules)).toBe(problem);
  });

  it("are reached by all together whatever the weights, and never by less than their part", () => {
    for (const n of [1, 3, 4, 7]) {
      const organizations = Array.from({ length: n }, (_, at) => `o${at}`);
      const rules = defaultGovernance(organizations);
      const enough = { ordinary: 0, constitutional: 0, emergency: 0 };
      for (const decision of ["ordinary", "constitutional", "emergency"] as const) {
        for (let count = 0; count <= n; count++) {
          if (!passes(rules, decision, new Set(organizations.slice(0, count)))) {
            enough[decision] = count + 1;
          }
        }
      }
      const expected: Readonly<Record<number, readonly number[]>> = {
        1: [1, 1, 1],
        3: [2, 3, 2],
        4: [3, 3, 2],
        7: [4, 5, 3],
      };
      expect([enough.ordinary, enough.constitutional, enough.emergency]).toEqual(expected[n]);
    }
  });

  it("S-8.4-6: who decides is changed by a constitutional decision alone", async () => {
    const weight = encode(setWeightArgsCodec, { organization: "alpha", weight: 4 });
    const run = async (...signers: readonly Holder[]) =>
      (await governance.run("setWeight", weight, ...signers)).status;
    expect(await run(admin(0), admin(1))).toBe("GOVERNANCE_VOTES_MISSING");
    expect(await run(admin(0), admin(1), admin(2))).toBe("SUCCESS");
    // Alpha now weighs four of seven: an ordinary decision is its own, a constitutional one not.
    expect((await governance.propose(setting, 0, admin(0))).status).toBe("SUCCESS");
    expect((await governance.get(1)).state).toBe("executed");
    const none = encode(setWeightArgsCodec, { organization: "beta", weight: null });
    expect((await governance.run("setWeight", none, admin(0))).status).toBe(
      "GOVERNANCE_VOTES_MISSING",
    );
    const two = [admin(0), admin(2)];
    expect((await governance.run("setWeight", none, ...two)).status).toBe("SUCCESS");
    expect((await governance.propose(setting, 0, admin(1))).status).toBe("GOVERNANCE_VOTER");
  });

  it("that nobody could keep are refused by a decision too", async () => {
    const all = consortium.admins;
    const setRules = async (rules: Partial<GovernanceRules>) => {
      const args = encode(setRulesArgsCodec, { rules: { ...good, ...rules } });
      return (await governance.run("setRules", args, ...all)).status;
    };
    expect(await setRules({ voters: [] })).toBe("GOVERNANCE_RULES_INVALID");
    expect(await setRules({ voters: voters(1, 0) })).toBe("GOVERNANCE_RULES_INVALID");
    expect(await setRules({ maxOpen: 10, maxOpenPerOrganization: 3 })).toBe("SUCCESS");
    const twice = encode(setWeightArgsCodec, { organization: "omega", weight: 1 });
    expect((await governance.run("setWeight", twice, ...all)).status).toBe(
      "GOVERNANCE_RULES_INVALID",
    );
  });
});

describe("an organisation that lost its vote before the execution", () => {
  it("decides nothing any more: the votes are weighed again", async () => {
    const at = governance.chain.view.height + 5;
    const three = [admin(0), admin(1), admin(2)];
    const number = await governance.open(setting, at, ...three);
    const none = encode(setWeightArgsCodec, { organization: "alpha", weight: null });
    const alone = encode(setWeightArgsCodec, { organization: "beta", weight: null });
    expect((await governance.run("setWeight", none, ...three)).status).toBe("SUCCESS");
    const rest = [admin(1), admin(2), admin(3)];
    expect((await governance.run("setWeight", alone, ...rest)).status).toBe("SUCCESS");
    while (governance.chain.view.height < at) await governance.chain.block();
    expect(await governance.get(number)).toMatchObject({
      state: "failed",
      status: "GOVERNANCE_VOTES_MISSING",
    });
  });
});
