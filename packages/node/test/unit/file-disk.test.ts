import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvariantError } from "@credlink/primitives";
import { diskCompliance } from "@credlink/testkit";
import { describe, expect, it, test } from "vitest";
import { createFileDisk } from "../../src/file-disk.ts";

const newFolder = () => mkdtemp(join(tmpdir(), "credlink-disk-"));

diskCompliance(
  "the machine's disk",
  async () => {
    const folder = await newFolder();
    const disk = await createFileDisk(join(folder, "root"));
    return { disk, cleanUp: () => rm(folder, { recursive: true }) };
  },
  { describe, it, expect },
);

test("a path outside the root is a bug, and files are their owner's alone", async () => {
  const folder = await newFolder();
  const root = join(folder, "root");
  const disk = await createFileDisk(root);
  await expect(async () => disk.open("../outside", { create: true })).rejects.toThrow(
    InvariantError,
  );
  await expect(async () => disk.open("/etc/passwd")).rejects.toThrow(InvariantError);
  await (await disk.open("votes", { create: true })).close();
  expect((await stat(join(root, "votes"))).mode & 0o777).toBe(0o600);
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  await rm(folder, { recursive: true });
});
