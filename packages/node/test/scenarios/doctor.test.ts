import { appendFile, chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { certificateToPem } from "@credlink/crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { examineNode } from "../../src/doctor/doctor.ts";
import { atLeast, atMost } from "../../src/doctor/errors.ts";
import { needs } from "../../src/doctor/needs.ts";
import { createCredential } from "../support/consortium.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";

let made: NodeFolders;
let folder = "";
let server: Server | undefined;

beforeEach(async () => {
  made = await createNodeFolders(1);
  folder = made.nodes[0]?.folder ?? "";
  await writeConfig({});
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await made.remove();
});

async function writeConfig(change: object): Promise<void> {
  const config = {
    identity: { certificate: "node.crt", key: "node.key", keyPasswordFile: "node.password" },
    p2p: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    rpc: { port: 0 },
    ...change,
  };
  await writeFile(join(folder, "node.yaml"), JSON.stringify(config));
}

/** Findings that are not what the machine under test is to blame for. */
async function faults() {
  const findings = await examineNode({ file: join(folder, "node.yaml") });
  const ofMachine = /RUNTIME|PROCESSORS|MEMORY|OPEN_FILES|SYNC|DISK/;
  return findings.filter(
    ({ code, severity }) => !["ok", "info"].includes(severity) && !ofMachine.test(code),
  );
}

describe("S-8.3: node doctor", () => {
  test("finds nothing wrong with a good folder, and says what it looked at", async () => {
    await mkdir(join(folder, "data"), { mode: 0o700 });
    expect(await faults()).toEqual([]);
    const findings = await examineNode({ file: join(folder, "node.yaml") });
    expect(new Set(findings.map(({ code }) => code)).size).toBeGreaterThanOrEqual(12);
    // What was written to be timed is gone.
    expect((await stat(join(folder, "data"))).isDirectory()).toBe(true);
    const { readdir } = await import("node:fs/promises");
    expect(await readdir(join(folder, "data"))).toEqual([]);
  });

  test.each([
    [
      "a key that others may read",
      "NODE_DOCTOR_FILE",
      () => chmod(join(folder, "node.key"), 0o640),
    ],
    ["a missing peer key", "NODE_DOCTOR_FILE", () => rm(join(folder, "peer.key"))],
    ["a certificate of another key", "NODE_DOCTOR_CERTIFICATE", () => replaceCertificate({})],
    [
      "a certificate that has ended",
      "NODE_DOCTOR_CERTIFICATE",
      () => replaceCertificate({ notAfterMs: Date.now() - 1_000 }),
    ],
    ["an unknown key", "NODE_DOCTOR_CONFIG", () => writeConfig({ rpcs: {} })],
    [
      "a genesis that is none",
      "NODE_DOCTOR_CONFIG",
      () => appendFile(join(folder, "genesis.bin"), "x"),
    ],
    [
      "an open data folder",
      "NODE_DOCTOR_FOLDER",
      async () => {
        await mkdir(join(folder, "data"));
        await chmod(join(folder, "data"), 0o755);
      },
    ],
    [
      "a peer that is not there",
      "NODE_DOCTOR_PEER",
      () =>
        writeConfig({
          p2p: {
            listen: ["/ip4/127.0.0.1/tcp/0"],
            peers: [`/ip4/127.0.0.1/tcp/1/p2p/${made.nodes[0]?.peerId}`],
          },
        }),
    ],
    ["a port that is taken", "NODE_DOCTOR_PORT", takePort],
    [
      "an altered audit log",
      "NODE_DOCTOR_AUDIT",
      async () => {
        const audit = join(folder, "data", "control", "audit");
        await mkdir(audit, { recursive: true, mode: 0o700 });
        await chmod(join(folder, "data"), 0o700);
        await writeFile(join(audit, "audit-000000000000.jsonl"), "{}\n");
      },
    ],
  ])("finds %s", async (_what, code, harm) => {
    await harm();
    const found = await faults();
    expect(found.map((each) => each.code)).toContain(code);
    for (const { remedy } of found) expect(remedy.length).toBeGreaterThan(10);
  });

  async function replaceCertificate(lifetime: { readonly notAfterMs?: number }): Promise<void> {
    const { certificate } = await createCredential(made.authority, "node1", "validator", lifetime);
    await writeFile(join(folder, "node.crt"), certificateToPem(certificate));
  }

  async function takePort(): Promise<void> {
    const taken = createServer();
    server = taken;
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await writeConfig({ rpc: { port } });
  }

  test("judges figures at their edges", () => {
    const need = { least: 10, good: 20 };
    expect([9, 10, 19, 20].map((value) => atLeast(value, need))).toEqual([
      ...["error", "warn", "warn", "ok"],
    ]);
    expect([20, 21, 30, 31].map((value) => atMost(value, { least: 30, good: 20 }))).toEqual([
      ...["ok", "warn", "warn", "error"],
    ]);
  });

  test("docs/operations.md says the same needs", async () => {
    const page = await readFile(new URL("../../../../docs/operations.md", import.meta.url), "utf8");
    const gib = (bytes: number): string => `${bytes / 1024 ** 3} GiB`;
    const count = (value: number): string => value.toLocaleString("en");
    const rows = [
      `| ${needs.nodeVersion.least} | ${needs.nodeVersion.good} |`,
      `| processors | ${needs.processors.least} | ${needs.processors.good} |`,
      `| memory | ${gib(needs.memoryBytes.least)} | ${gib(needs.memoryBytes.good)} |`,
      `| ${gib(needs.freeDiskBytes.least)} | ${gib(needs.freeDiskBytes.good)} |`,
      `| ${count(needs.openFiles.least)} | ${count(needs.openFiles.good)} |`,
      `| ${needs.syncMs.least} ms | ${needs.syncMs.good} ms |`,
      `| ${needs.clockOffsetMs.least / 1_000} s | ${needs.clockOffsetMs.good} ms |`,
      `| ${needs.certificateDays.least} | ${needs.certificateDays.good} |`,
    ];
    for (const row of rows) expect(page).toContain(row);
  });
});
