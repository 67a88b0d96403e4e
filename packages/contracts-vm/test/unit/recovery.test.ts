import {
  DEFAULT_RECOVERY_DELAY_MS,
  enrollArgsCodec,
  type ListedRecovery,
  listRecoveriesArgsCodec,
  MAX_MEMBER_KEYS,
  MAX_RECOVERY_DELAY_MS,
  MIN_RECOVERY_DELAY_MS,
  memberKeyAt,
  memberOfKey,
  type ProposeRecoveryArgs,
  proposeRecoveryArgsCodec,
  RECOVERY_OPEN_MS,
  type Receipt,
  recoveryEventCodec,
  recoveryListCodec,
  recoveryTargetCodec,
  registerRevocationListArgsCodec,
  rotateKeyArgsCodec,
  setMemberStatusArgsCodec,
  setRecoveryDelayArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode, equalBytes } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestChain, transactionOf } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  type Holder,
  issue,
  issueList,
  type TestOrganization,
} from "../support/consortium.ts";
import { freshKey, proven, type TestKeyPair } from "../support/key-holder.ts";
import { changeMemberRow, readMemberRow } from "../support/member-row.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let alpha: TestOrganization;
let chain: TestChain;
/** An individual that alpha's institution enrolled. */
let worker: Holder;
let admin: Address;
let institution: Address;
let regulator: Address;
let pair: TestKeyPair;

beforeAll(async () => {
  consortium = await createConsortium();
  alpha = nth(consortium.organizations, 0);
  worker = await issue(alpha, "individual", "worker");
  admin = nth(consortium.admins, 0).address;
  institution = consortium.institution.address;
  regulator = consortium.regulator.address;
});
beforeEach(async () => {
  chain = new TestChain(consortium.genesis);
  const args = encode(enrollArgsCodec, { certificates: [worker.certificate.der] });
  await call("enroll", args, institution);
  pair = freshKey();
});

const call = (method: string, args: Uint8Array, ...signers: Address[]): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers });
const recoveryOf = (
  address: Address,
  change: Partial<ProposeRecoveryArgs> = {},
): ProposeRecoveryArgs => ({
  ...{ address, ...proven(pair, address, 1), certificate: null },
  ...change,
});
const argsOf = (recovery: ProposeRecoveryArgs) => encode(proposeRecoveryArgsCodec, recovery);
const propose = (by: Address, recovery = recoveryOf(worker.address)): Promise<Receipt> =>
  call("proposeRecovery", argsOf(recovery), by);
const target = () => encode(recoveryTargetCodec, { address: worker.address });
const cancel = (by: Address): Promise<Receipt> => call("cancelRecovery", target(), by);
const complete = (by: Address = regulator): Promise<Receipt> =>
  call("completeRecovery", target(), by);
const setStatus = (status: "active" | "suspended" | "revoked", by: Address): Promise<Receipt> =>
  call("setStatus", encode(setMemberStatusArgsCodec, { address: worker.address, status }), by);

/** Lets so much time go by that the next block is that much later than the last one. */
const pass = (ms: number): void => {
  chain.timeMs += ms - 1_000;
};

async function waiting(): Promise<readonly ListedRecovery[]> {
  const args = encode(listRecoveriesArgsCodec, { from: null, limit: 32 });
  const query = { contract: "members", method: "recoveries", args, signers: [admin] };
  return decode(recoveryListCodec, (await chain.query(query)).returnValue);
}

