import { createCertificate, createSm2Signer, generateKeyPair } from "@credlink/crypto";
import {
  type EnrollArgs,
  enrollArgsCodec,
  enrollExternalArgsCodec,
  formerAuthoritiesCodec,
  MAX_AUTHORITY_KEEP_MS,
  MAX_FORMER_AUTHORITIES,
  type Member,
  memberOfKey,
  type Receipt,
  type ReplaceAuthorityArgs,
  registerExternalAuthorityArgsCodec,
  registerRevocationListArgsCodec,
  renewCertificateArgsCodec,
  replaceAuthorityArgsCodec,
} from "@credlink/ledger";
import { decode, encode, text } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { getOrganizationArgsCodec } from "../../src/index.ts";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  createOrganization,
  createRoot,
  DAY_MS,
  GENESIS_MS,
  type Holder,
  issue,
  issueList,
  type TestOrganization,
} from "../support/consortium.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let alpha: TestOrganization;
/** Alpha's next CA, on a key of its own. */
let next: TestOrganization;
let chain: TestChain;
let admin: Holder;
let validator: Holder;
/** The same keys, certified by the next CA. */
let newAdmin: Holder;
let newValidator: Holder;
/** A member that the next CA certified, and one of the CA before. */
let fresh: Holder;
let late: Holder;

beforeAll(async () => {
  consortium = await createConsortium();
  alpha = nth(consortium.organizations, 0);
  next = await createOrganization(consortium.root, "alpha");
  admin = nth(consortium.admins, 0);
  validator = nth(consortium.validators, 0);
  newAdmin = await issue(next, "admin", "alpha-admin", { publicKey: admin.publicKey });
  newValidator = await issue(next, "validator", "node-0", { publicKey: validator.publicKey });
  fresh = await issue(next, "enterprise", "fresh");
  late = await issue(alpha, "enterprise", "late");
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const call = (method: string, args: Uint8Array, ...signers: readonly Holder[]): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: signers.map((one) => one.address) });

/** The decision, by the admins of as many organisations. */
async function replace(change: Partial<ReplaceAuthorityArgs> = {}, votes = 3): Promise<string> {
  const args: ReplaceAuthorityArgs = {
    organization: "alpha",
    authorityCertificate: next.authority.der,
    keepUntilMs: GENESIS_MS + 30 * DAY_MS,
    certificates: [],
    ...change,
  };
  const signers = consortium.admins.slice(0, votes);
  return (await call("replaceAuthority", encode(replaceAuthorityArgsCodec, args), ...signers))
    .status;
}
const carried = () => [newAdmin, newValidator].map(({ certificate }) => certificate.der);
const atOnce = () => replace({ keepUntilMs: 0, certificates: carried() });
const argsOf = (...holders: readonly Holder[]): EnrollArgs => ({
  certificates: holders.map(({ certificate }) => certificate.der),
});
const enroll = async (holder: Holder) =>
  (await call("enroll", encode(enrollArgsCodec, argsOf(holder)), admin)).status;
const found = ({ publicKey }: Holder): Member | null => memberOfKey(chain.view, publicKey);
async function register(list: Uint8Array): Promise<string> {
  const args = encode(registerRevocationListArgsCodec, { revocationList: list });
  return (await call("registerRevocationList", args, admin)).status;
}

