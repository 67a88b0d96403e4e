import {
  type ContractVersionArgs,
  contractTargetCodec,
  contractVersionArgsCodec,
  defaultGovernance,
  enrollArgsCodec,
  type GovernedCall,
  type MemberStatus,
  memberTargetCodec,
  setContractFrozenArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rows } from "../../src/built-in/rows.ts";
import { installedContractCodec } from "../../src/index.ts";
import { NAME, VERSION } from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import { type Consortium, createConsortium, type Holder, issue } from "../support/consortium.ts";
import { Governance } from "../support/governance.ts";
import { changeMemberRow } from "../support/member-row.ts";
import { nth } from "../support/nth.ts";
import { storageContract } from "../support/storage-contract.ts";

const names = ["alpha", "beta", "gamma", "delta"];
let consortium: Consortium;
let chain: TestChain;
let governance: Governance;
beforeAll(async () => {
  consortium = await createConsortium({ contracts: [storageContract()] });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
  governance = new Governance(chain, nth(consortium.admins, 0));
});

const { restrictionMs } = defaultGovernance(names);
const admins = (count: number) => consortium.admins.slice(0, count);
const call = (method: string, args: Uint8Array): GovernedCall => ({
  ...{ contract: "governance", method, args },
});
const restrict = ({ address }: Holder) =>
  call("restrictMember", encode(memberTargetCodec, { address }));
const restrictContract = () =>
  call("restrictContract", encode(contractTargetCodec, { name: NAME }));
const setStatus = ({ address }: Holder, status: MemberStatus) =>
  call("setMemberStatus", encode(setMemberStatusArgsCodec, { address, status }));
const setFrozen = (isFrozen: boolean) =>
  call("setContractFrozen", encode(setContractFrozenArgsCodec, { name: NAME, isFrozen }));

/** Runs a governed call directly, signed by so many organisations. */
async function decide(governed: GovernedCall, count: number): Promise<string> {
  const signers = admins(count).map(({ address }) => address);
  return (await chain.run({ ...governed, signers })).status;
}

function memberState({ address }: Holder): string {
  const row = rows.member(address);
  const value = chain.view.get(row.contract, row.key);
  return value === null ? "none" : decode(row.codec, value).status;
}

function installed() {
  const row = rows.installed(NAME, VERSION);
  return decode(installedContractCodec, chain.view.get(row.contract, row.key) ?? new Uint8Array());
}

const wait = async (ms: number) => {
  chain.timeMs += ms - 1_000;
  await chain.block();
};

describe("an emergency restriction", () => {
  it("of a member needs more than a third, and ends by itself", async () => {
    expect(await decide(restrict(consortium.enterprise), 1)).toBe("GOVERNANCE_VOTES_MISSING");
    expect(await decide(restrict(consortium.enterprise), 2)).toBe("SUCCESS");
    expect(memberState(consortium.enterprise)).toBe("suspended");
    await wait(restrictionMs - 1);
    expect(memberState(consortium.enterprise)).toBe("suspended");
    await wait(1_001);
    expect(memberState(consortium.enterprise)).toBe("active");
  });

  it("is proposed and voted on like any decision, by its lower threshold", async () => {
    const number = await governance.open(restrict(consortium.enterprise), 0, nth(admins(1), 0));
    expect((await governance.get(number)).decision).toBe("emergency");
    await governance.vote(number, true, nth(consortium.admins, 3));
    expect((await governance.get(number)).state).toBe("executed");
    expect(memberState(consortium.enterprise)).toBe("suspended");
  });

  it("is not lifted by the member's own admin", async () => {
    await decide(restrict(consortium.enterprise), 2);
    const lift = encode(setMemberStatusArgsCodec, {
      address: consortium.enterprise.address,
      status: "active",
    });
    const own = { contract: "members", method: "setStatus", args: lift };
    const signers = [nth(consortium.admins, 1).address];
    expect((await chain.run({ ...own, signers })).status).toBe("MEMBERS_HELD_BY_REGULATOR");
  });

  it("is confirmed by an ordinary decision: it holds, or becomes a revocation", async () => {
    await decide(restrict(consortium.enterprise), 2);
    expect(await decide(setStatus(consortium.enterprise, "suspended"), 2)).toBe(
      "GOVERNANCE_VOTES_MISSING",
    );
    expect(await decide(setStatus(consortium.enterprise, "suspended"), 3)).toBe("SUCCESS");
    await wait(3 * restrictionMs);
    expect(memberState(consortium.enterprise)).toBe("suspended");
    await decide(restrict(consortium.institution), 2);
    expect(await decide(setStatus(consortium.institution, "revoked"), 3)).toBe("SUCCESS");
    await wait(3 * restrictionMs);
    expect(memberState(consortium.institution)).toBe("revoked");
    expect(await decide(setStatus(consortium.institution, "active"), 4)).toBe(
      "MEMBERS_STATUS_FINAL",
    );
  });

  it("is lifted early by an ordinary decision, and may then come again", async () => {
    await decide(restrict(consortium.enterprise), 2);
    expect(await decide(setStatus(consortium.enterprise, "active"), 3)).toBe("SUCCESS");
    expect(memberState(consortium.enterprise)).toBe("active");
    expect(await decide(restrict(consortium.enterprise), 2)).toBe("SUCCESS");
  });

  it("that nobody confirmed is not renewed for as long again", async () => {
    await decide(restrict(consortium.enterprise), 2);
    await wait(restrictionMs);
    expect(memberState(consortium.enterprise)).toBe("active");
    expect(await decide(restrict(consortium.enterprise), 4)).toBe("GOVERNANCE_RESTRICTED_BEFORE");
    await wait(restrictionMs);
    expect(await decide(restrict(consortium.enterprise), 2)).toBe("SUCCESS");
  });

  it("reaches neither admins nor nodes: a minority silences nobody who decides", async () => {
    for (const one of [nth(consortium.admins, 3), nth(consortium.validators, 0)]) {
      expect(await decide(restrict(one), 4)).toBe("GOVERNANCE_RESTRICTION");
    }
    expect(await decide(setStatus(nth(consortium.admins, 3), "suspended"), 3)).toBe("SUCCESS");
  });

  it("leaves alone what others made of the member meanwhile", async () => {
    await decide(restrict(consortium.enterprise), 2);
    const revoke = encode(setMemberStatusArgsCodec, {
      address: consortium.enterprise.address,
      status: "revoked",
    });
    const own = { contract: "members", method: "setStatus", args: revoke };
    const signers = [nth(consortium.admins, 1).address];
    expect((await chain.run({ ...own, signers })).status).toBe("SUCCESS");
    await wait(restrictionMs);
    expect(memberState(consortium.enterprise)).toBe("revoked");
  });

  it("freezes a contract, for its time or until a decision", async () => {
    expect(await decide(restrictContract(), 2)).toBe("SUCCESS");
    expect(installed().state).toBe("frozen");
    await wait(restrictionMs);
    expect(installed().state).toBe("started");
    await wait(restrictionMs);
    expect(await decide(restrictContract(), 2)).toBe("SUCCESS");
    expect(await decide(setFrozen(true), 3)).toBe("SUCCESS");
    await wait(3 * restrictionMs);
    expect(installed().state).toBe("frozen");
    expect(await decide(setFrozen(true), 3)).toBe("CONTRACTS_FROZEN");
    expect(await decide(setFrozen(false), 3)).toBe("SUCCESS");
    expect(installed().state).toBe("started");
  });
});

