import { findNode, loadNetwork } from "@credlink/cli";
import { invariant } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlinkJson, type Json } from "./support/command.ts";
import { fromAfar } from "./support/from-afar.ts";
import { isLarge } from "./support/large.ts";
import { createCalls, Load, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

let network: TestNetwork;
const all = ["node-1", "node-2", "node-3", "node-4"];
const institution = "org-1/service-centre";

/** `node …` of the command line as a member, at the gateway of a node. */
function node(door: string, as: string, ...command: readonly string[]) {
  const where = ["--network", network.dir, "--node", door, "--as", as];
  return credlinkJson("node", ...command, ...where);
}

/** The same without the network's folder. */
function nodeFromAfar(door: string, as: string, ...command: readonly string[]) {
  const { peerId } = findNode(loadNetwork(network.dir), door);
  return fromAfar(network, { rpc: network.node(door).rpc, peerId }, as, ...command);
}

async function enrolInstitution(of: TestNetwork): Promise<void> {
  const made = await credlinkJson(
    ...["member", "create", "--network", of.dir, "--organization", "org-1"],
    ...["--name", "service-centre", "--role", "institution"],
  );
  if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
}

async function peersOf(name: string): Promise<readonly string[]> {
  const { peers } = await (await network.client(name)).status();
  return peers.map(({ nodeId }) => nodeId);
}

/** `type code` of audit entries from a sequence on, as the command shows them. */
function kinds(audit: Json, from = 0): readonly string[] {
  return audit
    .at("entries")
    .list.filter((entry) => entry.at("sequence").number >= from)
    .map((entry) => `${entry.at("type").text} ${entry.at("code").text}`.trim());
}

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.run({ validators: 4 });
  await enrolInstitution(network);
}, 240_000);
afterAll(() => network?.close());

describe.runIf(isLarge)("S-8.4-2: a node is stopped and started from afar", () => {
  it("by an admin of its organisation: it leaves, the others go on, it comes back and catches up", async () => {
    const before = await network.agree(all, 1);
    const stopped = await nodeFromAfar("node-3", "org-3/admin", "stop");
    expect([stopped.code, stopped.value.at("mode").value]).toEqual([0, "standby"]);
    await eventually("it is gone", async () => !(await peersOf("node-1")).includes("node-3"));
    const status = await node("node-3", "org-3/admin", "status");
    expect(status.value.value).toMatchObject({ mode: "standby", peers: [] });
    const client = await network.client("node-1", institution);
    const { header } = await client.execute(relationKeyCall());
    expect(header.height).toBeGreaterThan(before.height);
    const started = await nodeFromAfar("node-3", "org-3/admin", "start");
    expect([started.code, started.value.at("mode").value]).toEqual([0, "running"]);
    await network.agree(all, header.height);
  });

  it("by nobody else, and both stand in its audit log, which is whole on disk", async () => {
    for (const as of ["org-1/admin", "org-4/admin", institution]) {
      const refused = await node("node-3", as, "stop");
      expect(refused.code).toBe(3);
      expect(refused.value.at("error", "code").text).toBe("NODE_CONTROL_FORBIDDEN");
    }
    const audit = await node("node-3", "org-3/admin", "audit");
    expect(kinds(audit.value)).toEqual([
      "opened",
      ...["accepted", "done", "accepted", "done"],
      ...Array(3).fill("refused NODE_CONTROL_FORBIDDEN"),
    ]);
    expect(audit.value.at("entries", 1).value).toMatchObject({ action: "stop", detail: "stop" });
    expect(audit.value.at("entries", 3).value).toMatchObject({ action: "start" });
    const forbidden = await node("node-3", "org-1/admin", "audit");
    expect(forbidden.value.at("error", "code").text).toBe("API_ROLE_FORBIDDEN");
    const files = await credlinkJson("node", "audit", "--dir", network.nodeDir("node-3"));
    expect(files.value.value).toMatchObject({ entries: 8, faults: [] });
  });

  it("drained under load: what it accepted is committed, then it takes nothing", async () => {
    const identity = await network.identity(institution);
    const client = await network.client("node-2", institution);
    const { height } = await client.info();
    const load = new Load([client], createCalls(client, identity, height + 900));
    await eventually("load is taken", () => load.accepted.length > 10);
    const drained = await node("node-2", "org-2/admin", "drain");
    await load.stop();
    expect(drained.value.at("mode").value).toBe("drained");
    await load.allCommitted(client);
    const late = client.submit(await client.build(relationKeyCall()));
    await expect(late).rejects.toMatchObject({ code: "NODE_DRAINING" });
    expect((await node("node-2", "org-2/admin", "resume")).value.at("mode").value).toBe("running");
    await client.execute(relationKeyCall());
  });

  it("T-4.2.1-b: each is drained, ended and started anew in turn, under load that is never refused", async () => {
    const identity = await network.identity(institution);
    const clients = await Promise.all(all.map((name) => network.client(name, institution)));
    const [client] = clients;
    invariant(client !== undefined, "the network has doors");
    const { height: from } = await client.info();
    const load = new Load(clients, createCalls(client, identity, from + 900), 40);
    const heights = [from];
    for (const [at, name] of all.entries()) {
      const drained = await node(name, `org-${at + 1}/admin`, "drain");
      expect(drained.value.at("mode").value, drained.stderr).toBe("drained");
      await network.kill(name, "SIGTERM");
      network.restart(name);
      // What was drained stays so over a start, until somebody says otherwise.
      const resume = async () => (await node(name, `org-${at + 1}/admin`, "resume")).code === 0;
      await eventually(`${name} takes orders`, resume, 60_000);
      await network.untilReady(name, 60_000);
      heights.push((await network.agree(all, heights.at(-1) ?? from)).height);
    }
    await load.stop();
    await load.allCommitted(client);
    expect(load.accepted.length).toBeGreaterThan(50);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    const to = (await client.info()).height;
    const times: number[] = [];
    for (let height = from; height <= to; height++) {
      times.push((await client.header(height)).header.timestampMs);
    }
    const longest = Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time)));
    expect(longest, "one view's timeout, and what it takes to enter the next").toBeLessThan(4_000);
    for (const name of all) expect(network.log(name)).not.toContain("NODE_VOTE_LOG_UNTRUSTED");
  }, 180_000);
});
