import {
  approveContractArgsCodec,
  changeValidatorsArgsCodec,
  contractVersionArgsCodec,
  type Genesis,
  type Receipt,
  setFeedArgsCodec,
  setMemberStatusArgsCodec,
  setParametersArgsCodec,
  setQuotaArgsCodec,
} from "@credlink/ledger";
import { decode, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  acceptedFindingsCodec,
  codeDigestArgsCodec,
  getContractArgsCodec,
  installedContractCodec,
} from "../../src/index.ts";
import { NAME, VERSION } from "../support/assembler.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  type Holder,
  issue,
  testParameters,
} from "../support/consortium.ts";
import { nth } from "../support/nth.ts";
import { cleanScan } from "../support/scans.ts";
import { storageContract } from "../support/storage-contract.ts";

let consortium: Consortium;
/** Three of alpha, and one of each other organisation. */
let alpha: readonly Holder[];
let beta: Holder;
let gamma: Holder;
let genesis: Genesis;
let chain: TestChain;
beforeAll(async () => {
  consortium = await createConsortium({ validators: 5, contracts: [storageContract()] });
  const more = await Promise.all(
    ["second", "third"].map((name) => issue(nth(consortium.organizations, 0), "admin", name)),
  );
  alpha = [nth(consortium.admins, 0), ...more];
  [beta, gamma] = [nth(consortium.admins, 1), nth(consortium.admins, 2)];
  const members = more.map(({ certificate }) => ({ certificate: certificate.der }));
  genesis = { ...consortium.genesis, members: [...consortium.genesis.members, ...members] };
});
beforeEach(() => {
  chain = new TestChain(genesis);
});

function run(
  contract: string,
  method: string,
  args: Uint8Array,
  signers: readonly Holder[],
): Promise<Receipt> {
  return chain.run({ contract, method, args, signers: signers.map(({ address }) => address) });
}

async function installed() {
  const args = encode(getContractArgsCodec, { name: NAME, version: VERSION });
  const call = { contract: "contracts", method: "get", args, signers: [beta.address] };
  return decode(installedContractCodec, (await chain.query(call)).returnValue);
}

async function turn(method: "approve" | "stop", signers: readonly Holder[]): Promise<string> {
  const { codeDigest } = await installed();
  const version = { name: NAME, version: VERSION, codeDigest };
  const args =
    method === "stop"
      ? encode(contractVersionArgsCodec, version)
      : encode(approveContractArgsCodec, { ...version, scan: cleanScan });
  return (await run("contracts", method, args, signers)).status;
}

describe("a majority of organisations, of which one has three admins", () => {
  const quota = { entries: 7, bytes: 7_000 };
  it.each([
    [
      ...(["parameters", "set"] as const),
      () => encode(setParametersArgsCodec, { parameters: testParameters }),
    ],
    [
      ...(["validators", "change"] as const),
      () => encode(changeValidatorsArgsCodec, { add: [], remove: ["node-4"] }),
    ],
    [
      ...(["contracts", "setQuota"] as const),
      () => encode(setQuotaArgsCodec, { name: NAME, quota }),
    ],
    [
      ...(["oracles", "setFeed"] as const),
      () => {
        const publishers = [consortium.institution.address];
        const feed = { feed: "rates", publishers, maxValueBytes: 8, validityMs: 1_000 };
        return encode(setFeedArgsCodec, { feed });
      },
    ],
  ])("is not reached in %s.%s by its admins and one more", async (contract, method, args) => {
    const two = await run(contract, method, args(), [...alpha, beta]);
    expect(two.status).toBe("GOVERNANCE_VOTES_MISSING");
    const three = await run(contract, method, args(), [...alpha, beta, gamma]);
    expect(three.status).toBe("SUCCESS");
  });

  it("is counted by organisations in votes over time, together or one after the other", async () => {
    expect(await turn("stop", alpha.slice(1))).toBe("SUCCESS");
    expect((await installed()).stopVotes).toEqual(["alpha"]);
    expect(await turn("stop", alpha)).toBe("CONTRACTS_ALREADY_APPROVED");
    expect(await turn("stop", [beta, nth(alpha, 0)])).toBe("SUCCESS");
    expect(await installed()).toMatchObject({ state: "started", stopVotes: ["alpha", "beta"] });
    expect(await turn("stop", [gamma])).toBe("SUCCESS");
    expect(await turn("approve", alpha)).toBe("SUCCESS");
    expect(await turn("approve", [nth(alpha, 1)])).toBe("CONTRACTS_ALREADY_APPROVED");
    expect(await installed()).toMatchObject({ state: "stopped", approvals: ["alpha"] });
  });

  it("is counted by organisations where findings are accepted", async () => {
    const { codeDigest } = await installed();
    const args = encode(codeDigestArgsCodec, { codeDigest });
    const accept = (signers: readonly Holder[]) =>
      run("contracts", "acceptFindings", args, signers);
    expect((await accept([nth(alpha, 0)])).status).toBe("SUCCESS");
    expect((await accept(alpha)).status).toBe("CONTRACTS_ALREADY_APPROVED");
    expect((await accept([...alpha, beta])).status).toBe("SUCCESS");
    const read = await run("contracts", "findings", args, [beta]);
    expect(decode(acceptedFindingsCodec, read.returnValue)).toEqual({
      organizations: ["alpha", "beta"],
      isAccepted: false,
    });
  });

  it("keeps a vote whose admin was revoked since: it is the organisation's", async () => {
    expect(await turn("stop", [nth(alpha, 0)])).toBe("SUCCESS");
    const revoke = { address: nth(alpha, 0).address, status: "revoked" as const };
    const args = encode(setMemberStatusArgsCodec, revoke);
    expect((await run("members", "setStatus", args, [nth(alpha, 1)])).status).toBe("SUCCESS");
    expect(await turn("stop", [nth(alpha, 1)])).toBe("CONTRACTS_ALREADY_APPROVED");
    expect(await turn("stop", [beta])).toBe("SUCCESS");
    expect(await turn("stop", [gamma])).toBe("SUCCESS");
    expect((await installed()).state).toBe("stopped");
  });
});
