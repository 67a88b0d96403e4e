import { utf8, utf8ToText } from "@credlink/primitives";
import { afterEach, describe, expect, test } from "vitest";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { createTestChain, createTestNode, type TestNode, until } from "../support/network.ts";

const PROTOCOL = "/credlink/test/1";
const STATUS = "/credlink/status/1";
const running: TestNode[] = [];

async function start(node: TestNode): Promise<TestNode> {
  running.push(node);
  await node.network.start();
  return node;
}

async function startPair() {
  const chain = await createTestChain();
  const first = await start(await createTestNode(chain, "node1"));
  const peers = first.network.addresses();
  return { chain, first, second: await createTestNode(chain, "node2", { options: { peers } }) };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.network.stop()));
});

describe("two nodes admitted to each other", () => {
  test("T-4.2.2-b: a registered node joins by its certificate alone", async () => {
    const { first, second } = await startPair();
    await start(second);
    await until(() => first.network.peers().length === 1 && second.network.peers().length === 1);
    expect(first.network.peers()[0]).toEqual({
      id: second.peerId,
      nodeId: "node2",
      organization: "Org One",
      role: "validator",
      provisional: false,
    });
    expect(second.network.peers()[0]?.nodeId).toBe("node1");
    expect(first.metrics.value(networkMetrics.admissions, { role: "listener" })).toBe(1);
    expect(second.metrics.value(networkMetrics.admissions, { role: "dialer" })).toBe(1);
  });

  test("messages arrive in order, requests get their reply", async () => {
    const { first, second } = await startPair();
    const heard: string[] = [];
    first.network.onMessage(PROTOCOL, { maxBytes: 1_000 }, (from, message) => {
      heard.push(`${from.id === second.peerId ? "node2" : "?"}${utf8ToText(message)}`);
    });
    first.network.onRequest(STATUS, { maxBytes: 100 }, async (_from, request) =>
      Uint8Array.from([...request].reverse()),
    );
    await start(second);
    await until(() => second.network.peers().length === 1);
    for (let i = 0; i < 300; i++) second.network.send(first.peerId, PROTOCOL, utf8(`m${i}`));
    await until(() => heard.length === 300);
    expect(heard).toEqual(Array.from({ length: 300 }, (_, i) => `node2m${i}`));
    const reply = await second.network.request(first.peerId, STATUS, Uint8Array.of(1, 2, 3), {
      timeoutMs: 2_000,
      maxReplyBytes: 10,
    });
    expect([...reply]).toEqual([3, 2, 1]);
  });
});
