import { generateKeyPair } from "@credlink/crypto";
import {
  enrollArgsCodec,
  getMemberArgsCodec,
  type Member,
  type MemberStatus,
  memberCodec,
  type Receipt,
  type RelationKey,
  registerRelationKeysArgsCodec,
  registerRevocationListArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  enrolledCodec,
  getOrganizationArgsCodec,
  noArgsCodec,
  organizationCodec,
  organizationNamesCodec,
} from "../../src/index.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  createOrganization,
  createRoot,
  DAY_MS,
  GENESIS_MS,
  type Holder,
  type IssueOptions,
  issue,
  issueFor,
  issueList,
  type TestOrganization,
} from "../support/consortium.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let alpha: TestOrganization;
let beta: TestOrganization;
let adminOfAlpha: Holder;
let adminOfBeta: Holder;
let chain: TestChain;

beforeAll(async () => {
  consortium = await createConsortium();
  alpha = nth(consortium.organizations, 0);
  beta = nth(consortium.organizations, 1);
  adminOfAlpha = nth(consortium.admins, 0);
  adminOfBeta = nth(consortium.admins, 1);
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const call = (method: string, args: Uint8Array, by: Holder): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: [by.address] });
const enroll = (holders: readonly Holder[], by: Holder = adminOfAlpha): Promise<Receipt> =>
  call(
    "enroll",
    encode(enrollArgsCodec, { certificates: holders.map(({ certificate }) => certificate.der) }),
    by,
  );
const setStatus = (of: Address, status: MemberStatus, by: Holder): Promise<Receipt> =>
  call("setStatus", encode(setMemberStatusArgsCodec, { address: of, status }), by);
const registerList = (list: Uint8Array, by: Holder = adminOfAlpha): Promise<Receipt> =>
  call(
    "registerRevocationList",
    encode(registerRevocationListArgsCodec, { revocationList: list }),
    by,
  );
const registerKeys = (keys: readonly RelationKey[], by: Holder): Promise<Receipt> =>
  call("registerRelationKeys", encode(registerRelationKeysArgsCodec, { keys }), by);

async function memberAt(address: Address): Promise<Member> {
  const receipt = await chain.query({
    contract: "members",
    method: "get",
    args: encode(getMemberArgsCodec, { address }),
    signers: [adminOfAlpha.address],
  });
  expect(receipt.status).toBe("SUCCESS");
  return decode(memberCodec, receipt.returnValue);
}

const worker = (options?: IssueOptions, organization = alpha): Promise<Holder> =>
  issue(organization, "individual", "worker", options);

