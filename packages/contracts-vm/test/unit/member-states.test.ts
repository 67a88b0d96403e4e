import {
  type ApplyArgs,
  applyArgsCodec,
  enrollArgsCodec,
  getMemberArgsCodec,
  type IdentityEvidence,
  identityCodec,
  identityEvidenceDigest,
  listMembersArgsCodec,
  MAX_IDENTITY_EVIDENCE,
  type MemberStatus,
  memberListCodec,
  memberStatuses,
  type Receipt,
  setMemberStatusArgsCodec,
  verifyMemberArgsCodec,
} from "@credlink/ledger";
import { type Address, compareBytes, decode, encode } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestChain } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  DAY_MS,
  GENESIS_MS,
  type Holder,
  issue,
} from "../support/consortium.ts";
import { freshKey, proven, type TestKeyPair } from "../support/key-holder.ts";
import { changeMemberRow, readMemberRow } from "../support/member-row.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let chain: TestChain;
/** An individual of alpha that alpha's institution enrolled. */
let worker: Holder;
let otherInstitution: Holder;
let admin: Address;

beforeAll(async () => {
  consortium = await createConsortium();
  const alpha = nth(consortium.organizations, 0);
  worker = await issue(alpha, "individual", "worker");
  otherInstitution = await issue(alpha, "institution", "another");
  admin = nth(consortium.admins, 0).address;
});

async function withWorker(): Promise<void> {
  chain = new TestChain(consortium.genesis);
  const enroll = (holder: Holder, by: Address): Promise<Receipt> => {
    const args = encode(enrollArgsCodec, { certificates: [holder.certificate.der] });
    return call("enroll", args, by);
  };
  await enroll(otherInstitution, admin);
  await enroll(worker, consortium.institution.address);
}
beforeEach(withWorker);

const call = (method: string, args: Uint8Array, by: Address): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: [by] });
const setStatus = (address: Address, status: MemberStatus, by: Address): Promise<Receipt> =>
  call("setStatus", encode(setMemberStatusArgsCodec, { address, status }), by);
const salt = new Uint8Array(32).fill(9);
const evidence = (value = "11010519491231002X"): Pick<IdentityEvidence, "kind" | "digest"> => ({
  kind: "identity-card",
  digest: identityEvidenceDigest({ kind: "identity-card", value }, salt),
});
const verify = (address: Address, by: Address, pieces = [evidence()]): Promise<Receipt> =>
  call("verify", encode(verifyMemberArgsCodec, { address, evidence: pieces }), by);

async function readIdentity(address: Address): Promise<readonly IdentityEvidence[]> {
  const args = encode(getMemberArgsCodec, { address });
  const query = { contract: "members", method: "identity", args, signers: [admin] };
  return decode(identityCodec, (await chain.query(query)).returnValue);
}

function application(pair: TestKeyPair, change: Partial<ApplyArgs> = {}): Uint8Array {
  return encode(applyArgsCodec, {
    ...proven(pair, pair.address, 0),
    role: "individual",
    validFromMs: GENESIS_MS,
    validToMs: GENESIS_MS + 100 * DAY_MS,
    ...change,
  });
}

/** The steps that exist, by whom. Written out: the table in the source is held to this one. */
const steps: readonly (readonly [from: MemberStatus, to: MemberStatus, by: readonly string[]])[] = [
  ["applied", "left", ["admin", "institution"]],
  ["applied", "revoked", ["admin", "institution"]],
  ["verified", "active", ["admin", "institution"]],
  ["verified", "left", ["admin", "institution"]],
  ["verified", "revoked", ["admin", "institution"]],
  ["active", "suspended", ["admin", "institution", "regulator"]],
  ["active", "left", ["admin", "institution", "self"]],
  ["active", "revoked", ["admin", "institution"]],
  ["suspended", "active", ["admin", "institution"]],
  ["suspended", "left", ["admin", "institution"]],
  ["suspended", "revoked", ["admin", "institution"]],
];

const callers: Readonly<Record<string, () => Address>> = {
  admin: () => admin,
  institution: () => consortium.institution.address,
  regulator: () => consortium.regulator.address,
  self: () => worker.address,
  "another organisation's admin": () => nth(consortium.admins, 1).address,
  "an institution that did not enrol": () => otherInstitution.address,
  "an enterprise": () => consortium.enterprise.address,
};

describe("S-7.4-1, T-4.9.2: a member's status", () => {
  it.each(memberStatuses)("from %s: every step by every caller", async (from) => {
    for (const to of memberStatuses) {
      for (const [name, caller] of Object.entries(callers)) {
        changeMemberRow(chain, worker.address, { status: from });
        const receipt = await setStatus(worker.address, to, caller());
        const allowed = steps.some(([a, b, by]) => a === from && b === to && by.includes(name));
        const place = `${from} to ${to} by ${name}: ${receipt.status}`;
        expect(receipt.status === "SUCCESS", place).toBe(allowed);
        const { status } = readMemberRow(chain, worker.address);
        expect(status, place).toBe(allowed ? to : from);
      }
    }
  });

  it("tells refusals apart", async () => {
    const at = async (from: MemberStatus, to: MemberStatus, by: Address): Promise<string> => {
      changeMemberRow(chain, worker.address, { status: from });
      return (await setStatus(worker.address, to, by)).status;
    };
    expect(await at("applied", "active", admin)).toBe("MEMBERS_STATUS_STEP");
    expect(await at("applied", "verified", admin)).toBe("MEMBERS_EVIDENCE_MISSING");
    expect(await at("active", "active", admin)).toBe("MEMBERS_STATUS_UNCHANGED");
    expect(await at("left", "active", admin)).toBe("MEMBERS_STATUS_FINAL");
    expect(await at("active", "suspended", worker.address)).toBe("MEMBERS_ROLE_FORBIDDEN");
    const node = nth(consortium.validators, 0);
    expect((await setStatus(node.address, "left", node.address)).status).toBe("VM_ACCESS_DENIED");
  });
});

