import { connect } from "node:net";
import { createCertificate, createRevocationList, parseRevocationList } from "@credlink/crypto";
import type { MemberRole, MemberStatus } from "@credlink/ledger";
import { height, utf8 } from "@credlink/primitives";
import { withLaterEnd } from "@credlink/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { collect, createAttacker, dial, frameOf, messageOf } from "../support/attacker.ts";
import {
  type Authority,
  createAuthority,
  createCredential,
  createRoot,
  HOUR_MS,
  YEAR_MS,
} from "../support/consortium.ts";
import {
  createTestChain,
  createTestNode,
  type NodeChange,
  register,
  type TestChain,
  type TestNode,
  testAdmission,
  until,
} from "../support/network.ts";
import { usedTransport } from "../support/transport.ts";

const PROTOCOL = "/credlink/test/1";
const STATUS = "/credlink/status/1";
const noProof = {
  type: "proof",
  sessionHash: new Uint8Array(32),
  signature: new Uint8Array(64),
} as const;
const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

async function startNode(chain: TestChain, name: string, change?: NodeChange): Promise<TestNode> {
  const node = await createTestNode(chain, name, change);
  cleanUps.push(() => node.network.stop());
  await node.network.start();
  return node;
}

/** A node that counts what any protocol but admission brings to it. */
async function startVictim(chain: TestChain, options?: NodeChange["options"]) {
  const victim = await createTestNode(chain, "victim", options === undefined ? {} : { options });
  const heard: string[] = [];
  for (const protocol of [PROTOCOL, STATUS]) {
    victim.network.onMessage(protocol, { maxBytes: 100 }, () => heard.push(protocol));
  }
  cleanUps.push(() => victim.network.stop());
  await victim.network.start();
  return { victim, heard };
}

const refusals = (node: TestNode, code: string, by = "us"): number =>
  node.metrics.value(networkMetrics.admissionRefusals, { code, by });

const logged = (node: TestNode, message: string, code: string): boolean =>
  node.logger.entries.some((entry) => entry.message === message && entry.fields.code === code);

/** Dials the victim with a changed node and waits until the victim counted `code`. */
async function expectRefused(chain: TestChain, change: NodeChange, code: string): Promise<void> {
  const { victim, heard } = await startVictim(chain);
  const options = { peers: victim.network.addresses(), ...change.options };
  const intruder = await startNode(chain, "intruder", { ...change, options });
  await until(() => refusals(victim, code) > 0, `${code} at the victim`);
  await until(() => refusals(intruder, code, "peer") > 0, `${code} told to the intruder`);
  expect(logged(victim, "peer refused", code)).toBe(true);
  expect(logged(intruder, "peer refused us", code)).toBe(true);
  intruder.network.send(victim.peerId, PROTOCOL, utf8("hello"));
  expect(victim.network.peers()).toEqual([]);
  expect(intruder.network.peers()).toEqual([]);
  expect(heard).toEqual([]);
}

