import { createMemoryStore } from "@credlink/ledger";
import { type AdmittedPeer, encode, type Network, noLogger } from "@credlink/primitives";
import { createSimulatedClock } from "@credlink/testkit";
import { expect, it } from "vitest";
import { ownStatus } from "../../../src/engine/certified-status.ts";
import { createInstruments } from "../../../src/engine/metrics.ts";
import { createPeerBudget } from "../../../src/engine/peer-budget.ts";
import { statusCodec } from "../../../src/engine/protocols.ts";
import { createSync, type SyncComponents } from "../../../src/engine/sync.ts";
import { createRecordingMetrics } from "../../support/recording.ts";
import { createSilentNetwork } from "../../support/silent-network.ts";
import { openStorageChain } from "../../support/storage-chain.ts";

it("what peers hold is known once most of those connected told it, and not before", async () => {
  const ledger = await openStorageChain(createMemoryStore());
  const clock = createSimulatedClock();
  const connected = ["n1", "n2", "n3", "n4"].map(
    (id): AdmittedPeer => ({ id, organization: "o", role: "validator", provisional: false }),
  );
  const asked = new Map(connected.map(({ id }) => [id, Promise.withResolvers<Uint8Array>()]));
  const network: Network = {
    ...createSilentNetwork("n0", () => undefined),
    peers: () => connected,
    request: (peer) => asked.get(peer)?.promise ?? Promise.reject(new Error("unknown")),
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
  const status = encode(statusCodec, ownStatus(ledger, null));
  const told: (number | null)[] = [sync.toldHeight];
  for (const { id } of connected) {
    asked.get(id)?.resolve(status);
    await new Promise((resolve) => setTimeout(resolve, 5));
    told.push(sync.toldHeight);
  }
  expect(told).toEqual([null, null, null, 0, 0]);
  sync.stop();
});