describe("S-9.5-2a: a member that lost its key", () => {
  it("gets another one by its organisation after the waiting time; address and history stay", async () => {
    const proposed = await propose(institution);
    expect(proposed).toMatchObject({ status: "SUCCESS", events: [{ topic: "recovery" }] });
    const fromMs = chain.timeMs + DEFAULT_RECOVERY_DELAY_MS;
    const untilMs = fromMs + RECOVERY_OPEN_MS;
    const { publicKey } = pair;
    const open = { address: worker.address, publicKey, proposedBy: institution, fromMs, untilMs };
    expect(await waiting()).toEqual([open]);
    const event = nth([...proposed.events], 0).data;
    expect(decode(recoveryEventCodec, event)).toEqual({ step: "proposed", ...open });

    pass(DEFAULT_RECOVERY_DELAY_MS - 1);
    expect((await complete()).status).toBe("MEMBERS_RECOVERY_EARLY");
    pass(1);
    const completed = await complete();
    expect(completed).toMatchObject({
      status: "SUCCESS",
      events: [{ topic: "key" }, { topic: "recovery" }],
    });
    expect(await waiting()).toEqual([]);
    const member = readMemberRow(chain, worker.address);
    const at = chain.view.height;
    expect(member.keys.map((key) => key.publicKey)).toEqual([worker.publicKey, publicKey]);
    expect(equalBytes(memberKeyAt(member, at) ?? publicKey, worker.publicKey)).toBe(true);
    expect(equalBytes(memberKeyAt(member, at + 1) ?? worker.publicKey, publicKey)).toBe(true);
    for (const key of [worker.publicKey, publicKey]) {
      expect(memberOfKey(chain.view, key)?.address).toEqual(worker.address);
    }
    expect((await complete()).status).toBe("MEMBERS_NO_RECOVERY");
  });

  it.each<[string, () => Address]>([
    ["the member, who has its key after all", () => worker.address],
    ["its organisation's admin", () => admin],
    ["the institution that proposed it", () => institution],
    ["a regulator", () => regulator],
  ])("keeps it when objected by %s", async (_, by) => {
    await propose(institution);
    expect(await cancel(by())).toMatchObject({
      status: "SUCCESS",
      events: [{ topic: "recovery" }],
    });
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await complete()).status).toBe("MEMBERS_NO_RECOVERY");
    expect((await cancel(by())).status).toBe("MEMBERS_NO_RECOVERY");
    expect(readMemberRow(chain, worker.address).keys).toHaveLength(1);
  });

  it("keeps it when it rotates meanwhile", async () => {
    await propose(institution);
    const key = proven(freshKey(), worker.address, 1);
    const args = encode(rotateKeyArgsCodec, { ...key, certificate: null });
    expect(await call("rotateKey", args, worker.address)).toMatchObject({
      status: "SUCCESS",
      events: [{ topic: "recovery" }, { topic: "key" }],
    });
    expect(await waiting()).toEqual([]);
  });

  it("others neither propose nor object", async () => {
    const foreign = [nth(consortium.admins, 1).address, consortium.enterprise.address];
    expect((await propose(nth(foreign, 0))).status).toBe("MEMBERS_ROLE_FORBIDDEN");
    expect((await propose(nth(foreign, 1))).status).toBe("VM_ACCESS_DENIED");
    await propose(admin);
    for (const by of foreign) expect((await cancel(by)).status).toBe("MEMBERS_ROLE_FORBIDDEN");
  });

  it("a thief who holds its key cannot hold the recovery up: it is suspended meanwhile", async () => {
    await setStatus("suspended", admin);
    expect((await propose(admin)).status).toBe("SUCCESS");
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await complete()).status).toBe("SUCCESS");
    expect(readMemberRow(chain, worker.address).status).toBe("suspended");
    expect((await setStatus("active", admin)).status).toBe("SUCCESS");
  });

  it("comes to nothing when it is revoked meanwhile, or nobody completes it", async () => {
    await propose(admin);
    pass(DEFAULT_RECOVERY_DELAY_MS + RECOVERY_OPEN_MS);
    expect((await complete()).status).toBe("MEMBERS_NO_RECOVERY");
    expect((await propose(admin)).status).toBe("SUCCESS");
    expect((await propose(admin)).status).toBe("MEMBERS_RECOVERY_OPEN");
    await setStatus("revoked", admin);
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await complete()).status).toBe("MEMBERS_NOT_ACTIVE");
    expect((await propose(admin)).status).toBe("MEMBERS_NOT_ACTIVE");
  });

  it.each<[string, () => Partial<ProposeRecoveryArgs>]>([
    ["MEMBERS_KEY_NOT_PROVEN", () => proven(pair, worker.address, 0)],
    ["MEMBERS_KEY_NOT_PROVEN", () => proven(pair, admin, 1)],
    ["MEMBERS_KEY_INVALID", () => ({ publicKey: new Uint8Array(65).fill(4) })],
    ["MEMBERS_KEY_KNOWN", () => ({ publicKey: consortium.enterprise.publicKey })],
    ["MEMBERS_CERTIFICATE_MALFORMED", () => ({ certificate: new Uint8Array(3) })],
    ["MEMBERS_NOT_FOUND", () => ({ address: freshKey().address })],
    ["MEMBERS_ROLE_FORBIDDEN", () => ({ address: nth(consortium.validators, 0).address })],
    ["MEMBERS_ROLE_FORBIDDEN", () => ({ address: admin })],
  ])("%s", async (status, change) => {
    expect((await propose(admin, recoveryOf(worker.address, change()))).status).toBe(status);
    expect(await waiting()).toEqual([]);
  });

  it("has at most 64 keys in all", async () => {
    const [first] = readMemberRow(chain, worker.address).keys;
    if (first === undefined) throw new Error("a member has a key");
    const full = (count: number) =>
      changeMemberRow(chain, worker.address, { keys: Array.from({ length: count }, () => first) });
    full(MAX_MEMBER_KEYS);
    expect((await propose(admin)).status).toBe("MEMBERS_KEYS_FULL");
    full(MAX_MEMBER_KEYS - 1);
    const last = proven(pair, worker.address, MAX_MEMBER_KEYS - 1);
    expect((await propose(admin, recoveryOf(worker.address, last))).status).toBe("SUCCESS");
  });

  it("a certificate over the new key keeps it when the old one's is revoked", async () => {
    const { certificate } = await issue(alpha, "individual", "worker", pair);
    await propose(admin, recoveryOf(worker.address, { certificate: certificate.der }));
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await complete()).status).toBe("SUCCESS");
    const revocationList = await issueList(alpha, [worker.certificate]);
    const args = encode(registerRevocationListArgsCodec, { revocationList });
    expect((await call("registerRevocationList", args, admin)).status).toBe("SUCCESS");
    expect(readMemberRow(chain, worker.address)).toMatchObject({
      status: "active",
      certificateDigest: certificate.fingerprint,
    });
  });
});

