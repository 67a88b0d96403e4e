import { type Digest, height, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { createDice } from "../../src/compliance/fakes.ts";
import { createTestCluster, type TestCluster, verifyFakeSignature } from "../../src/compliance.ts";
import type { Message, UnsignedMessage } from "../../src/messages.ts";
import { signatureClaims } from "../../src/signed-payloads.ts";
import { decodeMessage, encodeMessage } from "../../src/wire.ts";
import { expectProgress, isOf } from "./helpers.ts";
import {
  BAD,
  blockOn,
  bytes,
  clusterWithLiar,
  h1,
  LIVE,
  prePrepare,
  self,
  tell,
  v0,
} from "./liar.ts";

/** The message with one field off by one, or taken from another message that was seen. */
function mutate(message: Message, seen: readonly Message[], pick: (below: number) => number) {
  if (message.type === "decided") return message;
  const other = seen[pick(Math.max(1, seen.length))] ?? message;
  const source = other.type === "decided" ? message : other;
  switch (pick(5)) {
    case 0:
      return { ...message, view: view(message.view + 1) };
    case 1:
      return { ...message, height: height(message.height + 1) };
    case 2:
      return { ...message, view: source.view };
    case 3:
      return "digest" in message && "digest" in source
        ? { ...message, digest: source.digest }
        : message;
    default:
      return message.type === "view-change"
        ? { ...message, preparedView: v0, preparedDigest: filled(pick(256)) }
        : message;
  }
}

function filled(byte: number): Digest {
  return new Uint8Array(32).fill(byte) as Digest;
}

describe("messages that others choked on", () => {
  test("known bug 10: a liar repeats what it hears with one small change: safe, and goes on", () => {
    for (let seed = 1; seed <= 25; seed++) {
      const dice = createDice(seed);
      const pick = (below: number): number => Math.floor(dice() * below);
      const seen: Message[] = [];
      const cluster: TestCluster = createTestCluster({
        n: 4,
        seed,
        script: ({ message, from, to }) => {
          if (from === BAD || to !== BAD) return true;
          if (seen.length < 400) seen.push(message);
          const own = message.type === "decided" ? message : { ...message, sender: self };
          const lie = mutate(own, seen, pick) as UnsignedMessage;
          if (lie.type !== "decided") {
            for (const victim of LIVE) if (dice() < 0.5) tell(cluster, lie, [victim]);
          }
          return false;
        },
      });
      cluster.byzantine.add(BAD);
      cluster.start();
      for (let block = 1; block <= 6; block++) {
        cluster.submit(`block ${block}`);
        const done = cluster.runUntil(() => cluster.lowestHead(LIVE) >= block, 20_000);
        expect([seed, block, done]).toEqual([seed, block, true]);
      }
      expect(cluster.checks.violations).toEqual([]);
    }
  });

  test("known bug 31: commit certificates with broken seals decide nothing and stop nobody", () => {
    const cluster = clusterWithLiar();
    const block = blockOn(cluster, [bytes("never decided")]);
    const place = { height: h1, view: v0, digest: block.digest };
    const seal = (sender: number) => {
      const index = validatorIndex(sender);
      const signed = cluster.sign(sender, { type: "commit", ...place, sender: index });
      if (signed.type !== "commit") throw new Error("not a commit");
      return { index, signature: signed.signature };
    };
    const own = seal(BAD);
    const noise = (index: number) => ({
      index: validatorIndex(index),
      signature: new Uint8Array(64).fill(index),
    });
    const lists = [
      [],
      [own],
      [own, own, own],
      [noise(0), own, noise(2)],
      [own, seal(200), seal(201)],
      [own, { ...own, index: validatorIndex(2) }, { ...own, index: validatorIndex(3) }],
    ];
    for (const signatures of lists) {
      for (const proposal of [block, null]) {
        tell(cluster, { type: "decided", certificate: { ...place, signatures }, proposal });
      }
    }
    cluster.run(100);
    expect(cluster.lowestHead(LIVE)).toBe(0);
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead(LIVE) >= 1, 10_000)).toBe(true);
    expect(cluster.nodes[0]?.chain.get(h1)?.proposal.digest).not.toEqual(block.digest);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 44: one bit of a signed message flipped, at every byte: refused", () => {
    const cluster = createTestCluster({
      n: 4,
      trace: true,
      script: ({ message }) => !isOf(message, "commit", 1, 0),
    });
    cluster.start();
    cluster.submit("prepared, then a view change that proves it");
    expect(cluster.runUntil(() => cluster.lowestHead() >= 1, 6000)).toBe(true);
    const types = ["prepare", "commit", "wish", "view-change"] as const;
    for (const type of types) {
      const found = cluster.delivered.find(({ message }) => message.type === type);
      if (found === undefined) throw new Error(`no ${type} was sent`);
      const encoded = encodeMessage(found.message);
      for (let at = 0; at < encoded.length; at++) {
        for (const mask of [1, 128]) {
          const broken = encoded.slice();
          broken[at] = (broken[at] ?? 0) ^ mask;
          expect([type, at, isAccepted(cluster, broken)]).toEqual([type, at, false]);
        }
      }
      expect(isAccepted(cluster, encoded)).toBe(true);
    }
  });

  test("known bug 45: a proposal whose facts are not its payload's never reaches a replica", () => {
    const cluster = clusterWithLiar();
    const block = blockOn(cluster, [bytes("a")]);
    const lies = [
      { ...block, transactionCount: block.transactionCount + 1 },
      { ...block, sizeBytes: 0 },
      { ...block, timestampMs: block.timestampMs + 1 },
      { ...block, payload: block.payload.slice(1) },
      { ...block, payload: new Uint8Array(0) },
      { ...block, digest: filled(9) },
    ];
    for (const lie of lies) tell(cluster, prePrepare(lie));
    cluster.run(100);
    for (const node of LIVE) expect(cluster.nodes[node]?.log).toEqual([]);
    cluster.submit("honest");
    expect(cluster.runUntil(() => cluster.lowestHead(LIVE) >= 1, 10_000)).toBe(true);
    expect(cluster.checks.violations).toEqual([]);
  });

  test("known bug 56: an index at or beyond n, in a sender or a certificate, is nobody", () => {
    for (const beyond of [4, 5, 255, 65_535]) {
      const cluster = clusterWithLiar();
      const index = validatorIndex(beyond);
      const { digest } = blockOn(cluster, []);
      const vote = { height: h1, view: v0, digest, sender: index };
      const key = fakeSender(cluster);
      for (const message of [
        { type: "prepare", ...vote },
        { type: "commit", ...vote },
        { type: "wish", height: h1, view: view(1), sender: index },
      ] as const) {
        for (const to of LIVE) cluster.deliver(BAD, to, { ...message, signature: key });
      }
      cluster.run(100);
      for (const node of LIVE) expect(cluster.nodes[node]?.log).toEqual([]);
      cluster.submit("honest");
      expect(cluster.runUntil(() => cluster.lowestHead(LIVE) >= 1, 10_000)).toBe(true);
    }
  });

  test("known bug 50: the same inputs give the same effects, byte for byte: nothing races", () => {
    const runs = [1, 2].map(() => {
      const cluster = createTestCluster({
        n: 5,
        seed: 9,
        lossRate: 0.2,
        duplicateRate: 0.2,
        trace: true,
      });
      cluster.start();
      cluster.nodes[1]?.crash();
      expectProgress(cluster, 4, 60_000);
      return cluster.nodes.map((node) => node.trace);
    });
    expect(runs[0]).toEqual(runs[1]);
  });
});

function fakeSender(cluster: TestCluster): Uint8Array {
  const signed = cluster.sign(BAD, { type: "wish", height: h1, view: view(1), sender: self });
  if (signed.type !== "wish") throw new Error("not a wish");
  return signed.signature;
}

/** What a shell's door says: decodes, and every signature inside holds. */
function isAccepted(cluster: TestCluster, encoded: Uint8Array): boolean {
  const decoded = decodeMessage(encoded);
  if (!decoded.ok || decoded.value.type === "decided") return false;
  const { validators } = cluster.validatorsAt(decoded.value.height);
  return signatureClaims(decoded.value, cluster.contextAt(decoded.value.height)).every(
    ({ index, message, signature }) => {
      const signer = validators[index];
      return signer !== undefined && verifyFakeSignature(signer.publicKey, message, signature);
    },
  );
}