describe("T-4.2.2-b, T-4.5-2: a certificate that does not do is refused with its own code", () => {
  test("of another root", async () => {
    const chain = await createTestChain();
    const foreign = await createAuthority(await createRoot("Other Root"), "Org One");
    const credential = await createCredential(foreign, "intruder", "validator");
    register(chain, credential);
    await expectRefused(chain, { credential }, "NODE_ADMISSION_UNKNOWN_ROOT");
  });

  test("of a CA that took our organisation CA's name, with another key", async () => {
    const chain = await createTestChain();
    const root = await createRoot();
    const forged = await createAuthority(root, "Org One");
    const credential = await createCredential(forged, "intruder", "validator");
    register(chain, credential);
    await expectRefused(chain, { credential }, "NODE_ADMISSION_UNKNOWN_ROOT");
  });

  test.each([
    ["expired", -YEAR_MS, -HOUR_MS, "NODE_ADMISSION_EXPIRED"],
    ["not yet valid", HOUR_MS, YEAR_MS, "NODE_ADMISSION_NOT_YET_VALID"],
  ])("%s", async (_name, startMs, endMs, code) => {
    const chain = await createTestChain();
    const lifetime = { notBeforeMs: Date.now() + startMs, notAfterMs: Date.now() + endMs };
    const { authority } = chain;
    const credential = await createCredential(authority, "intruder", "validator", lifetime);
    register(chain, credential);
    await expectRefused(chain, { credential }, code);
  });

  test.each([
    ["without a role", "truck-driver", "NODE_ADMISSION_ROLE_MISSING"],
    ["with a user's role", "enterprise", "NODE_ADMISSION_ROLE_REFUSED"],
    ["with an admin's role", "admin", "NODE_ADMISSION_ROLE_REFUSED"],
  ])("%s", async (_name, role, code) => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", role);
    register(chain, credential);
    await expectRefused(chain, { credential }, code);
  });

  test("revoked in the authority's list", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    register(chain, credential);
    await revoke(chain, chain.authority, credential.certificate.serialNumber);
    await expectRefused(chain, { credential }, "NODE_ADMISSION_REVOKED");
  });

  test.each<[string, MemberStatus, string]>([
    ["revoked on chain", "revoked", "NODE_ADMISSION_REVOKED"],
    ["suspended on chain", "suspended", "NODE_ADMISSION_NOT_REGISTERED"],
    ["gone from the consortium", "left", "NODE_ADMISSION_NOT_REGISTERED"],
  ])("%s", async (_name, status, code) => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    register(chain, credential, { status });
    await expectRefused(chain, { credential }, code);
  });

  test.each<[string, { role?: MemberRole; organization?: string }]>([
    ["in another role", { role: "observer" }],
    ["in another organisation", { organization: "Org Two" }],
  ])("registered %s", async (_name, change) => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    register(chain, credential, change);
    await expectRefused(chain, { credential }, "NODE_ADMISSION_NOT_REGISTERED");
  });

  test("S-9.4-8: under a key that its member replaced", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    const next = await createCredential(chain.authority, "intruder", "validator");
    const keys = [credential, next].map(({ publicKey }) => ({ fromHeight: height(0), publicKey }));
    register(chain, credential, { keys });
    await expectRefused(chain, { credential }, "NODE_ADMISSION_NOT_REGISTERED");
  });

  test("never registered, while our head is proven", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    await expectRefused(chain, { credential }, "NODE_ADMISSION_NOT_REGISTERED");
  });

  test("S-8.4-9: one that lasts longer than 1,096 days", async () => {
    const chain = await createTestChain();
    const { authority } = chain;
    const lifetime = { notBeforeMs: Math.floor(Date.now() / 1000) * 1000 - HOUR_MS };
    const plain = await createCredential(authority, "intruder", "validator", lifetime);
    const notAfterMs = lifetime.notBeforeMs + 1096 * 24 * HOUR_MS + 1000;
    const certificate = await withLaterEnd(plain.certificate, notAfterMs, authority.signer);
    register(chain, plain);
    const credential = { ...plain, certificate };
    await expectRefused(chain, { credential }, "NODE_ADMISSION_VALIDITY_TOO_LONG");
  });

  test("an authority's certificate, which is not for signing handshakes", async () => {
    const chain = await createTestChain();
    const plain = await createCredential(chain.authority, "intruder", "validator");
    const certificate = await createCertificate({
      subject: plain.certificate.subject,
      subjectKey: plain.publicKey,
      notBeforeMs: Date.now() - HOUR_MS,
      notAfterMs: Date.now() + YEAR_MS,
      authority: { pathLength: 0 },
      issuer: chain.root.certificate,
      signer: chain.root.signer,
    });
    const credential = { ...plain, certificate };
    register(chain, credential);
    await expectRefused(chain, { credential }, "NODE_ADMISSION_KEY_USAGE");
  });
});

