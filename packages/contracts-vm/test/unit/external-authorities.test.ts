import { readFileSync } from "node:fs";
import { parseCertificate, parseRevocationList } from "@credlink/crypto";
import {
  type EnrollExternalArgs,
  EXTERNAL_SWEEP,
  type ExternalRole,
  enrollExternalArgsCodec,
  externalAuthorityCodec,
  externalAuthorityKey,
  externalAuthorityNameArgsCodec,
  externalNamesCodec,
  MAX_EXTERNAL_AUTHORITIES,
  type Member,
  memberCodec,
  memberKey,
  type Receipt,
  registerExternalAuthorityArgsCodec,
  registerExternalListArgsCodec,
  renewExternalArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { noArgsCodec } from "../../src/index.ts";
import { TestChain, transactionOf } from "../support/chain.ts";
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
let root: TestOrganization;
/** The outside CA that issues. */
let outside: TestOrganization;
let chain: TestChain;

beforeAll(async () => {
  consortium = await createConsortium({ validators: 5 });
  root = await createRoot("Outside Trust");
  outside = await createOrganization(root, "Outside Trust");
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const admin = (index: number): Address => nth(consortium.admins, index).address;
const majority = () => [0, 1, 2].map(admin);
const all = () => [0, 1, 2, 3].map(admin);
const call = (method: string, args: Uint8Array, ...signers: readonly Address[]): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers });
const register = (
  change: {
    readonly name?: string;
    readonly chain?: readonly TestOrganization[];
    readonly roles?: readonly ExternalRole[];
  } = {},
  signers: readonly Address[] = all(),
) => {
  const args = {
    name: change.name ?? "outside",
    certificates: (change.chain ?? [root, outside]).map(({ authority }) => authority.der),
    roles: change.roles ?? (["enterprise", "individual"] as const),
  };
  return call(
    "registerExternalAuthority",
    encode(registerExternalAuthorityArgsCodec, args),
    ...signers,
  );
};
const withdraw = (signers = majority(), name = "outside") =>
  call("withdrawExternalAuthority", encode(externalAuthorityNameArgsCodec, { name }), ...signers);
const enroll = (
  holder: Pick<Holder, "certificate">,
  change: Partial<EnrollExternalArgs> = {},
  by = admin(1),
) => {
  const args = { authority: "outside", role: "enterprise" as const, ...change };
  const { der } = holder.certificate;
  return call("enrollExternal", encode(enrollExternalArgsCodec, { certificate: der, ...args }), by);
};
const registerList = (revocationList: Uint8Array, by = admin(3)) =>
  call(
    "registerExternalList",
    encode(registerExternalListArgsCodec, { authority: "outside", revocationList }),
    by,
  );
const renew = ({ certificate }: Pick<Holder, "certificate">, by: Address) =>
  call("renewExternal", encode(renewExternalArgsCodec, { certificate: certificate.der }), by);
const firm = (options: Parameters<typeof issue>[3] = {}) =>
  issue(outside, "none", "Some Firm Ltd", options);
const memberAt = (address: Address): Member => {
  const value = chain.view.get("members", memberKey(address));
  if (value === null) throw new Error("no member");
  return decode(memberCodec, value);
};
const authority = () => {
  const value = chain.view.get("members", externalAuthorityKey("outside"));
  return value === null ? null : decode(externalAuthorityCodec, value);
};

describe("S-9.7-2: an outside certificate authority", () => {
  it("is registered by a constitutional decision, under its whole chain", async () => {
    expect((await register({}, majority().slice(1))).status).toBe("GOVERNANCE_VOTES_MISSING");
    expect((await register()).status).toBe("SUCCESS");
    expect(authority()).toMatchObject({
      ...{ name: "outside", registeredAt: 2, withdrawnAt: null, holders: 0 },
      roles: ["enterprise", "individual"],
    });
    const args = encode(noArgsCodec, {});
    const query = { contract: "members", method: "externalAuthorities", args, signers: [admin(0)] };
    const { returnValue } = await chain.query(query);
    expect(decode(externalNamesCodec, returnValue)).toEqual(["outside"]);
    expect((await register()).status).toBe("MEMBERS_EXTERNAL_KNOWN");
    expect((await register({ name: "again" })).status).toBe("MEMBERS_EXTERNAL_TAKEN");
  });

  it("may be a root that issues itself", async () => {
    expect((await register({ chain: [root] })).status).toBe("SUCCESS");
    const holder = await issue(root, "none", "Some Firm Ltd");
    expect((await enroll(holder)).status).toBe("SUCCESS");
    // Under a CA of this root that nobody registered:
    expect((await enroll(await firm())).status).toBe("MEMBERS_CERTIFICATE_UNKNOWN_ROOT");
  });

  it.each<[string, () => Parameters<typeof register>[0], string]>([
    ["a name with capitals", () => ({ name: "Outside" }), "MEMBERS_EXTERNAL_INVALID"],
    ["no name", () => ({ name: "" }), "MEMBERS_EXTERNAL_INVALID"],
    ["no role", () => ({ roles: [] }), "MEMBERS_EXTERNAL_INVALID"],
    ["a role twice", () => ({ roles: ["auditor", "auditor"] }), "MEMBERS_EXTERNAL_INVALID"],
    ["no certificate", () => ({ chain: [] }), "MEMBERS_EXTERNAL_INVALID"],
    ["no root", () => ({ chain: [outside] }), "MEMBERS_EXTERNAL_INVALID"],
    ["the chain turned round", () => ({ chain: [outside, root] }), "MEMBERS_EXTERNAL_INVALID"],
    ["a root twice", () => ({ chain: [root, root] }), "MEMBERS_EXTERNAL_INVALID"],
    ["the consortium's root", () => ({ chain: [consortium.root] }), "MEMBERS_EXTERNAL_TAKEN"],
    [
      "an organisation's CA",
      () => ({ chain: [consortium.root, nth(consortium.organizations, 0)] }),
      "MEMBERS_EXTERNAL_TAKEN",
    ],
  ])("is refused with %s", async (_, change, code) => {
    expect((await register(change())).status).toBe(code);
    expect(authority()).toBe(null);
  });

  it("is refused under the name of the consortium's root, or of an organisation's CA", async () => {
    const sameName = await createRoot("consortium");
    expect((await register({ chain: [sameName] })).status).toBe("MEMBERS_EXTERNAL_TAKEN");
    const ca = await createOrganization(root, "alpha");
    expect((await register({ chain: [root, ca] })).status).toBe("MEMBERS_EXTERNAL_TAKEN");
  });

  it("is one of sixteen at the most", async () => {
    for (let i = 0; i < MAX_EXTERNAL_AUTHORITIES; i++) {
      const each = await createRoot(`Trust ${i}`);
      expect((await register({ name: `trust-${i}`, chain: [each] })).status).toBe("SUCCESS");
    }
    expect((await register()).status).toBe("MEMBERS_EXTERNAL_FULL");
  });
});

describe("S-11.4-2c: certificates of an outside authority", () => {
  it("make members of the organisation whose admin enrols them, in a role of its choice", async () => {
    const holder = await firm();
    expect((await enroll(holder)).status).toBe("MEMBERS_EXTERNAL_UNKNOWN");
    await register();
    expect((await enroll(holder, { role: "auditor" })).status).toBe("MEMBERS_ROLE_FORBIDDEN");
    expect((await enroll(holder, {}, consortium.institution.address)).status).toBe(
      "VM_ACCESS_DENIED",
    );
    expect((await enroll(holder)).status).toBe("SUCCESS");
    expect(memberAt(holder.address)).toMatchObject({
      ...{ organization: "beta", role: "enterprise", status: "active" },
      certificateDigest: holder.certificate.fingerprint,
      enrolledBy: admin(1),
      validToMs: GENESIS_MS + 365 * DAY_MS + 1_000,
    });
    expect((await enroll(holder)).status).toBe("MEMBERS_ALREADY_ENROLLED");
    expect(authority()?.holders).toBe(1);
  });

  it("are judged like the consortium's own: signature, times and list", async () => {
    await register();
    const stranger = await createOrganization(await createRoot("Outside Trust"), "Outside Trust");
    const forged = await issue(stranger, "none", "Some Firm Ltd");
    expect((await enroll(forged)).status).toMatch(/UNKNOWN_ROOT|BAD_SIGNATURE/);
    const ended = await firm({
      notBeforeMs: GENESIS_MS - 2 * DAY_MS,
      notAfterMs: GENESIS_MS - DAY_MS,
    });
    expect((await enroll(ended)).status).toBe("MEMBERS_CERTIFICATE_EXPIRED");
    const own = await issue(nth(consortium.organizations, 1), "enterprise", "Own Firm");
    expect((await enroll(own)).status).toBe("MEMBERS_CERTIFICATE_UNKNOWN_ROOT");
    const revoked = await firm();
    const list = await issueList(outside, [revoked.certificate]);
    expect((await registerList(list)).status).toBe("SUCCESS");
    expect((await enroll(revoked)).status).toBe("MEMBERS_CERTIFICATE_REVOKED");
  });

  it("are revoked by the authority's list, for good; lists of others and older ones are refused", async () => {
    await register();
    const [one, two] = [await firm(), await firm()];
    await enroll(one);
    await enroll(two);
    const foreign = await issueList(nth(consortium.organizations, 0), [one.certificate]);
    expect((await registerList(foreign)).status).toBe("MEMBERS_REVOCATION_LIST_REFUSED");
    expect((await registerList(new Uint8Array(9))).status).toBe(
      "MEMBERS_REVOCATION_LIST_MALFORMED",
    );
    const list = await issueList(outside, [one.certificate]);
    expect((await registerList(list)).status).toBe("SUCCESS");
    expect(memberAt(one.address).status).toBe("revoked");
    expect(memberAt(two.address).status).toBe("active");
    expect((await registerList(list)).status).toBe("MEMBERS_REVOCATION_LIST_OLD");
    expect(
      (await call("renewExternal", new Uint8Array([0x91, 0xc0]), one.address)).status,
    ).not.toBe("SUCCESS");
  });

  it("are renewed by their holder over the same key, and the old one's revocation ends nothing", async () => {
    await register();
    const holder = await firm();
    await enroll(holder);
    const { publicKey } = holder;
    const later = await firm({ publicKey, notAfterMs: GENESIS_MS + 700 * DAY_MS });
    expect((await renew(await firm(), holder.address)).status).toBe("MEMBERS_CERTIFICATE_OTHER");
    expect((await renew(later, holder.address)).status).toBe("SUCCESS");
    expect(memberAt(holder.address)).toMatchObject({
      certificateDigest: later.certificate.fingerprint,
      validToMs: GENESIS_MS + 700 * DAY_MS + 1_000,
    });
    expect((await renew(later, holder.address)).status).toBe("MEMBERS_ALREADY_ENROLLED");
    expect((await renew(later, consortium.enterprise.address)).status).toBe(
      "MEMBERS_EXTERNAL_UNKNOWN",
    );
    await registerList(await issueList(outside, [holder.certificate]));
    expect(memberAt(holder.address).status).toBe("active");
  });

  it("are taken no more from the withdrawal on, and their holders are revoked in its block", async () => {
    await register();
    const holder = await firm();
    await enroll(holder);
    expect((await withdraw(majority().slice(1))).status).toBe("GOVERNANCE_VOTES_MISSING");
    const late = await firm();
    const args = { authority: "outside", role: "enterprise", certificate: late.certificate.der };
    const { receipts } = await chain.block(
      transactionOf({
        ...{ contract: "members", method: "withdrawExternalAuthority", signers: majority() },
        args: encode(externalAuthorityNameArgsCodec, { name: "outside" }),
      }),
      transactionOf({
        ...{ contract: "members", method: "enrollExternal", signers: [admin(1)] },
        args: encode(enrollExternalArgsCodec, args as EnrollExternalArgs),
      }),
    );
    expect(receipts.map(({ status }) => status)).toEqual(["SUCCESS", "MEMBERS_EXTERNAL_WITHDRAWN"]);
    expect(authority()?.withdrawnAt).toBe(chain.view.height);
    expect(memberAt(holder.address).status).toBe("revoked");
    expect((await withdraw()).status).toBe("MEMBERS_EXTERNAL_WITHDRAWN");
    expect((await register({ name: "outside" })).status).toBe("MEMBERS_EXTERNAL_KNOWN");
    expect((await registerList(await issueList(outside, []))).status).toBe(
      "MEMBERS_EXTERNAL_WITHDRAWN",
    );
  });

  it("are revoked by a bounded number a block after a withdrawal, whatever the gas of it", async () => {
    await register();
    const holders: Holder[] = [];
    for (let i = 0; i < EXTERNAL_SWEEP + 1; i++) holders.push(await firm());
    const args = ({ certificate }: Holder): EnrollExternalArgs => ({
      ...{ authority: "outside", role: "individual", certificate: certificate.der },
    });
    await chain.block(
      ...holders.map((holder) =>
        transactionOf({
          ...{ contract: "members", method: "enrollExternal", signers: [admin(1)] },
          args: encode(enrollExternalArgsCodec, args(holder)),
        }),
      ),
    );
    const active = () => holders.filter(({ address }) => memberAt(address).status === "active");
    expect(active()).toHaveLength(EXTERNAL_SWEEP + 1);
    const receipt = await withdraw();
    expect(receipt.gasUsed).toBeLessThan(1_000_000);
    expect(active()).toEqual([nth(holders, EXTERNAL_SWEEP)]);
    await chain.block();
    expect(active()).toEqual([]);
    const { writes } = await chain.block();
    expect(writes.filter(({ contract }) => contract === "members")).toEqual([]);
  });

  it("of a hierarchy that OpenSSL made: registered, enrolled, and revoked by its list", async () => {
    const read = (name: string) =>
      readFileSync(
        new URL(`../../../crypto/test/vectors/x509-openssl/${name}`, import.meta.url),
        "latin1",
      );
    const certificate = (name: string) => {
      const parsed = parseCertificate(read(name));
      if (!parsed.ok) throw new Error(parsed.code);
      return parsed.value;
    };
    chain.timeMs = Date.parse("2026-12-24T00:00:00Z");
    const of = (name: string) => ({ authority: certificate(name) }) as TestOrganization;
    expect((await register({ chain: [of("root.crt"), of("org.crt")] })).status).toBe("SUCCESS");
    const former = certificate("user.crt");
    expect((await enroll({ certificate: former })).status).toBe("SUCCESS");
    const tooLong = await enroll({ certificate: certificate("long.crt") });
    expect(tooLong.status).toBe("MEMBERS_CERTIFICATE_VALIDITY_TOO_LONG");
    const list = parseRevocationList(read("org.crl"));
    if (!list.ok) throw new Error(list.code);
    expect((await registerList(list.value.der)).status).toBe("SUCCESS");
    const again = await enroll({ certificate: former });
    expect(again.status).toBe("MEMBERS_CERTIFICATE_REVOKED");
  });
});
