import {
  type Client,
  demandInstalled,
  getArbitrators,
  getCase,
  getContractQuota,
  getContractVersions,
  getFeed,
  getGrant,
  getInstalledContract,
  getPublicData,
  listContractNames,
  listFeeds,
  readContractCode,
} from "@credlink/client";
import {
  arbitratorPanelCodec,
  CREDENTIAL_CONTRACT,
  CREDENTIAL_CONTRACT_VERSION,
  discloseField,
  loadCredentialContract,
  payloadSchemas,
  publishArgsCodec as publicArgsCodec,
  reasonDigest,
  revokeArgsCodec,
  useArgsCodec,
} from "@credlink/contracts";
import {
  BUILT_IN_VERSION,
  ORACLES_CONTRACT,
  publishArgsCodec,
  SUCCESS,
  setFeedArgsCodec,
  setQuotaArgsCodec,
} from "@credlink/ledger";
import { encode, toHex, utf8 } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { caseDraft, grantDraft, verdictDraft } from "../../../../examples/src/month/index.ts";
import { memberKeyOf, type TestKey } from "../../../contracts/test/support/consortium.ts";
import { type CredentialGateway, openCredentialGateway } from "../support/credential-gateway.ts";
import { issueOn, settledWork, stepOnChain } from "../support/month-desk.ts";

let door: CredentialGateway;
let client: Client;
beforeAll(async () => {
  door = await openCredentialGateway();
  client = door.clientOf("auditor");
});
afterAll(() => door?.close());

const regulator = memberKeyOf("regulator");
const admin = memberKeyOf("admin");
const reason = reasonDigest({ salt: new Uint8Array(32), text: "test" });

async function run(sender: TestKey, method: string, args: Uint8Array, contract?: string) {
  const built = contract === undefined ? {} : { contract, version: BUILT_IN_VERSION };
  const { status } = await door.chain.run({ sender, method, args, ...built });
  expect(status).toBe(SUCCESS);
}

