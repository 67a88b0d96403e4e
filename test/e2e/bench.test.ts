import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Json, root } from "./support/command.ts";
import { temporaryFolder } from "./support/network.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("T-5-a, T-5-b: bench tps reports committed transactions from blocks, none lost", async () => {
  const csv = join(folder.path, "run.csv");
  const dir = join(folder.path, "network");
  const args = ["--validators", "1", "--duration", "3", "--rate", "40", "--senders", "2"];
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      "bench/src/main.ts",
      "tps",
      ...args,
      "--csv",
      csv,
      "--dir",
      dir,
      "--json",
    ],
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
  const log = readFileSync(join(dir, "nodes", "node-1", "node.log"), "utf8");
  expect(code, `${stderr}\n${log.slice(-3_000)}`).toBe(0);
  const report = new Json(JSON.parse(stdout));
  expect(report.at("submitted").number).toBe(120);
  expect(report.at("committed").number).toBe(120);
  expect(report.at("rejected").number).toBe(0);
  expect(report.at("lost").number).toBe(0);
  expect(report.at("committedTps").number).toBeGreaterThan(0);
  for (const figure of ["p50", "p95", "p99"]) {
    expect(report.at("latencyMs", figure).number).toBeGreaterThan(0);
  }
  for (const figure of ["p50", "p95", "max"]) {
    expect(report.at("blockIntervalMs", figure).number).toBeGreaterThan(0);
  }
  expect(report.at("cpuMsPerTransaction", "node-1").number).toBeGreaterThan(0);
  expect(report.at("peakMemoryBytes", "node-1").number).toBeGreaterThan(10_000_000);
  const lines = readFileSync(csv, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(121);
  expect(lines[0]).toBe("number,id,intended_ms,sent_ms,committed_ms,height,status");
});
