import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Client,
  createClient,
  createIdentity,
  type Identity,
  type SignedCall,
  setMemberStatusCall,
  signTransaction,
} from "@credlink/client";
import { createSm2Signer, formatAddress, generateKeyPair } from "@credlink/crypto";
import {
  type Space,
  signedTransactionCodec,
  TRANSACTION_VERSION,
  transactionId,
} from "@credlink/ledger";
import { openLevelStore } from "@credlink/node";
import { decode, encode, height, toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlink, credlinkJson } from "./support/command.ts";
import { createCalls, Load, refusalOf, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** One network lives through this whole file: the tests follow each other. */
let network: TestNetwork;
let admin: Client;
let institution: Identity;
let institutionClient: Client;
const all = ["node-1", "node-2", "node-3", "node-4", "observer-1"];

beforeAll(async () => {
  network = await TestNetwork.run({ validators: 4, observers: 1 });
  admin = await network.client("node-1");
  const made = await credlinkJson(
    ...["member", "create", "--network", network.dir, "--organization", "org-1"],
    ...["--name", "service-centre", "--role", "institution"],
  );
  if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
  institution = await network.identity("org-1/service-centre");
  institutionClient = await network.client("node-1", "org-1/service-centre");
}, 120_000);
afterAll(() => network?.close());

/** A transaction with some of its fields changed, signed by its sender. */
function craft(change: Partial<Parameters<typeof signTransaction>[0]>, sender = institution) {
  const call = relationKeyCall();
  return signTransaction(
    {
      version: TRANSACTION_VERSION,
      chainId: admin.genesis.chainId,
      sender: sender.address,
      nonce: crypto.getRandomValues(new Uint8Array(16)),
      expiryHeight: height(800),
      contract: call.contract,
      contractVersion: call.version,
      method: call.method,
      args: call.args,
      gasLimit: 10_000_000,
      ...change,
    },
    admin.genesisDigest,
    sender,
  );
}

describe("four validators and an observer", () => {
  it("S-9.2-1: take a transaction; its block has a quorum's signatures on all nodes", async () => {
    const committed = await institutionClient.execute(relationKeyCall());
    expect(committed.header.certificate?.signatures.length).toBeGreaterThanOrEqual(3);
    const agreed = await network.agree(all, committed.header.height);
    expect(agreed.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it("S-9.3-2, S-9.3-4: every node serves the same proven record", async () => {
    const committed = await institutionClient.execute(relationKeyCall());
    await network.agree(all, committed.header.height);
    for (const name of all) {
      const found = await (await network.client(name)).transaction(committed.id);
      expect(found).toMatchObject({ status: "committed", index: committed.index });
    }
  });

  it("T-4.5-2: nothing is read without a session", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "chain.info", params: {} });
    const headers = { "content-type": "application/json" };
    const response = await fetch(network.node("node-1").rpc, { method: "POST", headers, body });
    expect(response.status).toBe(401);
    const stranger = createIdentity(createSm2Signer(generateKeyPair().privateKey));
    const { rpc: url } = network.node("node-1");
    const denied = createClient({ url, genesis: network.genesis, identity: stranger });
    await expect(denied.info()).rejects.toMatchObject({ details: { httpStatus: 403 } });
  });
});

describe("each refused transaction has its own code", () => {
  it.each<[string, string, () => Promise<SignedCall>]>([
    ["of another chain", "LEDGER_TRANSACTION_WRONG_CHAIN", () => craft({ chainId: "other" })],
    ["that is expired", "LEDGER_TRANSACTION_EXPIRED", () => craft({ expiryHeight: height(0) })],
    [
      "that expires too far ahead",
      "LEDGER_TRANSACTION_EXPIRY_TOO_FAR",
      () => craft({ expiryHeight: height(1_000_000) }),
    ],
    [
      "of an unknown sender",
      "LEDGER_TRANSACTION_SENDER_UNKNOWN",
      async () => {
        const stranger = createIdentity(createSm2Signer(generateKeyPair().privateKey));
        return craft({ sender: stranger.address }, stranger);
      },
    ],
    [
      "with a wrong signature",
      "LEDGER_TRANSACTION_SIGNATURE_INVALID",
      async () => {
        const other = createSm2Signer(generateKeyPair().privateKey);
        return craft({}, createIdentity(other, institution.address));
      },
    ],
    ["with too much gas", "LEDGER_TRANSACTION_GAS_LIMIT", () => craft({ gasLimit: 2 ** 50 })],
    [
      "of a node's key to a contract that is not built in",
      "LEDGER_TRANSACTION_CONTRACT_NOT_ALLOWED",
      async () => {
        const { loadIdentity } = await import("@credlink/cli");
        const folder = network.nodeDir("node-1");
        const node = await loadIdentity(join(folder, "node.key"), join(folder, "node.password"));
        return craft({ sender: node.address, contract: "credential" }, node);
      },
    ],
  ])("%s: %s", async (_, code, build) => {
    expect(await refusalOf(institutionClient, await build())).toBe(code);
  });

  it("that is replayed: NODE_MEMPOOL_KNOWN at first, LEDGER_TRANSACTION_REPLAYED for good", async () => {
    const signed = await craft({});
    await institutionClient.submitAndWait(signed);
    expect(await refusalOf(institutionClient, signed)).toMatch(
      /^(LEDGER_TRANSACTION_REPLAYED|NODE_MEMPOOL_KNOWN)$/,
    );
    // Another signature makes another id; the nonce is what counts.
    const again = await signTransaction(signed.transaction, admin.genesisDigest, institution);
    expect(toHex(again.id)).not.toBe(toHex(signed.id));
    expect(await refusalOf(institutionClient, again)).toBe("LEDGER_TRANSACTION_REPLAYED");
  });

  it("that is too large: LEDGER_TRANSACTION_TOO_LARGE", async () => {
    const { signatures } = decode(signedTransactionCodec, (await craft({})).bytes);
    const transaction = new Uint8Array(250 * 1024);
    const bytes = encode(signedTransactionCodec, {
      transaction,
      signatures: Array.from({ length: 16 }, () => signatures[0] ?? never()),
    });
    const padded = new Uint8Array(256 * 1024 + 1);
    padded.set(bytes.subarray(0, Math.min(bytes.length, padded.length)));
    const whole = {
      id: transactionId(padded),
      bytes: padded,
      transaction: (await craft({})).transaction,
    };
    expect(await refusalOf(institutionClient, whole)).toBe("LEDGER_TRANSACTION_TOO_LARGE");
  });

  it("that is not canonical: LEDGER_TRANSACTION_MALFORMED", async () => {
    const signed = await craft({});
    const bytes = new Uint8Array([...signed.bytes, 0]);
    expect(await refusalOf(institutionClient, { ...signed, bytes })).toBe(
      "LEDGER_TRANSACTION_MALFORMED",
    );
  });

  it("of a revoked member: LEDGER_TRANSACTION_SIGNER_REVOKED", async () => {
    const made = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-2"],
      ...["--name", "leaver", "--role", "institution"],
    );
    expect(made.code).toBe(0);
    const leaver = await network.identity("org-2/leaver");
    const boss = await network.client("node-1", "org-2/admin");
    await boss.execute(setMemberStatusCall(leaver.address, "revoked"));
    const refused = await craft({ sender: leaver.address }, leaver);
    expect(await refusalOf(institutionClient, refused)).toBe("LEDGER_TRANSACTION_SIGNER_REVOKED");
  });

  it.each([
    ["unknown contract", { contract: "nothing" }, "VM_CONTRACT_UNKNOWN"],
    ["unknown version", { contract: "credential", contractVersion: "9.9.9" }, "VM_VERSION_UNKNOWN"],
    ["unknown version of a built-in", { contractVersion: "9.9.9" }, "VM_VERSION_UNKNOWN"],
  ])("%s: refused at the door with the code that a receipt would have", async (_, change, code) => {
    expect(await refusalOf(institutionClient, await craft(change))).toBe(code);
  });

  it("unknown method: committed as failed, with the same code on every node", async () => {
    const committed = await institutionClient.submitAndWait(await craft({ method: "nothing" }));
    expect(committed.receipt.status).toBe("VM_METHOD_UNKNOWN");
    await network.agree(all, committed.header.height);
  });
});