describe("another CA for an organisation", () => {
  it("T-4.2.2: is decided by more than two thirds of the organisations", async () => {
    expect(await replace({}, 2)).toBe("GOVERNANCE_VOTES_MISSING");
    expect(await replace({}, 3)).toBe("SUCCESS");
  });

  it("certifies new members in place of the one before", async () => {
    expect(await enroll(fresh)).toBe("MEMBERS_CERTIFICATE_UNKNOWN_ROOT");
    expect(await replace()).toBe("SUCCESS");
    expect(await enroll(fresh)).toBe("SUCCESS");
    expect(found(fresh)?.validToMs).toBeGreaterThan(GENESIS_MS + 30 * DAY_MS);
    expect((await enroll(late)).startsWith("MEMBERS_CERTIFICATE_")).toBe(true);
  });

  it("lets certificates of the one before count until the stated time, to the millisecond", async () => {
    const untilMs = GENESIS_MS + 30 * DAY_MS;
    const before = found(admin);
    expect(await replace({ keepUntilMs: untilMs })).toBe("SUCCESS");
    expect(before?.validToMs).toBeGreaterThan(untilMs);
    expect(found(admin)).toEqual({ ...before, validToMs: untilMs });
    // Of other organisations nothing changes.
    const other = nth(consortium.admins, 1);
    expect(found(other)?.validToMs).toBeGreaterThan(untilMs);
  });

  it("keeps address and keys of who renews, so what it signed verifies at its height", async () => {
    await replace();
    const keys = found(admin)?.keys;
    const args = encode(renewCertificateArgsCodec, { certificate: newAdmin.certificate.der });
    expect((await call("renewCertificate", args, admin)).status).toBe("SUCCESS");
    expect(found(admin)).toMatchObject({ address: admin.address, keys });
    expect(found(admin)?.validToMs).toBeGreaterThan(GENESIS_MS + 30 * DAY_MS);
  });

  it("after a leak ends what the one before certified at once, but for who is brought along", async () => {
    await enroll(late);
    expect(await atOnce()).toBe("SUCCESS");
    expect(found(late)?.validToMs).toBe(chain.timeMs);
    expect(found(admin)?.validToMs).toBeGreaterThan(chain.timeMs);
    expect(found(validator)?.validToMs).toBeGreaterThan(chain.timeMs);
    expect(await enroll(fresh)).toBe("SUCCESS");
  });

  it("brings along who was no member yet", async () => {
    const certificates = [...carried(), fresh.certificate.der];
    expect(await replace({ certificates })).toBe("SUCCESS");
    expect(found(fresh)).toMatchObject({ organization: "alpha", enrolledBy: null });
  });

  it("after a leak must leave an admin, and every validator, of the organisation", async () => {
    const [ofAdmin, ofValidator] = [newAdmin, newValidator].map((one) => one.certificate.der);
    for (const only of [ofAdmin, ofValidator]) {
      const certificates = [only ?? new Uint8Array(0)];
      expect(await replace({ keepUntilMs: 0, certificates })).toBe("MEMBERS_AUTHORITY_LEAVES_NONE");
    }
    // With a period they have time to renew.
    expect(await replace({ keepUntilMs: chain.timeMs + 1_001 })).toBe("SUCCESS");
  });

  it("never leaves fewer than four validators when one lapses with its CA", async () => {
    await replace({ keepUntilMs: chain.timeMs + 2_000 });
    await chain.block();
    await chain.block();
    expect(found(validator)?.validToMs).toBeLessThanOrEqual(chain.timeMs);
    const { status, returnValue } = await chain.query({
      ...{ contract: "validators", method: "list", signers: [admin.address] },
    });
    expect(status).toBe("SUCCESS");
    expect(new TextDecoder().decode(returnValue)).toContain("node-0");
  });
});

describe("what is refused", () => {
  it("is another period than one for a new key of at most 1,096 days", async () => {
    const most = chain.timeMs + 1_000 + MAX_AUTHORITY_KEEP_MS;
    expect(await replace({ keepUntilMs: null })).toBe("MEMBERS_AUTHORITY_PERIOD");
    expect(await replace({ keepUntilMs: most + 1_001 })).toBe("MEMBERS_AUTHORITY_PERIOD");
    expect(await replace({ keepUntilMs: most + 2_000 })).toBe("SUCCESS");
  });

  it("is a root, a CA under another root, of another organisation, and the same again", async () => {
    const stranger = await createOrganization(await createRoot("elsewhere"), "alpha");
    const refused = async (authority: TestOrganization) =>
      replace({ authorityCertificate: authority.authority.der });
    expect(await refused(consortium.root)).toBe("MEMBERS_ROOT_FIXED");
    expect(await refused(stranger)).toBe("MEMBERS_CERTIFICATE_UNKNOWN_ROOT");
    expect(await refused(nth(consortium.organizations, 1))).toBe("MEMBERS_CERTIFICATE_OTHER");
    expect(await refused(alpha)).toBe("MEMBERS_AUTHORITY_KNOWN");
    expect(await replace({ organization: "omega" })).toBe("MEMBERS_ORGANIZATION_UNKNOWN");
    const garbage = Uint8Array.of(1, 2, 3);
    expect(await replace({ authorityCertificate: garbage })).toBe("MEMBERS_CERTIFICATE_MALFORMED");
  });

  it("is the CA before, once its key was given up", async () => {
    await replace();
    expect(await replace({ authorityCertificate: alpha.authority.der })).toBe(
      "MEMBERS_AUTHORITY_KNOWN",
    );
  });

  it("is the seventeenth new key, though never a renewed certificate", async () => {
    for (let made = 0; made < MAX_FORMER_AUTHORITIES; made++) {
      const { authority } = await createOrganization(consortium.root, "alpha");
      expect(await replace({ authorityCertificate: authority.der })).toBe("SUCCESS");
    }
    expect(await replace()).toBe("MEMBERS_AUTHORITIES_FULL");
  });
});

