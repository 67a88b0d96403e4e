import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noLogger } from "@credlink/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exitCodes } from "../../src/exit-codes.ts";
import { startNode } from "../../src/node.ts";
import { runNode } from "../../src/run-node.ts";
import { lockFolder } from "../../src/storage/folder-lock.ts";
import { createNodeFolders } from "../support/nodes.ts";
import { createRecordingLogger } from "../support/recording.ts";

const child = fileURLToPath(new URL("../support/lock-child.ts", import.meta.url));
const children: ChildProcess[] = [];
let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "credlink-lock-"));
});
afterEach(async () => {
  for (const running of children.splice(0)) running.kill("SIGKILL");
  await rm(base, { recursive: true, force: true });
});

/** Another process that holds a folder. */
async function holdElsewhere(folder: string): Promise<ChildProcess> {
  const running = spawn(process.execPath, ["--conditions=source", child, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(running);
  await once(running.stdout, "data");
  return running;
}

const LOCKED = { code: "NODE_VOTE_LOG_LOCKED" };

test("a folder is one process's until that process is gone, kill -9 included", async () => {
  const holder = await holdElsewhere(base);
  await expect(lockFolder(base)).rejects.toMatchObject(LOCKED);
  // Nor does having asked take it from its holder.
  await expect(lockFolder(base)).rejects.toMatchObject(LOCKED);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = await lockFolder(base);
  await lock.release();
});

test("a copy of a held folder carries no lock", async () => {
  await holdElsewhere(join(base, "one"));
  await cp(join(base, "one"), join(base, "two"), { recursive: true });
  const copy = await lockFolder(join(base, "two"));
  await expect(lockFolder(join(base, "one"))).rejects.toMatchObject(LOCKED);
  await copy.release();
});

test("within a process it is held once, under whatever name, and given free by release", async () => {
  await mkdir(join(base, "one"));
  await symlink(join(base, "one"), join(base, "alias"));
  const lock = await lockFolder(join(base, "one"));
  await expect(lockFolder(join(base, "alias"))).rejects.toMatchObject(LOCKED);
  await lock.release();
  const again = await lockFolder(join(base, "alias"));
  // A second release of the first lock is none of the second one.
  await lock.release();
  await expect(lockFolder(join(base, "one"))).rejects.toMatchObject(LOCKED);
  await again.release();
});

test("what a power loss left of the lock's own files does not hinder a start", async () => {
  await (await lockFolder(base)).release();
  const folder = join(base, "lock");
  const names = (await readdir(folder)).filter((name) => /^(CURRENT|MANIFEST)/.test(name));
  expect(names).toHaveLength(2);
  for (const name of names) await writeFile(join(folder, name), "torn");
  const lock = await lockFolder(base);
  await lock.release();
});

test("a folder that cannot be made is a failure of storage, not a lock", async () => {
  await writeFile(join(base, "file"), "");
  await expect(lockFolder(join(base, "file"))).rejects.toMatchObject({
    code: "NODE_STORAGE_FAILED",
  });
});

test("a node with a database of its own does not start on another one's vote log", async () => {
  const made = await createNodeFolders(1);
  const [only] = made.nodes;
  if (only === undefined) throw new Error("no node");
  const shared = join(only.config().dataDir, "consensus");
  const other = join(base, "other");
  await mkdir(other);
  await mkdir(shared, { recursive: true });
  await symlink(shared, join(other, "consensus"));
  const node = await startNode(only.config(), { logger: noLogger });
  const logger = createRecordingLogger();
  const second = only.config({ dataDir: other });
  try {
    await expect(startNode(second, { logger })).rejects.toMatchObject(LOCKED);
  } finally {
    await node.stop();
  }
  // The same with the log held by another process, as an operator sees it.
  const holder = await holdElsewhere(shared);
  expect(await runNode(second, { logger })).toBe(exitCodes.startFailed);
  const entry = logger.entries.find(({ message }) => message === "node cannot start");
  expect(entry?.fields.code).toBe("NODE_VOTE_LOG_LOCKED");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const started = await startNode(second, { logger });
  await started.stop();
  await made.remove();
});
