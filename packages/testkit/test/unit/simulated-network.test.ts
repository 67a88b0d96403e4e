import type { AdmittedPeer } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import {
  createSeededRandom,
  createSimulatedClock,
  createSimulatedNetwork,
  type LinkOptions,
  SPIKE_MS,
} from "../../src/index.ts";

function peer(id: string): AdmittedPeer {
  return { id, organization: "org", role: "validator", provisional: false };
}

function createPair(defaults: Partial<LinkOptions> = {}, seed = 1) {
  const clock = createSimulatedClock();
  const network = createSimulatedNetwork({ clock, random: createSeededRandom(seed), defaults });
  const [a, b] = [network.attach(peer("a")), network.attach(peer("b"))];
  const received: number[] = [];
  b.onMessage("p", { maxBytes: 8 }, (_from, bytes) => received.push(bytes[0] ?? -1));
  return { clock, network, a, b, received };
}

describe("simulated network", () => {
  it("delivers, and drops what is over the receiver's cap", async () => {
    const { clock, a, received } = createPair();
    a.send("b", "p", Uint8Array.of(1));
    a.send("b", "p", new Uint8Array(9));
    await clock.runUntil(10);
    expect(received).toEqual([1]);
  });

  it("loses about the share it is told to, and duplicates likewise", async () => {
    const { clock, network, a, received } = createPair({ loss: 0.25, duplication: 0.5 });
    for (let i = 0; i < 1_000; i++) a.send("b", "p", Uint8Array.of(1));
    await clock.runUntil(10);
    expect(network.counts.lost).toBeGreaterThan(200);
    expect(network.counts.lost).toBeLessThan(300);
    expect(received.length).toBe(1_000 - network.counts.lost + network.counts.duplicated);
    expect(network.counts.duplicated).toBeGreaterThan(300);
  });

  it("lets about the share of spikes come five seconds later, and nothing else", async () => {
    const { clock, network, a, received } = createPair({ spikes: 0.1, maxLatencyMs: 1 });
    for (let i = 0; i < 1_000; i++) a.send("b", "p", Uint8Array.of(1));
    await clock.runUntil(SPIKE_MS - 1);
    expect(network.counts.spikes).toBeGreaterThan(70);
    expect(network.counts.spikes).toBeLessThan(130);
    expect(received.length).toBe(1_000 - network.counts.spikes);
    await clock.runUntil(SPIKE_MS + 2);
    expect(received.length).toBe(1_000);
  });

  it("reorders messages whose delays differ", async () => {
    const { clock, a, received } = createPair({ minLatencyMs: 1, maxLatencyMs: 50 });
    for (let i = 0; i < 100; i++) a.send("b", "p", Uint8Array.of(i));
    await clock.runUntil(100);
    expect(received).not.toEqual([...received].sort((x, y) => x - y));
    expect(received.length).toBe(100);
  });

  it("carries nothing across a partition or a one-way cut until it heals", async () => {
    const { clock, network, a, b, received } = createPair();
    const back: number[] = [];
    a.onMessage("p", { maxBytes: 8 }, (_from, bytes) => back.push(bytes[0] ?? -1));
    network.partition([["a"], ["b"]]);
    a.send("b", "p", Uint8Array.of(1));
    await clock.runUntil(10);
    network.heal();
    network.setCut("a", "b", true);
    a.send("b", "p", Uint8Array.of(2));
    b.send("a", "p", Uint8Array.of(3));
    await clock.runUntil(20);
    network.heal();
    a.send("b", "p", Uint8Array.of(4));
    await clock.runUntil(30);
    expect(received).toEqual([4]);
    expect(back).toEqual([3]);
  });

  it("answers requests, and fails them by code when nobody answers", async () => {
    const { clock, network, a, b } = createPair();
    b.onRequest("echo", { maxBytes: 8 }, async (_from, request) => request);
    const ask = (size: number, maxReplyBytes = 8) =>
      a
        .request("b", "echo", new Uint8Array(size), { timeoutMs: 50, maxReplyBytes })
        .then((reply) => reply.length)
        .catch((error: unknown) =>
          error instanceof Error && "code" in error ? error.code : error,
        );
    const answers = Promise.all([ask(4), ask(9), ask(8, 7)]);
    await clock.runUntil(100);
    expect(await answers).toEqual([4, "TESTKIT_NETWORK_TIMEOUT", "TESTKIT_NETWORK_TOO_LARGE"]);
    network.partition([["a"], ["b"]]);
    const cut = ask(4);
    await clock.runUntil(200);
    expect(await cut).toBe("TESTKIT_NETWORK_TIMEOUT");
  });

  it("tells nodes who joined and who left, and silences a closed endpoint", async () => {
    const { clock, network, a, b, received } = createPair();
    const events: string[] = [];
    b.onPeerChange((who, event) => events.push(`${who.id} ${event}`));
    await clock.runUntil(1);
    a.close();
    a.send("b", "p", Uint8Array.of(1));
    network.attach(peer("a"));
    await clock.runUntil(10);
    expect(events).toEqual(["a joined", "a left", "a joined"]);
    expect(received).toEqual([]);
  });

  it("bans for a while: cut both ways, then back", async () => {
    const { clock, a, b, received } = createPair();
    b.disconnect("a", "TEST");
    a.send("b", "p", Uint8Array.of(1));
    await clock.runUntil(4_000);
    expect(a.peers()).toEqual([]);
    await clock.runUntil(6_000);
    a.send("b", "p", Uint8Array.of(2));
    await clock.runUntil(6_010);
    expect(received).toEqual([2]);
  });
});