describe("the same key under another certificate", () => {
  it("leaves members, and the registered list, as they are", async () => {
    const { publicKey, privateKey } = generateKeyPair();
    const signer = createSm2Signer(privateKey);
    const certificateUntil = (days: number) =>
      createCertificate({
        subject: { commonName: "alpha CA", organization: "alpha", organizationalUnit: "ca" },
        subjectKey: publicKey,
        notBeforeMs: GENESIS_MS - DAY_MS,
        notAfterMs: GENESIS_MS + days * DAY_MS,
        authority: { pathLength: 0 },
        issuer: consortium.root.authority,
        signer: consortium.root.signer,
      });
    const short = { name: "alpha", signer, authority: await certificateUntil(700) };
    const renewed = { ...short, authority: await certificateUntil(2_000) };
    await replace({ authorityCertificate: short.authority.der });
    const member = await issue(short, "enterprise", "steady");
    expect(await enroll(member)).toBe("SUCCESS");
    expect(await replace({ authorityCertificate: renewed.authority.der })).toBe(
      "MEMBERS_AUTHORITY_PERIOD",
    );
    const before = found(member);
    const again = { authorityCertificate: renewed.authority.der, keepUntilMs: null };
    expect(await replace(again)).toBe("SUCCESS");
    expect(found(member)).toEqual(before);
    expect(await enroll(await issue(renewed, "enterprise", "second"))).toBe("SUCCESS");
    const { returnValue } = await chain.query({
      ...{ contract: "members", method: "formerAuthorities", signers: [admin.address] },
      args: encode(getOrganizationArgsCodec, { name: "alpha" }),
    });
    expect(decode(formerAuthoritiesCodec, returnValue)).toHaveLength(1);
  });
});

it("leaves alone whom an authority outside the consortium certified", async () => {
  const trust = await createRoot("Outside Trust");
  const outside = await createOrganization(trust, "Outside Trust");
  const firm = await issue(outside, "none", "Some Firm Ltd");
  const registered = encode(registerExternalAuthorityArgsCodec, {
    ...{ name: "outside", roles: ["enterprise"] as const },
    certificates: [trust, outside].map(({ authority }) => authority.der),
  });
  await call("registerExternalAuthority", registered, ...consortium.admins);
  const { der: certificate } = firm.certificate;
  const args = { authority: "outside", role: "enterprise" as const, certificate };
  await call("enrollExternal", encode(enrollExternalArgsCodec, args), admin);
  const before = found(firm);
  expect(before).toMatchObject({ organization: "alpha", status: "active" });
  expect(await atOnce()).toBe("SUCCESS");
  expect(found(firm)).toEqual(before);
});

describe("revocation lists after a replacement", () => {
  it("are taken from both CAs while both count, and each revokes its own members alone", async () => {
    await enroll(late);
    await replace();
    await enroll(fresh);
    const at = chain.timeMs;
    const ofFormer = await issueList(alpha, [late.certificate, fresh.certificate], {
      thisUpdateMs: at,
    });
    expect(await register(ofFormer)).toBe("SUCCESS");
    expect([found(late)?.status, found(fresh)?.status]).toEqual(["revoked", "active"]);
    expect(await register(ofFormer)).toBe("MEMBERS_REVOCATION_LIST_OLD");
    const ofNext = await issueList(next, [fresh.certificate], { thisUpdateMs: at });
    expect(await register(ofNext)).toBe("SUCCESS");
    expect(found(fresh)?.status).toBe("revoked");
  });

  it("are refused of a CA that counts no more", async () => {
    await atOnce();
    const list = await issueList(alpha, [admin.certificate], { thisUpdateMs: chain.timeMs });
    expect(await register(list)).toBe("MEMBERS_REVOCATION_LIST_REFUSED");
    expect(found(admin)?.status).toBe("active");
  });
});

it("says on chain whose CA changed", async () => {
  const args = encode(replaceAuthorityArgsCodec, {
    ...{ organization: "alpha", authorityCertificate: next.authority.der },
    ...{ keepUntilMs: GENESIS_MS + DAY_MS, certificates: [] },
  });
  const { events } = await call("replaceAuthority", args, ...consortium.admins.slice(0, 3));
  const [event] = events;
  expect(event?.topic).toBe("authority");
  expect(event?.data.subarray(0, 7)).toEqual(
    Uint8Array.of(0x93, ...encode(text(64), "alpha")).subarray(0, 7),
  );
});

describe("S-9.7-2: an organisation's next CA", () => {
  it("has neither key nor name of an outside authority's", async () => {
    const root = await createRoot("Outside Trust");
    const issuing = await createCertificate({
      subject: { commonName: "Trust CA", organization: "Outside Trust", organizationalUnit: "ca" },
      subjectKey: next.authority.subjectKey,
      notBeforeMs: GENESIS_MS - DAY_MS,
      notAfterMs: GENESIS_MS + 900 * DAY_MS,
      authority: { pathLength: 0 },
      issuer: root.authority,
      signer: root.signer,
    });
    const args = encode(registerExternalAuthorityArgsCodec, {
      name: "trust",
      certificates: [root.authority.der, issuing.der],
      roles: ["enterprise"],
    });
    const signers = consortium.admins.slice(0, 3);
    expect((await call("registerExternalAuthority", args, ...signers)).status).toBe("SUCCESS");
    expect(await replace()).toBe("MEMBERS_EXTERNAL_TAKEN");
  });
});
