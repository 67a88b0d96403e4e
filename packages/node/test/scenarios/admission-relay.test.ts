import { afterEach, describe, expect, test } from "vitest";
import type { AdmissionMessage } from "../../src/p2p/admission-messages.ts";
import { networkMetrics } from "../../src/p2p/metrics.ts";
import { generatePeerKey, peerIdOf } from "../../src/p2p/peer-key.ts";
import { createCredential } from "../support/consortium.ts";
import {
  createTestChain,
  createTestNode,
  register,
  type TestChain,
  type TestNode,
  until,
} from "../support/network.ts";
import { type Change, createRelay, type RelayKeys } from "../support/relay.ts";

const PROTOCOL = "/credlink/test/1";
const cleanUps: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

const refusals = (node: TestNode, code: string, by: "us" | "peer"): number =>
  node.metrics.value(networkMetrics.admissionRefusals, { code, by });

interface RelayOptions {
  /** The relay holds the peer keys of both nodes; default keys of its own. */
  readonly steal?: boolean;
  /** Addresses that the caller is given instead of the relay's own. */
  readonly addresses?: (relay: readonly string[], victim: string) => readonly string[];
  readonly change?: (nodes: { readonly victim: TestNode; readonly chain: TestChain }) => Change;
}

/** Two honest nodes of one chain; the caller dials the relay, the relay dials the victim. */
async function startRelayed(setUp: RelayOptions = {}) {
  const chain = await createTestChain();
  const victim = await createTestNode(chain, "victim");
  const heard: Uint8Array[] = [];
  victim.network.onMessage(PROTOCOL, { maxBytes: 100 }, (_from, message) => heard.push(message));
  cleanUps.push(() => victim.network.stop());
  await victim.network.start();
  const peerKey = await generatePeerKey();
  const keys: RelayKeys = setUp.steal ? { inward: victim.peerKey, outward: peerKey } : {};
  const change = setUp.change?.({ victim, chain });
  const relay = await createRelay(victim.network.addresses(), keys, change);
  cleanUps.push(() => relay.stop());
  const peers = setUp.addresses?.(relay.addresses, victim.peerId) ?? relay.addresses;
  const caller = await createTestNode(chain, "caller", { options: { peers }, peerKey });
  cleanUps.push(() => caller.network.stop());
  await caller.network.start();
  const reached = () => [...victim.network.peers(), ...caller.network.peers(), ...heard];
  return { victim, caller, relay, reached };
}

type Relayed = Awaited<ReturnType<typeof startRelayed>>;

async function expectBoth(
  { victim, caller, reached }: Relayed,
  refuser: "caller" | "victim",
  code: string,
): Promise<void> {
  const [first, second] = refuser === "caller" ? [caller, victim] : [victim, caller];
  await until(() => refusals(first, code, "us") > 0, `${code} by the ${refuser}`);
  await until(() => refusals(second, code, "peer") > 0, `${code} at the other end`);
  expect(reached()).toEqual([]);
}

describe("S-8.4-11: a handshake that is relayed fails on both ends", () => {
  test("by a relay that stole both nodes' peer keys and passes every message on", async () => {
    const relayed = await startRelayed({ steal: true });
    const { relay, victim, caller } = relayed;
    expect([relay.inwardId, relay.outwardId]).toEqual([victim.peerId, peerIdOf(caller.peerKey)]);
    await expectBoth(relayed, "caller", "NODE_ADMISSION_RELAYED");
  });

  test("by one that also writes the other session's hash into the proofs", async () => {
    const change = (): Change => (message, passage) =>
      message.type === "proof"
        ? {
            ...message,
            sessionHash: passage.to === "dialer" ? passage.inwardHash : passage.outwardHash,
          }
        : message;
    const relayed = await startRelayed({ steal: true, change });
    await expectBoth(relayed, "caller", "NODE_ADMISSION_BAD_SIGNATURE");
  });

  test("by one that plays the first handshake's answers to the second one", async () => {
    const recorded: AdmissionMessage[] = [];
    const change = (): Change => (message, passage) => {
      if (passage.to === "listener" || message.type === "verdict") return message;
      const earlier = recorded.find((each) => each.type === message.type);
      recorded.push(message);
      return earlier ?? message;
    };
    const relayed = await startRelayed({ steal: true, change });
    await expectBoth(relayed, "caller", "NODE_ADMISSION_RELAYED");
    await expectBoth(relayed, "caller", "NODE_ADMISSION_REPLAYED_NONCE");
  });

  test("by one under keys of its own that passes every message on", async () => {
    await expectBoth(await startRelayed(), "victim", "NODE_ADMISSION_WRONG_PEER");
  });

  test("by one that names itself in both hellos", async () => {
    let names: Relayed["relay"] | undefined;
    const change = (): Change => (message, passage) =>
      message.type === "hello" && names !== undefined
        ? { ...message, peerId: passage.to === "dialer" ? names.inwardId : names.outwardId }
        : message;
    const relayed = await startRelayed({ change });
    names = relayed.relay;
    await expectBoth(relayed, "caller", "NODE_ADMISSION_BAD_SIGNATURE");
  });

  test("by one that puts a certificate it stole from a third member into the hellos", async () => {
    const change: RelayOptions["change"] = ({ chain }) => {
      const stolen = createCredential(chain.authority, "third", "validator").then((third) => {
        register(chain, third);
        return [third.certificate.der];
      });
      let certificates: readonly Uint8Array[] = [];
      void stolen.then((chainOfThird) => {
        certificates = chainOfThird;
      });
      return (message) => (message.type === "hello" ? { ...message, certificates } : message);
    };
    const relayed = await startRelayed({ steal: true, change });
    await expectBoth(relayed, "caller", "NODE_ADMISSION_BAD_SIGNATURE");
  });

  test("by one that is dialled under the victim's peer id without having its key", async () => {
    const addresses: RelayOptions["addresses"] = (relay, victim) =>
      relay.map((each) => `${each.split("/p2p/")[0]}/p2p/${victim}`);
    const { caller, reached } = await startRelayed({ addresses });
    await until(() => refusals(caller, "NODE_ADMISSION_WRONG_PEER", "us") > 0);
    expect(reached()).toEqual([]);
  });
});
