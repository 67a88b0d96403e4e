import {
  type Account,
  type AccountSigners,
  accountAddress,
  accountCodec,
  accountSignersCodec,
  type CreateAccountArgs,
  createAccountArgsCodec,
  getMemberArgsCodec,
  MAX_ACCOUNT_POLICIES,
  MAX_ACCOUNT_SIGNERS,
  type Member,
  type Receipt,
  renewAccountArgsCodec,
  rotateKeyArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, compareBytes, decode, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rows } from "../../src/built-in/rows.ts";
import { MAX_RELATION_KEY_VALIDITY_MS } from "../../src/index.ts";
import { MemoryView, TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium, DAY_MS, GENESIS_MS } from "../support/consortium.ts";
import { freshKey, proven, TEST_GENESIS_DIGEST } from "../support/key-holder.ts";
import { changeMemberRow, readMemberRow } from "../support/member-row.ts";
import { nth } from "../support/nth.ts";

let consortium: Consortium;
let chain: TestChain;
let admin: Address;
/** Three members of three organisations, ascending. */
let signers: readonly Address[];

beforeAll(async () => {
  consortium = await createConsortium();
  admin = nth(consortium.admins, 0).address;
  const { institution, enterprise, regulator } = consortium;
  signers = [institution, enterprise, regulator].map((one) => one.address).sort(compareBytes);
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const salt = new Uint8Array(16).fill(5);
const newAccount = (change: Partial<CreateAccountArgs> = {}): CreateAccountArgs => ({
  salt,
  threshold: 2,
  signers,
  role: "enterprise",
  validFromMs: GENESIS_MS,
  validToMs: GENESIS_MS + 100 * DAY_MS,
  ...change,
});
const call = (method: string, args: Uint8Array, by: Address): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: [by] });
const create = (change: Partial<CreateAccountArgs> = {}, by = admin): Promise<Receipt> =>
  call("createAccount", encode(createAccountArgsCodec, newAccount(change)), by);
const addressOf = (change: Partial<CreateAccountArgs> = {}, by = admin): Address =>
  accountAddress(TEST_GENESIS_DIGEST, by, newAccount(change));
const setSigners = (of: Address, to: AccountSigners): Promise<Receipt> =>
  call("setAccountSigners", encode(accountSignersCodec, to), of);
const renew = (of: Address, validToMs: number, by = admin): Promise<Receipt> =>
  call("renewAccount", encode(renewAccountArgsCodec, { address: of, validToMs }), by);

async function accountAt(of: Address): Promise<Account> {
  const args = encode(getMemberArgsCodec, { address: of });
  const query = { contract: "members", method: "account", args, signers: [admin] };
  return decode(accountCodec, (await chain.query(query)).returnValue);
}

describe("T-4.5-1: members.createAccount", () => {
  it("makes a member without a key, and says who signs for it from the next height on", async () => {
    const receipt = await create();
    expect(receipt).toMatchObject({
      status: "SUCCESS",
      events: [{ topic: "account" }, { topic: "enrolled" }],
    });
    const of = addressOf();
    expect(readMemberRow(chain, of)).toMatchObject({
      organization: "alpha",
      role: "enterprise",
      status: "active",
      keys: [],
      enrolledBy: admin,
    });
    expect(await accountAt(of)).toEqual({
      policies: [{ fromHeight: 2, threshold: 2, signers }],
    });
  });

  it.each<[string, (of: readonly Address[]) => Partial<CreateAccountArgs>]>([
    ["no signers", () => ({ threshold: 0, signers: [] })],
    ["none of three", () => ({ threshold: 0 })],
    ["four of three", () => ({ threshold: 4 })],
    ["not ascending", (of) => ({ signers: [...of].reverse() })],
    ["one twice", (of) => ({ signers: [of[0], of[0], of[1]].flatMap((one) => one ?? []) })],
    ["a stranger", () => ({ threshold: 1, signers: [freshKey().address] })],
    ["a node", () => ({ threshold: 1, signers: [nth(consortium.validators, 0).address] })],
  ])("MEMBERS_ACCOUNT_INVALID: %s", async (_, change) => {
    expect((await create(change(signers))).status).toBe("MEMBERS_ACCOUNT_INVALID");
  });

  it("takes no account and no suspended member as a signer", async () => {
    await create();
    const inner = { threshold: 1, signers: [addressOf()] };
    expect((await create(inner)).status).toBe("MEMBERS_ACCOUNT_INVALID");
    changeMemberRow(chain, nth([...signers], 1), { status: "suspended" });
    const again = { salt: new Uint8Array(16) };
    expect((await create(again)).status).toBe("MEMBERS_ACCOUNT_INVALID");
  });

  it("takes 1 to 16 signers; one more has no encoding", async () => {
    const some = readMemberRow(chain, nth([...signers], 0));
    const many = Array.from({ length: MAX_ACCOUNT_SIGNERS }, () => freshKey().address);
    many.sort(compareBytes);
    const { contract } = rows.member(admin);
    const writes = many.map((one) => {
      const { key, codec } = rows.member(one);
      return { contract, key, value: encode(codec, { ...some, address: one }) };
    });
    const { view } = chain;
    chain.view = new MemoryView(view.height, view.timestampMs, view.rows, writes);
    const all = { threshold: many.length, signers: many };
    expect((await create(all)).status).toBe("SUCCESS");
    const beyond = [...many, freshKey().address];
    expect(() => encode(createAccountArgsCodec, newAccount({ signers: beyond }))).toThrowError();
  });

  it.each<[Member["role"], string]>([
    ["enterprise", "SUCCESS"],
    ["individual", "SUCCESS"],
    ["institution", "MEMBERS_ROLE_FORBIDDEN"],
    ["regulator", "MEMBERS_ROLE_FORBIDDEN"],
    ["admin", "MEMBERS_ROLE_FORBIDDEN"],
    ["validator", "MEMBERS_ROLE_FORBIDDEN"],
  ])("an institution makes an account of role %s: %s", async (role, status) => {
    expect((await create({ role }, consortium.institution.address)).status).toBe(status);
  });

  it("an admin makes an institution, and no admin; the same account once", async () => {
    expect((await create({ role: "institution" })).status).toBe("SUCCESS");
    expect((await create({ role: "admin" })).status).toBe("MEMBERS_ROLE_FORBIDDEN");
    expect((await create({ role: "enterprise" })).status).toBe("MEMBERS_ALREADY_ENROLLED");
    expect((await create({}, consortium.enterprise.address)).status).toBe("VM_ACCESS_DENIED");
  });

  it("its validity is at most three years, and not over", async () => {
    const from = GENESIS_MS;
    const validity = (validToMs: number) => ({ validFromMs: from, validToMs });
    expect((await create(validity(from + MAX_RELATION_KEY_VALIDITY_MS))).status).toBe("SUCCESS");
    const longer = { ...validity(from + MAX_RELATION_KEY_VALIDITY_MS + 1), threshold: 1 };
    expect((await create(longer)).status).toBe("MEMBERS_VALIDITY_INVALID");
    expect((await create(validity(from))).status).toBe("MEMBERS_VALIDITY_INVALID");
  });
});

