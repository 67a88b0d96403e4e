import {
  defaultGovernance,
  type GovernanceRules,
  type GovernedCall,
  MAX_PROPOSAL_BYTES,
  type Parameters,
  proposalArgsKey,
  proposalEventsCodec,
  proposalEventsKey,
  proposeArgsCodec,
  proposedCodec,
  setFeedArgsCodec,
  setParametersArgsCodec,
  voteArgsCodec,
} from "@credlink/ledger";
import { bytesUpTo, decode, digest, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MAX_EXECUTION_DISTANCE } from "../../src/index.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  DAY_MS,
  type Holder,
  testParameters,
} from "../support/consortium.ts";
import { Governance } from "../support/governance.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let chain: TestChain;
let governance: Governance;
const names = ["alpha", "beta", "gamma", "delta"];
beforeAll(async () => {
  consortium = await createConsortium();
});
beforeEach(() => {
  start({});
});

function start(change: Partial<GovernanceRules>): void {
  const rules = { ...defaultGovernance(names), ...change };
  chain = new TestChain({ ...consortium.genesis, governance: rules });
  governance = new Governance(chain, admin(0));
}

function admin(index: number): Holder {
  return nth(consortium.admins, index);
}

/** Sets parameters that can be told from all others. */
function setting(change: Partial<Parameters>): GovernedCall {
  const parameters = { ...testParameters, ...change };
  const args = encode(setParametersArgsCodec, { parameters });
  return { contract: "parameters", method: "set", args };
}

const interval = () => chain.executor.parameters(chain.view).minBlockIntervalMs;