describe("S-8.4-11: the handshake binds certificate, chain and connection", () => {
  test("a key that is not the certificate's", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    const other = await createCredential(chain.authority, "other", "validator");
    register(chain, credential);
    const change = { credential, signer: other };
    await expectRefused(chain, change, "NODE_ADMISSION_BAD_SIGNATURE");
  });

  test("another genesis of the same id", async () => {
    const chain = await createTestChain();
    const other = { ...chain, genesisDigest: new Uint8Array(32).fill(7) } as TestChain;
    await expectRefused(chain, { chain: other }, "NODE_ADMISSION_WRONG_CHAIN");
  });

  test("another chain id", async () => {
    const chain = await createTestChain();
    const other = { ...chain, chainId: "other-chain" };
    if (usedTransport() === "noise") {
      await expectRefused(chain, { chain: other }, "NODE_ADMISSION_WRONG_CHAIN");
      return;
    }
    // The gm channel binds the chain id itself: nothing of the admission is even said.
    const { victim, heard } = await startVictim(chain);
    const options = { peers: victim.network.addresses() };
    const intruder = await startNode(chain, "intruder", { chain: other, options });
    await until(() => refusals(intruder, "NODE_ADMISSION_CHANNEL_BROKEN") > 0, "the intruder sees");
    await until(() => refusals(victim, "NODE_ADMISSION_ABORTED") > 0, "the victim sees");
    expect([victim.network.peers(), heard]).toEqual([[], []]);
  });

  test("a validator's key under another peer id than the chain's", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "intruder", "validator");
    register(chain, credential);
    const key = Buffer.from(credential.publicKey).toString("hex");
    chain.validatorPeers.set(key, "12D3KooWAnother");
    await expectRefused(chain, { credential }, "NODE_ADMISSION_WRONG_PEER");
  });

  test("a nonce that was used before", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain);
    const nonce = new Uint8Array(32).fill(9);
    const random = { bytes: () => nonce, integer: () => 0 };
    const peers = victim.network.addresses();
    const change = { random, options: { peers } };
    const first = await createTestNode(chain, "repeater", change);
    await first.network.start();
    await until(() => victim.network.peers().length === 1);
    await first.network.stop();
    await until(() => victim.network.peers().length === 0);
    const second = await startNode(chain, "repeater", { ...change, credential: first.credential });
    await until(() => refusals(victim, "NODE_ADMISSION_REPLAYED_NONCE") > 0);
    expect(second.network.peers()).toEqual([]);
  });

  test("a dialer refuses a listener with a bad certificate before anything else", async () => {
    const chain = await createTestChain();
    const credential = await createCredential(chain.authority, "listener", "enterprise");
    register(chain, credential);
    const listener = await startNode(chain, "listener", { credential });
    const peers = listener.network.addresses();
    const dialer = await startNode(chain, "dialer", { options: { peers } });
    const code = "NODE_ADMISSION_ROLE_REFUSED";
    await until(() => refusals(dialer, code) > 0);
    await until(() => refusals(listener, code, "peer") > 0);
    expect(dialer.network.peers()).toEqual([]);
    expect(listener.network.peers()).toEqual([]);
  });
});

describe("T-4.5-2: nothing is answered before admission", () => {
  test("a peer that skips the handshake hears one refusal and nothing else", async () => {
    const chain = await createTestChain();
    const { victim, heard } = await startVictim(chain);
    let answer = new Uint8Array(0);
    const attacker = await createAttacker(async (secured) => {
      const { bytes, closed } = collect(secured.connection);
      // A yamux window update that opens stream 1, then multistream for the status protocol.
      secured.connection.send(Uint8Array.of(0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0));
      secured.connection.send(utf8(`\u0013/multistream/1.0.0\n\u0014${STATUS}\n`));
      await closed;
      answer = Uint8Array.from(bytes());
    });
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    await until(() => refusals(victim, "NODE_ADMISSION_MALFORMED") > 0);
    await until(() => answer.length > 0);
    const length = new DataView(answer.buffer).getUint32(0);
    expect(answer.length).toBe(4 + length);
    expect(messageOf(answer.subarray(4))).toEqual({
      type: "verdict",
      code: "NODE_ADMISSION_MALFORMED",
    });
    expect([...victim.network.peers(), ...heard]).toEqual([]);
  });

  test("a libp2p node that only knows noise finds no common protocol", async () => {
    const chain = await createTestChain();
    const { victim, heard } = await startVictim(chain);
    const attacker = await createAttacker(async () => undefined, "/noise");
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    await until(() => refusals(victim, "NODE_ADMISSION_ABORTED") > 0);
    expect(attacker.getConnections()).toEqual([]);
    expect(heard).toEqual([]);
  });

  test("a proof in place of a hello, and a hello in place of a proof, are malformed", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain);
    const attacker = await createAttacker(async (secured) => {
      const { closed } = collect(secured.connection);
      secured.connection.send(frameOf(noProof));
      await closed;
    });
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    await until(() => refusals(victim, "NODE_ADMISSION_MALFORMED") === 1);
  });

  test("a frame that announces more than the cap is refused unread", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain);
    const attacker = await createAttacker(async (secured) => {
      const { closed } = collect(secured.connection);
      secured.connection.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
      await closed;
    });
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    await until(() => refusals(victim, "NODE_ADMISSION_MALFORMED") === 1);
  });
});

