import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Json, root } from "./support/command.ts";
import { temporaryFolder } from "./support/network.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("chaos with four validators: a few faults of one seed are survived, and counted", async () => {
  // Seed 9: one killed and back at once, a partition in one direction, all halted for a moment.
  const args = ["--validators", "4", "--seed", "9", "--rounds", "3", "--rate", "20", "--json"];
  const faults = ["--faults", "kill,stop,partition,delay"];
  const dir = ["--dir", join(folder.path, "network")];
  const child = spawn(
    process.execPath,
    ["--conditions=source", "test/chaos/main.ts", ...args, ...faults, ...dir],
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
  expect(code, `${stderr}\n${stdout}`).toBe(0);
  const report = new Json(JSON.parse(stdout));
  expect(report.at("violations").list).toEqual([]);
  expect(report.at("height").number).toBeGreaterThan(3);
  const { accepted, committed } = report.at("transactions").value as Record<string, number>;
  expect(accepted).toBeGreaterThan(20);
  expect(committed).toBeGreaterThan(20);
}, 170_000);
