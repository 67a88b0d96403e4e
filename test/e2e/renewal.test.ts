import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CaServices } from "./support/ca-service.ts";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { Load, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** A view begins with 2 s, and a machine that is shared adds to that. */
const LONGEST_INTERVAL_MS = 3_000;
const all = [1, 2, 3, 4].map((index) => `node-${index}`);

let network: TestNetwork;
let services: CaServices;

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.create({ validators: 4 });
  services = new CaServices(network);
  // One after the other: eight processes that start at once are slower than eight in a row.
  for (const name of all) await services.prepare(name);
  await network.start();
}, 300_000);

afterAll(async () => {
  services?.close();
  await network?.close();
});

it.runIf(isLarge)(
  "S-8.4-9, S-9.4-6: four validators renew key and certificate one after another under load",
  { timeout: 600_000 },
  async () => {
    const made = await credlinkJson(
      ...["member", "create", "--network", network.dir, "--organization", "org-1"],
      ...["--name", "service-centre", "--role", "institution"],
    );
    expect(made.code, made.stderr).toBe(0);
    const clients = await Promise.all(
      all.map((name) => network.client(name, "org-1/service-centre")),
    );
    const [client] = clients;
    if (client === undefined) throw new Error("somebody builds the load");
    const load = new Load(clients, () => client.build(relationKeyCall()), 50);
    const from = (await client.info()).height;

    // A code that the CA never issued is refused and reported; the node goes on.
    services.tell("node-1", "00000-00000-00000-00000");
    const refused = { code: "NODE_RENEWAL_CODE_REFUSED" };
    await eventually(
      "the wrong code is refused",
      async () =>
        (await network.metric("node-1", "credlink_node_renewal_failures_total", refused)) > 0,
      30_000,
    );
    expect(existsSync(`${services.codeFile("node-1")}.refused`)).toBe(true);
    const after = (await client.info()).height;
    await network.agree(all, after + 1);

    for (const name of all) {
      services.tell(name);
      await services.untilRenewed(name);
      expect(existsSync(services.codeFile(name))).toBe(false);
    }
    const { height: to } = await client.info();
    await network.agree(all, to + 2);
    await load.stop();
    await load.allCommitted(client);
    expect(load.accepted.length).toBeGreaterThan(50);

    // Everybody votes with its new key: a member of each list signs under it.
    const listed = await credlinkJson("validators", "list", "--network", network.dir);
    expect(listed.value.at("validators").list).toHaveLength(4);
    for (const name of all) {
      const archive = join(network.nodeDir(name), "node.key.renewal", "archive");
      expect(readdirSync(archive).sort()).toHaveLength(2);
      expect(network.log(name)).not.toContain("NODE_VOTE_LOG_UNTRUSTED");
      const abstaining = await network.metric(name, "credlink_node_abstaining_state");
      expect(abstaining).toBe(0);
    }
    const times: number[] = [];
    for (let height = from + 1; height <= to; height++) {
      times.push((await client.header(height)).header.timestampMs);
    }
    const intervals = times.slice(1).map((time, index) => time - (times[index] ?? time));
    const longest = Math.max(...intervals);
    console.log(`longest block interval ${longest} ms over ${intervals.length} blocks`);
    expect(longest).toBeLessThan(LONGEST_INTERVAL_MS);

    // Blocks signed with the keys before verify offline beside those signed with the new ones.
    await network.stop();
    const verified = await credlinkJson("chain", "verify", "--dir", network.nodeDir("node-2"));
    expect(verified.code, verified.stderr).toBe(0);
  },
);
