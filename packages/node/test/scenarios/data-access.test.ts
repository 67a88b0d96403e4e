import { type MethodName, methods } from "@credlink/api";
import { utf8, utf8ToText } from "@credlink/primitives";
import { afterEach, describe, expect, test } from "vitest";
import * as protocolsModule from "../../src/engine/protocols.ts";
import {
  PEERS_PROTOCOL,
  PING_PROTOCOL,
  PROVISIONAL_PROTOCOLS,
  protocolAccess,
} from "../../src/p2p/access.ts";
import { NetworkError } from "../../src/p2p/errors.ts";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { createAttacker, dial } from "../support/attacker.ts";
import { createAuthority, createCredential, createRoot } from "../support/consortium.ts";
import { logIn, open } from "../support/gateway.ts";
import {
  createTestChain,
  createTestNode,
  type NodeChange,
  register,
  type TestChain,
  until,
} from "../support/network.ts";

const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

/** Every protocol between nodes: the engine's by their names there, and the network's own. */
const protocols: readonly string[] = [
  PING_PROTOCOL,
  PEERS_PROTOCOL,
  ...Object.entries(protocolsModule)
    .filter(([name]) => name.endsWith("_PROTOCOL"))
    .map(([, value]) => String(value)),
];
/** The network answers pings itself. */
const served = protocols.filter((protocol) => protocol !== PING_PROTOCOL);

/** A node that answers every protocol with its name, and says what it was asked. */
async function startVictim(chain: TestChain) {
  const victim = await createTestNode(chain, "victim");
  const heard: string[] = [];
  for (const protocol of served) {
    victim.network.onRequest(protocol, { maxBytes: 100 }, async () => {
      heard.push(protocol);
      return utf8(protocol);
    });
  }
  cleanUps.push(() => victim.network.stop());
  await victim.network.start();
  return { victim, heard };
}

async function startPeer(chain: TestChain, peers: readonly string[], change: NodeChange = {}) {
  const peer = await createTestNode(chain, "peer", { ...change, options: { peers } });
  cleanUps.push(() => peer.network.stop());
  await peer.network.start();
  return peer;
}

const limits = { timeoutMs: 5_000, maxReplyBytes: 200 };
const ask = (peer: Awaited<ReturnType<typeof startPeer>>, to: string, protocol: string) =>
  peer.network.request(to, protocol, new Uint8Array(0), limits).then(utf8ToText, (error) => {
    if (error instanceof NetworkError) return `NetworkError ${error.code}`;
    throw error;
  });

describe("T-4.5-2: every method of the gateway but the two of a login needs a session", () => {
  test("over HTTP, with no token, a wrong one, and in a batch", async () => {
    const { caller, base } = await open();
    const names = Object.keys(methods) as MethodName[];
    const closed = names.filter((name) => !name.startsWith("session."));
    expect(closed.length).toBe(names.length - 2);
    for (const name of closed) {
      const without = await caller.call(name, {});
      expect([name, without.status, without.error?.data.code]).toEqual([
        ...[name, 401, "API_SESSION_REQUIRED"],
      ]);
      const wrong = await caller.call(name, {}, "ab".repeat(32));
      expect([name, wrong.status, wrong.error?.data.code]).toEqual([
        name,
        401,
        "API_SESSION_ENDED",
      ]);
    }
    const batch = closed.slice(0, 4);
    const response = await fetch(`${base}/rpc`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(batch.map((method, id) => ({ jsonrpc: "2.0", id, method, params: {} }))),
    });
    const answers = (await response.json()) as readonly { error?: { data: { code: string } } }[];
    expect(answers.map(({ error }) => error?.data.code)).toEqual(
      batch.map(() => "API_SESSION_REQUIRED"),
    );
    await logIn(caller);
    for (const name of closed)
      expect([name, (await caller.call(name, {})).status]).not.toContain(401);
  });
});

describe("T-4.5-2: no protocol between nodes is open without a member's certificate", () => {
  test("there are twelve, each with its row of who may open it, and a member is answered by each", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain);
    const peer = await startPeer(chain, victim.network.addresses());
    await until(() => peer.network.peers().length === 1);
    expect(protocols.length).toBe(12);
    expect(Object.keys(protocolAccess).sort()).toEqual([...protocols].sort());
    for (const protocol of served) {
      expect(await ask(peer, victim.peerId, protocol)).toBe(protocol);
    }
    expect(await ask(peer, victim.peerId, PING_PROTOCOL)).toBe("");
  });

  test("who skips the admission is closed whatever protocol it asks for", async () => {
    const chain = await createTestChain();
    const { victim, heard } = await startVictim(chain);
    const attacker = await createAttacker(async () => undefined);
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    const [connection] = attacker.getConnections();
    const signal = AbortSignal.timeout(5_000);
    const opened = protocols.map(async (protocol) => connection?.newStream(protocol, { signal }));
    const results = await Promise.allSettled(opened);
    const reached = results.map((each) => each.status === "fulfilled" && each.value !== undefined);
    expect(reached).toEqual(protocols.map(() => false));
    await until(
      () =>
        victim.metrics.value(networkMetrics.admissionRefusals, {
          ...{ code: "NODE_ADMISSION_MALFORMED", by: "us" },
        }) > 0,
    );
    expect([...victim.network.peers(), ...heard]).toEqual([]);
  });

  test("a certificate of another root, and none of the registry's members, open nothing", async () => {
    const chain = await createTestChain();
    const { victim, heard } = await startVictim(chain);
    const foreign = await createAuthority(await createRoot("Other Root"), "Org One");
    const credentials = [
      await createCredential(foreign, "peer", "validator"),
      await createCredential(chain.authority, "peer", "validator"),
    ];
    for (const credential of credentials) {
      const peer = await startPeer(chain, victim.network.addresses(), { credential });
      const refusedBefore = peer.metrics.value(networkMetrics.dials, { outcome: "failed" });
      await until(
        () => peer.metrics.value(networkMetrics.dials, { outcome: "failed" }) > refusedBefore,
      );
      for (const protocol of protocols) {
        expect(await ask(peer, victim.peerId, protocol)).toBe(
          "NetworkError NODE_NETWORK_NOT_CONNECTED",
        );
      }
    }
    expect([...victim.network.peers(), ...heard]).toEqual([]);
  });

  test("a provisional peer reaches what brings it up to date, and nothing else", async () => {
    const chain = await createTestChain();
    chain.headProven = false;
    const { victim, heard } = await startVictim(chain);
    const credential = await createCredential(chain.authority, "peer", "validator");
    const peer = await startPeer(chain, victim.network.addresses(), { credential });
    await until(() => peer.network.peers().length === 1);
    for (const protocol of served) {
      const answer = await ask(peer, victim.peerId, protocol);
      if (PROVISIONAL_PROTOCOLS.has(protocol)) expect(answer).toBe(protocol);
      else expect(answer).toBe("NetworkError NODE_NETWORK_REFUSED");
    }
    expect(heard.filter((protocol) => !PROVISIONAL_PROTOCOLS.has(protocol))).toEqual([]);
    register(chain, credential, { role: "validator" });
    victim.network.judgeAgain();
    for (const protocol of served) {
      expect(await ask(peer, victim.peerId, protocol)).toBe(protocol);
    }
  });
});
