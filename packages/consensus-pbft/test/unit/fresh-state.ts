import { height } from "@credlink/primitives";
import { createTestCluster } from "../../src/compliance.ts";
import { defaultReplicaOptions, defaultTiming } from "../../src/replica.ts";
import { newReplicaState, type ReplicaState } from "../../src/state.ts";

/** Genesis and validators of every state that is made here. */
export const cluster = createTestCluster({ n: 4 });

/** The state of validator 0 of four at height 1, of which nothing is known yet. */
export function freshState(): ReplicaState {
  const { chainId, genesisDigest } = cluster;
  const publicKey = cluster.validators[0]?.publicKey ?? new Uint8Array();
  const start = {
    head: { height: height(0), digest: genesisDigest, timestampMs: 0 },
    validators: cluster.rosterAt(1, genesisDigest),
    nextValidators: cluster.rosterAt(2, genesisDigest),
    timing: defaultTiming,
    records: [],
    abstain: false,
  };
  const options = { ...defaultReplicaOptions, chainId, genesisDigest, publicKey };
  const floors = { voteFloor: height(0), proposeFloor: height(0), abstained: false };
  return newReplicaState(options, start, { promises: new Map(), ...floors });
}