describe("S-8.4-12: failures are limited and end by themselves", () => {
  const limits = { maxFailures: 3, windowMs: 60_000, banMs: 900 };
  const loose = { maxFailures: 1_000, windowMs: 60_000, banMs: 1_000 };
  const admission = {
    ...testAdmission,
    ...{ perPeer: loose, perAddress: loose, handshakeTimeoutMs: 300 },
  };

  test("a connection that says nothing is cut at the deadline", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain, { admission });
    const port = Number(/tcp\/(\d+)/.exec(victim.network.addresses()[0] ?? "")?.[1]);
    const socket = connect(port, "127.0.0.1");
    const since = performance.now();
    await new Promise((resolve) => socket.on("error", resolve).on("close", resolve).resume());
    expect(performance.now() - since).toBeGreaterThan(200);
    expect(performance.now() - since).toBeLessThan(2_500);
    await until(() => refusals(victim, "NODE_ADMISSION_TIMEOUT") === 1);
  });

  test("so is one that stops after noise", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain, { admission });
    const attacker = await createAttacker(async ({ connection }) => {
      await collect(connection).closed;
    });
    cleanUps.push(() => attacker.stop());
    await dial(attacker, victim.network.addresses());
    await until(() => refusals(victim, "NODE_ADMISSION_TIMEOUT") === 1);
    expect(logged(victim, "peer refused", "NODE_ADMISSION_TIMEOUT")).toBe(true);
  });

  test("a peer is banned after three failures, and may come back when the ban ends", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain, {
      admission: { ...testAdmission, perPeer: limits, perAddress: loose },
    });
    const credential = await createCredential(chain.authority, "late", "validator");
    const peers = victim.network.addresses();
    const dialSchedule = { firstDelayMs: 50, maxDelayMs: 50, politeDelayMs: 0 };
    const late = await startNode(chain, "late", { credential, options: { peers, dialSchedule } });
    await until(() => refusals(victim, "NODE_ADMISSION_BANNED") > 0, "banned");
    expect(refusals(victim, "NODE_ADMISSION_NOT_REGISTERED")).toBe(3);
    expect(victim.metrics.value(networkMetrics.bans, { subject: "peer" })).toBe(1);
    register(chain, credential);
    expect(victim.network.peers()).toEqual([]);
    await until(() => victim.network.peers().length === 1, "ban ends");
    await until(() => late.network.peers().length === 1);
  });

  test("an address is banned unheard, and comes back", async () => {
    const chain = await createTestChain();
    const { victim } = await startVictim(chain, {
      admission: { ...testAdmission, perPeer: loose, perAddress: limits },
    });
    const credential = await createCredential(chain.authority, "late", "validator");
    const peers = victim.network.addresses();
    const dialSchedule = { firstDelayMs: 50, maxDelayMs: 50, politeDelayMs: 0 };
    await startNode(chain, "late", { credential, options: { peers, dialSchedule } });
    await until(() => victim.metrics.value(networkMetrics.refusedConnections) > 0, "unheard");
    expect(victim.metrics.value(networkMetrics.bans, { subject: "address" })).toBe(1);
    register(chain, credential);
    await until(() => victim.network.peers().length === 1, "ban ends");
  });
});

