import {
  changeValidatorsArgsCodec,
  enrollArgsCodec,
  getMemberArgsCodec,
  MAX_MEMBER_KEYS,
  type Member,
  memberCodec,
  memberOfKey,
  type Receipt,
  type RotateKeyArgs,
  readyArgsCodec,
  recoverArgsCodec,
  registerRevocationListArgsCodec,
  renewCertificateArgsCodec,
  rotateKeyArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, decode, encode, height } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ancestorAt, TestChain, transactionOf } from "../support/chain.ts";
import {
  type Consortium,
  createConsortium,
  DAY_MS,
  GENESIS_MS,
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
let beta: TestOrganization;
let chain: TestChain;

beforeAll(async () => {
  consortium = await createConsortium();
  alpha = nth(consortium.organizations, 0);
  beta = nth(consortium.organizations, 1);
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
});

const call = (method: string, args: Uint8Array, by: Address): Promise<Receipt> =>
  chain.run({ contract: "members", method, args, signers: [by] });
const rotateArgs = (args: RotateKeyArgs): Uint8Array => encode(rotateKeyArgsCodec, args);

/** Rotates a member's key; `index` is how many it had. */
function rotate(
  of: Address,
  pair: TestKeyPair,
  index = 1,
  certificate: Uint8Array | null = null,
): Promise<Receipt> {
  return call("rotateKey", rotateArgs({ ...proven(pair, of, index), certificate }), of);
}

async function memberAt(address: Address): Promise<Member> {
  const receipt = await chain.query({
    contract: "members",
    method: "get",
    args: encode(getMemberArgsCodec, { address }),
    signers: [consortium.regulator.address],
  });
  return decode(memberCodec, receipt.returnValue);
}

/** Gives a member of genesis so many keys as if it had rotated; what they are does not matter. */
function withKeys(address: Address, count: number): void {
  const [first] = readMemberRow(chain, address).keys;
  if (first === undefined) throw new Error("a member has a key");
  changeMemberRow(chain, address, { keys: Array.from({ length: count }, () => first) });
}

const validatorKeys = () => chain.executor.validators(chain.view).validators;

describe("S-9.4-8: members.rotateKey", () => {
  it("adds a key that counts from the next height; address and older keys stay", async () => {
    const { address, publicKey } = consortium.enterprise;
    const pair = freshKey();
    const receipt = await rotate(address, pair);
    expect(receipt).toMatchObject({ status: "SUCCESS", events: [{ topic: "key" }] });
    expect((await memberAt(address)).keys).toEqual([
      { fromHeight: 0, publicKey },
      { fromHeight: 2, publicKey: pair.publicKey },
    ]);
    for (const key of [publicKey, pair.publicKey]) {
      expect(memberOfKey(chain.view, key)?.address).toEqual(address);
    }
    expect(memberOfKey(chain.view, freshKey().publicKey)).toBeNull();
  });

  it("takes the validity of a certificate over the new key", async () => {
    const { address } = consortium.enterprise;
    const pair = freshKey();
    const notAfterMs = GENESIS_MS + 700 * DAY_MS;
    const { certificate } = await issue(beta, "enterprise", "enterprise", { ...pair, notAfterMs });
    expect((await rotate(address, pair, 1, certificate.der)).status).toBe("SUCCESS");
    expect(await memberAt(address)).toMatchObject({
      certificateDigest: certificate.fingerprint,
      validToMs: notAfterMs + 1_000,
    });
  });

  it.each<[string, (of: Address) => RotateKeyArgs | Promise<RotateKeyArgs>]>([
    [
      "MEMBERS_KEY_NOT_PROVEN",
      (of) => ({
        ...proven(freshKey(), of, 1),
        publicKey: freshKey().publicKey,
        certificate: null,
      }),
    ],
    ["MEMBERS_KEY_NOT_PROVEN", (of) => ({ ...proven(freshKey(), of, 0), certificate: null })],
    [
      "MEMBERS_KEY_NOT_PROVEN",
      () => ({ ...proven(freshKey(), consortium.institution.address, 1), certificate: null }),
    ],
    [
      "MEMBERS_KEY_NOT_PROVEN",
      (of) => ({ ...proven(freshKey(), of, 1, ancestorAt(9)), certificate: null }),
    ],
    [
      "MEMBERS_KEY_INVALID",
      (of) => ({
        ...proven(freshKey(), of, 1),
        publicKey: new Uint8Array(65).fill(4),
        certificate: null,
      }),
    ],
    [
      "MEMBERS_KEY_KNOWN",
      (of) => ({
        ...proven({ ...freshKey(), publicKey: consortium.institution.publicKey }, of, 1),
        certificate: null,
      }),
    ],
    [
      "MEMBERS_CERTIFICATE_OTHER",
      async (of) => ({
        ...proven(freshKey(), of, 1),
        certificate: (await issue(beta, "enterprise", "other key")).certificate.der,
      }),
    ],
    [
      "MEMBERS_CERTIFICATE_OTHER",
      async (of) => {
        const pair = freshKey();
        const { certificate } = await issue(beta, "admin", "other role", pair);
        return { ...proven(pair, of, 1), certificate: certificate.der };
      },
    ],
    [
      "MEMBERS_CERTIFICATE_OTHER",
      async (of) => {
        const pair = freshKey();
        const { certificate } = await issue(alpha, "enterprise", "other organisation", pair);
        return { ...proven(pair, of, 1), certificate: certificate.der };
      },
    ],
  ])("refuses with %s (%#), and keeps nothing", async (status, make) => {
    const { address } = consortium.enterprise;
    const args = await make(address);
    expect((await call("rotateKey", rotateArgs(args), address)).status).toBe(status);
    expect((await memberAt(address)).keys).toHaveLength(1);
  });

  it("takes no key twice: not one that was replaced, nor another member's new one", async () => {
    const { enterprise, institution } = consortium;
    const pair = freshKey();
    await rotate(enterprise.address, pair);
    expect((await rotate(institution.address, pair)).status).toBe("MEMBERS_KEY_KNOWN");
    expect((await rotate(enterprise.address, freshKey(), 2)).status).toBe("SUCCESS");
    expect((await rotate(enterprise.address, pair, 3)).status).toBe("MEMBERS_KEY_KNOWN");
    const taken = await issue(alpha, "individual", "worker", pair);
    const args = encode(enrollArgsCodec, { certificates: [taken.certificate.der] });
    const enrolled = await call("enroll", args, nth(consortium.admins, 0).address);
    expect(enrolled.status).toBe("MEMBERS_ALREADY_ENROLLED");
  });

  it("changes a key once a block", async () => {
    const { address } = consortium.enterprise;
    const tries = [freshKey(), freshKey()].map((pair, i) =>
      transactionOf({
        contract: "members",
        method: "rotateKey",
        args: rotateArgs({ ...proven(pair, address, 1 + i), certificate: null }),
        signers: [address],
      }),
    );
    const { receipts } = await chain.block(...tries);
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "MEMBERS_KEY_CHANGED_ALREADY",
    ]);
  });

  it("keeps 64 keys, and refuses the 65th", async () => {
    const { address } = consortium.enterprise;
    withKeys(address, MAX_MEMBER_KEYS - 1);
    expect((await rotate(address, freshKey(), MAX_MEMBER_KEYS - 1)).status).toBe("SUCCESS");
    const one = await rotate(address, freshKey(), MAX_MEMBER_KEYS);
    expect(one.status).toBe("MEMBERS_KEYS_FULL");
    expect((await memberAt(address)).keys).toHaveLength(MAX_MEMBER_KEYS);
    const suspend = encode(setMemberStatusArgsCodec, { address, status: "suspended" });
    const { regulator } = consortium;
    expect((await call("setStatus", suspend, regulator.address)).status).toBe("SUCCESS");
  });

  it("is not for a member whom an earlier transaction of the block suspended", async () => {
    const { address } = consortium.enterprise;
    const suspend = { address, status: "suspended" as const };
    const { receipts } = await chain.block(
      transactionOf({
        contract: "members",
        method: "setStatus",
        args: encode(setMemberStatusArgsCodec, suspend),
        signers: [consortium.regulator.address],
      }),
      transactionOf({
        contract: "members",
        method: "rotateKey",
        args: rotateArgs({ ...proven(freshKey(), address, 1), certificate: null }),
        signers: [address],
      }),
    );
    expect(receipts.map(({ status }) => status)).toEqual(["SUCCESS", "MEMBERS_NOT_ACTIVE"]);
  });
});

