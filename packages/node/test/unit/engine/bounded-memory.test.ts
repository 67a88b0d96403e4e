import { createValidatorSet, type Message, type ReplicaStatus } from "@credlink/consensus-pbft";
import { createMemoryStore } from "@credlink/ledger";
import {
  type AdmittedPeer,
  address,
  digest,
  encode,
  height,
  type Network,
  noLogger,
  validatorIndex,
  view,
} from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { ownStatus } from "../../../src/engine/certified-status.ts";
import { createHeightClaims } from "../../../src/engine/height-claims.ts";
import { createLagWatch } from "../../../src/engine/lag-watch.ts";
import { createInstruments } from "../../../src/engine/metrics.ts";
import { createPeerBudget, MAX_BLAMED } from "../../../src/engine/peer-budget.ts";
import { statusCodec } from "../../../src/engine/protocols.ts";
import { RecentMap } from "../../../src/engine/recent-map.ts";
import { createSeenVotes, MAX_SEEN_VOTES } from "../../../src/engine/seen-votes.ts";
import { createSync, type SyncComponents } from "../../../src/engine/sync.ts";
import { MAX_UNANNOUNCED, PeerTable } from "../../../src/p2p/peer-table.ts";
import { createRecordingMetrics } from "../../support/recording.ts";
import { createSilentNetwork } from "../../support/silent-network.ts";
import { openStorageChain } from "../../support/storage-chain.ts";

/** Validators `from` to `from + 3`. */
function listFrom(from: number) {
  return createValidatorSet(
    [0, 1, 2, 3].map((at) => ({
      nodeId: `n${from + at}`,
      publicKey: new Uint8Array(65).fill(from + at),
      peerId: `n${from + at}`,
    })),
  );
}

function commit(at: number): Message {
  return {
    type: "commit",
    height: height(at),
    view: view(0),
    digest: digest(new Uint8Array(32)),
    sender: validatorIndex(0),
    signature: new Uint8Array(64),
  };
}

it("a map with a bound forgets what was set longest ago, and nothing below the bound", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  expect([map.size, map.get("a"), map.get("b")]).toEqual([2, 3, 2]);
  map.set("c", 4);
  expect([map.size, map.get("a"), map.get("b"), map.get("c")]).toEqual([2, 3, undefined, 4]);
  map.delete("a");
  expect([map.size, map.get("a")]).toEqual([1, undefined]);
});

describe("what is remembered of peers, over months of them", () => {
  it("claims of heights: one a validator, none of strangers or of those that were removed", () => {
    let list = listFrom(0);
    const claims = createHeightClaims("n0", () => list);
    for (let at = 0; at < 1_000; at++) claims.note(`stranger${at}`, 9);
    expect(claims.size).toBe(0);
    for (let from = 0; from < 40; from++) {
      list = listFrom(from);
      for (const { peerId } of list.validators) claims.note(peerId, from);
      expect(claims.size).toBeLessThanOrEqual(4);
    }
    expect(claims.credible(list)).toBe(39);
  });

  it("hints of what others decided: one a validator", () => {
    let list = listFrom(0);
    const clock = createSimulatedClock();
    const status: ReplicaStatus = {
      ...{ height: height(1), view: view(0), phase: "idle", self: null },
      ...{ primary: validatorIndex(0), abstaining: false, halted: false },
    };
    const watch = createLagWatch({
      clock,
      status: () => status,
      validatorsAt: () => list,
      require: () => undefined,
    });
    for (let from = 0; from < 40; from++) {
      list = listFrom(from);
      for (const { peerId } of list.validators) watch.note(peerId, commit(from + 1));
      expect(watch.size).toBeLessThanOrEqual(4);
    }
  });

  it("the highest vote of 512 validators, then the one of the lowest height goes", () => {
    const seen = createSeenVotes();
    for (let at = 0; at < MAX_SEEN_VOTES; at++) seen.note(`n${at}`, commit(1_000 - at));
    expect(seen.size).toBe(MAX_SEEN_VOTES);
    const lowest = `n${MAX_SEEN_VOTES - 1}`;
    expect(seen.of(lowest)).not.toBe(null);
    seen.note("another", commit(1_001));
    expect(seen.size).toBe(MAX_SEEN_VOTES);
    expect([seen.of(lowest), seen.of("n0") === null]).toEqual([null, false]);
  });

  it("faults of 10,000 peers: those of the one blamed longest ago are forgotten", () => {
    const cuts: string[] = [];
    const network = createSilentNetwork("n0", (peer) => cuts.push(peer));
    const budget = createPeerBudget(network, createSimulatedClock(), noLogger);
    const blame = (peer: string, times: number): void => {
      for (let at = 0; at < times; at++) budget.blame(peer);
    };
    blame("first", 20);
    for (let at = 1; at < MAX_BLAMED; at++) blame(`n${at}`, 1);
    blame("first", 1);
    expect(cuts).toEqual(["first"]);
    blame("first", 20);
    for (let at = 0; at < MAX_BLAMED; at++) blame(`m${at}`, 1);
    blame("first", 20);
    expect(cuts).toEqual(["first"]);
  });

  it("handshakes whose connection never came: 1,024", () => {
    const table = new PeerTable();
    for (let at = 0; at <= MAX_UNANNOUNCED; at++) {
      table.onAdmitted(`/ip4/10.0.0.1/tcp/${at}`, {
        identity: {
          ...{ peerId: `p${at}`, nodeId: "n", organization: "o", role: "observer" },
          ...{ address: address(new Uint8Array(32)), publicKey: new Uint8Array(65) },
          ...{ certificates: [], validToMs: 0 },
        },
        standing: "full",
        addresses: [],
      });
      expect(table.unannounced).toBe(Math.min(at + 1, MAX_UNANNOUNCED));
    }
  });

  it("a peer that left before its status came is forgotten at the next tick", async () => {
    const ledger = await openStorageChain(createMemoryStore());
    const clock = createSimulatedClock();
    const peer: AdmittedPeer = {
      id: "n1",
      organization: "o",
      role: "observer",
      provisional: false,
    };
    const asked = Promise.withResolvers<Uint8Array>();
    const connected: AdmittedPeer[] = [peer];
    let onPeer: Parameters<Network["onPeerChange"]>[0] = () => undefined;
    const network: Network = {
      ...createSilentNetwork("n0", () => undefined),
      peers: () => connected,
      request: () => asked.promise,
      onPeerChange: (listener) => {
        onPeer = listener;
      },
    };
    // Only what exchanging statuses touches.
    const parts = {
      ...{ ledger, network, clock, logger: noLogger, requestTimeoutMs: 1_000 },
      instruments: createInstruments(createRecordingMetrics()),
      signatures: { size: 0, remember: () => undefined, verifyAll: async () => true },
      budget: createPeerBudget(network, clock, noLogger),
      seenVoteOf: () => null,
      votedOnHead: () => false,
      hearsVotes: () => false,
      onStatus: () => undefined,
    } as unknown as SyncComponents;
    const sync = createSync(parts);
    sync.start();
    expect(sync.size).toBe(1);
    connected.pop();
    onPeer(peer, "left");
    expect(sync.size).toBe(0);
    asked.resolve(encode(statusCodec, ownStatus(ledger, null)));
    await clock.runUntil(999);
    expect(sync.size).toBe(1);
    await clock.runUntil(1_000);
    expect(sync.size).toBe(0);
    sync.stop();
  });
});
