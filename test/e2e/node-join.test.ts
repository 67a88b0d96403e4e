import { join } from "node:path";
import {
  createMember,
  createOrganizationAuthority,
  createRoot,
  findNode,
  type Issued,
  loadNetwork,
  p2pAddress,
} from "@credlink/cli";
import { enrollCalls, setMemberStatusCall } from "@credlink/client";
import { invariant } from "@credlink/primitives";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromAfar } from "./support/from-afar.ts";
import { endJoiner, issueNode, type Joiner, joinNode, joinOptions } from "./support/joiner.ts";
import { isLarge } from "./support/large.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

/** One network and one joiner live through this whole file: the tests follow each other. */
let network: TestNetwork;
let joiner: Joiner | undefined;
let issued: Issued;
let bootstrap = "";
let peerId = "";
const all = ["node-1", "node-2", "node-3", "node-4", "observer-1"];
const dir = () => join(network.folder.path, "joiner");
/** How soon every node must have noticed, milliseconds. */
const NOTICED_MS = 5_000;

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.run({ validators: 4, observers: 1 });
  bootstrap = p2pAddress(findNode(loadNetwork(network.dir), "node-2"));
  issued = await issueNode(network, "joiner");
  await enrol(issued);
}, 240_000);
afterAll(async () => {
  if (joiner !== undefined) await endJoiner(joiner);
  await network?.close();
});

async function enrol({ certificate }: Issued): Promise<void> {
  const [call] = enrollCalls([certificate.der]);
  invariant(call !== undefined, "one certificate makes one call");
  await (await network.client("node-1")).execute(call);
}

/** What a node's events say of the joiner, oldest first. */
async function eventsOf(name: string) {
  const client = await network.client(name);
  const { events } = await client.call("node.events", {});
  return events.filter((event) => event.nodeId === "joiner");
}

/** Every node tells and logs such an event after a moment. @returns when each did, milliseconds */
async function noticed(type: "joined" | "left", reason: string | null, sinceMs: number) {
  const times: number[] = [];
  for (const name of all) {
    const event = await eventually(`${name}: ${type}`, async () =>
      (await eventsOf(name)).findLast((each) => each.type === type && each.timeMs >= sinceMs),
    );
    expect(event, name).toMatchObject({ reason, peerId, organization: "org-1", role: "observer" });
    const words = type === "joined" ? "peer joined" : "peer left";
    const logged = network.log(name).split("\n");
    expect(logged.some((line) => line.includes(words) && line.includes(peerId))).toBe(true);
    times.push(event.timeMs);
  }
  return { first: Math.min(...times), last: Math.max(...times) };
}

async function isConnectedAt(name: string): Promise<boolean> {
  const { peers } = await (await network.client(name)).status();
  return peers.some((peer) => peer.peerId === peerId);
}

describe.runIf(isLarge)("T-4.2.2-b, S-10.4-3: credlink node join", () => {
  it("with a valid certificate is in every node's list of peers, by one address alone", async () => {
    const sinceMs = Date.now();
    joiner = joinNode(...joinOptions(network, dir(), issued.files, bootstrap));
    const joined = await joiner.document();
    expect(joined.at("height").number).toBeGreaterThanOrEqual(1);
    peerId = joined.at("p2p", 0).text.split("/p2p/")[1] ?? "";
    for (const name of all) await eventually(`${name} sees it`, () => isConnectedAt(name));
    // From the first node that it reached: the others it is told of, and they of it.
    const { first, last } = await noticed("joined", null, sinceMs);
    expect(last - first).toBeLessThan(NOTICED_MS);
  });

  it("leaves, and every node says so with the reason; by its folder alone it comes back", async () => {
    invariant(joiner !== undefined, "it joined above");
    const leftMs = Date.now();
    await endJoiner(joiner);
    expect((await noticed("left", "closed", leftMs)).last - leftMs).toBeLessThan(NOTICED_MS);
    const backMs = Date.now();
    joiner = joinNode("--dir", dir());
    await joiner.document();
    await noticed("joined", null, backMs);
  });

  it("removed on chain, it is disconnected everywhere within one block", async () => {
    const removedMs = Date.now();
    const admin = await network.client("node-1");
    const { header } = await admin.execute(setMemberStatusCall(issued.address, "revoked"));
    const decidedMs = Date.now();
    const { last } = await noticed("left", "NODE_ADMISSION_REVOKED", removedMs);
    expect(last - decidedMs).toBeLessThan(NOTICED_MS);
    // No other block was made meanwhile: it was the one with the decision that cut it.
    const { height } = await network.agree(all, header.height);
    expect(height).toBe(header.height);
    for (const name of all) expect(await isConnectedAt(name), name).toBe(false);
  });
});