describe("what the SDK reads of the chain is typed and proven", () => {
  test("T-4.9.3-b: a grant with its uses and what is left, until it is revoked", async () => {
    const work = settledWork(door);
    const grantee = memberKeyOf("enterprise");
    const { context } = door.month;
    const draft = grantDraft(context, work, grantee);
    const { id } = work.settlement;
    const parents = [{ id, relation: "grants" as const }];
    const { record } = await issueOn(door, { ...draft, parents });
    const left = async () => {
      const grant = await getGrant(client, record.id);
      return [grant?.state, grant?.uses, grant?.left];
    };
    expect(await left()).toEqual(["usable", 0, 2]);
    const use = { grant: record.id, target: id, action: 1, purpose: "income-proof" };
    await run(grantee, "use", encode(useArgsCodec, use));
    expect(await left()).toEqual(["usable", 1, 1]);
    await run(grantee, "use", encode(useArgsCodec, use));
    expect(await left()).toEqual(["used-up", 2, 0]);
    await run(work.worker.serviceKey, "revoke", encode(revokeArgsCodec, { id: record.id, reason }));
    expect(await left()).toEqual(["inactive", 2, 0]);
    expect(await getGrant(client, new Uint8Array(32))).toBeNull();
    await expect(getGrant(client, id)).rejects.toMatchObject({ code: "CLIENT_CREDENTIAL_TYPE" });
  });

  test("T-4.4: a case with what it holds, and its verdict", async () => {
    const work = settledWork(door);
    const { record } = await issueOn(door, caseDraft(door.month.context, work));
    const open = await getCase(client, record.id);
    expect([open?.isOpen, open?.terms.holds, open?.verdict]).toEqual([true, true, null]);
    expect(open?.targets.map(({ isHeld }) => isHeld)).toEqual([true]);
    const verdict = verdictDraft(door.month.context, record, "dismissed", []);
    const decided = await issueOn(door, { ...verdict, sender: regulator });
    const closed = await getCase(client, record.id);
    expect(closed?.isOpen).toBe(false);
    expect(closed?.targets.map(({ isHeld }) => isHeld)).toEqual([false]);
    expect(closed?.verdict?.terms.result).toBe("dismissed");
    expect(closed?.verdict?.credential.stored.record.id).toEqual(decided.record.id);
    await expect(getCase(client, work.settlement.id)).rejects.toMatchObject({
      code: "CLIENT_CREDENTIAL_TYPE",
    });
  });

  test("T-4.5-1: the arbitrators, none before any were named", async () => {
    expect(await getArbitrators(client)).toMatchObject({ threshold: 0, arbitrators: [] });
    const arbitrators = [memberKeyOf("auditor").address, memberKeyOf("otherInstitution").address];
    await run(
      regulator,
      "setArbitrators",
      encode(arbitratorPanelCodec, { threshold: 2, arbitrators }),
    );
    expect(await getArbitrators(client)).toMatchObject({ threshold: 2, arbitrators });
  });

  test("T-4.8.1-a: what is published of an enterprise in clear", async () => {
    const { id, payload, salts } = stepOnChain(door, "identity.enterprise");
    expect((await getPublicData(client, id))?.fields).toEqual([]);
    const shown = ["name", "uscc"].map((path) =>
      discloseField(payloadSchemas["identity.enterprise"], payload, salts, path),
    );
    const args = encode(publicArgsCodec, { id, disclosures: shown });
    await run(memberKeyOf("institution"), "publish", args);
    const found = await getPublicData(client, id);
    expect(found?.fields).toEqual(shown.map(({ path, value }) => ({ path, value })));
    expect(await getPublicData(client, new Uint8Array(32))).toBeNull();
  });

  test("S-9.9-3d: contracts with their versions, state and code", async () => {
    expect(await listContractNames(client)).toEqual([CREDENTIAL_CONTRACT]);
    const versions = await getContractVersions(client, CREDENTIAL_CONTRACT);
    expect(versions?.started).toBe(CREDENTIAL_CONTRACT_VERSION);
    const name = { name: CREDENTIAL_CONTRACT, version: CREDENTIAL_CONTRACT_VERSION };
    expect((await demandInstalled(client, name)).state).toBe("started");
    const { code } = await readContractCode(client, name);
    expect(toHex(code)).toBe(toHex(loadCredentialContract().code));
    expect(await getInstalledContract(client, { ...name, version: "9.0.0" })).toBeNull();
    await expect(
      readContractCode(client, { name: "none", version: "1.0.0" }),
    ).rejects.toMatchObject({
      code: "CLIENT_CONTRACT_UNKNOWN",
    });
  });

  test("a contract's use of the state, and its own quota once governance gave it one", async () => {
    const before = await getContractQuota(client, CREDENTIAL_CONTRACT);
    expect(before).toMatchObject({ isOwn: false, quota: { entries: 1_000_000 } });
    expect(before.used.entries).toBeGreaterThan(10);
    const quota = { entries: 5_000, bytes: 9_000_000 };
    const args = encode(setQuotaArgsCodec, { name: CREDENTIAL_CONTRACT, quota });
    await run(admin, "setQuota", args, "contracts");
    expect(await getContractQuota(client, CREDENTIAL_CONTRACT)).toMatchObject({
      isOwn: true,
      quota,
    });
    await expect(getContractQuota(client, "none")).rejects.toMatchObject({
      code: "CLIENT_CONTRACT_UNKNOWN",
    });
  });

  test("S-9.9-2: a feed with its publishers' last words, and which a contract is given", async () => {
    expect(await listFeeds(client)).toEqual([]);
    expect(await getFeed(client, "rates.cny")).toBeNull();
    const publisher = memberKeyOf("otherInstitution");
    const feed = {
      feed: "rates.cny",
      publishers: [publisher.address, memberKeyOf("thirdInstitution").address],
      maxValueBytes: 64,
      validityMs: 5_000,
    };
    await run(admin, "setFeed", encode(setFeedArgsCodec, { feed }), ORACLES_CONTRACT);
    expect(await listFeeds(client)).toEqual(["rates.cny"]);
    const observedAtMs = door.chain.ledger.head.header.timestampMs;
    const said = { feed: "rates.cny", observedAtMs, value: utf8("7.1") };
    await run(publisher, "publish", encode(publishArgsCodec, said), ORACLES_CONTRACT);
    const words = async () =>
      (await getFeed(client, "rates.cny"))?.publishers.map(({ last, isRead }) => {
        return [last === null ? null : new TextDecoder().decode(last.value), isRead];
      });
    expect(await words()).toEqual([
      ["7.1", true],
      [null, false],
    ]);
    await door.chain.block([], observedAtMs + 5_001);
    expect(await words()).toEqual([
      ["7.1", false],
      [null, false],
    ]);
  });
});
