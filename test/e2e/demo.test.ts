import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { addressFromPublicKey, generateKeyPair } from "@credlink/crypto";
import { spaces } from "@credlink/ledger";
import { openLevelStore } from "@credlink/node";
import type { WireValue } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateBusinessMonth } from "../../examples/src/business-month.ts";
import { root } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { isAlive, temporaryFolder } from "./support/network.ts";

const folder = temporaryFolder();
const dir = join(folder.path, "network");
let output = "";
let errors = "";
let code: number | null = null;

beforeAll(async () => {
  if (!isLarge) return;
  const child = spawn(
    process.execPath,
    ["--conditions=source", "examples/src/demo.ts", "--dir", dir],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  code = await new Promise((done) => child.once("close", done));
}, 110_000);
afterAll(() => folder.remove());

/** Texts of a payload, long enough to be somebody's. */
function textsOf(value: WireValue): readonly string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.flatMap(textsOf) : [];
}

describe.runIf(isLarge)("pnpm demo without a terminal", () => {
  it("returns 0 and shows what became of each family", () => {
    expect(errors).toBe("");
    expect(code).toBe(0);
    for (const family of ["identity", "contract", "transaction", "bill", "risk"]) {
      expect(output).toMatch(new RegExp(`^${family} \\S+ +\\d+ +\\d+$`, "m"));
    }
    for (const refused of ["CREDENTIAL_PARENT_MISSING", "CREDENTIAL_INDEX_DUPLICATE"]) {
      expect(output).toContain(refused);
    }
  });

  it("S-9.3-4: all five nodes agree on one digest", () => {
    expect(output).toMatch(/^digest +[0-9a-f]{64}$/m);
    expect(output).toMatch(/^agreed by +all 5 nodes/m);
    expect(output).toMatch(/^p95 commit latency +\d+ ms/m);
  });

  it("traces an invoice back to identities, proven", () => {
    expect(output).toMatch(/^bill\.invoice/m);
    expect(output).toMatch(/identity\.individual +\d+/);
    expect(output).toMatch(/proof verified: \d+ credentials, \d+ identities/);
  });

  it("leaves nothing running", () => {
    const left = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dir);
        } catch {
          return false;
        }
      });
    expect(left.filter((pid) => isAlive(Number(pid)))).toEqual([]);
  });

  it("T-4.6.1-2: no row of any node holds a person's or an enterprise's data", async () => {
    // Equal seeds make equal people; their keys and times differ and are not looked for.
    const month = generateBusinessMonth({
      seed: "credlink demo",
      startMs: Date.now() - 33 * 86_400_000,
      institutionAddress: addressFromPublicKey(generateKeyPair().publicKey),
      createKey: () => {
        const pair = generateKeyPair();
        return { ...pair, address: addressFromPublicKey(pair.publicKey) };
      },
    });
    const private_ = ["realName", "idNumber", "mobile", "bankCard", "address", "name", "uscc"];
    const texts = new Set(
      month.steps.flatMap(({ payload }) =>
        private_.flatMap((path) => textsOf(payload[path] ?? null)),
      ),
    );
    expect(texts.size).toBeGreaterThan(200);
    const needles = [...texts].flatMap((text) => {
      const bytes = Buffer.from(text, "utf8");
      // Without the last group, which depends on what follows.
      const base64 = bytes.toString("base64").replace(/.{4}$/, "");
      return [bytes, Buffer.from(text, "utf16le"), Buffer.from(bytes.toString("hex")), base64]
        .map((form) => Buffer.from(form))
        .filter((form) => form.length >= 6);
    });
    for (const node of readdirSync(join(dir, "nodes"))) {
      const path = join(dir, "nodes", node, "data", "db");
      const store = await openLevelStore(path, { create: false, cacheBytes: 2 ** 20 });
      const rows: Uint8Array[] = [];
      for (const space of spaces) {
        for (const [key, value] of await store.range(space, {})) rows.push(key, value);
      }
      await store.close();
      const all = Buffer.concat(rows);
      expect(all.length).toBeGreaterThan(500_000);
      const found = needles.filter((needle) => all.includes(needle));
      expect(found.map(String), node).toEqual([]);
      // The search finds what is there: the chain's own name stands in every header.
      expect(all.includes(Buffer.from("credlink-demo"))).toBe(true);
    }
  });
});