describe.runIf(isLarge)("T-4.9.3-a, S-8.4-3: a node of each kind", () => {
  it.each(["validator", "observer", "regulator-node"] as const)(
    "is created, configured, stopped, started and retired by the command line: %s",
    async (role) => {
      const made = await issueNode(network, `a-${role}`, { role });
      await enrol(made);
      const folder = join(network.folder.path, `a-${role}`);
      const created = joinNode(...joinOptions(network, folder, made.files, bootstrap));
      try {
        const where = await created.document();
        const rpc = where.at("rpc").text;
        const far = { rpc, peerId: where.at("p2p", 0).text.split("/p2p/")[1] ?? "" };
        const ask = (...command: readonly string[]) =>
          fromAfar(network, far, "org-1/admin", ...command);
        const info = await ask("info");
        expect(info.value.value).toMatchObject({ role, validating: false, nodeId: `a-${role}` });
        expect((await ask("config", "set", "rpc.maxWaiters", "7")).code).toBe(0);
        const config = await ask("config", "get", "rpc.maxWaiters");
        expect(config.value.at("settings", 0).value).toMatchObject({
          ...{ value: "7", source: "run time" },
        });
        for (const [action, mode] of [
          ["stop", "standby"],
          ["start", "running"],
        ] as const) {
          expect((await ask(action)).value.at("mode").value).toBe(mode);
        }
        const admin = await network.client("node-1");
        await admin.execute(setMemberStatusCall(made.address, "left"));
        for (const name of all) {
          await eventually(`${name} let it go`, async () => {
            const { peers } = await (await network.client(name)).status();
            return peers.every((peer) => peer.peerId !== far.peerId);
          });
        }
      } finally {
        await endJoiner(created);
      }
    },
    240_000,
  );
});

describe.runIf(isLarge)("T-4.2.2-b: node join is refused, each with a code of its own", () => {
  const codes = new Set<string>();

  async function refused(code: string, exitCode: number, ...options: readonly string[]) {
    const attempt = joinNode(...options);
    expect((await attempt.document()).at("error", "code").text).toBe(code);
    expect(await attempt.ended).toBe(exitCode);
    codes.add(code);
  }

  const optionsOf = (name: string, files: Issued["files"]) =>
    joinOptions(network, join(network.folder.path, name), files, bootstrap);

  it("revoked: NODE_ADMISSION_REVOKED", async () => {
    if (joiner !== undefined) await endJoiner(joiner);
    joiner = undefined;
    await refused("NODE_ADMISSION_REVOKED", 3, "--dir", dir());
  });

  it("expired: NODE_ADMISSION_EXPIRED", async () => {
    const { files } = await issueNode(network, "expired", { nowMs: Date.now() - 3 * 86_400_000 });
    await refused("NODE_ADMISSION_EXPIRED", 3, ...optionsOf("expired", files));
  });

  it("of another CA: NODE_ADMISSION_UNKNOWN_ROOT", async () => {
    const nowMs = Date.now();
    const folder = join(network.folder.path, "other-ca");
    const root = await createRoot(join(folder, "root"), "elsewhere", nowMs);
    const ca = await createOrganizationAuthority(join(folder, "org"), "org-1", root, nowMs);
    const request = { organization: "org-1", role: "observer", name: "stranger" } as const;
    const made = await createMember(folder, "stranger", ca, { ...request, days: 1, nowMs });
    const authority = ["--authority", join(folder, "org", "ca.crt")];
    const options = optionsOf("stranger", made.files);
    await refused("NODE_ADMISSION_UNKNOWN_ROOT", 3, ...options, ...authority);
  });

  it("with another's key: NODE_START_KEY_MISMATCH", async () => {
    const one = await issueNode(network, "one");
    const other = await issueNode(network, "other");
    const files = { ...other.files, certificate: one.files.certificate };
    await refused("NODE_START_KEY_MISMATCH", 3, ...optionsOf("mixed", files));
  });

  it("these are four codes, and none of them is in a list of peers", async () => {
    expect(codes.size).toBe(4);
    for (const name of all) {
      const { peers } = await (await network.client(name)).status();
      expect(peers.map(({ nodeId }) => nodeId).filter((id) => !all.includes(id))).toEqual([]);
    }
  });
});