describe("members.enroll", () => {
  it("takes members by certificate, who count from the next block on", async () => {
    const one = await worker();
    const two = await issue(alpha, "observer", "observer");
    const receipt = await enroll([one, two]);
    expect(receipt.status).toBe("SUCCESS");
    expect(decode(enrolledCodec, receipt.returnValue)).toEqual([one.address, two.address]);
    expect(receipt.events.map(({ topic }) => topic)).toEqual(["enrolled", "enrolled"]);
    expect(await memberAt(one.address)).toEqual({
      address: one.address,
      organization: "alpha",
      role: "individual",
      status: "active",
      keys: [{ fromHeight: 2, publicKey: one.publicKey }],
      certificateDigest: one.certificate.fingerprint,
      enrolledBy: adminOfAlpha.address,
      validFromMs: GENESIS_MS,
      validToMs: GENESIS_MS + 365 * DAY_MS + 1_000,
    });
  });

  it("lets an institution enrol individuals of its organisation, and nobody else", async () => {
    const { institution } = consortium;
    expect((await enroll([await worker()], institution)).status).toBe("SUCCESS");
    const enterprise = await issue(alpha, "enterprise", "another");
    expect((await enroll([enterprise], institution)).status).toBe("MEMBERS_ROLE_FORBIDDEN");
    const foreign = await worker({}, beta);
    expect((await enroll([foreign], institution)).status).toBe("MEMBERS_ROLE_FORBIDDEN");
  });

  it("S-8.4-9: takes a certificate of 1,096 days, and none that lasts longer", async () => {
    expect((await enroll([await issueFor(alpha, 1096)])).status).toBe("SUCCESS");
    const receipt = await enroll([await issueFor(alpha, 1097)]);
    expect(receipt.status).toBe("MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG");
  });

  it("keeps nothing of a call that fails at its last certificate", async () => {
    const good = await worker();
    const receipt = await enroll([good, good]);
    expect(receipt).toMatchObject({ status: "MEMBERS_ALREADY_ENROLLED", events: [] });
    expect((await enroll([good])).status).toBe("SUCCESS");
  });

  it.each<readonly [string, () => Promise<Holder>]>([
    ["MEMBERS_ROLE_FORBIDDEN", () => worker({}, beta)],
    ["MEMBERS_ROLE_FORBIDDEN", () => issue(beta, "validator", "node-9")],
    ["MEMBERS_CERTIFICATE_ROLE_MISSING", () => issue(alpha, "none", "nobody")],
    [
      "MEMBERS_CERTIFICATE_EXPIRED",
      () => worker({ notBeforeMs: GENESIS_MS - 9 * DAY_MS, notAfterMs: GENESIS_MS - DAY_MS }),
    ],
    ["MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG", () => issueFor(alpha, 1097)],
    ["MEMBERS_CERTIFICATE_NOT_YET_VALID", () => worker({ notBeforeMs: GENESIS_MS + DAY_MS })],
    [
      "MEMBERS_CERTIFICATE_UNKNOWN_ROOT",
      async () => worker({}, await createOrganization(await createRoot("rogue"), "alpha")),
    ],
    [
      "MEMBERS_ORGANIZATION_UNKNOWN",
      async () => worker({}, await createOrganization(consortium.root, "omega")),
    ],
    ["MEMBERS_ORGANIZATION_UNKNOWN", () => worker({}, consortium.root)],
    ["MEMBERS_CERTIFICATE_REFUSED", () => worker({}, { ...consortium.root, name: "alpha" })],
    ["MEMBERS_ALREADY_ENROLLED", async () => consortium.institution],
  ])("refuses with %s", async (status, make) => {
    expect((await enroll([await make()])).status).toBe(status);
  });

  it("refuses bytes that are no certificate, and one with a changed byte", async () => {
    const args = encode(enrollArgsCodec, { certificates: [Uint8Array.of(1, 2, 3)] });
    expect((await call("enroll", args, adminOfAlpha)).status).toBe("MEMBERS_CERTIFICATE_MALFORMED");
    const der = (await worker()).certificate.der.slice();
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    const changed = encode(enrollArgsCodec, { certificates: [der] });
    const receipt = await call("enroll", changed, adminOfAlpha);
    expect(receipt.status).toBe("MEMBERS_CERTIFICATE_BAD_SIGNATURE");
  });

  it("refuses callers without the role, malformed arguments, unknown methods and versions", async () => {
    const args = encode(enrollArgsCodec, { certificates: [] });
    expect((await call("enroll", args, consortium.enterprise)).status).toBe("VM_ACCESS_DENIED");
    const malformed = await call("enroll", Uint8Array.of(0xc0), adminOfAlpha);
    expect(malformed.status).toBe("VM_ARGUMENTS_MALFORMED");
    expect((await call("fly", args, adminOfAlpha)).status).toBe("VM_METHOD_UNKNOWN");
    const signers = [adminOfAlpha.address];
    const other = { contract: "members", method: "enroll", args, signers, version: "9.9.9" };
    expect((await chain.run(other)).status).toBe("VM_VERSION_UNKNOWN");
  });
});

