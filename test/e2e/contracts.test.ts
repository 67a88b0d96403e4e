import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sm3 } from "@credlink/crypto";
import { toHex } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../packages/cli/src/program.ts";
import { describeRecords } from "./contracts/records.ts";
import { Json } from "./support/command.ts";
import { TestNetwork } from "./support/network.ts";

let network: TestNetwork;
let folder: string;
let project: string;

interface Ran {
  readonly code: number;
  readonly value: Json;
  readonly progress: string;
}

/** One `contract` command in this process: the compiler is loaded once for all of them. */
async function contract(...args: readonly string[]): Promise<Ran> {
  let stdout = "";
  let progress = "";
  const streams = {
    out: (text: string) => {
      stdout += text;
    },
    err: (text: string) => {
      progress += text;
    },
  };
  const code = await runCommand(["contract", ...args, "--json"], streams);
  return { code, value: new Json(JSON.parse(stdout)), progress };
}

const by = (member: string) => ["--network", network.dir, "--as", member];
/** Which method refused and why, without the transaction and block that follow in brackets. */
const refusal = ({ value }: Ran): string =>
  value.at("error", "message").text.replace(/ \(transaction [0-9a-f]{64} in block \d+\)$/, "");
const id = "11".repeat(32);
const create = ["work-orders", "create", "--args"];

