import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Json, root } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { temporaryFolder } from "./support/network.ts";

/** The fewest that show everything; `pnpm month` takes the fifty. */
const WORKERS = 6;
const folder = temporaryFolder();
let report: Json;

beforeAll(async () => {
  if (!isLarge) return;
  const args = ["--workers", String(WORKERS), "--dir", join(folder.path, "network"), "--json"];
  const child = spawn(
    process.execPath,
    ["--conditions=source", "examples/src/co-signed-month.ts", ...args],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise((done) => child.once("close", done));
  expect(code, stderr).toBe(0);
  report = new Json(JSON.parse(stdout));
}, 200_000);
afterAll(() => folder.remove());

/** Name of an attempt -> what it met, and at which node. */
function attempt(name: string): { readonly status: string; readonly node: string } {
  const found = report.at("denied").list.find((each) => each.at("name").text === name);
  if (found === undefined) throw new Error(`no attempt ${name}`);
  return { status: found.at("status").text, node: found.at("node").text };
}

describe.runIf(isLarge)("a month that four organisations sign, each at its own node", () => {
  it("T-4.3: every family is there, in the number and status that the business makes", () => {
    expect(report.at("records").value).toEqual({
      "identity.institution active": 1,
      "identity.enterprise active": 2,
      // One more than workers: an identity that expires.
      "identity.individual active": WORKERS,
      "identity.individual on-hold": 1,
      "contract.framework active": 2,
      "contract.service active": WORKERS - 1,
      "contract.service revoked": 1,
      "transaction.task active": 3 * WORKERS,
      "transaction.acceptance active": 2 * WORKERS,
      "transaction.settlement active": WORKERS,
      "transaction.payment active": WORKERS,
      "bill.tax active": WORKERS,
      "bill.insurance active": WORKERS,
      "bill.insurance corrected": 1,
      "bill.invoice active": 2,
      "bill.invoice corrected": 1,
      "bill.red-invoice active": 1,
      // Three low ones and the one that holds.
      "risk.assessment active": 4,
      "risk.alert active": 1,
      "risk.action active": 2,
      "risk.report active": 1,
      "arbitration.case closed": 1,
      "arbitration.verdict active": 1,
      "grant.access active": 1,
    });
  });

  it("every party's transactions went in at the node of its own organisation", () => {
    // Proposals and workers' signatures; each enterprise's own; the regulator's verdict and attempt.
    expect(report.at("sent", "node-1").number).toBeGreaterThan(100);
    expect(report.at("sent", "node-2").number).toBeGreaterThan(5 * (WORKERS / 2));
    expect(report.at("sent", "node-3").number).toBeGreaterThan(5 * (WORKERS / 2));
    expect(report.at("sent", "node-4").number).toBe(2);
  });

  it("T-4.8.2-a: all four nodes hold every record equal and proven, and each original opens it", () => {
    expect(report.at("nodes").number).toBe(4);
    expect(report.at("originals").number).toBe(88);
    expect(report.at("stateRoot").text).toMatch(/^[0-9a-f]{64}$/);
  });

  it("T-4.3: sums of settlements, payments, invoices and taxes hold on the commitments alone", () => {
    const invoices = 2 * 3;
    expect(report.at("sums").number).toBe(2 * WORKERS + WORKERS + WORKERS + invoices + 1);
  });

  it("T-4.6.2-1: each attempt is met by its own answer of the contract, at the node where it was made", () => {
    const denied = report.at("denied").list;
    expect(denied.length).toBeGreaterThan(60);
    for (const each of denied) {
      expect(each.at("status").text, each.at("name").text).toBe(each.at("expected").text);
      expect(each.at("height").number, each.at("name").text).toBeGreaterThan(0);
    }
  });

  it("T-4.6.2-1: nobody signs for another, another record, or after a refusal", () => {
    const unwanted = "CREDENTIAL_SIGNER_NOT_WANTED";
    expect(attempt("另一企业签名")).toEqual({ status: unwanted, node: "node-3" });
    expect(attempt("监管机构代签")).toEqual({ status: unwanted, node: "node-4" });
    expect(attempt("签署另一内容").status).toBe("CREDENTIAL_PROPOSAL_DIGEST");
    expect(attempt("验收未签齐的任务").status).toBe("CREDENTIAL_PARENT_PROPOSED");
    expect(attempt("拒签之后签名").status).toBe("CREDENTIAL_PROPOSAL_CLOSED");
  });

  it("T-4.6.2-2, T-4.9.3-b: a grant serves its grantee alone, for its purpose, target and action", () => {
    expect(report.at("uses").number).toBe(1);
    expect(attempt("他人使用授权")).toEqual({ status: "CREDENTIAL_GRANT_FOREIGN", node: "node-3" });
    expect(attempt("超出用途").status).toBe("CREDENTIAL_GRANT_PURPOSE");
    expect(attempt("超出动作").status).toBe("CREDENTIAL_GRANT_ACTION");
    expect(attempt("超出范围").status).toBe("CREDENTIAL_GRANT_TARGET");
  });
});