describe("members.registerRelationKeys", () => {
  const key = (changes: Partial<RelationKey> = {}): RelationKey => ({
    publicKey: generateKeyPair().publicKey,
    role: "individual",
    validFromMs: GENESIS_MS,
    validToMs: GENESIS_MS + 100 * DAY_MS,
    ...changes,
  });

  it("registers keys with role and validity only, under the institution", async () => {
    const keys = [key(), key({ role: "enterprise" })];
    const receipt = await registerKeys(keys, consortium.institution);
    const addresses = decode(enrolledCodec, receipt.returnValue);
    expect(await memberAt(nth(addresses, 1))).toMatchObject({
      role: "enterprise",
      organization: "alpha",
      certificateDigest: null,
      enrolledBy: consortium.institution.address,
    });
  });

  it.each<readonly [string, Partial<RelationKey>]>([
    ["MEMBERS_ROLE_FORBIDDEN", { role: "institution" }],
    ["MEMBERS_VALIDITY_INVALID", { validToMs: GENESIS_MS }],
    ["MEMBERS_VALIDITY_INVALID", { validFromMs: 0, validToMs: GENESIS_MS - 1 }],
    ["MEMBERS_VALIDITY_INVALID", { validToMs: GENESIS_MS + 1_200 * DAY_MS }],
    ["MEMBERS_KEY_INVALID", { publicKey: new Uint8Array(65).fill(4) }],
  ])("refuses with %s", async (status, changes) => {
    const receipt = await registerKeys([key(changes)], consortium.institution);
    expect(receipt.status).toBe(status);
  });

  it("refuses a key twice, and callers that are no institution", async () => {
    const one = key();
    expect((await registerKeys([one], consortium.institution)).status).toBe("SUCCESS");
    const again = await registerKeys([one], consortium.institution);
    expect(again.status).toBe("MEMBERS_ALREADY_ENROLLED");
    expect((await registerKeys([key()], adminOfAlpha)).status).toBe("VM_ACCESS_DENIED");
  });
});

describe("members.setStatus", () => {
  it("lets an admin manage its own organisation's members only", async () => {
    const { address } = consortium.institution;
    expect((await setStatus(address, "suspended", adminOfBeta)).status).toBe(
      "MEMBERS_ROLE_FORBIDDEN",
    );
    expect((await setStatus(address, "suspended", adminOfAlpha)).status).toBe("SUCCESS");
    expect((await memberAt(address)).status).toBe("suspended");
    expect((await setStatus(address, "suspended", adminOfAlpha)).status).toBe(
      "MEMBERS_STATUS_UNCHANGED",
    );
    expect((await setStatus(address, "active", adminOfAlpha)).status).toBe("SUCCESS");
  });

  it("lets a regulator suspend anybody, and only a regulator lift that", async () => {
    const { regulator, enterprise } = consortium;
    expect((await setStatus(enterprise.address, "suspended", regulator)).status).toBe("SUCCESS");
    expect((await setStatus(enterprise.address, "active", adminOfBeta)).status).toBe(
      "MEMBERS_HELD_BY_REGULATOR",
    );
    expect((await setStatus(enterprise.address, "active", regulator)).status).toBe("SUCCESS");
    expect((await setStatus(enterprise.address, "revoked", regulator)).status).toBe(
      "MEMBERS_ROLE_FORBIDDEN",
    );
  });

  it("does not let a regulator lift an organisation's own suspension", async () => {
    const { regulator, enterprise } = consortium;
    await setStatus(enterprise.address, "suspended", adminOfBeta);
    expect((await setStatus(enterprise.address, "active", regulator)).status).toBe(
      "MEMBERS_ROLE_FORBIDDEN",
    );
  });

  it("is final for who left or was revoked", async () => {
    const { address } = consortium.institution;
    await setStatus(address, "revoked", adminOfAlpha);
    expect((await setStatus(address, "active", adminOfAlpha)).status).toBe("MEMBERS_STATUS_FINAL");
  });

  it("lets an institution manage whom it enrolled", async () => {
    const { institution } = consortium;
    const own = await worker();
    const other = await worker();
    await enroll([own], institution);
    await enroll([other], adminOfAlpha);
    expect((await setStatus(own.address, "left", institution)).status).toBe("SUCCESS");
    expect((await setStatus(other.address, "left", institution)).status).toBe(
      "MEMBERS_ROLE_FORBIDDEN",
    );
  });

  it("knows no stranger", async () => {
    const { address } = await worker();
    expect((await setStatus(address, "left", adminOfAlpha)).status).toBe("MEMBERS_NOT_FOUND");
  });
});

