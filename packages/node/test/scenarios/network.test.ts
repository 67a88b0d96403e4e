import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { utf8, utf8ToText } from "@credlink/primitives";
import { afterEach, describe, expect, test } from "vitest";
import { PING_PROTOCOL } from "../../src/p2p/access.ts";
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

async function startConnected(change: Parameters<typeof createTestNode>[2] = {}) {
  const chain = await createTestChain();
  const first = await start(await createTestNode(chain, "node1", change));
  const peers = first.network.addresses();
  const options = { peers, ...change.options };
  const second = await start(await createTestNode(chain, "node2", { options }));
  await until(() => first.network.peers().length === 1 && second.network.peers().length === 1);
  return { chain, first, second };
}

const REPLY = { timeoutMs: 2_000, maxReplyBytes: 100 };
const refusedWith = (code: string) => expect.objectContaining({ details: { code } });

describe("limits of messages and requests", () => {
  test("a message of the cap arrives; one byte more never does, and is counted", async () => {
    const chain = await createTestChain();
    const first = await createTestNode(chain, "node1");
    const heard: number[] = [];
    first.network.onMessage(PROTOCOL, { maxBytes: 100 }, (_from, message) => {
      heard.push(message.length);
    });
    await start(first);
    const peers = first.network.addresses();
    const second = await start(await createTestNode(chain, "node2", { options: { peers } }));
    await until(() => second.network.peers().length === 1);
    second.network.send(first.peerId, PROTOCOL, new Uint8Array(100));
    await until(() => heard.length === 1);
    second.network.send(first.peerId, PROTOCOL, new Uint8Array(101));
    const value = () => first.metrics.value(networkMetrics.framesRefused, { protocol: PROTOCOL });
    await until(() => value() === 1);
    second.network.send(first.peerId, PROTOCOL, new Uint8Array(7));
    await until(() => {
      second.network.send(first.peerId, PROTOCOL, new Uint8Array(8));
      return heard.includes(8);
    });
    expect(heard.includes(101)).toBe(false);
  });

  test("a peer that goes on with frames over the cap is cut, and comes back after its ban", async () => {
    const chain = await createTestChain();
    const options = { misbehaviourBanMs: 1_500 };
    const first = await createTestNode(chain, "node1", { options });
    first.network.onMessage(PROTOCOL, { maxBytes: 100 }, () => {});
    await start(first);
    const peers = first.network.addresses();
    const second = await start(await createTestNode(chain, "node2", { options: { peers } }));
    await until(() => second.network.peers().length === 1);
    const value = () => first.metrics.value(networkMetrics.framesRefused, { protocol: PROTOCOL });
    await until(() => {
      if (second.network.peers().length === 0) return true;
      second.network.send(first.peerId, PROTOCOL, new Uint8Array(101));
      return first.network.peers().length === 0;
    }, "it is cut");
    expect(value()).toBe(10);
    await until(() => first.network.peers().length === 1, "it is back");
  });

  test("several MiB arrive whole, as message and as reply", async () => {
    const large = new Uint8Array(6 * 1024 * 1024).map((_, index) => index % 251);
    const chain = await createTestChain();
    const first = await createTestNode(chain, "node1");
    const heard: Uint8Array[] = [];
    const maxBytes = large.length;
    first.network.onMessage(PROTOCOL, { maxBytes }, (_from, message) => heard.push(message));
    first.network.onRequest(STATUS, { maxBytes }, async () => large);
    await start(first);
    const peers = first.network.addresses();
    const second = await start(await createTestNode(chain, "node2", { options: { peers } }));
    await until(() => second.network.peers().length === 1);
    for (let i = 0; i < 3; i++) second.network.send(first.peerId, PROTOCOL, large);
    const options = { timeoutMs: 20_000, maxReplyBytes: maxBytes };
    const reply = await second.network.request(first.peerId, STATUS, Uint8Array.of(1), options);
    await until(() => heard.length === 3);
    expect([reply, ...heard].every((each) => Buffer.compare(each, large) === 0)).toBe(true);
  });

  test("requests fail with a code: no peer, no answer, refused, too long a reply", async () => {
    const chain = await createTestChain();
    const first = await createTestNode(chain, "node1");
    first.network.onRequest(STATUS, { maxBytes: 10 }, async (_from, request) => {
      if (request[0] === 1) await new Promise((resolve) => setTimeout(resolve, 500));
      if (request[0] === 2) throw new Error("no");
      return new Uint8Array(101);
    });
    await start(first);
    const peers = first.network.addresses();
    const second = await start(await createTestNode(chain, "node2", { options: { peers } }));
    await until(() => second.network.peers().length === 1);
    const ask = (peer: string, request: readonly number[], timeoutMs = 2_000) =>
      second.network.request(peer, STATUS, Uint8Array.from(request), { ...REPLY, timeoutMs });
    await expect(ask("12D3KooWNobody", [0])).rejects.toEqual(
      refusedWith("NODE_NETWORK_NOT_CONNECTED"),
    );
    await expect(ask(first.peerId, [1], 100)).rejects.toEqual(refusedWith("NODE_NETWORK_TIMEOUT"));
    await expect(ask(first.peerId, [2])).rejects.toEqual(refusedWith("NODE_NETWORK_REFUSED"));
    await expect(ask(first.peerId, [3])).rejects.toEqual(
      refusedWith("NODE_NETWORK_FRAME_TOO_LARGE"),
    );
    await expect(ask(first.peerId, Array(11).fill(4))).rejects.toEqual(
      refusedWith("NODE_NETWORK_REFUSED"),
    );
  });

  test("what is sent to nobody is dropped and counted", async () => {
    const { first } = await startConnected();
    first.network.send("12D3KooWNobody", PROTOCOL, Uint8Array.of(1));
    const labels = { protocol: PROTOCOL, reason: "not-connected" };
    expect(first.metrics.value(networkMetrics.messagesDropped, labels)).toBe(1);
  });
});

