import type { ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { credlinkJson, Json, spawnCredlink } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { Load, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** Certificates of `network create` last a year and some: due at once under this lead. */
const LEAD_MS = 500 * 86_400_000;
/** What `ca serve` issues is not. */
const RENEWED_DAYS = "900";
/** A view begins with 2 s, and a machine that is shared adds to that. */
const LONGEST_INTERVAL_MS = 3_000;
const all = [1, 2, 3, 4].map((index) => `node-${index}`);

let network: TestNetwork;
const services: ChildProcess[] = [];

/** The folder of the CA of a node's organisation, made of the one that the network came with. */
async function adopt(name: string): Promise<string> {
  const { description, dir } = network;
  const node = description.at("nodes").list.find((each) => each.at("name").text === name);
  const organization = node?.at("organization").text ?? "";
  const of = description.at("organizations").list.find((o) => o.at("name").text === organization);
  const path = (key: string) => join(dir, of?.at(key).text ?? "");
  const folder = join(network.folder.path, `ca-${organization}`);
  const root = join(dir, "authority", "root.crt");
  const adopted = await credlinkJson(
    ...["ca", "adopt", "--dir", folder, "--password-file", `${folder}.password`],
    ...["--key", path("authorityKey"), "--key-password-file", path("authorityPasswordFile")],
    ...["--certificate", path("authorityCertificate"), "--root", root],
    ...["--issued", join(network.nodeDir(name), "node.crt"), "--acknowledge-custody"],
  );
  expect(adopted.code, adopted.stderr).toBe(0);
  return folder;
}

async function serve(folder: string): Promise<string> {
  const child = spawnCredlink([
    ...["ca", "serve", "--dir", folder, "--password-file", `${folder}.password`],
    ...["--port", "0", "--days", RENEWED_DAYS, "--log-file", `${folder}.log`, "--json"],
  ]);
  services.push(child);
  let stdout = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  const ready = () => (stdout.includes("\n") ? new Json(JSON.parse(stdout)) : undefined);
  return (await eventually("ca serve", ready, 90_000)).at("url").text;
}

const codeFile = (name: string) => join(network.nodeDir(name), "renewal.code");
/** One-time codes, by node. */
const codes = new Map<string, string>();

async function issueCode(dir: string, name: string): Promise<string> {
  const issued = await credlinkJson("ca", "code", "issue", "--dir", dir, "--for", name);
  expect(issued.code, issued.stderr).toBe(0);
  return issued.value.at("code").text;
}

const renewals = (name: string) => network.metric(name, "credlink_node_renewals_total");

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.create({ validators: 4 });
  const prepare = async (name: string): Promise<void> => {
    const folder = await adopt(name);
    codes.set(name, await issueCode(folder, name));
    const url = await serve(folder);
    const settings = `\nrenewal:\n  url: ${url}\n  acknowledgeCustody: true\n  leadMs: ${LEAD_MS}\n`;
    const more = "  leadPercent: 100\n  retryFirstMs: 500\n  retryMaxMs: 2000\n";
    appendFileSync(join(network.nodeDir(name), "node.yaml"), settings + more);
  };
  // One after the other: eight processes that start at once are slower than eight in a row.
  for (const name of all) await prepare(name);
  await network.start();
}, 300_000);

afterAll(async () => {
  for (const child of services) child.kill("SIGTERM");
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
    writeFileSync(codeFile("node-1"), "00000-00000-00000-00000\n", { mode: 0o600 });
    const refused = { code: "NODE_RENEWAL_CODE_REFUSED" };
    await eventually(
      "the wrong code is refused",
      async () =>
        (await network.metric("node-1", "credlink_node_renewal_failures_total", refused)) > 0,
      30_000,
    );
    expect(existsSync(`${codeFile("node-1")}.refused`)).toBe(true);
    const after = (await client.info()).height;
    await network.agree(all, after + 1);

    for (const name of all) {
      writeFileSync(codeFile(name), `${codes.get(name)}\n`, { mode: 0o600 });
      await eventually(`${name} renews`, async () => (await renewals(name)) === 1, 120_000);
      // Peers that refused the old key a few times on a slow machine ban it for a minute.
      await network.untilReady(name, 120_000);
      expect(existsSync(codeFile(name))).toBe(false);
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