describe("S-9.5-2a: what the consortium decides of recoveries", () => {
  const majority = () => consortium.admins.slice(1).map((one) => one.address);

  it("an organisation's admin gets another key by a decision, after the same time", async () => {
    const recovery = argsOf(recoveryOf(admin));
    const [first, ...others] = majority();
    if (first === undefined) throw new Error("admins");
    expect((await call("recoverAdmin", recovery, first)).status).toBe("GOVERNANCE_VOTES_MISSING");
    const receipt = await call("recoverAdmin", recovery, first, ...others);
    expect(receipt.status).toBe("SUCCESS");
    expect(await waiting()).toMatchObject([{ address: admin, proposedBy: null }]);
    const done = encode(recoveryTargetCodec, { address: admin });
    expect((await call("completeRecovery", done, first)).status).toBe("MEMBERS_RECOVERY_EARLY");
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await call("completeRecovery", done, first)).status).toBe("SUCCESS");
    expect(readMemberRow(chain, admin).keys).toHaveLength(2);
  });

  it("of nobody but admins", async () => {
    const recovery = argsOf(recoveryOf(worker.address));
    const receipt = await call("recoverAdmin", recovery, ...majority());
    expect(receipt.status).toBe("MEMBERS_ROLE_FORBIDDEN");
  });

  it.each([
    [MIN_RECOVERY_DELAY_MS - 1, "MEMBERS_RECOVERY_DELAY"],
    [MIN_RECOVERY_DELAY_MS, "SUCCESS"],
    [MAX_RECOVERY_DELAY_MS, "SUCCESS"],
    [MAX_RECOVERY_DELAY_MS + 1, "MEMBERS_RECOVERY_DELAY"],
  ])("the time, within bounds: %i ms is %s", async (delayMs, status) => {
    const args = encode(setRecoveryDelayArgsCodec, { delayMs });
    expect((await call("setRecoveryDelay", args, admin)).status).toBe("GOVERNANCE_VOTES_MISSING");
    expect((await call("setRecoveryDelay", args, ...majority())).status).toBe(status);
    await propose(admin);
    const expected = status === "SUCCESS" ? delayMs : DEFAULT_RECOVERY_DELAY_MS;
    expect(nth([...(await waiting())], 0).fromMs).toBe(chain.timeMs + expected);
  });

  it("a page has 1 to 32 recoveries", async () => {
    for (const [limit, status] of [
      [0, "MEMBERS_LIST_LIMIT"],
      [33, "MEMBERS_LIST_LIMIT"],
      [1, "SUCCESS"],
    ] as const) {
      const args = encode(listRecoveriesArgsCodec, { from: null, limit });
      const query = { contract: "members", method: "recoveries", args, signers: [admin] };
      expect((await chain.query(query)).status).toBe(status);
    }
  });

  it("a key that another took meanwhile is not given", async () => {
    await propose(institution);
    const enrolled = await issue(alpha, "enterprise", "other", pair);
    const args = encode(enrollArgsCodec, { certificates: [enrolled.certificate.der] });
    const taken = await chain.block(
      transactionOf({ contract: "members", method: "enroll", args, signers: [admin] }),
    );
    expect(taken.receipts.map(({ status }) => status)).toEqual(["SUCCESS"]);
    pass(DEFAULT_RECOVERY_DELAY_MS);
    expect((await complete()).status).toBe("MEMBERS_KEY_KNOWN");
  });
});