/** Id of the credential that the command line submits. */
let id = "";
/** Another one that names the first as its parent. */
let alert = "";
let alertFile = "";

describe("T-4.8.2-a: a credential's round trip on the command line", () => {
  const uscc = "91440300MA5DA1234P";
  let file = "";
  let indexKey = "";

  it("submit completes the file and returns a proven commit", async () => {
    const { creditCodeCheck } = await import("@credlink/contracts");
    const body = uscc.slice(0, 17);
    const code = body + creditCodeCheck(body);
    file = join(network.folder.path, "institution.json");
    indexKey = join(network.folder.path, "index.key");
    writeFileSync(indexKey, `1:${"ab".repeat(32)}\n`, { mode: 0o600 });
    const draft = {
      type: "identity.institution",
      validFrom: new Date(Date.now() - 60_000).toISOString(),
      payload: {
        name: "深圳市前海灵工服务有限公司PLANTED",
        uscc: code,
        licences: ["委托代征", "人力资源服务许可证"],
        caSerial: "4f2a",
      },
      identifiers: [{ kind: "unified-social-credit-code", identifier: code }],
    };
    writeFileSync(file, JSON.stringify(draft));
    const submitted = await credlinkJson(
      ...["credential", "submit", "--file", file, "--index-key", indexKey],
      ...["--network", network.dir, "--as", "org-1/service-centre"],
    );
    expect(submitted.stderr).toBe("");
    expect(submitted.value.at("status").text).toBe("SUCCESS");
    id = submitted.value.at("id").text;
  });

  const connection = (): readonly string[] => ["--network", network.dir, "--node", "observer-1"];

  it("get shows the record without personal data, from any node", async () => {
    const { value } = await credlinkJson("credential", "get", id, ...connection());
    expect(value.at("type").text).toBe("identity.institution");
    expect(value.at("status").text).toBe("active");
    expect(value.at("issuer").text).toBe(formatAddress(institution.address));
    expect(JSON.stringify(value.value)).not.toContain("PLANTED");
  });

  it("verify accepts the original and refuses a file with one character changed", async () => {
    const good = await credlinkJson("credential", "verify", id, "--file", file, ...connection());
    expect(good.code).toBe(0);
    expect(good.value.at("original").value).toBe(true);
    const altered = join(network.folder.path, "altered.json");
    writeFileSync(altered, readFileSync(file, "utf8").replace("PLANTED", "PLANTEE"));
    const bad = await credlinkJson("credential", "verify", id, "--file", altered, ...connection());
    expect(bad.code).toBe(4);
    expect(bad.value.at("error", "code").text).toBe("CLI_CREDENTIAL_MISMATCH");
  });

  it("the same identifier is not registered twice", async () => {
    const again = join(network.folder.path, "again.json");
    const { payload } = JSON.parse(readFileSync(file, "utf8")) as { payload: { uscc: string } };
    const draft = {
      type: "identity.institution",
      validFrom: new Date(Date.now() - 60_000).toISOString(),
      payload: { name: "另一家", uscc: payload.uscc, licences: ["委托代征"], caSerial: "4f2b" },
      identifiers: [{ kind: "unified-social-credit-code", identifier: payload.uscc }],
    };
    writeFileSync(again, JSON.stringify(draft));
    const refused = await credlinkJson(
      ...["credential", "submit", "--file", again, "--index-key", indexKey],
      ...["--network", network.dir, "--as", "org-1/service-centre"],
    );
    expect(refused.code).toBe(3);
    expect(refused.value.at("error", "message").text).toContain("CREDENTIAL_INDEX_DUPLICATE");
  });

  it("T-4.8.2-a: lookup finds who holds an identifier by its blinded form, or proves that nobody does", async () => {
    const { payload } = JSON.parse(readFileSync(file, "utf8")) as { payload: { uscc: string } };
    const ask = (identifier: string) =>
      credlinkJson(
        ...["credential", "lookup", "--kind", "unified-social-credit-code"],
        ...["--identifier", identifier, "--index-key", indexKey, ...connection()],
      );
    // Blanks, hyphens and case do not matter.
    const spaced = payload.uscc.toLowerCase().replace(/(.{6})/, "$1 - ");
    const found = await ask(spaced);
    expect(found.value.at("id").text).toBe(id);
    expect(JSON.stringify(found.value.value)).not.toContain(payload.uscc);
    const none = await ask(`${payload.uscc.slice(0, 17)}X`);
    expect([none.code, none.value.at("error", "code").text]).toEqual([6, "CLI_NOT_FOUND"]);
  });

  it("trace leads to the identity; an unknown id is exit code 6", async () => {
    const traced = await credlinkJson("credential", "trace", id, ...connection());
    expect(traced.value.at("steps").list).toHaveLength(1);
    const unknown = "00".repeat(32);
    const missing = await credlinkJson("credential", "get", unknown, ...connection());
    expect(missing.code).toBe(6);
  });

  it("T-4.4: what rests on it is found by the index of any node, and proven", async () => {
    const draft = {
      type: "risk.alert",
      subjects: [],
      parents: [{ id, relation: "assesses" }],
      validFrom: new Date(Date.now() - 30_000).toISOString(),
      payload: {
        ruleId: "night-burst/1",
        severity: "low",
        targets: [{ bytes: id }],
        detectedAt: new Date(Date.now() - 60_000).toISOString(),
      },
    };
    alertFile = join(network.folder.path, "alert.json");
    writeFileSync(alertFile, JSON.stringify(draft));
    const submitted = await credlinkJson(
      ...["credential", "submit", "--file", alertFile],
      ...["--network", network.dir, "--as", "org-1/service-centre"],
    );
    expect(submitted.stderr).toBe("");
    alert = submitted.value.at("id").text;
    await network.agree(all, submitted.value.at("height").number);
    const down = await credlinkJson(
      ...["credential", "trace", id, "--down", "--depth", "5", "--limit", "10", ...connection()],
    );
    expect(down.value.at("steps").list.map((step) => step.at("id").text)).toEqual([id, alert]);
    expect(down.value.at("steps", 1, "by").value).toEqual({ from: id, relation: "assesses" });
    expect(down.value.at("next").value).toBeNull();
    const wrong = await credlinkJson("credential", "trace", id, "--limit", "257", ...connection());
    expect([wrong.code, wrong.value.at("error", "code").text]).toEqual([2, "CLI_USAGE"]);
  });

  it("T-4.4, T-4.8.2: evidence and a disclosed field verify offline, altered ones do not", async () => {
    const evidence = join(network.folder.path, "evidence.jsonl");
    const exported = await credlinkJson(
      ...["credential", "export", alert, "--evidence", "--out", evidence],
      ...["--open", `${alertFile}:ruleId,severity`, ...connection()],
    );
    expect(exported.stderr).toBe("");
    const trusted = ["--genesis", join(network.dir, "genesis.bin")];
    const { code, value } = await credlinkJson("verify", evidence, ...trusted);
    expect(code).toBe(0);
    expect(value.at("credentials").list.map((each) => each.at("id").text)).toEqual([alert, id]);
    expect(value.at("digest").text).toBe(exported.value.at("digest").text);
    expect(value.at("disclosures", 0, "value").text).toBe("night-burst/1");
    const whole = readFileSync(evidence, "utf8");
    const at = whole.indexOf('"value":"') + 60;
    const other = whole[at] === "0" ? "1" : "0";
    writeFileSync(evidence, whole.slice(0, at) + other + whole.slice(at + 1));
    const bad = await credlinkJson("verify", evidence, ...trusted);
    expect(bad.code).toBe(4);
    expect(bad.value.at("error", "message").text).toMatch(/^line \d+: /);

    const disclosed = join(network.folder.path, "disclosure.jsonl");
    const made = await credlinkJson(
      ...["credential", "disclose", id, "--file", file, "--fields", "licences"],
      ...["--out", disclosed, ...connection()],
    );
    expect(made.stderr).toBe("");
    expect(readFileSync(disclosed, "utf8")).not.toContain(Buffer.from("PLANTED").toString("hex"));
    const shown = await credlinkJson("verify", disclosed, ...trusted);
    expect(shown.value.at("disclosures", 0, "value").value).toEqual([
      "委托代征",
      "人力资源服务许可证",
    ]);
  });

  it("exports a W3C verifiable credential that verifies offline; an altered one does not", async () => {
    const vc = join(network.folder.path, "vc.json");
    const asIssuer = ["--network", network.dir, "--as", "org-1/service-centre"];
    const exported = await credlinkJson(
      ...["credential", "export", alert, "--vc", "--file", alertFile],
      ...["--fields", "ruleId,severity", "--out", vc, ...asIssuer],
    );
    expect(exported.stderr).toBe("");
    const trusted = ["--network", network.dir];
    const good = await credlinkJson("verify", vc, ...trusted);
    expect(good.code).toBe(0);
    const claims = good.value.at("credential", "credentialSubject", "claims");
    expect(claims.value).toEqual({ ruleId: "night-burst/1", severity: "low" });
    expect(good.value.at("credential", "relatedResource", 0, "id").text).toContain(id);
    const text = readFileSync(vc, "utf8");
    writeFileSync(vc, text.replace('"severity": "low"', '"severity": "high"'));
    const bad = await credlinkJson("verify", vc, ...trusted);
    expect([bad.code, bad.value.at("error", "code").text]).toEqual([4, "CLIENT_VC_MISMATCH"]);
  });

  it("block get, tx get, member show and contract list answer with proof", async () => {
    const block = await credlinkJson("block", "get", "1", ...connection());
    expect(block.value.at("verified").value).toBe(true);
    const tx = block.value.at("transactions", 0, "id").text;
    const found = await credlinkJson("tx", "get", tx, ...connection());
    expect(found.value.at("status").text).toBe("committed");
    const member = await credlinkJson("member", "show", ...connection());
    expect(member.value.at("role").text).toBe("admin");
    const contracts = await credlinkJson("contract", "list", ...connection());
    expect(JSON.stringify(contracts.value.value)).toContain("credential");
  });

  it("T-4.5-1: a proposal is signed by the other party from its own node, or declined", async () => {
    const made = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-2"],
      ...["--name", "buyer", "--role", "enterprise"],
    );
    expect(made.stderr).toBe("");
    const buyer = await network.identity("org-2/buyer");
    const { creditCodeCheck } = await import("@credlink/contracts");
    const body = "91440300MA5DA7777";
    const code = body + creditCodeCheck(body);
    const proposed = join(network.folder.path, "enterprise.json");
    const draft = {
      type: "identity.enterprise",
      subjects: [formatAddress(buyer.address)],
      parents: [{ id, relation: "attestedBy" }],
      validFrom: new Date(Date.now() - 30_000).toISOString(),
      payload: {
        name: "鹏城快送",
        uscc: code,
        licenceImageDigest: { bytes: "ab".repeat(32) },
        "verification.method": "licence",
        "verification.at": new Date(Date.now() - 40_000).toISOString(),
        "verification.result": "passed",
      },
      identifiers: [{ kind: "unified-social-credit-code", identifier: code }],
    };
    const institutional = ["--network", network.dir, "--as", "org-1/service-centre"];
    const own = ["--network", network.dir, "--as", "org-2/buyer", "--node", "node-2"];
    const propose = async () => {
      writeFileSync(proposed, JSON.stringify(draft));
      const { value } = await credlinkJson(
        ...["credential", "propose", "--file", proposed, "--index-key", indexKey, ...institutional],
      );
      expect(value.at("status").text).toBe("proposed");
      await network.agree(all, value.at("height").number);
      return value.at("id").text;
    };
    const first = await propose();
    const reason = ["--reason", "名称有误"];
    const declined = await credlinkJson("credential", "decline", first, ...reason, ...own);
    expect(declined.value.at("status").text).toBe("declined");
    const second = await propose();
    const shown = await credlinkJson("credential", "proposal", second, ...own);
    expect(shown.value.at("status").text).toBe("proposed");
    const wrong = await credlinkJson("credential", "sign", second, "--file", file, ...own);
    expect(wrong.value.at("error", "code").text).toBe("CLI_CREDENTIAL_MISMATCH");
    const signed = await credlinkJson("credential", "sign", second, "--file", proposed, ...own);
    expect(signed.stderr).toBe("");
    expect(signed.value.at("status").text).toBe("active");
    await network.agree(all, signed.value.at("height").number);
    const stands = await credlinkJson("credential", "get", second, ...connection());
    expect(stands.value.at("status").text).toBe("active");
    expect(stands.value.at("coSigners").list).toHaveLength(1);
  });
});

