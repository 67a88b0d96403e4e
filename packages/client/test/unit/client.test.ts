import { commitCertificateCodec } from "@credlink/consensus-pbft/certificates";
import { createSm2Signer, generateKeyPair } from "@credlink/crypto";
import { genesisCodec, headerCodec, receiptCodec, signedTransactionCodec } from "@credlink/ledger";
import { decode, digest, encode, fromHex, toHex, utf8 } from "@credlink/primitives";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Client, createClient, createIdentity, type Identity } from "../../src/index.ts";
import {
  type Committee,
  createCommittee,
  STATE_CONTRACT,
  STATE_KEY,
  TestChain,
} from "../support/chain.ts";
import { openDoor, type TestGateway } from "../support/gateway.ts";

const call = {
  contract: "credential",
  version: "1.0.0",
  method: "submit",
  args: Uint8Array.of(0x90),
  expiryHeight: 50,
};

let committee: Committee;
let chain: TestChain;
let identity: Identity;
let gateway: TestGateway;
let client: Client;

beforeEach(async () => {
  committee = createCommittee(["a", "b", "c", "d"]);
  chain = new TestChain(committee);
  chain.append([]);
  ({ gateway, identity, client } = await openDoor(chain));
});

afterEach(() => gateway.close());

/** Changes one field of an answer wherever it stands at the top. */
function change(method: string, field: string, value: (old: string) => unknown): void {
  gateway.tamper = (called, result) => {
    if (called !== method) return result;
    const object = result as Record<string, string>;
    return { ...object, [field]: value(object[field] ?? "") };
  };
}

describe("session", () => {
  it("logs in by SM2 challenge once and shares the token", async () => {
    await Promise.all([client.header(1), client.header(1), client.header(1)]);
    expect(gateway.calls.filter((method) => method === "session.login")).toHaveLength(1);
  });

  it("T-4.5-2: without a key nothing is read", async () => {
    const stranger = createClient({ url: gateway.url, genesis: chain.genesisBytes });
    await expect(stranger.header(1)).rejects.toMatchObject({ code: "CLIENT_KEY_MISSING" });
  });

  it("a key that is not the member's is refused with the gateway's code", async () => {
    const other = createIdentity(createSm2Signer(generateKeyPair().privateKey), identity.address);
    const stranger = createClient({
      url: gateway.url,
      genesis: chain.genesisBytes,
      identity: other,
    });
    await expect(stranger.header(1)).rejects.toMatchObject({ code: "API_LOGIN" });
  });

  it("renews a session that the gateway ended", async () => {
    await client.header(1);
    gateway.expireSessions();
    await expect(client.header(1)).resolves.toMatchObject({ height: 1 });
    expect(gateway.calls.filter((method) => method === "session.login")).toHaveLength(2);
  });
});

describe("transactions", () => {
  it("builds, submits, waits and returns a proven receipt", async () => {
    const committed = await client.execute(call);
    expect(committed.receipt.status).toBe("SUCCESS");
    expect(committed.header.certificate?.signatures).toHaveLength(3);
    expect(committed.transaction.method).toBe("submit");
  });

  it("puts co-signers in ascending order behind the sender", async () => {
    const coSigners = Array.from({ length: 5 }, () =>
      createIdentity(createSm2Signer(generateKeyPair().privateKey)),
    );
    const signed = await client.build({ ...call, coSigners });
    const { signatures } = decode(signedTransactionCodec, signed.bytes);
    const [sender, ...rest] = signatures.map((each) => toHex(each.address));
    expect(sender).toBe(toHex(identity.address));
    expect(rest).toEqual([...rest].sort());
    expect(rest).toHaveLength(5);
  });

  it("refuses a signer who stands twice, and too many", async () => {
    const one = createIdentity(createSm2Signer(generateKeyPair().privateKey));
    const invalid = { code: "CLIENT_TRANSACTION_INVALID" };
    await expect(client.build({ ...call, coSigners: [one, one] })).rejects.toMatchObject(invalid);
    const many = Array.from({ length: 16 }, () =>
      createIdentity(createSm2Signer(generateKeyPair().privateKey)),
    );
    await expect(client.build({ ...call, coSigners: many })).rejects.toMatchObject(invalid);
  });

  it("meets a lost answer by sending the same bytes again", async () => {
    gateway.cut("transaction.submit", 1);
    const signed = await client.build(call);
    await expect(client.submit(signed)).resolves.toEqual(signed.id);
    expect(chain.blocks).toHaveLength(3);
  });

  it("tells a second submission of one transaction from a retry", async () => {
    const signed = await client.build(call);
    await client.submit(signed);
    await expect(client.submit(signed)).rejects.toMatchObject({ code: "NODE_MEMPOOL_KNOWN" });
  });

  it("tries a read again when the connection is cut, but not for ever", async () => {
    gateway.cut("block.header", 2);
    await expect(client.header(1)).resolves.toMatchObject({ height: 1 });
    gateway.cut("block.header", 3);
    await expect(client.header(1)).rejects.toMatchObject({ code: "CLIENT_UNREACHABLE" });
  });
});

