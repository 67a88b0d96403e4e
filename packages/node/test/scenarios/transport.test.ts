import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TransportName } from "@credlink/ledger";
import { concatBytes, toHex, utf8 } from "@credlink/primitives";
import { afterEach, describe, expect, test } from "vitest";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import {
  createTestChain,
  createTestNode,
  type NodeChange,
  type TestChain,
  type TestNode,
  testAdmission,
  until,
} from "../support/network.ts";

const PROTOCOL = "/credlink/test/1";
const suites: readonly TransportName[] = ["noise", "gm"];
const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

const refusals = (node: TestNode, code: string, by = "us"): number =>
  node.metrics.value(networkMetrics.admissionRefusals, { code, by });

async function startNode(chain: TestChain, name: string, change?: NodeChange) {
  const node = await createTestNode(chain, name, change);
  const heard: Uint8Array[] = [];
  node.network.onMessage(PROTOCOL, { maxBytes: 1_000_000 }, (_from, message) => {
    heard.push(message);
  });
  cleanUps.push(() => node.network.stop());
  await node.network.start();
  return { ...node, heard };
}

/** What a proxy may do to bytes on their way from the dialer (`out`) or back. */
type Tamper = (data: Uint8Array, way: "out" | "back", passedBytes: number) => Uint8Array;

/** Stands between a dialer and `address`, records every byte and passes it on, changed or not. */
async function createProxy(address: string, tamper: () => Tamper) {
  const port = Number(address.split("/tcp/")[1]?.split("/")[0]);
  const wire: Uint8Array[] = [];
  const sockets = new Set<Socket>();
  let closed = 0;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to, way] of [
      [near, far, "out"],
      [far, near, "back"],
    ] as const) {
      sockets.add(from);
      let passedBytes = 0;
      from.on("data", (data) => {
        const bytes = Uint8Array.from(typeof data === "string" ? utf8(data) : data);
        wire.push(bytes);
        to.write(tamper()(bytes, way, passedBytes));
        passedBytes += bytes.length;
      });
      from.on("close", () => {
        closed++;
        to.destroy();
      });
      from.on("error", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const own = (server.address() as AddressInfo).port;
  const dialled = address.replace(`/tcp/${port}/`, `/tcp/${own}/`);
  return { address: dialled, wire: () => concatBytes(...wire), closed: () => closed };
}

/** Two nodes of one chain, connected through a proxy. */
async function connectThroughProxy(transport: TransportName) {
  const state: { tamper: Tamper } = { tamper: (data) => data };
  const chain = await createTestChain("test-chain", transport);
  const first = await startNode(chain, "first");
  const proxy = await createProxy(first.network.addresses()[0] ?? "", () => state.tamper);
  const options = { peers: [proxy.address], dialSchedule: { firstDelayMs: 50, maxDelayMs: 200 } };
  const second = await startNode(chain, "second", { options });
  await until(() => second.network.peers().length === 1 && first.network.peers().length === 1);
  return { state, first, second, proxy };
}

describe.each(suites)("S-8.4-11, S-9.4-6: nodes over %s", (transport) => {
  test("messages of every size around a record's 65,535 bytes arrive, both ways", async () => {
    const { first, second } = await connectThroughProxy(transport);
    const sizes = [1, 15, 16, 65_518, 65_519, 65_520, 65_535, 131_038, 300_000];
    const messages = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => i & 255));
    for (const message of messages) {
      first.network.send(second.peerId, PROTOCOL, message);
      second.network.send(first.peerId, PROTOCOL, message);
    }
    for (const { heard } of [first, second]) {
      await until(() => heard.length === sizes.length, "all messages");
      expect(heard.map(toHex)).toEqual(messages.map(toHex));
    }
  });

  test("S-9.5-2b: no message, certificate or key is on the wire in clear", async () => {
    const { first, second, proxy } = await connectThroughProxy(transport);
    const marked = utf8("MARKED-PAYLOAD-".repeat(20));
    second.network.send(first.peerId, PROTOCOL, marked);
    await until(() => first.heard.length === 1);
    const wire = Buffer.from(proxy.wire());
    expect(wire.length).toBeGreaterThan(2_000);
    const { der } = second.credential.certificate;
    const { publicKey, privateKey } = second.credential;
    const forms = [marked.subarray(0, 15), der.subarray(0, 24), publicKey, privateKey];
    for (const bytes of forms) {
      const hex = toHex(bytes);
      const base64 = Buffer.from(bytes).toString("base64").slice(0, -4);
      for (const form of [Buffer.from(bytes), Buffer.from(hex), Buffer.from(base64)]) {
        expect(wire.includes(form)).toBe(false);
      }
    }
  });

  test("one flipped bit after the handshake cuts the connection; nothing false is heard", async () => {
    const { state, first, second, proxy } = await connectThroughProxy(transport);
    let isFlipped = false;
    state.tamper = (data, way) => {
      if (way !== "out" || isFlipped || data.length < 100) return data;
      isFlipped = true;
      const changed = data.slice();
      changed[80] = (changed[80] ?? 0) ^ 1;
      return changed;
    };
    second.network.send(first.peerId, PROTOCOL, new Uint8Array(500).fill(7));
    await until(() => isFlipped && proxy.closed() > 0, "cut");
    if (transport === "gm") {
      await until(() => first.metrics.value(networkMetrics.brokenChannels, {}) === 1, "counted");
    }
    state.tamper = (data) => data;
    await until(() => first.network.peers().length === 1, "the next connection");
    expect(first.heard).toEqual([]);
  });

  test("eight handshakes at once all end well", async () => {
    const chain = await createTestChain("test-chain", transport);
    const admission = { ...testAdmission, handshakeTimeoutMs: 30_000 };
    const first = await startNode(chain, "first", { options: { admission } });
    const options = { peers: first.network.addresses(), admission, dialTimeoutMs: 30_000 };
    const names = Array.from({ length: 8 }, (_, i) => `node-${i}`);
    await Promise.all(names.map((name) => startNode(chain, name, { options })));
    await until(() => first.network.peers().length === 8, "all eight");
  });
});

describe("S-9.5-1: nodes of different suites part by name", () => {
  test.each([
    ["noise", "gm"],
    ["gm", "noise"],
  ] as const)("%s dials %s: both say why, and count it", async (dialling, listening) => {
    const chain = await createTestChain("test-chain", listening);
    const listener = await startNode(chain, "listener");
    const options = { peers: listener.network.addresses() };
    const dialer = await startNode(chain, "dialer", { options, transport: dialling });
    for (const node of [listener, dialer]) {
      await until(() => refusals(node, "NODE_ADMISSION_WRONG_TRANSPORT") > 0, "refused");
      expect(node.network.peers()).toEqual([]);
    }
  });
});
