import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addressFromPublicKey,
  certificateToPem,
  createCertificate,
  createSelfSignedCertificate,
  createSm2Signer,
  formatAddress,
  generateKeyPair,
  saveKeyFile,
} from "@credlink/crypto";
import { defaultGovernance, genesisCodec } from "@credlink/ledger";
import { encode } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodes, runCommand } from "../../src/index.ts";
import { appendReceipts } from "../../src/line-file.ts";

const DAY_MS = 86_400_000;
const SENDER = formatAddress(addressFromPublicKey(generateKeyPair().publicKey));
let folder = "";
const at = (name: string): string => join(folder, name);

async function run(...args: readonly string[]) {
  let out = "";
  const streams = { out: (text: string) => (out += text), err: () => undefined };
  const code = await runCommand(["receipt", ...args, "--json"], streams);
  const value = out === "" ? undefined : JSON.parse(out);
  return { code, value, error: value?.error?.code as string | undefined };
}

/** A chain whose root certified an organisation, and that one an enterprise. */
async function makeChain(): Promise<void> {
  const [root, authority, member] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
  const times = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 300 * DAY_MS };
  const rootCertificate = await createSelfSignedCertificate({
    ...times,
    subject: { commonName: "Root", organization: "all", organizationalUnit: "ca" },
    authority: { pathLength: 1 },
    signer: createSm2Signer(root.privateKey),
  });
  const authorityCertificate = await createCertificate({
    ...times,
    subject: { commonName: "alpha CA", organization: "alpha", organizationalUnit: "ca" },
    subjectKey: authority.publicKey,
    authority: { pathLength: 0 },
    issuer: rootCertificate,
    signer: createSm2Signer(root.privateKey),
  });
  const certificate = await createCertificate({
    ...times,
    subject: { commonName: "firm", organization: "alpha", organizationalUnit: "enterprise" },
    subjectKey: member.publicKey,
    issuer: authorityCertificate,
    signer: createSm2Signer(authority.privateKey),
  });
  const genesis = {
    ...{ version: 1, timestampMs: Date.now(), production: false, allowNonByzantine: true },
    consensus: "pbft",
    roots: [rootCertificate.der],
    organizations: [{ name: "alpha", authorityCertificate: authorityCertificate.der }],
    members: [{ certificate: certificate.der }],
    validators: [{ nodeId: "node", publicKey: member.publicKey, peerId: "peer" }],
    parameters: {
      ...{ blockGasLimit: 1_000_000_000, transactionGasLimit: 100_000_000 },
      ...{ maxBlockTransactions: 2_000, maxBlockBytes: 4 * 1024 * 1024, minBlockIntervalMs: 20 },
      ...{ emptyBlockIntervalMs: 0, precisionMs: 5_000, messageDelayMs: 5_000 },
      ...{ contractStateEntries: 1_000_000, contractStateBytes: 1_000_000_000 },
    },
    governance: defaultGovernance(["alpha"]),
    contracts: [],
  } as const;
  for (const chainId of ["chain", "other"]) {
    writeFileSync(at(`${chainId}.genesis`), encode(genesisCodec, { ...genesis, chainId }));
  }
  writeFileSync(at("firm.crt"), certificateToPem(certificate));
  writeFileSync(at("password"), "a long password\n", { mode: 0o600 });
  const protection = { password: "a long password", iterations: 1_024 };
  await saveKeyFile(at("firm.key"), member.privateKey, protection);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "credlink-cli-receipt-"));
  await makeChain();
  writeFileSync(at("package"), "结算单 2026-11");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sign = (out: string, ...more: readonly string[]) =>
  run(
    ...["sign", "--genesis", at("chain.genesis"), "--in", at("package"), "--from", SENDER],
    ...["--key", at("firm.key"), "--password-file", at("password"), "--out", at(out), ...more],
  );
const verify = (file: string, ...more: readonly string[]) =>
  run("verify", at(file), "--genesis", at("chain.genesis"), ...more);

describe("S-9.5-1d: a recipient signs for what arrived", () => {
  it("with its certificate, and anybody with the genesis verifies it", async () => {
    const transaction = "ab".repeat(32);
    const more = ["--certificate", at("firm.crt"), "--transaction", transaction];
    expect((await sign("receipt", ...more)).code).toBe(exitCodes.done);
    expect(statSync(at("receipt")).mode & 0o777).toBe(0o600);
    const { code, value } = await verify("receipt", "--in", at("package"));
    expect(code).toBe(exitCodes.done);
    expect(value.receipts).toMatchObject([
      {
        ...{ type: "received", action: "receive", actor: SENDER, chainId: "chain", transaction },
        content: "same",
        signer: { name: "firm", organization: "alpha", role: "enterprise" },
      },
    ]);
    expect((await verify("receipt")).value.receipts[0].content).toBe("not given");
  });

  it("without one: the key alone is shown", async () => {
    await sign("bare");
    const { value } = await verify("bare", "--in", at("package"));
    expect(value.receipts[0].signer.name).toBeUndefined();
    expect(value.receipts[0].signer.publicKey).toMatch(/^04/);
  });

  it("what is altered, of something else or of another chain is refused by name", async () => {
    writeFileSync(at("other"), "结算单 2026-12");
    const other = await verify("receipt", "--in", at("other"));
    expect(other).toMatchObject({ code: exitCodes.unverified, error: "CLIENT_RECEIPT_CONTENT" });
    const elsewhere = await run("verify", at("receipt"), "--genesis", at("other.genesis"));
    expect(elsewhere.error).toBe("CLIENT_RECEIPT_OTHER_CHAIN");
    const line = readFileSync(at("receipt"), "utf8");
    const changes: readonly (readonly [RegExp, string])[] = [
      [/"receipt":"../, '"receipt":"00'],
      [/("receipt":"[0-9a-f]{300})../, "$100"],
      [/credlink\/receipt/, "credlink/other"],
    ];
    for (const [place, text] of changes) {
      const altered = line.replace(place, text);
      expect(altered).not.toBe(line);
      writeFileSync(at("altered"), altered);
      const { code, error } = await verify("altered");
      expect(code).toBe(exitCodes.unverified);
      expect(error).toMatch(/^CLIENT_RECEIPT_(MALFORMED|SIGNATURE|OTHER_CHAIN)$/);
    }
  });

  it("a file of several names the line that fails; a torn last line and an empty file fail", async () => {
    const line = readFileSync(at("receipt"), "utf8");
    appendReceipts(at("several"), line);
    appendReceipts(at("several"), line);
    expect((await verify("several")).value.receipts).toHaveLength(2);
    appendReceipts(at("several"), line.slice(0, 40));
    const torn = await verify("several");
    expect(torn.error).toBe("CLIENT_RECEIPT_MALFORMED");
    expect(torn.value.error.message).toContain("line 3");
    writeFileSync(at("empty"), "");
    expect((await verify("empty")).error).toBe("CLI_DOCUMENT_UNKNOWN");
  });

  it("never writes over a file, and wants to know who received", async () => {
    expect((await sign("receipt")).code).not.toBe(exitCodes.done);
    const { error } = await run(
      ...["sign", "--genesis", at("chain.genesis"), "--in", at("package")],
      ...["--from", SENDER, "--out", at("nobody")],
    );
    expect(error).toBe("CLI_OPTIONS_CONFLICT");
  });

  it("a file that cannot be written is found before anything is sent", () => {
    expect(() => appendReceipts(at("no/such/folder"), "")).toThrow(
      expect.objectContaining({ code: "CLI_FILE_UNREADABLE" }),
    );
  });
});
