import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { noLogger, toHex } from "@credlink/primitives";
import { expect, test } from "vitest";
import { startNode } from "../../src/node.ts";
import { repairNode } from "../../src/self-check/repair-node.ts";
import { openLevelStore } from "../../src/storage/level-store.ts";
import { createNodeFolders } from "../support/nodes.ts";

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("not in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Every segment of the vote log, as it lies on disk. */
async function voteLogOf(dataDir: string): Promise<string> {
  const folder = join(dataDir, "consensus", "votes");
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.map((bytes, at) => `${names[at]} ${toHex(bytes)}`).join("\n");
}

/**
 * The hardest case: the only validator of its chain, which makes a block every 50 ms by itself and
 * needs nobody to decide it. Nothing but its vote log tells it that it decided other ones before.
 */
test("a repair that ends below what the vote log calls decided: no vote there, nothing written", async () => {
  const made = await createNodeFolders(1, { emptyBlockIntervalMs: 50 });
  const [only] = made.nodes;
  if (only === undefined) throw new Error("no node");
  const config = only.config();
  const first = await startNode(config, { logger: noLogger });
  await until(() => first.engine.status().height >= 5);
  await first.stop();
  const decided = first.engine.status().height;
  const before = await voteLogOf(config.dataDir);

  const store = await openLevelStore(join(config.dataDir, "db"), { create: false });
  const key = new Uint8Array(8);
  key[7] = 3;
  expect(store.get("blocks", key)).not.toBeNull();
  await store.write([{ type: "delete", space: "blocks", key }], { sync: true });
  await store.close();
  const repaired = await repairNode(config, noLogger);
  expect(repaired).toMatchObject({ height: 2, missing: 3 });
  expect(decided).toBeGreaterThan(3);

  const again = await startNode(config, { logger: noLogger });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(again.engine.status()).toMatchObject({ height: 2, replica: { abstaining: false } });
  } finally {
    await again.stop();
  }
  expect(await voteLogOf(config.dataDir)).toBe(before);
  await made.remove();
}, 30_000);
