import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { creditCodeCheck } from "@credlink/contracts";
import { formatAddress } from "@credlink/crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../packages/cli/src/program.ts";
import { Json } from "../support/command.ts";
import type { TestNetwork } from "../support/network.ts";

/** What the suites of one network need to know of it. */
export interface Place {
  readonly network: TestNetwork;
  readonly folder: string;
}

interface Ran {
  readonly code: number;
  readonly value: Json;
}

/** One command in this process. */
async function command(...args: readonly string[]): Promise<Ran> {
  let stdout = "";
  const streams = {
    out: (text: string) => {
      stdout += text;
    },
    err: () => {},
  };
  const code = await runCommand([...args, "--json"], streams);
  return { code, value: new Json(JSON.parse(stdout)) };
}

const refusal = ({ value }: Ran): string => value.at("error", "message").text;

function creditCode(body: string): string {
  return body + creditCodeCheck(body);
}

/** Grants, cases, schemas, public data and oracles by commands alone, over a real node. */
export function describeRecords(place: () => Place): void {
  const by = (member: string) => ["--network", place().network.dir, "--as", member];
  const path = (name: string) => join(place().folder, name);
  const addressOf = async (member: string) =>
    formatAddress((await place().network.identity(member)).address);
  const ok = async (...args: readonly string[]): Promise<Json> => {
    const ran = await command(...args);
    expect(ran.code, JSON.stringify(ran.value.value)).toBe(0);
    return ran.value;
  };
  const now = () => new Date(Date.now() - 30_000).toISOString();

  describe("records of the credential contract, by commands", () => {
    const centre = "org-1/centre";
    const buyer = "org-2/buyer";
    const lender = "org-3/lender";
    const watch = "org-4/watch";
    let institution = "";
    /** The buyer's identity, issued by the centre. */
    let enterprise = "";
    let file = "";

    const enrol = (name: string, role: string): Promise<Json> => {
      const [organization = "", member = ""] = name.split("/");
      const { dir } = place().network;
      return ok(
        ...["member", "create", "--network", dir, "--organization", organization],
        ...["--name", member, "--role", role],
      );
    };

    beforeAll(async () => {
      await enrol(centre, "institution");
      await enrol(buyer, "enterprise");
      await enrol(lender, "institution");
    }, 120_000);

    const submit = async (name: string, draft: object, ...more: readonly string[]) => {
      writeFileSync(path(name), JSON.stringify(draft));
      const sent = ["credential", "submit", "--file", path(name), ...by(centre), ...more];
      return (await ok(...sent)).at("id").text;
    };
    const identity = async (code: string, more: object = {}) => ({
      type: "identity.enterprise",
      subjects: [await addressOf(buyer)],
      parents: [{ id: institution, relation: "attestedBy" }],
      validFrom: now(),
      payload: {
        name: "鹏城快送",
        uscc: code,
        licenceImageDigest: { bytes: "ab".repeat(32) },
        "verification.method": "licence",
        "verification.at": now(),
        "verification.result": "passed",
        ...more,
      },
      identifiers: [{ kind: "unified-social-credit-code", identifier: code }],
    });

    it("T-4.8.1-a: fields of an enterprise are published, read in clear, and taken back", async () => {
      writeFileSync(path("index.key"), `1:${"ab".repeat(32)}\n`, { mode: 0o600 });
      const key = ["--index-key", path("index.key")];
      const uscc = creditCode("91440300MA5DA1234");
      institution = await submit(
        "centre.json",
        {
          type: "identity.institution",
          validFrom: now(),
          payload: { name: "前海灵工", uscc, licences: ["委托代征"], caSerial: "4f2a" },
          identifiers: [{ kind: "unified-social-credit-code", identifier: uscc }],
        },
        ...key,
      );
      file = path("buyer.json");
      const draft = await identity(creditCode("91440300MA5DA7777"));
      enterprise = await submit("buyer.json", draft, ...key, "--co-sign", buyer);
      const publish = ["credential", "publish", enterprise, "--file", file];
      await ok(...publish, "--fields", "uscc,name", ...by(centre));
      const shown = await ok("credential", "public", enterprise, ...by(lender));
      expect(shown.at("fields").value).toEqual(
        expect.objectContaining({ name: "鹏城快送", uscc: draft.payload.uscc }),
      );
      const foreign = await command(...publish, "--fields", "name", ...by(lender));
      expect(refusal(foreign)).toContain("CREDENTIAL_NOT_ISSUER");
      await ok(...publish, "--nothing", ...by(centre));
      const none = await ok("credential", "public", enterprise, ...by(lender));
      expect(none.at("fields").value).toEqual({});
    });

    it("T-4.9.3-b: a grant is created, used up to its count, shown and revoked", async () => {
      const create = async (name: string, ...more: readonly string[]) =>
        command(
          ...["grant", "create", "--credential", enterprise, "--grantee", await addressOf(lender)],
          ...["--purpose", "credit-check", "--actions", "read,verify", "--max-uses", "2"],
          ...["--to", "2099-01-01T00:00:00Z", "--out", path(name), ...by(buyer), ...more],
        );
      const made = await create("grant.json");
      expect(made.code, JSON.stringify(made.value.value)).toBe(0);
      const grant = made.value.at("id").text;
      expect((await create("grant.json")).value.at("error", "code").text).toBe("CLI_FILE_EXISTS");
      const use = (action: string, purpose = "credit-check") =>
        command(
          ...["grant", "use", grant, "--credential", enterprise, "--action", action],
          ...["--purpose", purpose, ...by(lender)],
        );
      expect((await use("read")).value.at("left").number).toBe(1);
      expect(refusal(await use("export"))).toContain("CREDENTIAL_GRANT_ACTION");
      expect(refusal(await use("read", "marketing"))).toContain("CREDENTIAL_GRANT_PURPOSE");
      expect((await use("verify")).value.at("left").number).toBe(0);
      expect(refusal(await use("read"))).toContain("CREDENTIAL_GRANT_EXHAUSTED");
      const shown = await ok("grant", "show", grant, ...by(lender));
      expect([shown.at("state").text, shown.at("uses").number]).toEqual(["used-up", 2]);
      await ok("grant", "revoke", grant, "--reason", "done", ...by(buyer));
      expect((await ok("grant", "show", grant, ...by(buyer))).at("state").text).toBe("inactive");
      const wrong = await command("grant", "show", enterprise, ...by(buyer));
      expect(wrong.value.at("error", "code").text).toBe("CLIENT_CREDENTIAL_TYPE");
    });

    it("T-4.4: cases are opened with their evidence, and decided by regulator or arbitrators", async () => {
      const evidence = path("evidence.jsonl");
      const exported = ["credential", "export", enterprise, "--evidence", "--out", evidence];
      await ok(...exported, ...by(buyer));
      const respondent = await addressOf(centre);
      const open = async (name: string) =>
        (
          await ok(
            ...["arbitration", "open", "--about", enterprise, "--respondent", respondent],
            ...["--claim", "名称有误", "--evidence", evidence, "--hold"],
            ...["--out", path(name), ...by(buyer)],
          )
        ).at("id").text;
      const first = await open("case-1.json");
      const second = await open("case-2.json");
      const statusOf = async (id: string) => await ok("arbitration", "show", id, ...by(lender));
      expect((await statusOf(second)).at("about", 0, "heldByThisCase").value).toBe(true);
      const decide = (id: string, name: string, member: string) =>
        command(
          ...["arbitration", "decide", id, "--result", "dismissed", "--reasoning", "与执照一致"],
          ...["--out", path(name), ...by(member)],
        );
      const denied = await decide(first, "verdict-0.json", lender);
      expect(refusal(denied)).toContain("CREDENTIAL_ISSUER_UNAUTHORISED");
      expect((await decide(first, "verdict-1.json", watch)).code).toBe(0);
      const shown = await statusOf(first);
      expect([shown.at("status").text, shown.at("verdict", "result").text]).toEqual([
        "closed",
        "dismissed",
      ]);
      expect((await statusOf(second)).at("about", 0, "status").text).toBe("on-hold");
      const panel = ["arbitration", "set-arbitrators", "--threshold", "1"];
      const named = await ok(...panel, "--arbitrator", await addressOf(lender), ...by(watch));
      expect(named.at("arbitrators").value).toEqual([await addressOf(lender)]);
      expect((await decide(second, "verdict-2.json", lender)).code).toBe(0);
      const released = await ok("credential", "get", enterprise, ...by(buyer));
      expect(released.at("status").text).toBe("active");
    });

    it("T-4.8.2-a: a later schema version is registered, issued under, and verified offline", async () => {
      const schema = "identity.enterprise/1.1";
      writeFileSync(
        path("added.json"),
        JSON.stringify([{ path: "website", kind: "text of 1 to 64 bytes" }]),
      );
      const register = ["schema", "register", schema, "--add", path("added.json")];
      expect((await command(...register, ...by(centre))).code).toBe(3);
      const registered = await ok(...register, ...by(watch));
      expect(registered.at("fields").list).toHaveLength(17);
      const listed = await ok("schema", "list", "--type", "identity.enterprise", ...by(buyer));
      expect(listed.at("schemas").list.map((each) => each.at("schema").text)).toEqual([
        "identity.enterprise/1.0",
        schema,
      ]);
      const code = creditCode("91440300MA5DA8888");
      const draft = { ...(await identity(code, { website: "https://example.cn" })), schema };
      const key = ["--index-key", path("index.key")];
      const id = await submit("later.json", draft, ...key, "--co-sign", buyer);
      await ok("credential", "verify", id, "--file", path("later.json"), ...by(lender));
      const out = path("later.disclosure");
      const disclose = ["credential", "disclose", id, "--file", path("later.json")];
      await ok(...disclose, "--fields", "website", "--out", out, ...by(centre));
      const trusted = ["--genesis", join(place().network.dir, "genesis.bin")];
      const verified = await ok("verify", out, ...trusted);
      expect(verified.at("disclosures", 0, "value").text).toBe("https://example.cn");
      expect(verified.at("schemas", 0, "digest").text).toBe(registered.at("digest").text);
      const vc = ["credential", "export", id, "--vc", "--file", path("later.json")];
      await ok(...vc, "--fields", "website", "--out", path("later.vc"), ...by(centre));
      await ok("verify", path("later.vc"), ...trusted);
      await ok("schema", "withdraw", schema, ...by(watch));
      const shown = await ok("schema", "show", schema, ...by(buyer));
      expect(shown.at("status").text).toBe("withdrawn");
      expect(readFileSync(out, "utf8")).toContain('"kind":"schema"');
    });

    it("S-9.9-2: a feed is admitted by a majority, spoken to by its publisher, and read", async () => {
      const register = [
        ...["oracle", "register", "rates.cny", "--publisher", await addressOf(lender)],
        ...["--max-bytes", "64", "--validity", "3600", ...by("org-1/admin")],
      ];
      expect(refusal(await command(...register))).toContain("GOVERNANCE_VOTES_MISSING");
      const admins = ["--co-sign", "org-2/admin", "--co-sign", "org-3/admin"];
      await ok(...register, ...admins);
      const publish = ["oracle", "publish", "rates.cny", "--value", "7.1"];
      expect(refusal(await command(...publish, ...by(centre)))).toContain(
        "ORACLES_NOT_A_PUBLISHER",
      );
      await ok(...publish, ...by(lender));
      const shown = await ok("oracle", "show", "rates.cny", ...by(buyer));
      expect(shown.at("publishers", 0, "isRead").value).toBe(true);
      expect(shown.at("publishers", 0, "last", "value").text).toBe("372e31");
      await ok("oracle", "remove", "rates.cny", ...by("org-1/admin"), ...admins);
      expect((await ok("oracle", "list", ...by(buyer))).at("feeds").value).toEqual([]);
      expect((await command("oracle", "show", "rates.cny", ...by(buyer))).code).toBe(6);
    });

    it("a contract's quota is shown, set by a majority, and given back", async () => {
      const set = [
        "contract",
        "set-quota",
        "credential",
        "--entries",
        "5000",
        "--bytes",
        "9000000",
      ];
      const alone = await command(...set, ...by("org-1/admin"));
      expect(refusal(alone)).toContain("GOVERNANCE_VOTES_MISSING");
      const admins = ["--co-sign", "org-2/admin", "--co-sign", "org-3/admin"];
      const own = await ok(...set, ...by("org-1/admin"), ...admins);
      expect(own.at("quota").value).toEqual({ entries: 5_000, bytes: 9_000_000 });
      expect(own.at("used", "entries").number).toBeGreaterThan(2);
      const common = ["contract", "set-quota", "credential", "--common"];
      await ok(...common, ...by("org-1/admin"), ...admins);
      const shown = await ok("contract", "quota", "credential", ...by(buyer));
      expect(shown.at("ownQuota").value).toBe(false);
      const unknown = await command("contract", "quota", "nothing", ...by(buyer));
      expect([unknown.code, unknown.value.at("error", "code").text]).toEqual([
        6,
        "CLIENT_CONTRACT_UNKNOWN",
      ]);
    });
  });
}