describe("standing changes with the committed state", () => {
  async function startPair(chain: TestChain, credential?: TestNode["credential"]) {
    const { victim, heard } = await startVictim(chain);
    const options = { peers: victim.network.addresses() };
    const change = credential === undefined ? { options } : { options, credential };
    const peer = await startNode(chain, "peer", change);
    await until(() => victim.network.peers().length === 1 && peer.network.peers().length === 1);
    return { victim, heard, peer };
  }

  test("a connected peer that is revoked on chain is cut at the next judgement", async () => {
    const chain = await createTestChain();
    const { victim, peer } = await startPair(chain);
    register(chain, peer.credential, { status: "revoked" });
    victim.network.judgeAgain();
    await until(() => victim.network.peers().length === 0);
    expect(refusals(victim, "NODE_ADMISSION_REVOKED")).toBe(1);
    expect(logged(victim, "peer cut", "NODE_ADMISSION_REVOKED")).toBe(true);
  });

  test("so is one whose certificate a new list names", async () => {
    const chain = await createTestChain();
    const { victim, peer } = await startPair(chain);
    victim.network.judgeAgain();
    expect(victim.network.peers().length).toBe(1);
    await revoke(chain, chain.authority, peer.credential.certificate.serialNumber);
    victim.network.judgeAgain();
    await until(() => victim.network.peers().length === 0);
    expect(refusals(victim, "NODE_ADMISSION_REVOKED")).toBe(1);
  });

  test("so is one whose certificate ends", async () => {
    const chain = await createTestChain();
    const notAfterMs = Math.ceil(Date.now() / 1_000) * 1_000;
    const lifetime = { notAfterMs };
    const { authority } = chain;
    const credential = await createCredential(authority, "peer", "validator", lifetime);
    register(chain, credential, { validToMs: Date.now() + YEAR_MS });
    const { victim } = await startPair(chain, credential);
    await until(() => {
      victim.network.judgeAgain();
      return refusals(victim, "NODE_ADMISSION_EXPIRED") > 0;
    });
    expect(Date.now()).toBeGreaterThanOrEqual(notAfterMs);
  });

  test("a stranger is provisional while our head is unproven: status opens, the rest not", async () => {
    const chain = await createTestChain();
    chain.headProven = false;
    const credential = await createCredential(chain.authority, "peer", "observer");
    const { victim, heard, peer } = await startPair(chain, credential);
    expect(victim.network.peers()[0]?.provisional).toBe(true);
    const events: string[] = [];
    victim.network.onPeerChange((_peer, event) => events.push(event));
    peer.network.send(victim.peerId, PROTOCOL, utf8("closed"));
    peer.network.send(victim.peerId, STATUS, utf8("open"));
    await until(() => heard.length > 0);
    await until(
      () => victim.metrics.value(networkMetrics.streamsRefused, { reason: "provisional" }) > 0,
    );
    expect(heard).toEqual([STATUS]);
    register(chain, credential, { role: "observer" });
    victim.network.judgeAgain();
    expect(events).toEqual(["promoted"]);
    await until(() => {
      peer.network.send(victim.peerId, PROTOCOL, utf8("now"));
      return heard.includes(PROTOCOL);
    });
  });

  test("a stranger goes when our head is proven and it is still unknown", async () => {
    const chain = await createTestChain();
    chain.headProven = false;
    const credential = await createCredential(chain.authority, "peer", "observer");
    const { victim } = await startPair(chain, credential);
    chain.headProven = true;
    victim.network.judgeAgain();
    await until(() => victim.network.peers().length === 0);
    expect(refusals(victim, "NODE_ADMISSION_NOT_REGISTERED")).toBe(1);
  });
});

async function revoke(chain: TestChain, authority: Authority, serialNumber: string): Promise<void> {
  const made = await createRevocationList({
    issuer: authority.certificate,
    signer: authority.signer,
    thisUpdateMs: Date.now() - 1_000,
    number: 1,
    revoked: [{ serialNumber, revokedAtMs: Date.now() - 1_000, reason: "keyCompromise" }],
  });
  const parsed = parseRevocationList(made.der);
  if (!parsed.ok) throw new Error(parsed.code);
  chain.revocationLists.current = [parsed.value];
}