describe("members.registerRevocationList", () => {
  it("revokes the members that a list names and refuses their certificates", async () => {
    const enrolled = await worker();
    const outside = await worker();
    await enroll([enrolled]);
    const list = await issueList(alpha, [enrolled.certificate, outside.certificate]);
    expect((await registerList(list)).status).toBe("SUCCESS");
    expect((await memberAt(enrolled.address)).status).toBe("revoked");
    expect((await enroll([outside])).status).toBe("MEMBERS_CERTIFICATE_REVOKED");
  });

  it("refuses lists of others, forged, stale or not newer ones", async () => {
    const ofBeta = await issueList(beta, []);
    expect((await registerList(ofBeta)).status).toBe("MEMBERS_ROLE_FORBIDDEN");
    const forger = await createOrganization(await createRoot("rogue"), "alpha");
    const forged = await issueList(forger, []);
    expect((await registerList(forged)).status).toBe("MEMBERS_REVOCATION_LIST_REFUSED");
    const stale = await issueList(alpha, [], {
      thisUpdateMs: GENESIS_MS - 9 * DAY_MS,
      nextUpdateMs: GENESIS_MS - DAY_MS,
    });
    expect((await registerList(stale)).status).toBe("MEMBERS_REVOCATION_LIST_REFUSED");
    const good = await issueList(alpha, []);
    expect((await registerList(good)).status).toBe("SUCCESS");
    expect((await registerList(good)).status).toBe("MEMBERS_REVOCATION_LIST_OLD");
    expect((await registerList(Uint8Array.of(1))).status).toBe("MEMBERS_REVOCATION_LIST_MALFORMED");
    const unknown = await issueList(await createOrganization(consortium.root, "omega"), []);
    expect((await registerList(unknown)).status).toBe("MEMBERS_ORGANIZATION_UNKNOWN");
  });
});

describe("reading the registry", () => {
  it("tells organisations and members to anybody", async () => {
    const signers = [consortium.enterprise.address];
    const base = { contract: "members", signers };
    const names = await chain.query({
      ...base,
      method: "organizations",
      args: encode(noArgsCodec, {}),
    });
    expect(decode(organizationNamesCodec, names.returnValue)).toEqual([
      "alpha",
      "beta",
      "gamma",
      "delta",
    ]);
    const one = await chain.query({
      ...base,
      method: "getOrganization",
      args: encode(getOrganizationArgsCodec, { name: "beta" }),
    });
    expect(decode(organizationCodec, one.returnValue).authorityCertificate).toEqual(
      beta.authority.der,
    );
    const { address } = await worker();
    const args = encode(getMemberArgsCodec, { address });
    const unknown = await chain.query({ ...base, method: "get", args });
    expect(unknown).toMatchObject({ status: "MEMBERS_NOT_FOUND" });
    const omega = encode(getOrganizationArgsCodec, { name: "omega" });
    const none = await chain.query({ ...base, method: "getOrganization", args: omega });
    expect(none.status).toBe("MEMBERS_ORGANIZATION_UNKNOWN");
  });

  it("refuses queries of methods that change state, and strangers", async () => {
    const args = encode(enrollArgsCodec, { certificates: [] });
    const query = await chain.query({
      contract: "members",
      method: "enroll",
      args,
      signers: [adminOfAlpha.address],
    });
    expect(query.status).toBe("VM_METHOD_UNKNOWN");
    expect((await call("enroll", args, await worker())).status).toBe("VM_SENDER_UNKNOWN");
  });
});
