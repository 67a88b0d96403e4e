import { join } from "node:path";
import { openLevelStore } from "@credlink/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHostile } from "../chaos/hostile-process.ts";
import { credlink, credlinkJson } from "./support/command.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** One network lives through this whole file: the tests follow each other. */
let network: TestNetwork;

beforeAll(async () => {
  network = await TestNetwork.run({ validators: 4 });
  for (const name of ["one", "two", "three"]) {
    const made = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-1"],
      ...["--name", name, "--role", "institution"],
    );
    if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
  }
}, 120_000);
afterAll(() => network?.close());

const history = (height: string, ...args: readonly string[]) =>
  credlinkJson("consensus", "history", height, "--network", network.dir, ...args);

describe("S-9.2-7: consensus history", () => {
  it("tells proposer, view and every vote with its signature, verified, from each node", async () => {
    await network.agree(["node-1", "node-2", "node-3", "node-4"], 3);
    for (const node of ["node-1", "node-3"]) {
      const { code, value } = await history("1", "--node", node);
      expect(code).toBe(0);
      expect(value.at("verified").value).toBe(true);
      expect(value.at("view").number).toBe(0);
      const proposer = value.at("proposer", "index").number;
      const statements = value.at("statements").list;
      const of = (type: string) => statements.filter((each) => each.at("type").text === type);
      expect(of("pre-prepare").map((each) => each.at("sender").number)).toEqual([proposer]);
      expect(of("prepare").length).toBeGreaterThanOrEqual(3);
      expect(of("commit").length).toBeGreaterThanOrEqual(3);
      for (const each of statements) expect(each.at("signature").text).toMatch(/^[0-9a-f]{128}$/);
      expect(value.at("record", "height").number).toBe(3);
      expect(value.at("record", "certificate", "signatures").list.length).toBeGreaterThanOrEqual(3);
    }
    const text = await credlink("consensus", "history", "1", "--network", network.dir);
    expect(text.stdout).toMatch(/proposer node-\d, decided in view 0, recorded in block 3/);
    const none = await history("999");
    expect([none.code, none.value.at("error", "code").text]).toEqual([3, "API_NOT_FOUND"]);
  });

  it("ADR 9: a validator's twin that commits to two blocks is shown by the command, proven", async () => {
    const evidence = (...args: readonly string[]) =>
      credlinkJson("consensus", "evidence", "--network", network.dir, ...args);
    const none = await evidence();
    expect([none.code, none.value.at("evidence").list]).toEqual([0, []]);
    await network.kill("node-4");
    const twin = startHostile({
      ...{ dir: network.dir, name: "node-4", mode: "send" },
      attacks: ["equivocate"],
      rate: 10,
    });
    const [found] = await eventually("evidence on chain", async () => {
      const { list } = (await evidence("--validator", "node-4")).value.at("evidence");
      return list.length > 0 ? list : undefined;
    }).finally(() => twin.kill());
    if (found === undefined) throw new Error("a piece of evidence");
    expect([found.at("kind").text, found.at("view").number]).toEqual(["commit", 0]);
    expect(found.at("validator", "nodeId").text).toBe("node-4");
    const [one, other] = found.at("messages").list;
    expect(one?.at("digest").text).not.toBe(other?.at("digest").text);
    for (const each of [one, other]) expect(each?.at("signature").text).toMatch(/^[0-9a-f]{128}$/);
    const at = `${found.at("height").number}`;
    expect(found.at("recorded", "height").number).toBeGreaterThanOrEqual(Number(at));
    // Of that height everything is proven, from another node too: nobody else is recorded.
    const whole = await evidence("--height", at, "--node", "node-2");
    expect(whole.value.at("evidence").list.length).toBe(1);
    const clean = whole.value.at("clean").list.map(({ text }) => text);
    expect(clean.sort()).toEqual(["node-1", "node-2", "node-3"]);
    const text = await credlink("consensus", "evidence", "--height", at, "--network", network.dir);
    expect(text.stdout).toMatch(/node-4 \(validator \d\) committed to two blocks at height \d+/);
    const stranger = await evidence("--height", at, "--validator", "node-9");
    expect(stranger.code).toBe(6);
  });

  it("an edit of a vote on disk is found by chain verify, by height and field", async () => {
    await network.stop();
    const dir = network.nodeDir("node-2");
    const good = await credlinkJson("chain", "verify", "--dir", dir);
    expect([good.code, good.value.at("findings").list.length]).toEqual([0, 0]);
    const store = await openLevelStore(join(dir, "data", "db"), { create: false });
    const [row] = await store.range("history", { limit: 1 });
    if (row === undefined) throw new Error("a row of history");
    const value = row[1].slice();
    // The last bytes are a signature's, then one byte that says that nothing was dropped.
    const last = value.length - 2;
    value[last] = (value[last] ?? 0) ^ 1;
    await store.write([{ type: "put", space: "history", key: row[0], value }], { sync: true });
    await store.close();
    const bad = await credlinkJson("chain", "verify", "--dir", dir);
    expect(bad.code).toBe(4);
    const [finding] = bad.value.at("findings").list;
    expect(finding?.at("code").text).toBe("LEDGER_VERIFY_ROW_ALTERED");
    expect(finding?.at("space").text).toBe("history");
    expect(finding?.at("height").number).toBe(1);
    expect(finding?.at("detail").text).toMatch(/^commit of validator \d in view 0$/);
  });
});
