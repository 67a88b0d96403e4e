import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadNetworkIdentity, networkPaths, startNetwork } from "@credlink/cli";
import { createClient } from "@credlink/client";
import { SUCCESS } from "@credlink/ledger";
import { afterAll, expect, it } from "vitest";
import { Json, root } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { isAlive, temporaryFolder } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout: string;
  stderr: string;
}

/** Starts `pnpm bench` as a process of its own. */
function bench(...args: readonly string[]): Run {
  const child = spawn(process.execPath, ["--conditions=source", "bench/src/main.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const run: Run = { child, ended, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    run.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    run.stderr += String(chunk);
  });
  return run;
}

it.skipIf(isLarge)(
  "T-5-a, T-5-b: bench tps reports committed transactions from blocks, none lost",
  async () => {
    const csv = join(folder.path, "run.csv");
    const dir = join(folder.path, "network");
    const args = ["--validators", "1", "--duration", "3", "--rate", "40", "--senders", "2"];
    const run = bench("tps", ...args, "--csv", csv, "--dir", dir, "--json");
    const code = await run.ended;
    const log = readFileSync(join(dir, "nodes", "node-1", "node.log"), "utf8");
    expect(code, `${run.stderr}\n${log.slice(-3_000)}`).toBe(0);
    const report = new Json(JSON.parse(run.stdout));
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
  },
);

/** Credentials that the runs of a load say to have loaded, one number a run. */
function loadedByRun(dir: string): readonly number[] {
  const last = new Map<number, number>();
  const path = join(dir, "progress.jsonl");
  if (!existsSync(path)) return [];
  for (const text of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const line = new Json(JSON.parse(text));
    last.set(line.at("run").number, line.at("records").number);
  }
  return [...last.values()];
}

/** Process id of the load's only node; a node that was started again has another one. */
function nodeOf(dir: string): number {
  const state = new Json(JSON.parse(readFileSync(join(dir, "network", "run.json"), "utf8")));
  return state.at("nodes", 0, "pid").number;
}

it.runIf(isLarge)(
  "bench load goes on where it was killed, with its node or without, and loads each record once",
  async () => {
    const dir = join(folder.path, "load");
    const args = ["load", "--records", "5000", "--senders", "1", "--samples", "40", "--dir", dir];
    const first = bench(...args);
    await eventually("the first run loads", () => (loadedByRun(dir)[0] ?? 0) > 0, 100_000);
    const node = nodeOf(dir);
    first.child.kill("SIGKILL");
    process.kill(node, "SIGKILL");
    await first.ended;
    await eventually("the node is gone", () => !isAlive(node));
    const second = bench(...args, "--json");
    await eventually("the second run loads", () => (loadedByRun(dir)[1] ?? 0) > 0, 100_000);
    process.kill(nodeOf(dir), "SIGKILL");
    expect(await second.ended, second.stderr).toBe(0);
    const report = new Json(JSON.parse(second.stdout));
    expect(report.at("records").number).toBe(5_040);
    expect(report.at("restarts").number).toBe(1);
    expect(report.at("all", "runs").number).toBe(2);
    expect(report.at("loaded").number + report.at("resumed", "found").number).toBe(5_040);
    expect(report.at("queries", "getMs", "p99").number).toBeGreaterThan(0);

    // The chain's own word: every credential stands in one block, with SUCCESS.
    const running = await startNetwork(networkPaths(join(dir, "network")).root);
    try {
      const identity = await loadNetworkIdentity(running.dir, running.network, "org-1/admin");
      const genesis = new Uint8Array(readFileSync(networkPaths(running.dir).genesis));
      const client = createClient({ url: running.nodes[0]?.rpc ?? "", genesis, identity });
      const { height } = await client.info();
      let submitted = 0;
      for (let at = 1; at <= height; at += 1) {
        const { receipts } = await client.block(at, { transactions: true });
        for (const { status, events } of receipts) {
          if (status !== SUCCESS) continue;
          submitted += events.filter(({ topic }) => topic === "credential.submitted").length;
        }
      }
      // Five more are the institution, two enterprises and their frameworks.
      expect(submitted).toBe(5_040 + 5);
    } finally {
      await running.stop();
    }
  },
  240_000,
);