describe("T-4.5-1: an account changes", () => {
  it("its signers by itself alone; those of before stay on record", async () => {
    await create();
    const of = addressOf();
    const next = { threshold: 1, signers: signers.slice(0, 2) };
    for (const by of [consortium.institution.address, consortium.enterprise.address]) {
      expect((await setSigners(by, next)).status).toBe("MEMBERS_NO_ACCOUNT");
    }
    expect((await setSigners(admin, next)).status).toBe("VM_ACCESS_DENIED");
    expect(await setSigners(of, next)).toMatchObject({
      status: "SUCCESS",
      events: [{ topic: "account" }],
    });
    const { policies } = await accountAt(of);
    expect(policies.map(({ threshold }) => threshold)).toEqual([2, 1]);
    expect((await setSigners(of, { threshold: 3, signers })).status).toBe("SUCCESS");
    expect((await setSigners(of, { threshold: 4, signers })).status).toBe(
      "MEMBERS_ACCOUNT_INVALID",
    );
  });

  it("once a block, and not after it was suspended in the same block", async () => {
    await create();
    const of = addressOf();
    const set = (threshold: number) =>
      transactionOf({
        contract: "members",
        method: "setAccountSigners",
        args: encode(accountSignersCodec, { threshold, signers }),
        signers: [of],
      });
    const { receipts } = await chain.block(set(1), set(3));
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "MEMBERS_KEY_CHANGED_ALREADY",
    ]);
    const suspend = transactionOf({
      contract: "members",
      method: "setStatus",
      args: encode(setMemberStatusArgsCodec, { address: of, status: "suspended" }),
      signers: [admin],
    });
    const after = await chain.block(suspend, set(3));
    expect(after.receipts.map(({ status }) => status)).toEqual(["SUCCESS", "MEMBERS_NOT_ACTIVE"]);
  });

  it("at most 32 times", async () => {
    await create();
    const of = addressOf();
    const { contract, key, codec } = rows.account(of);
    const one = { fromHeight: height(1), threshold: 2, signers };
    const full = (count: number): void => {
      const value = encode(codec, { policies: Array.from({ length: count }, () => one) });
      const { view } = chain;
      chain.view = new MemoryView(view.height, view.timestampMs, view.rows, [
        { contract, key, value },
      ]);
    };
    full(MAX_ACCOUNT_POLICIES);
    expect((await setSigners(of, { threshold: 1, signers })).status).toBe("MEMBERS_ACCOUNT_FULL");
    full(MAX_ACCOUNT_POLICIES - 1);
    expect((await setSigners(of, { threshold: 1, signers })).status).toBe("SUCCESS");
  });

  it("never to a key of its own", async () => {
    await create();
    const of = addressOf();
    const key = proven(freshKey(), of, 0);
    const args = encode(rotateKeyArgsCodec, { ...key, certificate: null });
    expect((await call("rotateKey", args, of)).status).toBe("MEMBERS_KEY_OF_ACCOUNT");
  });

  it("its end, by those who manage it", async () => {
    await create();
    const of = addressOf();
    const later = GENESIS_MS + 500 * DAY_MS;
    expect((await renew(of, later, nth(consortium.admins, 1).address)).status).toBe(
      "MEMBERS_ROLE_FORBIDDEN",
    );
    expect((await renew(of, GENESIS_MS)).status).toBe("MEMBERS_VALIDITY_INVALID");
    expect((await renew(consortium.enterprise.address, later)).status).toBe("MEMBERS_NO_ACCOUNT");
    expect(await renew(of, later)).toMatchObject({ events: [{ topic: "renewed" }] });
    expect(readMemberRow(chain, of).validToMs).toBe(later);
    const args = encode(setMemberStatusArgsCodec, { address: of, status: "revoked" });
    await call("setStatus", args, admin);
    expect((await renew(of, later + 1)).status).toBe("MEMBERS_STATUS_FINAL");
  });
});
