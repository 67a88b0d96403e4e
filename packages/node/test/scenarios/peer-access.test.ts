import { afterEach, describe, expect, test } from "vitest";
import { PEERS_PROTOCOL, PING_PROTOCOL, protocolAccess } from "../../src/p2p/access.ts";
import { FORBIDDEN_STREAMS } from "../../src/p2p/forbidden-streams.ts";
import { NODE_ROLES } from "../../src/p2p/identity.ts";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { createCredential } from "../support/consortium.ts";
import {
  createTestChain,
  createTestNode,
  register,
  type TestChain,
  type TestNode,
  until,
} from "../support/network.ts";

const running: TestNode[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ network }) => network.stop()));
});

async function addNode(chain: TestChain, name: string, role: string, options = {}) {
  const credential = await createCredential(chain.authority, name, role);
  register(chain, credential, { role: role as "validator" });
  const node = await createTestNode(chain, name, { credential, options });
  running.push(node);
  return node;
}

/** Messages and requests by protocol: how each is spoken. */
const requests = new Set([
  ...[PING_PROTOCOL, PEERS_PROTOCOL, "/credlink/status/1", "/credlink/blocks/1"],
  ...["/credlink/clock/1", "/credlink/transactions-fetch/1", "/credlink/proposals/1"],
  "/credlink/instance/1",
]);

describe("S-8.4-5, S-8.4-7: each role opens the protocols of its row, over real connections", () => {
  test.each(NODE_ROLES)("%s", async (role) => {
    const chain = await createTestChain();
    const listener = await addNode(chain, "listener", "validator");
    const heard: string[] = [];
    for (const protocol of Object.keys(protocolAccess)) {
      if (protocol === PING_PROTOCOL) continue;
      if (requests.has(protocol)) {
        listener.network.onRequest(protocol, { maxBytes: 16 }, async (_from, bytes) => {
          heard.push(protocol);
          return bytes;
        });
      } else {
        listener.network.onMessage(protocol, { maxBytes: 16 }, () => heard.push(protocol));
      }
    }
    await listener.network.start();
    const peers = listener.network.addresses();
    const speaker = await addNode(chain, "speaker", role, { peers });
    await speaker.network.start();
    await until(() => speaker.network.peers().length === 1, "connected");
    const allowed = Object.entries(protocolAccess)
      .filter(([, { roles }]) => roles.includes(role))
      .map(([protocol]) => protocol);
    for (const protocol of Object.keys(protocolAccess)) {
      if (!requests.has(protocol)) {
        speaker.network.send(listener.peerId, protocol, Uint8Array.of(1));
        continue;
      }
      const options = { timeoutMs: 5_000, maxReplyBytes: 16 };
      const bytes = protocol === PING_PROTOCOL ? new Uint8Array() : Uint8Array.of(1);
      const asked = speaker.network.request(listener.peerId, protocol, bytes, options);
      if (allowed.includes(protocol)) await asked;
      else await expect(asked, protocol).rejects.toMatchObject({ code: /NODE_NETWORK_/ });
    }
    const expected = allowed.filter((protocol) => protocol !== PING_PROTOCOL).sort();
    await until(() => new Set(heard).size === expected.length, "all that may be heard was");
    expect([...new Set(heard)].sort()).toEqual(expected);
    // Ignored, counted and reported: each protocol that is not open to the role.
    const forbidden = Object.keys(protocolAccess).filter((each) => !allowed.includes(each));
    const reported = () =>
      listener.peerWatch.events(0, 100).events.filter(({ type }) => type === "refused");
    await until(() => reported().length === forbidden.length, "reported");
    const reasons = reported()
      .map(({ reason }) => reason)
      .sort();
    expect(reasons).toEqual(forbidden.map((each) => `NODE_PEER_PROTOCOL_FORBIDDEN ${each}`).sort());
    const counted = listener.metrics.value(networkMetrics.streamsRefused, { reason: "role" });
    expect(counted).toBeGreaterThanOrEqual(forbidden.length);
    expect(listener.network.peers()).toHaveLength(1);
  });

  test("who goes on opening what it may not is cut for a while", async () => {
    const chain = await createTestChain();
    const listener = await addNode(chain, "listener", "validator");
    listener.network.onRequest(
      "/credlink/proposals/1",
      { maxBytes: 16 },
      async (_f, bytes) => bytes,
    );
    await listener.network.start();
    const peers = listener.network.addresses();
    const speaker = await addNode(chain, "observer", "observer", { peers });
    await speaker.network.start();
    await until(() => speaker.network.peers().length === 1, "connected");
    const options = { timeoutMs: 5_000, maxReplyBytes: 16 };
    for (let index = 0; index < FORBIDDEN_STREAMS.maxFailures + 20; index++) {
      await speaker.network
        .request(listener.peerId, "/credlink/proposals/1", Uint8Array.of(1), options)
        .catch(() => undefined);
    }
    await until(() => listener.network.peers().length === 0, "cut");
    const { events } = listener.peerWatch.events(0, 10_000);
    expect(events.at(-1)).toMatchObject({ type: "left", reason: "NODE_PEER_PROTOCOL_FORBIDDEN" });
  });
});
