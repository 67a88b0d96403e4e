import { addressFromPublicKey, systemRandom } from "@credlink/crypto";
import { noLogger, toHex } from "@credlink/primitives";
import { afterEach, describe, expect, test } from "vitest";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { createPeerExchange, type PeerExchange } from "../../src/p2p/peer-exchange.ts";
import { MAX_EVENTS, PeerWatch } from "../../src/p2p/peer-watch.ts";
import { systemClock } from "../../src/system-clock.ts";
import {
  createTestChain,
  createTestNode,
  type NodeChange,
  type TestChain,
  type TestNode,
  until,
} from "../support/network.ts";
import { createRecordingMetrics } from "../support/recording.ts";

const running: TestNode[] = [];
const exchanges: PeerExchange[] = [];
afterEach(async () => {
  for (const exchange of exchanges.splice(0)) exchange.stop();
  await Promise.all(running.splice(0).map(({ network }) => network.stop()));
});

const CHAT = "/test/chat/1";

async function add(chain: TestChain, name: string, change: NodeChange = {}): Promise<TestNode> {
  const node = await createTestNode(chain, name, change);
  running.push(node);
  node.network.onRequest(CHAT, { maxBytes: 1_024 }, async () => new Uint8Array(7));
  return node;
}

async function pair(chain: TestChain, change: NodeChange = {}) {
  const first = await add(chain, "first");
  await first.network.start();
  const second = await add(chain, "second", {
    ...change,
    options: { ...change.options, peers: first.network.addresses() },
  });
  await second.network.start();
  await until(() => first.network.peers().length === 1, "joined");
  await until(() => second.network.peers().length === 1, "joined");
  return { first, second };
}

describe("S-8.4-4: what a node sees of its peers", () => {
  test("round trip, bytes both ways and state of each, and in metrics", async () => {
    const { first, second } = await pair(await createTestChain());
    const [options, request] = [{ timeoutMs: 5_000, maxReplyBytes: 64 }, new Uint8Array(100)];
    await second.network.request(first.peerId, CHAT, request, options);
    await until(() => second.peerWatch.rows()[0]?.rttMs !== null, "a round trip was measured");
    const [row] = second.peerWatch.rows();
    expect(row).toMatchObject({
      ...{ connected: true, sentBytes: 100, receivedBytes: 7, disconnects: [], lastReason: null },
      peer: { nodeId: "first", organization: "Org One", role: "validator" },
    });
    expect(row?.rttMs).toBeGreaterThan(0);
    expect(row?.rttMs).toBeLessThan(5_000);
    const label = { peer: "first" };
    expect(second.metrics.value(networkMetrics.peerSentBytes, label)).toBe(100);
    expect(second.metrics.value(networkMetrics.peerReceivedBytes, label)).toBe(7);
    expect(second.metrics.value(networkMetrics.peerConnected, label)).toBe(1);
    expect(second.metrics.value(networkMetrics.peerRoundTrip, label)).toBeGreaterThan(0);
    const [there] = first.peerWatch.rows();
    expect(there).toMatchObject({ sentBytes: 7, receivedBytes: 100 });
  });

  test("S-10.4-3: joins and leaves are told with their reason, to who waits at once", async () => {
    const chain = await createTestChain();
    const { first, second } = await pair(chain);
    const { events, next } = first.peerWatch.events(0, 10);
    expect(events).toMatchObject([{ type: "joined", nodeId: "second", reason: null }]);
    const waiting = first.peerWatch.waitFor(next, 5_000);
    const leftAtMs = performance.now();
    await second.network.stop();
    await waiting;
    expect(performance.now() - leftAtMs).toBeLessThan(5_000);
    const after = first.peerWatch.events(next, 10);
    expect(after.events).toMatchObject([{ type: "left", nodeId: "second", reason: "closed" }]);
    expect(second.peerWatch.events(0, 10).events.at(-1)).toMatchObject({ reason: "stopped" });
    const [row] = first.peerWatch.rows();
    expect(row).toMatchObject({
      ...{ connected: false, disconnects: [{ reason: "closed", count: 1 }], lastReason: "closed" },
    });
    expect(first.metrics.value(networkMetrics.disconnects, { reason: "closed" })).toBe(1);
    expect(first.metrics.value(networkMetrics.peerConnected, { peer: "second" })).toBe(0);
  });

  test.each([
    ["left", "NODE_ADMISSION_NOT_REGISTERED"],
    ["revoked", "NODE_ADMISSION_REVOKED"],
    ["suspended", "NODE_ADMISSION_NOT_REGISTERED"],
  ] as const)(
    "T-4.2.2-b: a member that is %s is cut with the code at the next judgement",
    async (status, code) => {
      const chain = await createTestChain();
      const { first, second } = await pair(chain);
      const address = toHex(addressFromPublicKey(second.credential.publicKey));
      const member = chain.members.get(address);
      if (member === undefined) throw new Error("registered");
      chain.members.set(address, { ...member, status });
      first.network.judgeAgain();
      await until(() => first.network.peers().length === 0, "cut");
      expect(first.peerWatch.events(0, 10).events.at(-1)).toMatchObject({
        type: "left",
        reason: code,
      });
    },
  );

  test("a peer that is no validator shares one label, however many there are", async () => {
    const chain = await createTestChain();
    const first = await add(chain, "first", { isValidator: () => false });
    await first.network.start();
    for (const name of ["second", "third"]) {
      const other = await add(chain, name, { options: { peers: first.network.addresses() } });
      await other.network.start();
      const options = { timeoutMs: 5_000, maxReplyBytes: 64 };
      await until(() => other.network.peers().length === 1, "joined");
      await other.network.request(first.peerId, CHAT, new Uint8Array(10), options);
    }
    expect(first.metrics.value(networkMetrics.peerReceivedBytes, { peer: "other" })).toBe(20);
    expect(first.metrics.value(networkMetrics.peerConnected, { peer: "other" })).toBe(0);
  });

  test("of events the latest are kept, and who asks for older ones is told how many are missing", () => {
    const watch = new PeerWatch({
      clock: systemClock,
      metrics: createRecordingMetrics(),
      isValidator: () => true,
    });
    for (let index = 0; index < MAX_EVENTS + 5; index++) watch.mode("running");
    const page = watch.events(2, 3);
    expect(page.events.map(({ sequence }) => sequence)).toEqual([6, 7, 8]);
    expect(page).toMatchObject({ next: 8, missed: 3 });
    // The cursor of a process that ended stands beyond all there is.
    expect(watch.events(MAX_EVENTS + 100, 1).events).toHaveLength(1);
  });
});

