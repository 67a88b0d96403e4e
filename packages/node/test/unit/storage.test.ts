import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { keyValueStoreCompliance } from "@credlink/ledger/compliance";
import { utf8 } from "@credlink/primitives";
import { afterAll, describe, expect, it } from "vitest";
import { openLevelStore } from "../../src/storage/level-store.ts";

const run = promisify(execFile);
const child = fileURLToPath(new URL("../support/level-child.ts", import.meta.url));
const folders: string[] = [];
const paths = new Map<object, string>();

async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "credlink-storage-"));
  folders.push(folder);
  return join(folder, "db");
}

async function create() {
  const path = await freshPath();
  const store = await openLevelStore(path, { create: true });
  paths.set(store, path);
  return store;
}

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

keyValueStoreCompliance("LevelDB", create, { describe, it, expect }, async (store) => {
  await store.close();
  return openLevelStore(paths.get(store) ?? "", { create: false });
});

describe("opening a database", () => {
  it("refuses one that is open already, and one that is not there", async () => {
    const store = await create();
    const path = paths.get(store) ?? "";
    await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({
      code: "NODE_STORAGE_LOCKED",
    });
    await store.close();
    await expect(openLevelStore(await freshPath(), { create: false })).rejects.toMatchObject({
      code: "NODE_STORAGE_MISSING",
    });
  });

  it("a second opening in this process costs the first one nothing: other processes stay out", async () => {
    const store = await create();
    const path = paths.get(store) ?? "";
    await symlink(path, `${path}-alias`);
    const elsewhere = async (): Promise<string> => {
      const { stdout } = await run(process.execPath, ["--conditions=source", child, path]);
      return stdout;
    };
    expect(await elsewhere()).toBe("NODE_STORAGE_LOCKED");
    for (const name of [path, `${path}-alias`]) {
      for (const shouldCreate of [true, false]) {
        await expect(openLevelStore(name, { create: shouldCreate })).rejects.toMatchObject({
          code: "NODE_STORAGE_LOCKED",
        });
      }
    }
    expect(await elsewhere()).toBe("NODE_STORAGE_LOCKED");
    await store.close();
    expect(await elsewhere()).toBe("opened");
    const again = await openLevelStore(`${path}-alias`, { create: false });
    // Closing the first one once more gives free nothing of the second one's.
    await store.close();
    await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({
      code: "NODE_STORAGE_LOCKED",
    });
    await again.close();
  });

  it("holds nothing that could not be opened", async () => {
    const path = await freshPath();
    for (let at = 0; at < 2; at++) {
      await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({
        code: "NODE_STORAGE_MISSING",
      });
    }
    const store = await openLevelStore(path, { create: true });
    await store.close();
    await writeFile(`${path}-file`, "");
    await expect(openLevelStore(`${path}-file`, { create: true })).rejects.toMatchObject({
      code: "NODE_STORAGE_FAILED",
    });
  });

  it("says so when it was closed", async () => {
    const store = await create();
    await store.close();
    expect(() => store.get("state", utf8("a"))).toThrowError(
      expect.objectContaining({ code: "NODE_STORAGE_FAILED" }),
    );
    await expect(store.write([], { sync: true })).rejects.toMatchObject({
      code: "NODE_STORAGE_FAILED",
    });
  });

  it("hands out plain bytes, which slice copies", async () => {
    const store = await create();
    const key = utf8("k");
    await store.write([{ type: "put", space: "state", key, value: utf8("v") }], { sync: false });
    const value = store.get("state", key);
    expect(value?.constructor).toBe(Uint8Array);
    value?.slice().fill(0);
    expect(value).toEqual(utf8("v"));
    await store.close();
  });

  it("names a damaged database", async () => {
    const store = await create();
    const path = paths.get(store) ?? "";
    await store.close();
    const { readdir } = await import("node:fs/promises");
    const manifest = (await readdir(path)).find((name) => name.startsWith("MANIFEST"));
    await writeFile(join(path, manifest ?? "MANIFEST"), "not a manifest");
    await expect(openLevelStore(path, { create: false })).rejects.toMatchObject({
      code: "NODE_STORAGE_CORRUPT",
    });
  });

  it.each(["CURRENT", "MANIFEST"])("never makes a new one over one without %s", async (file) => {
    const store = await create();
    const path = paths.get(store) ?? "";
    await store.close();
    const { readdir } = await import("node:fs/promises");
    const gone = (await readdir(path)).find((name) => name.startsWith(file)) ?? file;
    await rm(join(path, gone));
    const left = (await readdir(path)).filter((name) => /^(MANIFEST|\d+\.)/.test(name));
    await expect(openLevelStore(path, { create: true })).rejects.toMatchObject({
      code: "NODE_STORAGE_CORRUPT",
    });
    expect(await readdir(path)).toEqual(expect.arrayContaining(left));
  });
});