describe("a proposal", () => {
  it("is executed with the block that decides it, by the votes of more than half", async () => {
    const number = await governance.open(setting({ minBlockIntervalMs: 77 }), 0, admin(0));
    expect(await governance.vote(number, true, admin(1))).toBe("SUCCESS");
    expect((await governance.get(number)).state).toBe("voting");
    expect(interval()).toBe(20);
    expect(await governance.vote(number, true, admin(2))).toBe("SUCCESS");
    expect(await governance.get(number)).toMatchObject({ state: "executed", status: "SUCCESS" });
    expect(interval()).toBe(77);
    expect(await governance.vote(number, false, admin(3))).toBe("GOVERNANCE_DECIDED");
  });

  it("is decided by one transaction that enough organisations sign", async () => {
    const call = setting({ minBlockIntervalMs: 78 });
    const number = await governance.open(call, 0, admin(0), admin(2), admin(3));
    expect((await governance.get(number)).votes).toHaveLength(3);
    expect(interval()).toBe(78);
  });

  it("waits for its height, or is executed with the first block after it", async () => {
    const at = chain.view.height + 5;
    const signers = [admin(0), admin(1), admin(2)];
    const number = await governance.open(setting({ minBlockIntervalMs: 5 }), at, ...signers);
    while (chain.view.height < at - 1) {
      await chain.block();
      expect((await governance.get(number)).state).toBe("passed");
      expect(interval()).toBe(20);
    }
    await chain.block();
    expect(await governance.get(number)).toMatchObject({ state: "executed", changedAt: at });
    expect(interval()).toBe(5);
    const later = chain.view.height + 1;
    const late = await governance.open(setting({ minBlockIntervalMs: 6 }), later + 1, admin(0));
    await chain.block();
    await chain.block();
    await governance.vote(late, true, admin(1), admin(2));
    expect(await governance.get(late)).toMatchObject({ state: "executed" });
    expect(interval()).toBe(6);
  });

  it("takes a height from the next block on to 1,000,000 above its own", async () => {
    const own = chain.view.height + 1;
    const status = async (at: number) =>
      (await governance.propose(setting({}), at, admin(0))).status;
    expect(await status(own)).toBe("GOVERNANCE_HEIGHT_INVALID");
    expect(await status(own + 1)).toBe("GOVERNANCE_HEIGHT_INVALID");
    expect(await status(own + 3)).toBe("SUCCESS");
    expect(await status(own + 3 + MAX_EXECUTION_DISTANCE)).toBe("SUCCESS");
    expect(await status(own + 5 + MAX_EXECUTION_DISTANCE)).toBe("GOVERNANCE_HEIGHT_INVALID");
  });

  it("waits the delay of its class in block time, and no direct call goes around it", async () => {
    const rules = defaultGovernance(names);
    const delayed = { ...rules.ordinary, delayMs: 60_000 };
    start({ ordinary: delayed });
    const signers = [admin(0), admin(1), admin(2)];
    const call = setting({ minBlockIntervalMs: 9 });
    const direct = { ...call, signers: signers.map(({ address }) => address) };
    expect((await chain.run(direct)).status).toBe("GOVERNANCE_DELAY");
    const number = await governance.open(call, 0, ...signers);
    const { notBeforeMs } = await governance.get(number);
    chain.timeMs = notBeforeMs - 1_001;
    await chain.block();
    expect((await governance.get(number)).state).toBe("passed");
    chain.timeMs = notBeforeMs - 1_000;
    await chain.block();
    expect((await governance.get(number)).state).toBe("executed");
  });

  it("fails as soon as it cannot pass", async () => {
    const number = await governance.open(setting({}), 0, admin(0));
    await governance.vote(number, false, admin(1));
    expect((await governance.get(number)).state).toBe("voting");
    await governance.vote(number, false, admin(2));
    expect((await governance.get(number)).state).toBe("rejected");
    expect(await governance.vote(number, true, admin(2))).toBe("GOVERNANCE_DECIDED");
  });

  it("keeps the last vote of each organisation until it is decided", async () => {
    const number = await governance.open(setting({ minBlockIntervalMs: 3 }), 0, admin(0));
    await governance.vote(number, false, admin(1));
    await governance.vote(number, true, admin(1));
    await governance.vote(number, false, admin(0));
    const { votes } = await governance.get(number);
    expect(votes.map(({ organization, approve }) => [organization, approve])).toEqual([
      ["beta", true],
      ["alpha", false],
    ]);
    await governance.vote(number, true, admin(2), admin(3));
    expect(interval()).toBe(3);
  });

  it("expires in block time, at the first millisecond after its voting", async () => {
    const number = await governance.open(setting({}), 0, admin(0));
    const { expiresMs } = await governance.get(number);
    chain.timeMs = expiresMs - 1_001;
    expect(await governance.vote(number, true, admin(1))).toBe("SUCCESS");
    expect((await governance.get(number)).state).toBe("voting");
    expect(await governance.vote(number, true, admin(2))).toBe("GOVERNANCE_DECIDED");
    expect((await governance.get(number)).state).toBe("expired");
  });

  it("is cancelled by the organisation that proposed it, and by no other", async () => {
    const number = await governance.open(setting({}), 0, admin(0));
    expect(await governance.cancel(number, admin(1))).toBe("GOVERNANCE_NOT_PROPOSER");
    expect(await governance.cancel(number, admin(0))).toBe("SUCCESS");
    expect((await governance.get(number)).state).toBe("cancelled");
    expect(await governance.cancel(number, admin(0))).toBe("GOVERNANCE_DECIDED");
    expect(await governance.cancel(number + 1, admin(0))).toBe("GOVERNANCE_UNKNOWN");
  });

  it("names a governed method with arguments that can be read", async () => {
    const status = async (call: GovernedCall) =>
      (await governance.propose(call, 0, admin(0))).status;
    const args = setting({}).args;
    for (const call of [
      { contract: "parameters", method: "get", args },
      { contract: "members", method: "setStatus", args },
      { contract: "nothing", method: "set", args },
      { contract: "governance", method: "propose", args },
    ]) {
      expect(await status(call)).toBe("GOVERNANCE_NOT_GOVERNED");
    }
    const malformed = { contract: "parameters", method: "set", args: Uint8Array.of(1) };
    expect(await status(malformed)).toBe("VM_ARGUMENTS_MALFORMED");
    const tooLong = encode(bytesUpTo(MAX_PROPOSAL_BYTES + 1), new Uint8Array(MAX_PROPOSAL_BYTES));
    const most = { ...malformed, args: new Uint8Array(MAX_PROPOSAL_BYTES) };
    expect(await status(most)).toBe("VM_ARGUMENTS_MALFORMED");
    expect(() =>
      encode(proposeArgsCodec, { ...most, args: tooLong, executeAt: height(0) }),
    ).toThrow();
  });

  it("is voted on by its digest, so that a vote is for nothing else", async () => {
    const number = await governance.open(setting({}), 0, admin(0));
    const other = await governance.open(setting({ minBlockIntervalMs: 1 }), 0, admin(0));
    const args = { number, digest: (await governance.get(other)).digest, approve: true };
    const vote = await governance.run("vote", encode(voteArgsCodec, args), admin(1));
    expect(vote.status).toBe("GOVERNANCE_DIGEST_WRONG");
    const none = { number: 9, digest: digest(new Uint8Array(32)), approve: true };
    const unknown = await governance.run("vote", encode(voteArgsCodec, none), admin(1));
    expect(unknown.status).toBe("GOVERNANCE_UNKNOWN");
  });

  it("is opened and voted on by admins of organisations with a vote alone", async () => {
    start({ voters: names.slice(0, 3).map((organization) => ({ organization, weight: 1 })) });
    const outsiders = [admin(3), consortium.institution, consortium.enterprise];
    const number = await governance.open(setting({}), 0, admin(0));
    for (const outsider of outsiders) {
      expect((await governance.propose(setting({}), 0, outsider)).status).toBe("GOVERNANCE_VOTER");
      expect(await governance.vote(number, true, outsider)).toBe("GOVERNANCE_VOTER");
      expect(await governance.cancel(number, outsider)).toBe("GOVERNANCE_VOTER");
    }
    const validator = await governance.propose(setting({}), 0, nth(consortium.validators, 0));
    expect(validator.status).toBe("VM_ACCESS_DENIED");
  });

  it("is listed from the newest down, in pages", async () => {
    const numbers: number[] = [];
    for (let index = 0; index < 20; index++) {
      const number = await governance.open(setting({}), 0, admin(index % 4));
      numbers.push(number);
    }
    const listed = await governance.list(0, 99);
    expect(listed.map(({ number }) => number)).toEqual(numbers.slice(4).reverse());
    const rest = await governance.list(4, 16);
    expect(rest.map(({ number }) => number)).toEqual([4, 3, 2, 1]);
    expect(await governance.list(0, 0)).toEqual([]);
  });
});

