import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatAddress } from "@credlink/crypto";
import { describe, expect, it } from "vitest";
import { credlinkJson } from "../support/command.ts";
import { all, institution, network } from "./network.ts";

/** Id of the credential that the command line submits. */
export let id = "";
/** Another one that names the first as its parent. */
let alert = "";
let alertFile = "";

/** One credential, what rests on it and what is handed on of it, by commands alone. */
export function describeCredentialCommands(): void {
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
      const bad = await credlinkJson(
        "credential",
        "verify",
        id,
        "--file",
        altered,
        ...connection(),
      );
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
      const wrong = await credlinkJson(
        "credential",
        "trace",
        id,
        "--limit",
        "257",
        ...connection(),
      );
      expect([wrong.code, wrong.value.at("error", "code").text]).toEqual([2, "CLI_USAGE"]);
    });

    it("T-4.3: several go in one transaction, and each is found, and proven by evidence", async () => {
      const files = [1, 2].map((number) => {
        const path = join(network.folder.path, `alert-${number}.json`);
        const validFrom = new Date(Date.now() - 30_000).toISOString();
        const payload = {
          ruleId: `split-amounts/${number}`,
          severity: "high",
          targets: [{ bytes: id }],
          detectedAt: new Date(Date.now() - 60_000).toISOString(),
        };
        const parents = [{ id, relation: "assesses" }];
        writeFileSync(
          path,
          JSON.stringify({ type: "risk.alert", subjects: [], parents, validFrom, payload }),
        );
        return path;
      });
      const submitted = await credlinkJson(
        ...["credential", "submit", ...files.flatMap((path) => ["--file", path])],
        ...["--network", network.dir, "--as", "org-1/service-centre"],
      );
      expect(submitted.stderr).toBe("");
      const ids = submitted.value.at("ids").list.map((each) => each.text);
      expect(new Set(ids).size).toBe(2);
      await network.agree(all, submitted.value.at("height").number);
      const [, last = ""] = ids;
      const evidence = join(network.folder.path, "one-of-two.jsonl");
      await credlinkJson(
        ...["credential", "export", last, "--evidence", "--out", evidence, ...connection()],
      );
      const trusted = ["--genesis", join(network.dir, "genesis.bin")];
      const { code, value } = await credlinkJson("verify", evidence, ...trusted);
      expect(code).toBe(0);
      expect(value.at("credentials").list.map((each) => each.at("id").text)).toEqual([last, id]);
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
          ...[
            "credential",
            "propose",
            "--file",
            proposed,
            "--index-key",
            indexKey,
            ...institutional,
          ],
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
}