describe("members.renewCertificate", () => {
  it("extends a member's validity under the same key", async () => {
    const { address, publicKey } = consortium.enterprise;
    const notAfterMs = GENESIS_MS + 900 * DAY_MS;
    const { certificate } = await issue(beta, "enterprise", "enterprise", {
      publicKey,
      notAfterMs,
    });
    const args = encode(renewCertificateArgsCodec, { certificate: certificate.der });
    expect((await call("renewCertificate", args, address)).status).toBe("SUCCESS");
    expect(await memberAt(address)).toMatchObject({
      validToMs: notAfterMs + 1_000,
      keys: [{ publicKey }],
    });
    const again = await call("renewCertificate", args, address);
    expect(again.status).toBe("MEMBERS_ALREADY_ENROLLED");
  });
});

describe("a revoked certificate", () => {
  const register = (list: Uint8Array): Promise<Receipt> => {
    const args = encode(registerRevocationListArgsCodec, { revocationList: list });
    return call("registerRevocationList", args, nth(consortium.admins, 1).address);
  };

  it("revokes its holder unless another one replaced it", async () => {
    const { enterprise } = consortium;
    const pair = freshKey();
    const { certificate } = await issue(beta, "enterprise", "enterprise", pair);
    await rotate(enterprise.address, pair, 1, certificate.der);
    const thisUpdateMs = GENESIS_MS - 1_000;
    const before = await issueList(beta, [enterprise.certificate], { thisUpdateMs });
    expect((await register(before)).status).toBe("SUCCESS");
    expect((await memberAt(enterprise.address)).status).toBe("active");
    const both = [enterprise.certificate, certificate];
    const after = await issueList(beta, both, { thisUpdateMs: GENESIS_MS });
    expect((await register(after)).status).toBe("SUCCESS");
    expect((await memberAt(enterprise.address)).status).toBe("revoked");
  });
});

