import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, createSm2Signer, generateKeyPair, saveKeyFile } from "@credlink/crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodes, loadIdentity, runCommand } from "../../src/index.ts";

let folder = "";
const at = (...parts: string[]): string => join(folder, ...parts);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "credlink-cli-key-"));
  for (const name of ["first", "second", "third"]) {
    writeFileSync(at(`${name}.password`), `a long ${name} password\n`, { mode: 0o600 });
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `key …` on the store `name` with `--json`. */
async function key(store: string, verb: string, ...args: readonly string[]) {
  let out = "";
  let err = "";
  const all = ["key", verb, ...args, "--store", at(store), "--json"];
  const code = await runCommand(all, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  const value = out === "" ? undefined : JSON.parse(out);
  return { code, value, err, error: value?.error?.code as string | undefined };
}

const FIRST = () => ["--password-file", at("first.password")];
const done = { code: exitCodes.done };

describe("S-9.5-2a: the ten steps of a key's life, each by its command", () => {
  it("generate, store, use", async () => {
    expect(await key("a", "init")).toMatchObject(done);
    expect((await key("a", "init")).error).toBe("KEYS_STORE_EXISTS");
    const made = await key("a", "generate", "admin", "--kind", "member", ...FIRST());
    expect(made.value).toMatchObject({ key: "admin.1", state: "pre-active" });
    expect(statSync(at("a/keys/admin.1.pem")).mode & 0o777).toBe(0o600);
    expect((await key("a", "activate", "admin")).error).toBe("KEYS_CUSTODY_OPEN");
    expect(await key("a", "activate", "admin", "--custody-read")).toMatchObject(done);
    writeFileSync(at("document"), "结算单 2026-11");
    const sign = ["--in", at("document"), "--out", at("document.sig"), ...FIRST()];
    expect(await key("a", "sign", "admin", ...sign)).toMatchObject(done);
    await key("a", "public", "admin", "--out", at("admin.pem"));
  });

  it("a signature is of its file alone, and every command that takes a key takes a store's", async () => {
    const verify = ["--signature", at("document.sig"), "--public-key", at("admin.pem")];
    const run = async (file: string) => {
      let out = "";
      const args = ["key", "verify", "--in", file, ...verify];
      const streams = { out: (text: string) => (out += text), err: () => undefined };
      return { code: await runCommand(args, streams), out };
    };
    expect((await run(at("document"))).code).toBe(exitCodes.done);
    writeFileSync(at("other"), "another");
    expect((await run(at("other"))).code).toBe(exitCodes.unverified);
    await loadIdentity(at("a/keys/admin.1.pem"), at("first.password"));
    const { value } = await key("a", "show", "admin");
    const uses = value.entries.filter((entry: { event: { action: string } }) =>
      /^use$/.test(entry.event.action),
    );
    expect(uses).toHaveLength(2);
  });

  it("export, import: under passwords only", async () => {
    const files = ["--out", at("exported.pem"), "--export-password-file", at("second.password")];
    expect(await key("a", "export", "admin", ...FIRST(), ...files)).toMatchObject(done);
    await key("b", "init");
    const input = ["--in", at("exported.pem"), "--in-password-file", at("second.password")];
    const taken = await key("b", "import", "admin", ...input, "--kind", "member", ...FIRST());
    expect(taken.value).toMatchObject({ state: "pre-active", origin: "import" });
    const pair = generateKeyPair();
    await saveKeyFile(at("plain.pem"), pair.privateKey, { plaintext: true });
    const plain = [
      "import",
      "plain",
      "--in",
      at("plain.pem"),
      "--kind",
      "node",
      ...FIRST(),
    ] as const;
    expect((await key("b", ...plain)).error).toBe("CRYPTO_KEY_PLAINTEXT");
    expect(await key("b", ...plain, "--dev")).toMatchObject(done);
  });

  it("distribute: under the recipient's key, signed by the sender", async () => {
    await key("b", "generate", "inbox", "--kind", "encryption", ...FIRST());
    await key("b", "activate", "inbox", "--custody-read");
    await key("b", "public", "inbox", "--out", at("inbox.pem"));
    await key("a", "generate", "node-7", "--kind", "node", ...FIRST());
    const to = ["--to", at("inbox.pem"), "--sign-as", "admin", "--out", at("node-7.envelope")];
    expect(await key("a", "distribute", "node-7", ...to, ...FIRST())).toMatchObject(done);
    const from = ["--in", at("node-7.envelope"), "--recipient", "inbox"];
    const passwords = ["--recipient-password-file", at("first.password"), ...FIRST()];
    const receive = (sender: string) =>
      key("b", "receive", "node-7", ...from, "--from", at(sender), ...passwords);
    expect((await receive("inbox.pem")).error).toBe("KEYS_ENVELOPE_SENDER");
    expect((await receive("admin.pem")).value).toMatchObject({ kind: "node", state: "pre-active" });
  });

  it("S-9.7-1: seal and open a file for a certificate's holder", async () => {
    const signer = createSm2Signer(generateKeyPair().privateKey);
    const { value } = await key("b", "show", "inbox");
    const issuer = await import("@credlink/crypto").then((crypto) =>
      crypto.createSelfSignedCertificate({
        subject: { commonName: "ca", organization: "org", organizationalUnit: "ca" },
        ...{ notBeforeMs: 0, notAfterMs: 1e12, authority: { pathLength: 0 }, signer },
      }),
    );
    const certificate = await createCertificate({
      subject: { commonName: "inbox", organization: "org", organizationalUnit: "admin" },
      subjectKey: new Uint8Array(Buffer.from(value.publicKey, "hex")),
      ...{ notBeforeMs: 0, notAfterMs: 1e10, issuer, signer },
    });
    const { certificateToPem } = await import("@credlink/crypto");
    writeFileSync(at("inbox.crt"), certificateToPem(certificate));
    const seal = ["--in", at("document"), "--to", at("inbox.crt"), "--out", at("sealed")];
    expect(await key("a", "seal", "admin", ...seal, ...FIRST())).toMatchObject(done);
    const open = ["--in", at("sealed"), "--from", at("admin.pem"), "--out", at("opened")];
    expect(await key("b", "open", "inbox", ...open, ...FIRST())).toMatchObject(done);
    expect(readFileSync(at("opened"), "utf8")).toBe("结算单 2026-11");
  });

  it("S-9.7-3: back up among custodians, recover with enough of them", async () => {
    await saveKeyFile(at("carol.key"), generateKeyPair().privateKey, { password: "carol" });
    writeFileSync(at("carol.password"), "carol\n");
    await key("c", "init");
    await key("c", "generate", "carol", "--kind", "encryption", ...FIRST());
    const carol = ["--out", at("carol.exported"), "--export-password-file", at("third.password")];
    await key("c", "export", "carol", ...FIRST(), ...carol);
    await key("c", "public", "carol", "--out", at("carol.pem"));
    const custodians = [
      ...["--custodian", `carol=${at("carol.pem")}`],
      ...["--custodian-password", `alice=${at("second.password")}`],
      ...["--custodian-password", `bob=${at("third.password")}`],
      ...["--threshold", "2", "--shares-dir", at("shares")],
    ];
    const backup = await key("a", "backup", "admin", "--out", at("bk"), ...FIRST(), ...custodians);
    expect(backup.value.shares).toHaveLength(3);
    await key("d", "init");
    const recover = (...shares: string[]) =>
      key("d", "recover", "--in", at("bk"), ...FIRST(), ...shares);
    const alice = ["--share", `${at("shares/alice.share")}=${at("second.password")}`];
    const byKey = [
      "--share-key",
      `${at("shares/carol.share")}=${at("carol.exported")}=${at("third.password")}`,
    ];
    expect((await recover(...alice)).error).toBe("KEYS_SHARES_TOO_FEW");
    const wrong = ["--share", `${at("shares/bob.share")}=${at("second.password")}`];
    const refused = await recover(...alice, ...wrong);
    expect(refused.error).toBe("KEYS_SHARE_ALTERED");
    expect(refused.err).toContain("share 3 of bob");
    expect(await recover(...alice, ...byKey)).toMatchObject(done);
  });

  it("rotate, archive, destroy; nothing brings a destroyed key back", async () => {
    const passwords = ["--new-password-file", at("second.password"), "--custody-read"];
    const rotated = await key("a", "rotate", "admin", ...FIRST(), ...passwords);
    expect(rotated.value).toMatchObject({ key: "admin.2", state: "active" });
    const sign = ["--in", at("document"), "--out", at("x.sig"), ...FIRST()];
    expect((await key("a", "sign", "admin.1", ...sign)).error).toBe("KEYS_STATE_FORBIDS");
    const second = ["--password-file", at("second.password")];
    expect(await key("a", "archive", "admin", ...second)).toMatchObject(done);
    const destroy = ["admin.1", "--reason", "test"];
    expect((await key("a", "destroy", ...destroy)).error).toBe("CLI_USAGE");
    expect(await key("a", "destroy", ...destroy, "--yes")).toMatchObject(done);
    expect(existsSync(at("a/archive/admin.1.pem"))).toBe(false);
    const alice = ["--share", `${at("shares/alice.share")}=${at("second.password")}`];
    const bob = ["--share", `${at("shares/bob.share")}=${at("third.password")}`];
    const back = await key("a", "recover", "--in", at("bk"), ...FIRST(), ...alice, ...bob);
    expect(back.error).toBe("KEYS_KEY_DESTROYED");
  });

  it("list, show, audit: every step is an entry of the chained log", async () => {
    const { value } = await key("a", "audit");
    const actions = new Set(
      value.entries.map((entry: { event: { action: string } }) => entry.event.action),
    );
    for (const action of [
      ...["init", "generate", "activate", "use", "export", "distribute", "backup"],
      ...["archive", "destroy"],
    ]) {
      expect(actions, action).toContain(action);
    }
    const listed = await key("a", "list");
    expect(
      listed.value.map((each: { key: string; state: string }) => `${each.key} ${each.state}`),
    ).toEqual(["admin.1 destroyed", "admin.2 archived", "node-7.1 pre-active"]);
    const log = readFileSync(at("a/audit.log"), "utf8");
    writeFileSync(at("a/audit.log"), log.replace('"reason":"test"', '"reason":"text"'));
    const broken = await key("a", "list");
    expect([broken.error, broken.code]).toEqual(["KEYS_AUDIT_BROKEN", exitCodes.unverified]);
  });
});