describe("S-9.3-3: a gateway that alters a record is caught", () => {
  it("in the receipt", async () => {
    const { id } = await client.execute(call);
    change("transaction.get", "receipt", (hex) => {
      const receipt = decode(receiptCodec, fromHex(hex));
      return toHex(encode(receiptCodec, { ...receipt, status: "FORGED" }));
    });
    await expect(client.transaction(id)).rejects.toMatchObject({ code: "CLIENT_PROOF_INVALID" });
  });

  it("in the transaction", async () => {
    const { id } = await client.execute(call);
    const other = await client.build(call);
    change("transaction.get", "transaction", () => toHex(other.bytes));
    await expect(client.transaction(id)).rejects.toMatchObject({ code: "CLIENT_RECORD_ALTERED" });
  });

  it("in a state value, and in its absence", async () => {
    const truth = await client.getState(STATE_CONTRACT, STATE_KEY);
    expect(truth.value).toEqual(utf8("value"));
    change("state.get", "value", () => toHex(utf8("other")));
    const refusal = { code: "CLIENT_PROOF_INVALID" };
    await expect(client.getState(STATE_CONTRACT, STATE_KEY)).rejects.toMatchObject(refusal);
    change("state.get", "value", () => null);
    await expect(client.getState(STATE_CONTRACT, STATE_KEY)).rejects.toMatchObject(refusal);
  });

  it("proves an absent key absent and refuses an invented value", async () => {
    const key = utf8("nothing");
    await expect(client.getState(STATE_CONTRACT, key)).resolves.toMatchObject({ value: null });
    change("state.get", "value", () => toHex(utf8("invented")));
    await expect(client.getState(STATE_CONTRACT, key)).rejects.toMatchObject({
      code: "CLIENT_PROOF_INVALID",
    });
  });

  it("in any byte of a header", async () => {
    const bytes = fromHex(chain.header(1)?.header ?? "");
    for (let at = 0; at < bytes.length; at += 7) {
      change("block.header", "header", (hex) => {
        const altered = fromHex(hex);
        altered[at] = (altered[at] ?? 0) ^ 1;
        return toHex(altered);
      });
      await expect(client.header(1), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^CLIENT_(HEADER|RECORD)_ALTERED$/),
      });
    }
  });

  it("in a header with its digest recomputed: the certificate is another's", async () => {
    const forged = { ...(chain.blocks[1]?.block.header ?? chain.genesis), gasUsed: 7 };
    const header = decode(headerCodec, encode(headerCodec, forged as never));
    const certificate = chain.certify(header, createCommittee(["a", "b", "c", "d"]));
    const { headerDigest } = await import("@credlink/ledger");
    gateway.tamper = (method, result) =>
      method === "block.header"
        ? {
            height: 1,
            digest: toHex(headerDigest(header)),
            header: toHex(encode(headerCodec, header)),
            certificate: toHex(encode(commitCertificateCodec, certificate)),
          }
        : result;
    await expect(client.header(1)).rejects.toMatchObject({ code: "CLIENT_CERTIFICATE_INVALID" });
  });

  it("in a block's transactions, receipts and body", async () => {
    await client.execute(call);
    await expect(client.block(2, { transactions: true })).resolves.toMatchObject({
      receipts: [{ status: "SUCCESS" }],
    });
    const other = await client.build(call);
    const refusal = { code: "CLIENT_RECORD_ALTERED" };
    change("block.get", "transactions", () => [toHex(other.bytes)]);
    await expect(client.block(2, { transactions: true })).rejects.toMatchObject(refusal);
    change("block.get", "transactions", () => []);
    await expect(client.block(2, { transactions: true })).rejects.toMatchObject(refusal);
    change("block.get", "receipts", () => []);
    await expect(client.block(2, { transactions: true })).rejects.toMatchObject(refusal);
  });

  it("by a certificate of fewer than a quorum", async () => {
    const header = chain.blocks[1]?.block.header;
    if (header === undefined) throw new Error("the chain has block 1");
    const certificate = chain.certify(header, committee, [0, 1]);
    change("block.header", "certificate", () => toHex(encode(commitCertificateCodec, certificate)));
    await expect(client.header(1)).rejects.toMatchObject({ code: "CLIENT_CERTIFICATE_INVALID" });
  });

  it("by a certificate that counts one validator three times", async () => {
    const header = chain.blocks[1]?.block.header;
    if (header === undefined) throw new Error("the chain has block 1");
    const certificate = chain.certify(header, committee, [0, 0, 0]);
    change("block.header", "certificate", () => toHex(encode(commitCertificateCodec, certificate)));
    await expect(client.header(1)).rejects.toMatchObject({ code: "CLIENT_CERTIFICATE_INVALID" });
  });
});