describe("an execution", () => {
  it("that fails is recorded, changes nothing else, and leaves no proposal open", async () => {
    const bad = setting({ transactionGasLimit: 1, minBlockIntervalMs: 1 });
    const number = await governance.open(bad, 0, admin(0), admin(1), admin(2));
    expect(await governance.get(number)).toMatchObject({
      state: "failed",
      status: "PARAMETERS_INVALID",
    });
    expect(interval()).toBe(20);
    const { writes } = await chain.block();
    expect(writes).toEqual([]);
  });

  it("keeps its events with the proposal, where there is no receipt", async () => {
    const publishers = [consortium.institution.address];
    const feed = { feed: "rates", publishers, maxValueBytes: 8, validityMs: 1_000 };
    const args = encode(setFeedArgsCodec, { feed });
    const call = { contract: "oracles", method: "setFeed", args };
    const number = await governance.open(call, 0, admin(0), admin(1), admin(2));
    const events = chain.view.get("governance", proposalEventsKey(number));
    if (events === null) throw new Error("no events");
    expect(decode(proposalEventsCodec, events)).toMatchObject([
      { contract: "oracles", topic: "feed" },
    ]);
    expect(chain.view.get("governance", proposalArgsKey(number))).not.toBeNull();
  });

  it("comes after the block's transactions, in the order of the numbers, so many a block", async () => {
    start({ maxExecutions: 2 });
    const signers = [admin(0), admin(1), admin(2)];
    const at = chain.view.height + 6;
    const numbers: number[] = [];
    for (const minBlockIntervalMs of [1, 2, 3]) {
      numbers.push(await governance.open(setting({ minBlockIntervalMs }), at, ...signers));
    }
    while (chain.view.height < at) await chain.block();
    const states = () =>
      Promise.all(numbers.map(async (number) => (await governance.get(number)).state));
    expect(await states()).toEqual(["executed", "executed", "passed"]);
    expect(interval()).toBe(2);
    await chain.block();
    expect(await states()).toEqual(["executed", "executed", "executed"]);
    expect(interval()).toBe(3);
  });
});

describe("open proposals", () => {
  it("are bounded for each organisation", async () => {
    start({ maxOpenPerOrganization: 2 });
    const propose = async (index: number) =>
      (await governance.propose(setting({}), 0, admin(index))).status;
    expect(await propose(0)).toBe("SUCCESS");
    expect(await propose(0)).toBe("SUCCESS");
    expect(await propose(0)).toBe("GOVERNANCE_TOO_MANY_OPEN");
    expect(await propose(1)).toBe("SUCCESS");
    await governance.cancel(1, admin(0));
    expect(await propose(0)).toBe("SUCCESS");
    chain.timeMs += 8 * DAY_MS;
    await chain.block();
    expect(await propose(0)).toBe("SUCCESS");
    expect(await propose(0)).toBe("SUCCESS");
  });

  it("are bounded for all together, those that wait for execution included", async () => {
    start({ maxOpen: 2, maxOpenPerOrganization: 2 });
    const at = chain.view.height + 4;
    await governance.open(setting({}), at, admin(0), admin(1), admin(2));
    await governance.open(setting({}), 0, admin(1));
    const refused = await governance.propose(setting({}), 0, admin(2));
    expect(refused.status).toBe("GOVERNANCE_TOO_MANY_OPEN");
    await chain.block();
    const { status, returnValue } = await governance.propose(setting({}), 0, admin(2));
    expect(status).toBe("SUCCESS");
    expect(decode(proposedCodec, returnValue).number).toBe(3);
  });
});