describe("T-4.9.2: what a decision makes of a member", () => {
  const statuses = ["applied", "verified", "active", "suspended", "left", "revoked"] as const;
  const permitted = [
    ...["active to suspended", "suspended to active"],
    ...["applied", "verified", "active", "suspended"].map((from) => `${from} to revoked`),
  ];

  it.each(statuses.flatMap((from) => statuses.map((to) => [from, to] as const)))(
    "%s to %s: suspended, lifted and revoked, and nobody is activated without evidence",
    async (from, to) => {
      const { address } = consortium.enterprise;
      changeMemberRow(chain, address, { status: from });
      const status = await decide(setStatus(consortium.enterprise, to), 4);
      const isPermitted = permitted.includes(`${from} to ${to}`);
      expect(status === "SUCCESS", status).toBe(isPermitted);
      expect(memberState(consortium.enterprise)).toBe(isPermitted ? to : from);
    },
  );
});

describe("S-8.4-5: what a node may do", () => {
  it("is changed by decisions: to be a validator, and to be a member at all", async () => {
    const node = nth(consortium.validators, 0);
    expect(await decide(setStatus(node, "suspended"), 3)).toBe("GOVERNANCE_VALIDATOR");
    expect(await decide(setStatus(node, "revoked"), 2)).toBe("GOVERNANCE_VOTES_MISSING");
    const observer = await issue(nth(consortium.organizations, 0), "observer", "observer-1");
    const certificates = [observer.certificate.der];
    const enroll = encode(enrollArgsCodec, { certificates });
    const signers = [nth(consortium.admins, 0).address];
    const call = { contract: "members", method: "enroll", args: enroll, signers };
    expect((await chain.run(call)).status).toBe("SUCCESS");
    expect(await decide(setStatus(observer, "suspended"), 3)).toBe("SUCCESS");
    expect(memberState(observer)).toBe("suspended");
    expect(await decide(setStatus(observer, "active"), 3)).toBe("SUCCESS");
    expect(memberState(observer)).toBe("active");
  });
});

describe("contract approvals", () => {
  it("are given by a decision: it stops a version, and starts it without approvals", async () => {
    const { codeDigest } = installed();
    const version: ContractVersionArgs = { name: NAME, version: VERSION, codeDigest };
    const args = encode(contractVersionArgsCodec, version);
    const stop = { contract: "contracts", method: "stop", args };
    const number = await governance.open(stop, 0, ...admins(3));
    expect(await governance.get(number)).toMatchObject({ decision: "ordinary", state: "executed" });
    expect(installed()).toMatchObject({ state: "stopped", approvals: [] });
    const again = await governance.open({ ...stop, method: "start" }, 0, nth(admins(1), 0));
    await governance.vote(again, true, ...admins(3));
    expect(await governance.get(again)).toMatchObject({ state: "executed", status: "SUCCESS" });
    expect(installed().state).toBe("started");
  });
});
