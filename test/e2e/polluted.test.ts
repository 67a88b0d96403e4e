import { existsSync } from "node:fs";
import { join } from "node:path";
import { MEMBERS_CONTRACT, type Space } from "@credlink/ledger";
import { openLevelStore } from "@credlink/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlinkJson, Json } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** One network lives through this whole file: the tests follow each other. */
let network: TestNetwork;
const all = ["node-1", "node-2", "node-3", "node-4"];

async function enrol(name: string): Promise<void> {
  const made = await credlinkJson(
    ...["member", "create", "--network", network.dir, "--organization", "org-1"],
    ...["--name", name, "--role", "institution"],
  );
  if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
}

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.run({ validators: 4 });
  for (const name of ["one", "two", "three"]) await enrol(name);
  await network.agree(all, 3);
}, 120_000);
afterAll(() => network?.close());

/** Kills a node and waits until the last of its threads has let go of the database. */
async function killWhole(name: string): Promise<void> {
  await network.kill(name);
  const path = join(network.nodeDir(name), "data", "db");
  await eventually(`${name} leaves its database`, async () => {
    const store = await openLevelStore(path, { create: false });
    await store.close();
    return true;
  });
}

/**
 * Flips one bit of a value of a class in a stopped node's database: of the last body, or of the
 * last member. Rows that name validators would keep the node from starting at all.
 */
async function pollute(name: string, space: Space): Promise<void> {
  const path = join(network.nodeDir(name), "data", "db");
  const store = await openLevelStore(path, { create: false });
  const rows = await store.range(space, { reverse: true, limit: 1_000 });
  const isWanted = ([key]: (typeof rows)[number]): boolean =>
    space !== "state" || Buffer.from(key).includes(MEMBERS_CONTRACT);
  const row = rows.find(isWanted);
  if (row === undefined) throw new Error(`no row of ${space}`);
  const value = row[1].slice();
  value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 1;
  await store.write([{ type: "put", space, key: row[0], value }], { sync: true });
  await store.close();
}

async function readiness(name: string): Promise<{ readonly status: number; readonly body: Json }> {
  const url = new URL("/readyz", network.node(name).rpc).href;
  return eventually(`${name} answers`, async () => {
    const answer = await fetch(url);
    return { status: answer.status, body: new Json(await answer.json()) };
  });
}

async function codeOfCall(name: string): Promise<string> {
  const client = await network.client(name);
  return client.info().then(
    () => "ok",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "?"),
  );
}

describe.runIf(isLarge)("S-9.2-5: a node whose data were edited", () => {
  it.each<Space>(["bodies", "state"])(
    "in `%s` finds out at its start, isolates itself, and is repaired on command",
    async (space) => {
      await killWhole("node-2");
      await pollute("node-2", space);
      network.restart("node-2");
      const { status, body } = await readiness("node-2");
      expect(status).toBe(503);
      expect(body.at("reasons", 0).text).toContain("NODE_DATA_POLLUTED");
      expect(await codeOfCall("node-2")).toBe("NODE_DATA_POLLUTED");
      expect(network.log("node-2")).toMatch(
        new RegExp(`own data polluted[^\\n]*"space":"${space}"|"space":"${space}"[^\\n]*own data`),
      );
      // It is gone for its peers, who go on without it.
      const before = (await (await network.client("node-1")).info()).height;
      await enrol(`while-${space}`);
      await network.agree(["node-1", "node-3", "node-4"], before + 1);
      const status1 = await (await network.client("node-1")).status();
      expect(status1.peers.map(({ nodeId }) => nodeId)).not.toContain("node-2");

      const dir = network.nodeDir("node-2");
      const busy = await credlinkJson("node", "repair", "--dir", dir);
      expect(busy.value.at("error", "code").text).toBe("NODE_STORAGE_LOCKED");
      await killWhole("node-2");
      // The mark outlives the process.
      network.restart("node-2");
      expect((await readiness("node-2")).status).toBe(503);
      await killWhole("node-2");

      const peer = ["--network", network.dir, "--node", "node-1"];
      const repaired = await credlinkJson("node", "repair", "--dir", dir, ...peer);
      expect([repaired.code, repaired.value.at("missing").value]).toEqual([0, null]);
      expect(repaired.value.at("fetched").list).toHaveLength(space === "bodies" ? 1 : 0);
      expect(repaired.value.at("found", 0, "space").text).toBe(space);
      expect(existsSync(join(dir, "data", "db.polluted"))).toBe(true);
      network.restart("node-2");
      await network.untilReady("node-2");
      await enrol(`after-${space}`);
      await network.agree(all, before + 2);
    },
  );

  it("is whole again, votes, and its chain verifies", async () => {
    await enrol("last");
    await network.agree(all, 8);
    await network.stop();
    const verified = await credlinkJson("chain", "verify", "--dir", network.nodeDir("node-2"));
    expect(verified.value.at("findings").list).toEqual([]);
    expect(verified.code).toBe(0);
  });
});