describe("S-9.2-4: faults", () => {
  let load: Load;

  it("kill -9 of one under load: the others go on, it catches up, nothing accepted is lost", async () => {
    const survivors = ["node-1", "node-2", "node-4"];
    const clients = await Promise.all(
      survivors.map((name) => network.client(name, "org-1/service-centre")),
    );
    const info = await admin.info();
    load = new Load(clients, createCalls(admin, institution, info.height + 900));
    await eventually("load is taken", () => load.accepted.length > 20);
    const before = await admin.info();
    await network.kill("node-3");
    await eventually("blocks go on", async () => (await admin.info()).height > before.height + 3);
    network.restart("node-3");
    await network.untilReady("node-3");
    await eventually("it catches up under load", async () => {
      const [own, other] = await Promise.all([
        (await network.client("node-3")).info(),
        admin.info(),
      ]);
      return own.height >= other.height - 2 && own.height > before.height + 3;
    });
    await load.stop();
    await load.allCommitted(await network.client("node-3"));
    await network.agree(all, before.height + 4);
  });

  it("the primary killed: the next block within 3 s", async () => {
    const status = await admin.status();
    const primary = status.primary;
    expect(primary).toMatch(/^node-\d$/);
    const victim = primary ?? "node-2";
    const other = victim === "node-1" ? "node-2" : "node-1";
    const client = await network.client(other, "org-1/service-centre");
    const before = (await client.info()).height;
    await network.kill(victim);
    const killedMs = performance.now();
    await client.submit(await client.build(relationKeyCall()));
    await eventually("the next block", async () => (await client.info()).height > before, 6_000);
    const tookMs = performance.now() - killedMs;
    expect(tookMs).toBeLessThan(3_000);
    network.restart(victim);
    await network.untilReady(victim);
    await network.agree(all, before + 1);
  });

  it("two of four killed: no block, no fork; it goes on by itself when they return", async () => {
    const client = await network.client("node-1", "org-1/service-centre");
    await Promise.all([network.kill("node-2"), network.kill("node-3")]);
    // A decision that was under way may still arrive; after it the height stands.
    const signed = await client.build(relationKeyCall());
    await client.submit(signed);
    const settled = await eventually("the height stands", async () => {
      const first = (await client.info()).height;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await client.info()).height === first && { height: first };
    });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await client.info()).height).toBe(settled.height);
    expect((await client.transaction(signed.id)).status).toBe("pending");
    network.restart("node-2");
    network.restart("node-3");
    await network.untilReady("node-2");
    await eventually(
      "it goes on",
      async () => (await client.info()).height > settled.height,
      30_000,
    );
    await client.waitFor(signed.id);
    await network.agree(all, settled.height + 1);
  });
});

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("after everything has stopped", () => {
  beforeAll(() => network.stop(), 60_000);

  it("T-4.6.1-2: no node's files hold the planted plaintext in any encoding", () => {
    const planted = "深圳市前海灵工服务有限公司PLANTED";
    const forms = ["utf8", "utf16le"].flatMap((form) => {
      const bytes = Buffer.from(planted, form === "utf8" ? "utf8" : "utf16le");
      return [
        bytes,
        Buffer.from(bytes.toString("hex")),
        Buffer.from(bytes.toString("base64").slice(0, -4)),
      ];
    });
    forms.push(Buffer.from("PLANTED"));
    let scanned = 0;
    for (const name of all) {
      for (const path of filesBelow(network.nodeDir(name))) {
        const bytes = readFileSync(path);
        scanned += bytes.length;
        for (const form of forms) expect(bytes.includes(form), path).toBe(false);
      }
    }
    expect(scanned).toBeGreaterThan(100_000);
    // The search itself finds what is there.
    const original = readFileSync(join(network.folder.path, "institution.json"));
    expect(forms.some((form) => original.includes(form))).toBe(true);
  });

  it("S-9.3-5: chain verify finds a whole chain whole on every kind of node", async () => {
    for (const name of ["node-3", "observer-1"]) {
      const found = await credlinkJson("chain", "verify", "--dir", network.nodeDir(name));
      expect(found.stderr).not.toContain("LEDGER_");
      expect(found.code).toBe(0);
      expect(found.value.at("findings").list).toEqual([]);
      expect(found.value.at("height").number).toBeGreaterThan(5);
    }
  });

  it.each<[string, Space, number]>([
    ["a block", "blocks", 0],
    ["a state value", "state", 0],
    ["a transaction", "bodies", 1],
    ["a receipt", "receipts", 1],
    ["a page of the state tree", "pages", 2],
  ])("S-9.3-5: one flipped byte in %s is found, with its place", async (_, space, which) => {
    const dir = join(network.folder.path, `flipped-${space}`);
    cpSync(network.nodeDir("node-4"), dir, { recursive: true });
    const store = await openLevelStore(join(dir, "data", "db"), {
      create: false,
      cacheBytes: 2 ** 20,
    });
    const row = (await store.range(space, { limit: which + 1 })).at(-1);
    if (row === undefined) throw new Error(`the node has rows in ${space}`);
    const [key, value] = row;
    const altered = value.slice();
    const at = Math.floor(altered.length / 2);
    altered[at] = (altered[at] ?? 0) ^ 0x40;
    await store.write([{ type: "put", space, key, value: altered }], { sync: true });
    await store.close();
    const found = await credlinkJson("chain", "verify", "--dir", dir);
    expect(found.code).toBe(4);
    expect(found.value.at("whole").value).toBe(false);
    const places = found.value
      .at("findings")
      .list.map((finding) => [finding.at("space").text, finding.at("key").text]);
    expect(places).toContainEqual([space, toHex(key)]);
  });

  it("S-9.3-5: one byte flipped in the database's own file is found", async () => {
    const dir = join(network.folder.path, "flipped-file");
    cpSync(network.nodeDir("node-4"), dir, { recursive: true });
    const needle = Buffer.from(id, "hex");
    const file = filesBelow(join(dir, "data", "db")).find((path) =>
      readFileSync(path).includes(needle),
    );
    if (file === undefined) throw new Error("the credential's id stands in a file");
    const bytes = readFileSync(file);
    const at = bytes.lastIndexOf(needle) + 3;
    bytes[at] = (bytes[at] ?? 0) ^ 0x01;
    writeFileSync(file, bytes);
    const found = await credlinkJson("chain", "verify", "--dir", dir);
    expect([3, 4]).toContain(found.code);
    expect(JSON.stringify(found.value.value)).toMatch(/LEDGER_|NODE_STORAGE_/);
  });

  it("the network starts again from its files", async () => {
    expect(existsSync(join(network.dir, "run.json"))).toBe(false);
    await network.start();
    const client = await network.client("node-1", "org-1/service-centre");
    await client.execute(relationKeyCall());
    const shown = await credlink("network", "status", "--dir", network.dir);
    expect(shown.stdout).toContain("observer-1");
    await network.stop();
  });
});

function never(): never {
  throw new Error("unreachable");
}
