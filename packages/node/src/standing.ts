import { quorum } from "@credlink/consensus-pbft";
import { type Ledger, memberOfKey } from "@credlink/ledger";
import { height, type PeerId, toHex } from "@credlink/primitives";
import type { Engine } from "./engine/types.ts";
import type { Readiness } from "./gateway/context.ts";
import type { RegistryView } from "./p2p/identity.ts";
import type { ConnectedPeer } from "./p2p/peer-table.ts";

/** What the node knows of the chain and of its own place in it. */
export interface Standing {
  readonly registry: RegistryView;
  /** Whether a peer stands in V(head + 1) or V(head + 2). */
  isValidator(peer: PeerId): boolean;
  readiness(): Readiness;
}

interface StandingComponents {
  readonly ledger: Ledger;
  readonly selfPeerId: PeerId;
  readonly engine: () => Engine | undefined;
  readonly peers: () => readonly ConnectedPeer[];
  readonly isPolluted: () => boolean;
}

/** Validators by key and peer id, worked out again when the head changes. */
function createValidatorIndex(ledger: Ledger) {
  let of: number | undefined;
  let byKey = new Map<string, PeerId>();
  let peers = new Set<PeerId>();
  let keys = new Map<PeerId, readonly Uint8Array[]>();
  return () => {
    const { height: head } = ledger.head.header;
    if (of !== head) {
      of = head;
      const sets = [1, 2].map((step) => ledger.validatorsAt(height(head + step))?.validators ?? []);
      const all = sets.flat();
      byKey = new Map(all.map((each) => [toHex(each.publicKey), each.peerId]));
      peers = new Set(byKey.values());
      const keysOf = (peer: PeerId) =>
        all.filter(({ peerId }) => peerId === peer).map(({ publicKey }) => publicKey);
      keys = new Map([...peers].map((peer) => [peer, keysOf(peer)]));
    }
    return { byKey, peers, keys };
  };
}

/**
 * Answers from the committed state. The head counts as proven once a quorum of validators
 * (ourselves included, where we are one) told theirs, which the replica waits for, and while the
 * engine is not syncing and such a quorum is connected: they would have told us of a higher one.
 * A node is ready when, over and above, it votes if it is a validator.
 */
export function createStanding(components: StandingComponents): Standing {
  const { ledger, selfPeerId, engine, peers, isPolluted } = components;
  const index = createValidatorIndex(ledger);
  const hasQuorum = (): boolean => {
    const validators = index().peers;
    const connected = peers().filter((peer) => !peer.provisional && validators.has(peer.id));
    const own = validators.has(selfPeerId) ? 1 : 0;
    return connected.length + own >= quorum(validators.size);
  };
  /** Why the head may not be the chain's. */
  const doubts = (): string[] => {
    if (isPolluted()) return ["its own data are polluted (NODE_DATA_POLLUTED)"];
    const running = engine();
    if (running === undefined) return ["the engine is not started"];
    const { syncing, replicaRuns } = running.status();
    return [
      ...(syncing ? ["catching up"] : []),
      ...(hasQuorum() ? [] : ["no quorum of validators is connected"]),
      ...(replicaRuns ? [] : ["no quorum of validators told its head yet"]),
    ];
  };
  const abstains = (): boolean => {
    const replica = engine()?.status().replica;
    return replica !== undefined && replica.self !== null && replica.abstaining;
  };
  return {
    isValidator: (peer) => index().peers.has(peer),
    readiness() {
      const found = [...doubts(), ...(abstains() ? ["it abstains from votes"] : [])];
      return { ready: found.length === 0, reasons: found };
    },
    registry: {
      memberOfKey(publicKey) {
        const view = ledger.stateAt(ledger.head.digest);
        return view === null ? null : memberOfKey(view, publicKey);
      },
      validatorPeerId: (publicKey) => index().byKey.get(toHex(publicKey)) ?? null,
      validatorKeys: (peer) => index().keys.get(peer) ?? [],
      isHeadProven: () => doubts().length === 0,
      headHeight: () => ledger.head.header.height,
      headTimestampMs: () => ledger.head.header.timestampMs,
    },
  };
}