describe("S-11.4-2a, T-4.9.2-b: from application to membership", () => {
  const institution = (): Address => consortium.institution.address;

  it("applies under a key of its own, is verified by evidence, and becomes active", async () => {
    const pair = freshKey();
    expect((await call("apply", application(pair), institution())).status).toBe("SUCCESS");
    expect(readMemberRow(chain, pair.address)).toMatchObject({
      status: "applied",
      organization: "alpha",
      enrolledBy: institution(),
      certificateDigest: null,
    });
    expect((await setStatus(pair.address, "active", admin)).status).toBe("MEMBERS_STATUS_STEP");
    expect((await verify(pair.address, institution())).status).toBe("SUCCESS");
    expect(readMemberRow(chain, pair.address).status).toBe("verified");
    expect(await readIdentity(pair.address)).toEqual([
      { ...evidence(), verifier: institution(), verifiedAtMs: chain.timeMs },
    ]);
    expect((await setStatus(pair.address, "active", institution())).status).toBe("SUCCESS");
    expect(readMemberRow(chain, pair.address).status).toBe("active");
  });

  it.each<[string, Partial<ApplyArgs>]>([
    ["MEMBERS_ROLE_FORBIDDEN", { role: "institution" }],
    ["MEMBERS_ROLE_FORBIDDEN", { role: "validator" }],
    ["MEMBERS_VALIDITY_INVALID", { validToMs: GENESIS_MS }],
    ["MEMBERS_KEY_NOT_PROVEN", { possession: new Uint8Array(64).fill(1) }],
    ["MEMBERS_KEY_INVALID", { publicKey: new Uint8Array(65).fill(4) }],
  ])("refuses an application with %s", async (status, change) => {
    expect((await call("apply", application(freshKey(), change), admin)).status).toBe(status);
  });

  it("takes no key twice, and is for admins and institutions to bring", async () => {
    const pair = freshKey();
    await call("apply", application(pair), admin);
    expect((await call("apply", application(pair), admin)).status).toBe("MEMBERS_KEY_KNOWN");
    const { enterprise } = consortium;
    const denied = await call("apply", application(freshKey()), enterprise.address);
    expect(denied.status).toBe("VM_ACCESS_DENIED");
  });

  it("T-4.9.2-c: an institution verifies whom it serves alone", async () => {
    const pair = freshKey();
    await call("apply", application(pair), institution());
    const other = await verify(pair.address, otherInstitution.address);
    expect(other.status).toBe("MEMBERS_ROLE_FORBIDDEN");
    const foreign = await verify(pair.address, nth(consortium.admins, 1).address);
    expect(foreign.status).toBe("MEMBERS_ROLE_FORBIDDEN");
    const regulator = await verify(pair.address, consortium.regulator.address);
    expect(regulator.status).toBe("VM_ACCESS_DENIED");
  });

  it("keeps at most 8 pieces of evidence, and needs one", async () => {
    const { address } = worker;
    expect((await verify(address, admin, [])).status).toBe("MEMBERS_EVIDENCE_MISSING");
    const pieces = (count: number) => Array.from({ length: count }, (_, i) => evidence(`${i}`));
    expect((await verify(address, admin, pieces(7))).status).toBe("SUCCESS");
    expect((await verify(address, admin, pieces(2))).status).toBe("MEMBERS_EVIDENCE_FULL");
    expect((await verify(address, institution(), pieces(1))).status).toBe("SUCCESS");
    expect(await readIdentity(address)).toHaveLength(MAX_IDENTITY_EVIDENCE);
    expect(readMemberRow(chain, address).status).toBe("active");
    changeMemberRow(chain, address, { status: "revoked" });
    expect((await verify(address, admin)).status).toBe("MEMBERS_STATUS_FINAL");
  });
});

describe("members.list", () => {
  const list = (from: Address | null, limit: number): Promise<Receipt> =>
    chain.query({
      contract: "members",
      method: "list",
      args: encode(listMembersArgsCodec, { from, limit }),
      signers: [admin],
    });

  it("goes through all members by address, in pages of 1 to 32", async () => {
    const seen: Address[] = [];
    let from: Address | null = null;
    for (;;) {
      const page = decode(memberListCodec, (await list(from, 5)).returnValue);
      const fresh = page.filter(({ address }) => from === null || compareBytes(address, from) > 0);
      seen.push(...fresh.map(({ address }) => address));
      if (page.length < 5) break;
      from = seen.at(-1) ?? null;
    }
    expect(seen).toHaveLength(consortium.genesis.members.length + 2);
    expect([...seen].sort(compareBytes)).toEqual(seen);
    expect((await list(null, 0)).status).toBe("MEMBERS_LIST_LIMIT");
    expect((await list(null, 33)).status).toBe("MEMBERS_LIST_LIMIT");
    expect((await list(null, 32)).status).toBe("SUCCESS");
  });
});
