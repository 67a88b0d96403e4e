import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credlink, credlinkJson } from "./support/command.ts";
import { isAlive, TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

let network: TestNetwork;

beforeAll(async () => {
  network = await TestNetwork.create({ validators: 1 });
});
afterAll(() => network.close());

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("network create", () => {
  it("writes keys encrypted and readable by their owner alone", () => {
    const files = filesBelow(network.dir);
    const secrets = files.filter((path) => /\.(key|password)$/.test(path));
    expect(secrets.length).toBeGreaterThan(10);
    for (const path of secrets) expect(statSync(path).mode & 0o777, path).toBe(0o600);
    for (const path of secrets.filter(
      (each) => /\.key$/.test(each) && !each.endsWith("peer.key"),
    )) {
      expect(readFileSync(path, "utf8"), path).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    }
  });

  it("has at least four organisations, each with an authority and an admin", () => {
    const description = network.description;
    expect(description.at("organizations").list).toHaveLength(4);
    expect(description.at("members").list.map((member) => member.at("id").text)).toEqual([
      "org-1/admin",
      "org-2/admin",
      "org-3/admin",
      "org-4/admin",
    ]);
  });

  it("never overwrites a network", async () => {
    const again = await credlinkJson(
      "network",
      "create",
      "--dir",
      network.dir,
      "--validators",
      "4",
    );
    expect(again.code).toBe(3);
    expect(again.value.at("error", "code").text).toBe("CLI_NETWORK_EXISTS");
  });

  it.each(["0", "2", "3", "101"])("refuses %s validators", async (count) => {
    const dir = join(network.folder.path, `refused-${count}`);
    const made = await credlinkJson("network", "create", "--dir", dir, "--validators", count);
    expect(made.code).toBe(3);
    expect(made.value.at("error", "code").text).toBe("CLI_NETWORK_SIZE");
    expect(existsSync(dir)).toBe(false);
  });

  it("reports a wrong command line in one line and with exit code 2", async () => {
    const { code, stdout, stderr } = await credlink("network", "create", "--validators", "4");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("CLI_USAGE");
  });
});

describe("network create --consensus solo", () => {
  const create = (dir: string, ...more: readonly string[]) =>
    credlinkJson("network", "create", "--dir", dir, "--consensus", ...more);

  it("makes a chain of one validator that takes a transaction, and of no more", async () => {
    const solo = await TestNetwork.run({ validators: 1, consensus: "solo" });
    try {
      const made = await credlinkJson(
        ...["member", "create", "--network", solo.dir, "--organization", "org-1"],
        ...["--name", "someone", "--role", "institution"],
      );
      expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
      expect((await solo.agree(["node-1"], 1)).height).toBe(1);
      const client = await solo.client("node-1");
      expect(client.genesis).toMatchObject({ consensus: "solo", production: false });
    } finally {
      await solo.close();
    }
    for (const more of [
      ["solo", "--validators", "4"],
      ["solo", "--validators", "1", "--standbys", "1"],
      ["raft", "--validators", "4"],
    ]) {
      const refused = await create(join(network.folder.path, "refused-solo"), ...more);
      expect(refused.value.at("error", "code").text).toBe("CLI_OPTIONS_CONFLICT");
    }
  });
});

describe("network start, status and stop", () => {
  it("start prints one line once all nodes are ready; status and stop work from outside", async () => {
    const ready = await network.start();
    const [node] = ready.at("nodes").list;
    expect(node?.at("rpc").text).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/rpc$/);
    expect(node?.at("metrics").text).toMatch(/\/metrics$/);
    expect(node?.at("p2p").text).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/);
    const pid = node?.at("pid").number ?? 0;
    expect(isAlive(pid)).toBe(true);

    const status = await credlinkJson("network", "status", "--dir", network.dir);
    expect(status.code).toBe(0);
    expect(status.value.at("nodes", 0, "reachable").value).toBe(true);
    expect(status.value.at("nodes", 0, "headDigest").text).toMatch(/^[0-9a-f]{64}$/);

    const twice = await credlinkJson("network", "start", "--dir", network.dir);
    expect(twice.value.at("error", "code").text).toBe("CLI_NETWORK_RUNNING");

    const stopped = await credlinkJson("network", "stop", "--dir", network.dir);
    expect(stopped.code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(isAlive(network.supervisor.pid ?? 0)).toBe(false);

    const again = await credlinkJson("network", "stop", "--dir", network.dir);
    expect(again.value.at("error", "code").text).toBe("CLI_NETWORK_NOT_RUNNING");
  });

  it("status of a network that is down names each node as unreachable", async () => {
    const status = await credlinkJson("network", "status", "--dir", network.dir);
    expect(status.value.at("nodes", 0, "reachable").value).toBe(false);
    expect(status.value.at("nodes", 0, "code").text).toBe("CLIENT_UNREACHABLE");
  });

  it("no second process votes from a node's log; no node outlives its supervisor", async () => {
    const ready = await network.start();
    const pid = ready.at("nodes", 0, "pid").number;
    const name = ready.at("nodes", 0, "name").text;
    const other = join(network.folder.path, "other-database");
    mkdirSync(other);
    symlinkSync(join(network.nodeDir(name), "data", "consensus"), join(other, "consensus"));
    const config = join(network.nodeDir(name), "node.yaml");
    const second = await credlink("node", "start", "--config", config, "--", `--dataDir=${other}`);
    expect(second.stderr).toContain("NODE_VOTE_LOG_LOCKED");
    expect(second.code).toBe(3);
    // Killed hard: the network starts again below, so its lock went with it.
    network.supervisor.kill("SIGKILL");
    await eventually("the node ends by itself", () => !isAlive(pid), 15_000);
    // The file that names a dead supervisor does not keep the network from starting again.
    await network.start();
    await network.stop();
  });
});