/** [id, title, amount, partner], with the caller as partner. */
const order = (title: string, key = id): string =>
  JSON.stringify([{ bytes: key }, title, { u64: "500" }, { bytes: key }]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "credlink-contracts-"));
  project = join(folder, "work-orders");
  network = await TestNetwork.run({ validators: 1, consensus: "solo" });
  const made = await runCommand(
    [
      "member",
      "create",
      "--network",
      network.dir,
      "--organization",
      "org-4",
      "--name",
      "watch",
      "--role",
      "regulator",
    ],
    { out: () => {}, err: () => {} },
  );
  if (made !== 0) throw new Error(`member create: ${made}`);
}, 120_000);
afterAll(async () => {
  await network?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Builds the project as a version and returns its package. */
async function pack(version: string): Promise<string> {
  for (const file of ["contract.json", "assembly/index.ts"]) {
    const path = join(project, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/(@|"version": ")\d+\.\d+\.\d+/, `$1${version}`));
  }
  const packed = await contract("package", project);
  expect(packed.code, packed.progress).toBe(0);
  return packed.value.at("file").text;
}

async function installApproved(file: string): Promise<void> {
  expect((await contract("install", file, ...by("org-1/admin"))).code).toBe(0);
  for (const member of ["org-2/admin", "org-3/admin"]) {
    expect((await contract("approve", file, ...by(member))).code).toBe(0);
  }
}

describe("T-4.9.6-b: a contract's life on chain", () => {
  it("S-9.9-1a, S-9.9-1f: made, packaged, installed, approved one after the other, started", async () => {
    expect((await contract("new", "work-orders", "--dir", project)).code).toBe(0);
    const file = await pack("1.0.0");
    const installed = await contract(
      "install",
      file,
      "--contract-version",
      "1.0.0",
      ...by("org-1/admin"),
    );
    expect([installed.code, installed.value.at("state").text]).toEqual([0, "installed"]);
    expect(installed.progress).toContain("installing work-orders@1.0.0");
    const start = ["start", "work-orders", "1.0.0", ...by("org-1/admin")];
    const early = await contract(...start);
    expect([early.code, refusal(early)]).toEqual([3, "contracts.start: CONTRACTS_NOT_APPROVED"]);
    for (const member of ["org-2/admin", "org-3/admin"]) {
      expect((await contract("approve", file, ...by(member))).code).toBe(0);
    }
    const started = await contract(...start);
    expect([started.code, started.value.at("state").text]).toEqual([0, "started"]);
    expect(started.value.at("approvals").value).toEqual(["org-1", "org-2", "org-3"]);
  });

  it("S-9.9-3e, T-4.9.6-a: called and queried, the version in every transaction", async () => {
    const called = await contract("call", ...create, order("first"), ...by("org-1/admin"));
    expect([called.code, called.value.at("contract").text]).toEqual([0, "work-orders@1.0.0"]);
    expect(called.value.at("events", 0, "topic").text).toBe("entry.create");
    const get = ["query", "work-orders", "get", "--args", JSON.stringify([{ bytes: id }])];
    const queried = await contract(...get, ...by("org-2/admin"));
    expect(queried.value.at("returned", 3).text).toBe("first");
    const absent = [...get.slice(0, 4), JSON.stringify([{ bytes: "22".repeat(32) }])];
    expect((await contract(...absent, ...by("org-2/admin"))).code).toBe(3);
    const again = await contract("call", ...create, order("again"), ...by("org-1/admin"));
    expect(refusal(again)).toBe("work-orders.create: WORK_ORDERS_EXISTS");
    const update = ["call", "work-orders", "update", "--args", order("theirs")];
    const foreign = await contract(...update, ...by("org-2/admin"));
    expect(refusal(foreign)).toBe("work-orders.update: WORK_ORDERS_NOT_ALLOWED");
  });

  it("S-9.9-3d: upgraded; the version before stays readable and takes no transactions", async () => {
    await installApproved(await pack("1.1.0"));
    const upgraded = await contract("upgrade", "work-orders", "1.1.0", ...by("org-3/admin"));
    expect([upgraded.code, upgraded.value.at("before").text]).toEqual([0, "1.0.0"]);
    const old = ["--contract-version", "1.0.0"];
    const args = JSON.stringify([{ bytes: id }]);
    const queried = await contract(
      "query",
      "work-orders",
      "get",
      "--args",
      args,
      ...old,
      ...by("org-1/admin"),
    );
    expect(queried.value.at("status").text).toBe("SUCCESS");
    const called = await contract(
      "call",
      ...create,
      order("late", "33".repeat(32)),
      ...old,
      ...by("org-1/admin"),
    );
    expect([called.code, called.value.at("error", "code").text]).toEqual([
      3,
      "VM_CONTRACT_STOPPED",
    ]);
    const versions = await contract("versions", "work-orders", ...by("org-1/admin"));
    const states = versions.value.at("versions").list.map((each) => each.at("state").text);
    expect(states).toEqual(["superseded", "started"]);
    const out = join(folder, "read.wasm");
    const read = await contract("code", "work-orders", "1.0.0", "--out", out, ...by("org-1/admin"));
    expect(toHex(sm3(readFileSync(out)))).toBe(read.value.at("codeDigest").text);
  });

  it("S-9.9-3c: not installed again under a version that is not above", async () => {
    const file = await pack("1.0.5");
    const late = await contract("install", file, ...by("org-1/admin"));
    expect(refusal(late)).toBe("contracts.install: CONTRACTS_VERSION_OLD");
    const other = await contract(
      "install",
      file,
      "--contract-version",
      "1.0.6",
      ...by("org-1/admin"),
    );
    expect([other.code, other.value.at("error", "code").text]).toEqual([2, "CLI_OPTIONS_CONFLICT"]);
  });

  it("is frozen by a regulator, and stopped by votes", async () => {
    const call = () =>
      contract("call", ...create, order("x", "44".repeat(32)), ...by("org-1/admin"));
    const codeOf = async () => (await call()).value.at("error", "code").value;
    expect((await contract("freeze", "work-orders", ...by("org-1/admin"))).code).toBe(3);
    expect((await contract("freeze", "work-orders", ...by("org-4/watch"))).code).toBe(0);
    expect(await codeOf()).toBe("VM_CONTRACT_FROZEN");
    expect((await contract("unfreeze", "work-orders", ...by("org-4/watch"))).code).toBe(0);
    const states: string[] = [];
    for (const org of ["org-1", "org-2", "org-3"]) {
      const voted = await contract("stop", "work-orders", "1.1.0", ...by(`${org}/admin`));
      states.push(voted.value.at("state").text);
    }
    expect(states).toEqual(["started", "started", "stopped"]);
    expect(await codeOf()).toBe("CLI_CONTRACT_NOT_STARTED");
  });

  it("S-9.9-5a: is not installed with high findings, unless governance accepts the package", async () => {
    const path = join(project, "assembly/index.ts");
    const method = "\nexport function seize(): void {\n  StateMap.remove(keyOf(readId()));\n}\n";
    writeFileSync(path, readFileSync(path, "utf8") + method);
    const description = JSON.parse(readFileSync(join(project, "contract.json"), "utf8")) as {
      methods: { name: string; roles: readonly string[] }[];
    };
    const roles = ["enterprise", "individual", "institution", "auditor", "admin"];
    description.methods.push({ name: "seize", roles });
    writeFileSync(join(project, "contract.json"), JSON.stringify(description, null, 2));
    writeFileSync(path, readFileSync(path, "utf8").replace("@1.0.5", "@2.0.0"));
    const file = join(project, "contract.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"1.0.5"', '"2.0.0"'));
    const refused = await contract("package", project);
    expect([refused.code, refused.value.at("error", "code").text]).toEqual([
      3,
      "TOOLS_FINDINGS_HIGH",
    ]);
    const packed = await contract("package", project, "--with-findings");
    const bad = packed.value.at("file").text;
    expect((await contract("scan", bad)).code).toBe(4);
    const install = ["install", bad, ...by("org-1/admin")];
    expect((await contract(...install)).value.at("error", "code").text).toBe("TOOLS_FINDINGS_HIGH");
    for (const org of ["org-1", "org-2", "org-3"]) {
      expect((await contract("accept-findings", bad, ...by(`${org}/admin`))).code).toBe(0);
    }
    expect((await contract(...install)).code).toBe(0);
    for (const org of ["org-2", "org-3"]) {
      const approve = ["approve", bad, "--with-findings", ...by(`${org}/admin`)];
      expect((await contract(...approve)).code).toBe(0);
    }
    const { value } = await contract("versions", "work-orders", ...by("org-1/admin"));
    const declared = value.at("versions").list.find((each) => each.at("version").text === "2.0.0");
    const scans = declared?.at("scans").list ?? [];
    expect(scans.map((scan) => scan.at("organization").text)).toEqual(["org-1", "org-2", "org-3"]);
    for (const scan of scans) expect(scan.at("high").number).toBeGreaterThan(0);
    expect((await contract("start", "work-orders", "2.0.0", ...by("org-1/admin"))).code).toBe(0);
  });
});

describeRecords(() => ({ network, folder }));
