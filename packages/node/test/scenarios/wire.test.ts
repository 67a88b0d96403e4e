import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { utf8, utf8ToText } from "@credlink/primitives";
import { afterEach, expect, test } from "vitest";
import { createTestChain, createTestNode, type TestNode, until } from "../support/network.ts";

const CHAT = "/credlink/test/1";
const running: TestNode[] = [];
const open: (Server | Socket)[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((node) => node.network.stop()));
  for (const each of open.splice(0)) {
    if ("destroy" in each) each.destroy();
    else each.close();
  }
});

/** A line between two nodes on which everything that passes is written down. */
async function tap(target: string): Promise<{ readonly address: string; readonly seen: Buffer[] }> {
  const port = Number(/tcp\/(\d+)/.exec(target)?.[1]);
  const seen: Buffer[] = [];
  const server = createServer((inbound) => {
    const outbound = connect(port, "127.0.0.1");
    open.push(inbound, outbound);
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      from.on("data", (bytes) => {
        seen.push(bytes);
        to.write(bytes);
      });
      from.on("error", () => undefined);
    }
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: own } = server.address() as AddressInfo;
  return { address: target.replace(`/tcp/${port}`, `/tcp/${own}`), seen };
}

test("S-10.4-1: what two nodes say to each other cannot be read on the line, and is measured", async () => {
  const chain = await createTestChain();
  const first = await createTestNode(chain, "node1");
  const marker = "a word that stands nowhere else";
  const words = `${marker} in the reply`;
  const reply = utf8(words);
  first.network.onRequest(CHAT, { maxBytes: 1_000_000 }, async () => reply);
  running.push(first);
  await first.network.start();
  const line = await tap(first.network.addresses()[0] ?? "");
  const second = await createTestNode(chain, "node2", { options: { peers: [line.address] } });
  running.push(second);
  await second.network.start();
  await until(() => second.network.peers().length === 1, "connected");
  const request = utf8(marker.repeat(10_000));
  const options = { timeoutMs: 10_000, maxReplyBytes: 1_000 };
  const answer = await second.network.request(first.peerId, CHAT, request, options);
  expect(utf8ToText(answer)).toBe(words);
  const wire = Buffer.concat(line.seen);
  expect(wire.length).toBeGreaterThan(request.length);
  // Neither what is said nor which protocol, certificate or member it belongs to.
  for (const word of [marker, CHAT, "Org One", "node1", "node2"]) {
    expect(wire.includes(word), word).toBe(false);
  }
  expect(wire.includes(Buffer.from(second.credential.certificate.der))).toBe(false);
  await until(() => second.peerWatch.rows()[0]?.rttMs !== null, "a round trip was measured");
  expect(second.peerWatch.rows()[0]).toMatchObject({
    ...{ sentBytes: request.length, receivedBytes: reply.length },
  });
});
