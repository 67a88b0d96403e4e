import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { verifyStateProof } from "@credlink/ledger";
import { height, toHex, utf8 } from "@credlink/primitives";
import { expect, it } from "vitest";
import { openLevelStore } from "../../src/storage/level-store.ts";
import { openStorageChain } from "../support/storage-chain.ts";

const KILLS = 20;
const child = fileURLToPath(new URL("../support/storage-child.ts", import.meta.url));

/** Runs the child until `delayMs` after its first block, kills it, and returns its last line. */
function runAndKill(path: string, delayMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, ["--conditions=source", child, path], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let errors = "";
    running.stderr.on("data", (data) => {
      errors += data;
    });
    running.stdout.on("data", (data) => {
      if (output === "") setTimeout(() => running.kill("SIGKILL"), delayMs);
      output += data;
    });
    running.on("exit", (_code, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`the child ended by itself: ${errors}`));
      // A line without its end was not acknowledged in full.
      else resolve(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1) ?? "");
    });
  });
}

it("S-9.3-1: after kill -9 at any moment the last acknowledged block is there, whole", async () => {
  const folder = await mkdtemp(join(tmpdir(), "credlink-kill-"));
  const path = join(folder, "db");
  try {
    let highest = 0;
    for (let i = 0; i < KILLS; i++) {
      // Delays over a few blocks' time, uneven so that kills fall on every part of a commit.
      const [acknowledged, digest] = (await runAndKill(path, (i * 7.3) % 60)).split(" ");
      const store = await openLevelStore(path, { create: false });
      const ledger = await openStorageChain(store);
      const at = Number(acknowledged);
      const { header } = ledger.head;
      expect(at).toBeGreaterThan(highest);
      expect(header.height).toBeGreaterThanOrEqual(at);
      expect(toHex(ledger.header(height(at))?.digest ?? utf8(""))).toBe(digest);
      const count = ledger.state("kv", utf8("count"));
      const claim = { contract: "kv", key: utf8("count"), ...count, root: header.stateRoot };
      expect(verifyStateProof(claim)).toMatchObject({ ok: true });
      expect(count.value).toEqual(utf8(`${20 * header.height}`));
      const block = await ledger.block(header.height);
      expect(block?.transactions.length).toBe(20);
      expect((await ledger.receipts(header.height))?.length).toBe(20);
      highest = header.height;
      await store.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
