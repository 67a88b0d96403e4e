import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Space } from "@credlink/ledger";
import { openLevelStore } from "@credlink/node";
import { toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, it } from "vitest";
import { credlink, credlinkJson } from "../support/command.ts";
import { relationKeyCall } from "../support/load.ts";
import { id } from "./credential-commands.ts";
import { all, network } from "./network.ts";

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What the stopped nodes have on disk; stops the network. */
export function describeStoppedFiles(): void {
  describe("after everything has stopped", () => {
    beforeAll(() => network.stop(), 60_000);

    it("T-4.6.1-2, S-9.5-1a: no node's files hold the planted plaintext in any encoding", () => {
      const planted = "深圳市前海灵工服务有限公司PLANTED";
      const forms = ["utf8", "utf16le"].flatMap((form) => {
        const bytes = Buffer.from(planted, form === "utf8" ? "utf8" : "utf16le");
        return [
          bytes,
          Buffer.from(bytes.toString("hex")),
          Buffer.from(bytes.toString("base64").slice(0, -4)),
        ];
      });
      forms.push(Buffer.from("PLANTED"));
      let scanned = 0;
      for (const name of all) {
        for (const path of filesBelow(network.nodeDir(name))) {
          const bytes = readFileSync(path);
          scanned += bytes.length;
          for (const form of forms) expect(bytes.includes(form), path).toBe(false);
        }
      }
      expect(scanned).toBeGreaterThan(100_000);
      // The search itself finds what is there.
      const original = readFileSync(join(network.folder.path, "institution.json"));
      expect(forms.some((form) => original.includes(form))).toBe(true);
    });

    it("S-9.3-5: chain verify finds a whole chain whole on every kind of node", async () => {
      for (const name of ["node-3", "observer-1"]) {
        const found = await credlinkJson("chain", "verify", "--dir", network.nodeDir(name));
        expect(found.stderr).not.toContain("LEDGER_");
        expect(found.code).toBe(0);
        expect(found.value.at("findings").list).toEqual([]);
        expect(found.value.at("height").number).toBeGreaterThan(5);
      }
    });

    it.each<[string, Space, number]>([
      ["a block", "blocks", 0],
      ["a state value", "state", 0],
      ["a transaction", "bodies", 1],
      ["a receipt", "receipts", 1],
      ["a page of the state tree", "pages", 2],
    ])("S-9.3-5: one flipped byte in %s is found, with its place", async (_, space, which) => {
      const dir = join(network.folder.path, `flipped-${space}`);
      cpSync(network.nodeDir("node-4"), dir, { recursive: true });
      const store = await openLevelStore(join(dir, "data", "db"), {
        create: false,
        cacheBytes: 2 ** 20,
      });
      const row = (await store.range(space, { limit: which + 1 })).at(-1);
      if (row === undefined) throw new Error(`the node has rows in ${space}`);
      const [key, value] = row;
      const altered = value.slice();
      const at = Math.floor(altered.length / 2);
      altered[at] = (altered[at] ?? 0) ^ 0x40;
      await store.write([{ type: "put", space, key, value: altered }], { sync: true });
      await store.close();
      const found = await credlinkJson("chain", "verify", "--dir", dir);
      expect(found.code).toBe(4);
      expect(found.value.at("whole").value).toBe(false);
      const places = found.value
        .at("findings")
        .list.map((finding) => [finding.at("space").text, finding.at("key").text]);
      expect(places).toContainEqual([space, toHex(key)]);
    });

    it("S-9.3-5: one byte flipped in the database's own file is found", async () => {
      const dir = join(network.folder.path, "flipped-file");
      cpSync(network.nodeDir("node-4"), dir, { recursive: true });
      const needle = Buffer.from(id, "hex");
      const file = filesBelow(join(dir, "data", "db")).find((path) =>
        readFileSync(path).includes(needle),
      );
      if (file === undefined) throw new Error("the credential's id stands in a file");
      const bytes = readFileSync(file);
      const at = bytes.lastIndexOf(needle) + 3;
      bytes[at] = (bytes[at] ?? 0) ^ 0x01;
      writeFileSync(file, bytes);
      const found = await credlinkJson("chain", "verify", "--dir", dir);
      expect([3, 4]).toContain(found.code);
      expect(JSON.stringify(found.value.value)).toMatch(/LEDGER_|NODE_STORAGE_/);
    });

    it("the network starts again from its files", async () => {
      expect(existsSync(join(network.dir, "run.json"))).toBe(false);
      await network.start();
      const client = await network.client("node-1", "org-1/service-centre");
      await client.execute(relationKeyCall());
      const shown = await credlink("network", "status", "--dir", network.dir);
      expect(shown.stdout).toContain("observer-1");
      await network.stop();
    });
  });
}
