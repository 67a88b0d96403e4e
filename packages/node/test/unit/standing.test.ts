import { createMemoryStore } from "@credlink/ledger";
import { invariant } from "@credlink/primitives";
import { describe, expect, it } from "vitest";
import type { EngineStatus } from "../../src/engine/types.ts";
import { createStanding } from "../../src/standing.ts";
import { createEngineDouble } from "../support/engine-double.ts";
import { openStorageChain } from "../support/storage-chain.ts";

const ledger = await openStorageChain(createMemoryStore());
const members = ledger.validatorsAt(ledger.head.header.height)?.validators ?? [];

/** The standing of a validator that is connected with all others, or of somebody else. */
function standingWith(change: Partial<EngineStatus>, selfPeerId = members[0]?.peerId) {
  invariant(selfPeerId !== undefined, "the chain has validators");
  const double = createEngineDouble(ledger);
  const engine = { ...double, status: () => ({ ...double.status(), ...change }) };
  const peers = members
    .filter(({ peerId }) => peerId !== selfPeerId)
    .map(({ peerId, nodeId }) => {
      const role = "validator" as const;
      return { id: peerId, nodeId, organization: "org", role, provisional: false };
    });
  return createStanding({
    ...{ ledger, selfPeerId, engine: () => engine },
    ...{ peers: () => peers, isPolluted: () => false },
  });
}

/** The replica's status with another standing of its own. */
function replica(change: Partial<EngineStatus["replica"]>) {
  return { ...createEngineDouble(ledger).status().replica, ...change };
}

describe("S-8.4-2: a node is ready once it takes part", () => {
  it("a running replica among connected validators is", () => {
    const standing = standingWith({});
    expect(standing.readiness()).toEqual({ ready: true, reasons: [] });
    expect(standing.registry.isHeadProven()).toBe(true);
  });

  it("before a quorum told its heads neither the node is ready nor its head proven", () => {
    for (const self of [members[0]?.peerId, "observer"]) {
      const standing = standingWith({ replicaRuns: false }, self);
      expect(standing.readiness()).toEqual({
        ready: false,
        reasons: ["no quorum of validators told its head yet"],
      });
      expect(standing.registry.isHeadProven()).toBe(false);
    }
  });

  it("a validator that abstains is not, though its head is proven", () => {
    const standing = standingWith({ replica: replica({ abstaining: true }) });
    expect(standing.readiness()).toEqual({ ready: false, reasons: ["it abstains from votes"] });
    expect(standing.registry.isHeadProven()).toBe(true);
  });

  it("whoever has no vote does not abstain", () => {
    const observing = replica({ abstaining: true, self: null });
    expect(standingWith({ replica: observing }, "observer").readiness().ready).toBe(true);
  });
});
