import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type RunningNode, startNode } from "../../src/node.ts";
import { createNodeFolders, type NodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const running = new Set<RunningNode>();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all([...running].map((node) => node.stop()));
  running.clear();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function start(
  made: NodeFolders,
  index: number,
  peers: readonly string[],
  change: { readonly dataDir?: string } = {},
) {
  const logger = createRecordingLogger();
  const each = made.nodes[index];
  if (each === undefined) throw new Error("no node");
  const p2p = { listen: ["/ip4/127.0.0.1/tcp/0"], peers: [...peers] };
  const node = await startNode(each.config({ p2p, ...change }), { logger });
  running.add(node);
  const codes = () => logger.entries.map(({ fields }) => fields.code);
  const messages = () => logger.entries.map(({ message }) => message);
  const status = () => node.engine.status();
  const stop = async () => {
    await node.stop();
    running.delete(node);
  };
  return { node, codes, messages, status, stop };
}

test("two machines with one key find each other out over their peers, and neither votes", async () => {
  const made = await createNodeFolders(4);
  const elsewhere = await mkdtemp(join(tmpdir(), "credlink-elsewhere-"));
  cleanups.push(made.remove, () => rm(elsewhere, { recursive: true, force: true }));
  const peers: string[] = [];
  const others: Awaited<ReturnType<typeof start>>[] = [];
  for (const index of [1, 2, 3]) {
    const other = await start(made, index, peers);
    others.push(other);
    peers.push(...other.node.addresses.p2p);
  }
  const first = await start(made, 0, peers);
  await until("it may vote", () => first.messages().includes("replica started"));
  const second = await start(made, 0, peers, { dataDir: join(elsewhere, "data") });
  const twins = [first, second];
  await until("both know", () => twins.every(({ status }) => status().keyShared));
  for (const twin of twins) {
    expect(twin.codes()).toContain("NODE_KEY_SHARED");
    await until("abstains", () => twin.status().replica.abstaining);
  }
  // The one that came second never could vote.
  const told = second.messages().indexOf("another process uses this key, abstaining");
  const started = second.messages().indexOf("replica started");
  expect(started === -1 || started > told).toBe(true);
  await until("a peer says so", () =>
    others.some(({ codes }) => codes().includes("NODE_PEER_KEY_SHARED")),
  );
  // Nobody is cut for it, and the other three know of nothing that concerns themselves.
  for (const other of others) {
    expect(other.status().keyShared).toBe(false);
    expect(other.codes()).not.toContain("NODE_PEER_INVALID_MESSAGES");
  }
  // No process recovers that knows of another one: asking is what housekeeping does every second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(first.status().height).toBe(0);
  expect(twins.every(({ status }) => status().replica.abstaining)).toBe(true);

  await second.stop();
  await first.stop();
  const again = await start(made, 0, peers);
  expect(again.status().replica.abstaining).toBe(true);
  await until("it recovers", () => !again.status().replica.abstaining);
  expect(again.status().keyShared).toBe(false);
  expect(again.status().height).toBeGreaterThan(0);
}, 60_000);