describe("connections", () => {
  test("a peer that comes back on its address is found again by itself", async () => {
    const { chain, first, second } = await startConnected();
    const events: string[] = [];
    second.network.onPeerChange((_peer, event) => events.push(event));
    const listen = first.network.addresses().map((each) => each.split("/p2p/")[0] ?? "");
    await first.network.stop();
    await until(() => second.network.peers().length === 0);
    const { credential, peerKey } = first;
    const options = { listen };
    await start(await createTestNode(chain, "node1", { credential, peerKey, options }));
    await until(() => second.network.peers().length === 1);
    expect(events).toEqual(["left", "joined"]);
  });

  test("a validator that only dialled us is dialled back at the address it announced", async () => {
    const { chain, first, second } = await startConnected();
    const listen = second.network.addresses().map((each) => each.split("/p2p/")[0] ?? "");
    await second.network.stop();
    await until(() => first.network.peers().length === 0);
    const { credential, peerKey } = second;
    const again = await createTestNode(chain, "node2", {
      credential,
      peerKey,
      options: { listen },
    });
    await start(again);
    await until(() => first.network.peers().length === 1);
    expect(first.metrics.value(networkMetrics.admissions, { role: "dialer" })).toBe(1);
  });

  test("who is added to the validators is dialled back from then on; who is removed stays, and is not", async () => {
    const chain = await createTestChain();
    const validators = new Set<string>();
    const absent = await createTestNode(chain, "absent");
    const first = await start(
      await createTestNode(chain, "node1", {
        isValidator: (peer) => validators.has(peer),
        options: { peers: [`/ip4/127.0.0.1/tcp/9/p2p/${absent.peerId}`] },
      }),
    );
    const peers = first.network.addresses();
    const second = await start(await createTestNode(chain, "node2", { options: { peers } }));
    await until(() => first.network.peers().length === 1);
    const listen = second.network.addresses().map((each) => each.split("/p2p/")[0] ?? "");
    validators.add(second.peerId);
    first.network.judgeAgain();
    await second.network.stop();
    await until(() => first.network.peers().length === 0);
    const { credential, peerKey } = second;
    const options = { listen };
    const again = await start(
      await createTestNode(chain, "node2", { credential, peerKey, options }),
    );
    await until(() => first.network.peers().length === 1, "dialled back");

    validators.delete(second.peerId);
    first.network.judgeAgain();
    expect(first.network.peers()).toMatchObject([{ id: second.peerId, provisional: false }]);
    await again.network.stop();
    await until(() => first.network.peers().length === 0);
    const failedDials = (peer: string) =>
      first.logger.entries.filter(
        ({ message, fields }) => message === "dial failed" && fields.peerId === peer,
      ).length;
    const before = failedDials(second.peerId);
    // The operator's own peer is still tried: a dialler that stopped would prove nothing.
    const tried = failedDials(absent.peerId);
    await until(() => failedDials(absent.peerId) >= tried + 4);
    expect(failedDials(second.peerId)).toBe(before);
  });

  test("a peer that misbehaved is cut and stays away until the ban ends", async () => {
    const { first, second } = await startConnected({ options: { misbehaviourBanMs: 800 } });
    const since = performance.now();
    first.network.disconnect(second.peerId, "NODE_SYNC_INVALID_BLOCK");
    await until(() => first.network.peers().length === 0);
    const banned = { code: "NODE_ADMISSION_BANNED", by: "us" };
    await until(() => first.metrics.value(networkMetrics.admissionRefusals, banned) > 0);
    await until(() => first.network.peers().length === 1);
    expect(performance.now() - since).toBeGreaterThan(750);
  });

  test("peers that answer pings stay", async () => {
    const { first, second } = await startConnected({ options: { silenceMs: 100 } });
    const events: string[] = [];
    second.network.onPeerChange((_peer, event) => events.push(event));
    const labels = { protocol: PING_PROTOCOL };
    await until(() => first.metrics.value(networkMetrics.messagesReceived, labels) >= 3);
    expect(events).toEqual([]);
  });

  test("a process that is frozen answers no ping and is cut", async () => {
    const chain = await createTestChain();
    const first = await start(
      await createTestNode(chain, "node1", { options: { silenceMs: 150 } }),
    );
    const proxy = await startProxy(first.network.addresses()[0] ?? "");
    const options = { peers: [proxy.address] };
    const second = await start(await createTestNode(chain, "node2", { options }));
    await until(() => first.network.peers().length === 1 && second.network.peers().length === 1);
    proxy.freeze();
    await until(() => first.network.peers().length === 0, "cut");
    const isLogged = first.logger.entries.some(({ message }) => message === "peer does not answer");
    expect(isLogged).toBe(true);
    expect(second.network.peers().length).toBe(1);
    proxy.close();
  });
});

/** A TCP proxy that can stop passing bytes on without closing anything, as a dead machine does. */
async function startProxy(target: string) {
  const port = Number(/tcp\/(\d+)/.exec(target)?.[1]);
  const sockets: Socket[] = [];
  let frozen = false;
  const server = createServer((inbound) => {
    const outbound = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.push(from);
      from.on("data", (bytes) => void (frozen || to.write(bytes)));
      from.on("error", () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const address = target.replace(`/tcp/${port}`, `/tcp/${own}`);
  const freeze = (): void => {
    frozen = true;
  };
  return { address, close, freeze };
}
