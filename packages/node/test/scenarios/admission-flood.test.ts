import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { MAX_MEMBER_CONNECTIONS } from "../../src/p2p/peer-table.ts";
import {
  createTestChain,
  createTestNode,
  type NodeChange,
  type TestNode,
  testAdmission,
  until,
} from "../support/network.ts";

const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

async function startVictim(options: NonNullable<NodeChange["options"]>) {
  const chain = await createTestChain();
  const listen = ["/ip4/0.0.0.0/tcp/0"];
  const victim = await createTestNode(chain, "victim", { options: { listen, ...options } });
  cleanUps.push(() => victim.network.stop());
  await victim.network.start();
  const address = victim.network.addresses().find((each) => each.includes("127.0.0.1")) ?? "";
  const port = Number(/tcp\/(\d+)/.exec(address)?.[1]);
  return { chain, victim, port, address };
}

const crowded = (node: TestNode, limit: "total" | "perAddress"): number =>
  node.metrics.value(networkMetrics.crowdedConnections, { limit });

const timeouts = (node: TestNode): number =>
  node.metrics.value(networkMetrics.admissionRefusals, {
    code: "NODE_ADMISSION_TIMEOUT",
    by: "us",
  });

/** Sockets that connect and say nothing. */
function openSilently(port: number, localAddresses: readonly string[]): readonly Socket[] {
  const sockets = localAddresses.map((localAddress) =>
    connect({ port, host: "127.0.0.1", localAddress })
      .on("error", () => undefined)
      .resume(),
  );
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

describe("S-8.4-12: a flood of handshakes", () => {
  const pending = { total: 8, perAddress: 5 };

  test("from one address takes that address's places alone, and ends at the deadline", async () => {
    const admission = { ...testAdmission, pending, handshakeTimeoutMs: 3_000 };
    const { chain, victim, port, address } = await startVictim({ admission });
    const sockets = openSilently(port, new Array(30).fill("127.0.0.2"));
    await until(() => crowded(victim, "perAddress") === 25, "exactly the limit is kept");
    const options = { peers: [address] };
    const peer = await createTestNode(chain, "peer", { options });
    cleanUps.push(() => peer.network.stop());
    await peer.network.start();
    await until(() => victim.network.peers().length === 1, "another address gets in meanwhile");
    await until(() => timeouts(victim) === 5, "the silent ones are cut");
    await until(() => sockets.every((socket) => socket.closed), "all are closed");
    openSilently(port, new Array(5).fill("127.0.0.2"));
    await until(() => timeouts(victim) === 10, "their places are free again");
    expect(crowded(victim, "perAddress")).toBe(25);
    expect(crowded(victim, "total")).toBe(0);
  });

  test("from many addresses is held by the total, and so is the memory", async () => {
    const admission = { ...testAdmission, pending, handshakeTimeoutMs: 3_000 };
    const { victim, port } = await startVictim({ admission });
    openSilently(
      port,
      Array.from({ length: 60 }, (_, at) => `127.0.1.${at + 1}`),
    );
    await until(() => crowded(victim, "total") === 52, "exactly the limit is kept");
    await until(() => timeouts(victim) === 8, "and cut at the deadline");
  });

  test("from one address that fails so often that it is banned: unheard until the ban ends", async () => {
    const perAddress = { maxFailures: 5, windowMs: 60_000, banMs: 1_500 };
    const admission = { ...testAdmission, perAddress, handshakeTimeoutMs: 300 };
    const { victim, port } = await startVictim({ admission });
    openSilently(port, new Array(5).fill("127.0.0.3"));
    await until(() => timeouts(victim) === 5);
    await until(() => victim.metrics.value(networkMetrics.bans, { subject: "address" }) === 1);
    openSilently(port, new Array(3).fill("127.0.0.3"));
    await until(() => victim.metrics.value(networkMetrics.refusedConnections) === 3, "unheard");
    expect(timeouts(victim)).toBe(5);
    await new Promise((resolve) => setTimeout(resolve, perAddress.banMs));
    openSilently(port, ["127.0.0.3"]);
    await until(() => timeouts(victim) === 6, "heard again");
  });
});

describe("S-8.4-12: one member takes no more than its share of the connections", () => {
  test("the oldest beyond four goes, under whatever peer ids they come", async () => {
    const { chain, victim, address } = await startVictim({});
    const first = await createTestNode(chain, "member", { options: { peers: [address] } });
    const { credential } = first;
    const nodes = [first];
    for (let at = 0; at < MAX_MEMBER_CONNECTIONS; at++) {
      const options = {
        peers: [address],
        dialSchedule: { firstDelayMs: 60_000, maxDelayMs: 60_000, politeDelayMs: 0 },
      };
      nodes.push(await createTestNode(chain, "member", { credential, options }));
    }
    for (const [at, node] of nodes.entries()) {
      cleanUps.push(() => node.network.stop());
      if (at === MAX_MEMBER_CONNECTIONS) {
        expect(victim.network.peers().map((peer) => peer.id)).toContain(first.peerId);
      }
      await node.network.start();
      await until(() => victim.network.peers().some((peer) => peer.id === node.peerId));
    }
    const code = "NODE_ADMISSION_SUPERSEDED";
    await until(
      () => victim.metrics.value(networkMetrics.admissionRefusals, { code, by: "us" }) > 0,
    );
    await until(() => victim.network.peers().length === MAX_MEMBER_CONNECTIONS);
  });
});