describe("S-9.4-8: a validator's key", () => {
  const nodeOf = (index: number): Holder => nth(consortium.validators, index);
  const organizationOf = (index: number): TestOrganization => nth(consortium.organizations, index);

  async function rotateNode(index: number, name = `node-${index}`, had = 1) {
    const pair = freshKey();
    const { certificate } = await issue(organizationOf(index % 4), "validator", name, pair);
    const receipt = await rotate(nodeOf(index).address, pair, had, certificate.der);
    return { pair, certificate, receipt };
  }

  it("changes with its member's, in V(h + 2), at the same index", async () => {
    const before = validatorKeys();
    const { pair, receipt } = await rotateNode(2);
    expect(receipt.status).toBe("SUCCESS");
    expect(receipt.events.map(({ topic }) => topic)).toEqual(["key", "changed"]);
    expect(validatorKeys()).toEqual(
      before.map((one, i) => (i === 2 ? { ...one, publicKey: pair.publicKey } : one)),
    );
  });

  it("needs a certificate of its own name", async () => {
    const bare = await rotate(nodeOf(0).address, freshKey());
    expect(bare.status).toBe("MEMBERS_CERTIFICATE_REQUIRED");
    const { receipt } = await rotateNode(0, "node-1");
    expect(receipt.status).toBe("VALIDATORS_CERTIFICATE");
    expect((await memberAt(nodeOf(0).address)).keys).toHaveLength(1);
  });

  it("is one of the block's max(1, f) changes", async () => {
    const made = await Promise.all(
      [0, 1].map(async (index) => {
        const pair = freshKey();
        const node = nodeOf(index);
        const issued = await issue(organizationOf(index), "validator", `node-${index}`, pair);
        const certificate = issued.certificate.der;
        return transactionOf({
          contract: "members",
          method: "rotateKey",
          args: rotateArgs({ ...proven(pair, node.address, 1), certificate }),
          signers: [node.address],
        });
      }),
    );
    const { receipts } = await chain.block(...made);
    expect(receipts.map(({ status }) => status)).toEqual([
      "SUCCESS",
      "VALIDATORS_TOO_MANY_CHANGES",
    ]);
  });

  it("stays its member's: recover, ready and expiry find the member by the new key", async () => {
    const { certificate } = await rotateNode(1);
    const { address } = nodeOf(1);
    const nonce = new Uint8Array(32).fill(7);
    const recover = await chain.run({
      contract: "validators",
      method: "recover",
      args: encode(recoverArgsCodec, { nonce }),
      signers: [address],
    });
    expect(recover.status).toBe("SUCCESS");
    const admins = consortium.admins.slice(0, 3).map((admin) => admin.address);
    const change = (add: { nodeId: string; peerId: string; certificate: Uint8Array }[]) =>
      chain.run({
        contract: "validators",
        method: "change",
        args: encode(changeValidatorsArgsCodec, { add, remove: ["node-1"] }),
        signers: admins,
      });
    const entry = { nodeId: "node-1", peerId: "peer-1" };
    const old = nodeOf(1).certificate.der;
    expect((await change([{ ...entry, certificate: old }])).status).toBe("VALIDATORS_CERTIFICATE");
    const said = chain.view.height;
    await chain.run({
      contract: "validators",
      method: "ready",
      args: encode(readyArgsCodec, { height: height(said), digest: ancestorAt(said) }),
      signers: [address],
    });
    expect((await change([{ ...entry, certificate: certificate.der }])).status).toBe("SUCCESS");
  });

  it("leaves with its certificate's end, or its member's revocation, also under a later key", async () => {
    const five = await createConsortium({ validators: 5 });
    chain = new TestChain(five.genesis);
    const node = nth(five.validators, 4);
    const pair = freshKey();
    const { certificate } = await issue(nth(five.organizations, 0), "validator", "node-4", pair);
    const args = rotateArgs({ ...proven(pair, node.address, 1), certificate: certificate.der });
    expect((await call("rotateKey", args, node.address)).status).toBe("SUCCESS");
    expect(validatorKeys()).toHaveLength(5);
    const revoke = { address: node.address, status: "revoked" as const };
    await call("setStatus", encode(setMemberStatusArgsCodec, revoke), nth(five.admins, 0).address);
    expect(validatorKeys().map(({ nodeId }) => nodeId)).toEqual([
      "node-0",
      "node-1",
      "node-2",
      "node-3",
    ]);
  });
});