describe("genesis", () => {
  it("a genesis block is proven by its child", async () => {
    await expect(client.header(0)).resolves.toMatchObject({ height: 0, certificate: null });
  });

  it("without a child it stays unproven", async () => {
    chain.blocks.length = 1;
    await expect(client.header(0)).rejects.toMatchObject({ code: "CLIENT_HEAD_UNPROVEN" });
  });

  it("bytes that are no genesis are refused", () => {
    const options = { url: gateway.url, genesis: Uint8Array.of(1, 2, 3), identity };
    expect(() => createClient(options)).toThrowError(
      expect.objectContaining({ code: "CLIENT_GENESIS_MISMATCH" }),
    );
  });

  it("certificates of the same validators on another chain are refused", async () => {
    const genesis = encode(genesisCodec, { ...chain.genesis, timestampMs: 5 });
    const other = createClient({ url: gateway.url, genesis, identity });
    await expect(other.header(1)).rejects.toMatchObject({ code: "API_LOGIN" });
  });
});

describe("changes of validators", () => {
  it("are followed by certified headers, as often as they happen", async () => {
    const second = createCommittee(["a", "b", "c", "e"]);
    const third = createCommittee(["b", "c", "e", "f", "g"]);
    for (let at = 2; at < 60; at += 1) {
      const next = at === 20 ? second : at === 41 ? third : undefined;
      chain.append([], next === undefined ? {} : { next });
    }
    const verified = await client.header(59);
    expect(verified.header.validatorsHash).toEqual(third.set.hash);
    const headers = gateway.calls.filter((method) => method === "block.header");
    expect(headers.length).toBeLessThan(25);
    await expect(client.header(30)).resolves.toMatchObject({ height: 30 });
  });

  it("that no certified header names are refused", async () => {
    const usurpers = createCommittee(["a", "b", "c", "d"]);
    for (let at = 2; at < 6; at += 1) chain.append([]);
    chain.committees[chain.blocks.length] = usurpers;
    chain.append([]);
    await expect(client.header(chain.blocks.length - 1)).rejects.toMatchObject({
      code: "CLIENT_VALIDATORS_UNKNOWN",
    });
  });
});

describe("freshness", () => {
  it("an old head is refused when a height is demanded", async () => {
    await expect(
      client.getState(STATE_CONTRACT, STATE_KEY, { minHeight: 9 }),
    ).rejects.toMatchObject({ code: "CLIENT_STALE" });
  });

  it("an unknown transaction is not waited for longer than allowed", async () => {
    await expect(
      client.waitFor(digest(new Uint8Array(32)), { timeoutMs: 0 }),
    ).rejects.toMatchObject({ code: "CLIENT_TRANSACTION_PENDING" });
  });
});