describe("S-8.4-3: p2p.maxConnections", () => {
  test("bounds who comes in, may be raised and lowered while connected, and spares validators", async () => {
    const chain = await createTestChain();
    const limit = { current: 1 };
    const validators = new Set<string>();
    const hub = await add(chain, "hub", {
      maxConnections: () => limit.current,
      isValidator: (peer) => validators.has(peer),
    });
    await hub.network.start();
    const others: TestNode[] = [];
    for (const name of ["a", "b", "c"]) {
      const other = await add(chain, name, { options: { peers: hub.network.addresses() } });
      await other.network.start();
      others.push(other);
      await until(() => hub.network.peers().length === 1, "one came in");
    }
    const { refusedOverLimit } = networkMetrics;
    await until(() => hub.metrics.value(refusedOverLimit) >= 2, "the others were turned away");
    expect(hub.network.peers()).toHaveLength(1);
    limit.current = 3;
    await until(() => hub.network.peers().length === 3, "all came in");
    // The youngest goes first, but for a validator.
    const youngest = others.find(({ peerId }) => peerId === hub.network.peers().at(-1)?.id);
    if (youngest === undefined) throw new Error("three are connected");
    validators.add(youngest.peerId);
    limit.current = 1;
    hub.network.judgeAgain();
    await until(() => hub.network.peers().length === 1, "two were let go");
    expect(hub.network.peers()[0]?.id).toBe(youngest.peerId);
    const left = hub.peerWatch.events(0, 100).events.filter(({ type }) => type === "left");
    expect(left.map(({ reason }) => reason)).toEqual(
      Array(2).fill("NODE_NETWORK_CONNECTION_LIMIT"),
    );
  });
});

describe("T-4.2.2-b: finding the others from one address", () => {
  test("a joiner that knows one node is connected to all of them within seconds", async () => {
    const chain = await createTestChain();
    const exchange = ({ network }: TestNode): void => {
      exchanges.push(
        createPeerExchange({
          ...{ network, isOn: true, requestTimeoutMs: 5_000, clock: systemClock },
          ...{ random: systemRandom, logger: noLogger },
        }),
      );
    };
    const known: string[] = [];
    const nodes: TestNode[] = [];
    for (const name of ["one", "two", "three", "joiner"]) {
      // Each is told of the first alone.
      const node = await add(chain, name, { options: { peers: known.slice(0, 1) } });
      exchange(node);
      await node.network.start();
      known.push(...node.network.addresses());
      nodes.push(node);
      await until(() => node.network.peers().length === nodes.length - 1, `${name} found all`);
    }
    for (const { network } of nodes) {
      await until(() => network.peers().length === 3, "everybody sees everybody");
    }
  });
});
