import { readFileSync } from "node:fs";
import { join } from "node:path";
import { changeValidatorsCall, type Identity } from "@credlink/client";
import { parseCertificate } from "@credlink/crypto";
import { AppError, height, invariant } from "@credlink/primitives";
import { afterAll, beforeAll, expect, it } from "vitest";
import { credlinkJson } from "./support/command.ts";
import { isLarge } from "./support/large.ts";
import { Load, relationKeyCall } from "./support/load.ts";
import { TestNetwork } from "./support/network.ts";
import { eventually } from "./support/wait.ts";

let network: TestNetwork;
let coSigners: readonly Identity[];
const all = [1, 2, 3, 4, 5, 6, 7].map((index) => `node-${index}`);

beforeAll(async () => {
  if (!isLarge) return;
  network = await TestNetwork.run({ validators: 4, standbys: 3, allowNonByzantine: true });
  const made = await credlinkJson(
    ...["member", "create", "--network", network.dir, "--organization", "org-1"],
    ...["--name", "service-centre", "--role", "institution"],
  );
  if (made.code !== 0) throw new Error(`member create: ${made.stderr}`);
  const names = ["org-2/admin", "org-3/admin"];
  coSigners = await Promise.all(names.map((name) => network.identity(name)));
}, 120_000);
afterAll(() => network?.close());

function additionOf(name: string) {
  const node = network.description.at("nodes").list.find((each) => each.at("name").text === name);
  const pem = readFileSync(join(network.nodeDir(name), "node.crt"), "utf8");
  const parsed = parseCertificate(pem);
  invariant(parsed.ok && node !== undefined, `${name} has a certificate`);
  return { nodeId: name, peerId: node.at("peerId").text, certificate: parsed.value.der };
}

/** Changes the list by one node, at the gateway of `door`. */
async function change(kind: "add" | "remove", name: string, door: string): Promise<void> {
  const args = kind === "add" ? { add: [additionOf(name)] } : { remove: [name] };
  const client = await network.client(door);
  await eventually(
    `${kind} ${name} at ${door}`,
    async () => {
      try {
        await client.execute(changeValidatorsCall(args, coSigners));
        return true;
      } catch (error) {
        // A joiner says by itself that it is ready, a moment after it caught up.
        if (error instanceof AppError && JSON.stringify(error.details).includes("NOT_READY")) {
          return undefined;
        }
        throw error;
      }
    },
    30_000,
  );
}

/** `validators …` of the command line, at the node named `door`. */
function validators(door: string, ...command: readonly string[]) {
  return credlinkJson("validators", ...command, "--network", network.dir, "--node", door);
}

async function membersAt(door: string): Promise<string> {
  const { value } = await validators(door, "list");
  const names = value.at("validators").list.map((one) => one.at("nodeId").text);
  return names.join(" ").replaceAll("node-", "");
}

it.runIf(isLarge)(
  "goes 4, 7, 4, 5, 1, 4 under load; every node, the door's own too, leaves or joins",
  async () => {
    const doors = ["node-2", "node-5", "node-7"];
    const clients = await Promise.all(
      doors.map((name) => network.client(name, "org-1/service-centre")),
    );
    const [client] = clients;
    invariant(client !== undefined, "somebody builds the load");
    const load = new Load(clients, () => client.build(relationKeyCall()), 100);
    for (const name of ["node-5", "node-6", "node-7"]) await change("add", name, "node-1");
    expect(await membersAt("node-6")).toBe("1 2 3 4 5 6 7");
    // Each is primary every few blocks; the one that is asked to remove a node is that node.
    for (const name of ["node-1", "node-2", "node-4"]) await change("remove", name, name);
    await change("add", "node-1", "node-1");
    expect(await membersAt("node-2")).toBe("3 5 6 7 1");
    for (const name of ["node-3", "node-5", "node-6"]) await change("remove", name, name);
    expect((await validators("node-7", "remove", "node-7")).code).toBe(0);
    expect(await membersAt("node-3")).toBe("1");
    for (const name of ["node-4", "node-7"]) await change("add", name, "node-4");
    expect((await validators("node-4", "add", "node-2")).code).toBe(0);
    const listed = await membersAt("node-1");
    await load.stop();
    expect(listed).toBe("1 4 7 2");
    await load.allCommitted(client);
    expect(load.accepted.length).toBeGreaterThan(20);
    const head = await network.client("node-1").then((one) => one.info());
    await network.agree(all, height(head.height));
  },
);

it.runIf(isLarge)(
  "S-10.4-2: votes reach validators alone: who was removed stays connected, hears none and sends none",
  async () => {
    const removed = ["node-3", "node-5", "node-6"];
    const heard = (name: string) => network.metric(name, "credlink_node_messages_received_total");
    const votesOfStrangers = async (): Promise<number> => {
      const name = "credlink_node_messages_dropped_total";
      const reasons = ["not_validator", "not_sender"];
      const counts = await Promise.all(
        reasons.map((reason) => network.metric("node-1", name, { protocol: "consensus", reason })),
      );
      return counts.reduce((sum, each) => sum + each, 0);
    };
    const before = {
      height: (await network.agree(all, 1)).height,
      heard: await Promise.all(removed.map(heard)),
      strangers: await votesOfStrangers(),
    };
    const client = await network.client("node-3", "org-1/service-centre");
    for (let step = 0; step < 3; step++)
      await client.submitAndWait(await client.build(relationKeyCall()));
    await network.agree(all, before.height + 3);
    expect(await Promise.all(removed.map(heard))).toEqual(before.heard);
    expect(await votesOfStrangers()).toBe(before.strangers);
    const { peers } = await network.client("node-1").then((one) => one.status());
    for (const name of removed) {
      expect(peers.find(({ nodeId }) => nodeId === name)).toMatchObject({
        ...{ role: "validator", provisional: false },
      });
    }
    expect(await network.metric("node-1", "credlink_node_bans_total")).toBe(0);
  },
);
