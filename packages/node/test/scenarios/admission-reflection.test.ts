import { afterEach, describe, expect, test } from "vitest";
import type { AdmissionMessage } from "../../src/p2p/admission-messages.ts";
import { FrameDecoder } from "../../src/p2p/frames.ts";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { generatePeerKey } from "../../src/p2p/peer-key.ts";
import { createAttacker, dial, frameOf, messageOf, type Script } from "../support/attacker.ts";
import { createCredential } from "../support/consortium.ts";
import {
  createTestChain,
  createTestNode,
  register,
  type TestNode,
  until,
} from "../support/network.ts";

const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

const refusals = (node: TestNode, code: string): number =>
  node.metrics.value(networkMetrics.admissionRefusals, { code, by: "us" });

type Stream = Parameters<Script>[0]["connection"];

/** The messages that a stream brings, one after another. */
function read(stream: Stream): () => Promise<AdmissionMessage> {
  const frames = new FrameDecoder(64 * 1024);
  const messages: AdmissionMessage[] = [];
  let wake: (() => void) | undefined;
  stream.addEventListener("message", (event) => {
    frames.push(event.data.subarray());
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      messages.push(messageOf(frame));
    }
    wake?.();
  });
  return async () => {
    while (messages.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return messages.shift() as AdmissionMessage;
  };
}

const closed = (stream: Stream): Promise<void> =>
  new Promise((resolve) => {
    stream.addEventListener("close", () => resolve());
  });

/** A node that dials a peer whose key the attacker stole, and so the attacker. */
async function startCaller(script: Script) {
  const chain = await createTestChain();
  const stolen = await generatePeerKey();
  const attacker = await createAttacker(script, undefined, stolen);
  cleanUps.push(() => attacker.stop());
  const peers = attacker.getMultiaddrs().map(String);
  const caller = await createTestNode(chain, "caller", { options: { peers } });
  cleanUps.push(() => caller.network.stop());
  await caller.network.start();
  return { chain, caller, attacker };
}

describe("S-8.4-11: a node's own messages given back to it prove nothing", () => {
  test("its hello as it is, and with the peer's name in it", async () => {
    let isRenamed = false;
    const { caller } = await startCaller(async ({ connection }, _role, self) => {
      const hello = await read(connection)();
      const end = closed(connection);
      const named = isRenamed && hello.type === "hello" ? { ...hello, peerId: self } : hello;
      isRenamed = true;
      connection.send(frameOf(named));
      await end;
    });
    await until(() => refusals(caller, "NODE_ADMISSION_WRONG_PEER") > 0);
    await until(() => refusals(caller, "NODE_ADMISSION_REPLAYED_NONCE") > 0);
    expect(caller.network.peers()).toEqual([]);
  });

  test("its own proof as a listener, got on another connection, where it dials", async () => {
    let getProof: ((hello: AdmissionMessage) => Promise<AdmissionMessage>) | undefined;
    const { caller, attacker, chain } = await startCaller(async ({ connection }, _role, self) => {
      const hello = await read(connection)();
      const end = closed(connection);
      if (hello.type !== "hello" || getProof === undefined) return;
      const nonce = new Uint8Array(32).map(() => Math.floor(Math.random() * 256));
      connection.send(frameOf({ ...hello, peerId: self, nonce }));
      connection.send(frameOf(await getProof({ ...hello, peerId: self, nonce })));
      await end;
    });
    const member = await createCredential(chain.authority, "accomplice", "validator");
    register(chain, member);
    const second = await createAttacker(async ({ connection }, _role, self) => {
      const next = read(connection);
      const end = closed(connection);
      const hello = pending.shift();
      if (hello?.type !== "hello") return;
      const certificates = [member.certificate.der];
      const nonce = hello.nonce.map((byte) => byte ^ 1);
      connection.send(frameOf({ ...hello, peerId: self, certificates, nonce }));
      await next();
      give?.(await next());
      await end;
    });
    cleanUps.push(() => second.stop());
    const pending: AdmissionMessage[] = [];
    let give: ((proof: AdmissionMessage) => void) | undefined;
    getProof = (hello) => {
      pending.push(hello);
      const proof = new Promise<AdmissionMessage>((resolve) => {
        give = resolve;
      });
      void dial(second, caller.network.addresses());
      return proof;
    };
    await until(() => refusals(caller, "NODE_ADMISSION_BAD_SIGNATURE") > 0);
    expect(attacker.getConnections()).toEqual([]);
    expect(caller.network.peers()).toEqual([]);
  });
});

describe("S-8.4-11: a stolen peer key with another member's certificate", () => {
  test("is refused where the chain knows another key under that peer id", async () => {
    const chain = await createTestChain();
    const honest = await createTestNode(chain, "honest");
    const key = Buffer.from(honest.credential.publicKey).toString("hex");
    chain.validatorPeers.set(key, honest.peerId);
    const victim = await createTestNode(chain, "victim");
    cleanUps.push(() => victim.network.stop());
    await victim.network.start();
    const options = { peers: victim.network.addresses() };
    const thief = await createTestNode(chain, "thief", { peerKey: honest.peerKey, options });
    cleanUps.push(() => thief.network.stop());
    await thief.network.start();
    await until(() => refusals(victim, "NODE_ADMISSION_WRONG_PEER") > 0);
    expect(victim.network.peers()).toEqual([]);
  });

  test("takes no connection over: what was opened under the other certificate is closed", async () => {
    const chain = await createTestChain();
    const victim = await createTestNode(chain, "victim");
    cleanUps.push(() => victim.network.stop());
    await victim.network.start();
    const options = {
      peers: victim.network.addresses(),
      dialSchedule: { firstDelayMs: 60_000, maxDelayMs: 60_000, politeDelayMs: 0 },
    };
    const honest = await createTestNode(chain, "honest", { options });
    cleanUps.push(() => honest.network.stop());
    await honest.network.start();
    await until(() => victim.network.peers().length === 1);
    const thief = await createTestNode(chain, "thief", { peerKey: honest.peerKey, options });
    cleanUps.push(() => thief.network.stop());
    await thief.network.start();
    await until(() => victim.network.peers()[0]?.nodeId === "thief", "the other certificate");
    await until(() => honest.network.peers().length === 0, "the first connection is closed");
    expect(victim.network.peers().map((peer) => peer.nodeId)).toEqual(["thief"]);
  });
});
