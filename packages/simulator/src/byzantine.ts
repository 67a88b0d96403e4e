import { decodeMessage, type Message } from "@credlink/consensus-pbft";
import {
  BLOCKS_PROTOCOL,
  CONSENSUS_PROTOCOL,
  EVIDENCE_PROTOCOL,
  FETCH_PROTOCOL,
  HEAD_PROTOCOL,
  PROPOSAL_PROTOCOL,
  STATUS_PROTOCOL,
  TRANSACTIONS_PROTOCOL,
} from "@credlink/node/engine";
import type { Network, PeerId, Signer } from "@credlink/primitives";
import type { SeededRandom } from "@credlink/testkit";
import type { WrapNetwork } from "./simulated-node.ts";
import { falsifyBlocks, raiseStatus } from "./sync-lies.ts";
import { falseEvidence } from "./traitors/evidence-lies.ts";
import * as noise from "./traitors/noise.ts";
import * as proposals from "./traitors/proposals.ts";
import { type Behaviour, type Conspiracy, type Outgoing, remember } from "./traitors/traitor.ts";
import * as viewChanges from "./traitors/view-changes.ts";
import * as votes from "./traitors/votes.ts";

/** Each works on what an otherwise honest engine sends; a traitor follows one to three of them. */
const behaviours = {
  equivocate: proposals.equivocate,
  "other-bodies": proposals.otherBodies,
  "silent-primary": proposals.silentPrimary,
  withhold: proposals.withhold,
  "withhold-bodies": proposals.withholdBodies,
  "false-header": proposals.falseHeader,
  "false-body": proposals.falseBody,
  "stale-proposal": proposals.staleProposal,
  "override-prepared": proposals.overridePrepared,
  "slow-primary": proposals.slowPrimary,
  "propose-twice": proposals.proposeTwice,
  usurp: proposals.usurp,
  silent: votes.silent,
  "vote-for-both": votes.voteForBoth,
  "commit-early": votes.commitEarly,
  "vote-to-some": votes.voteToSome,
  "never-commit": votes.neverCommit,
  slow: votes.slow,
  "last-moment": votes.lastMoment,
  "wild-votes": votes.wildVotes,
  "far-views": viewChanges.farViews,
  "early-wish": viewChanges.earlyWish,
  "hide-prepared": viewChanges.hidePrepared,
  "two-view-changes": viewChanges.twoViewChanges,
  "forge-prepared": viewChanges.forgePrepared,
  "bad-certificates": viewChanges.badCertificates,
  garbage: noise.garbage,
  "huge-frames": noise.hugeFrames,
  replay: noise.replay,
  "other-chain": noise.otherChain,
  mutations: noise.mutations,
} as const satisfies Record<string, Behaviour>;

/** Honest in consensus; each breaks another promise of a node. */
const sideways = [
  "false-blocks",
  "false-status",
  "no-answers",
  "censor",
  "censor-some",
  "false-evidence",
] as const;

/** How a node breaks the rules. */
export type Strategy = keyof typeof behaviours | (typeof sideways)[number];
export const strategies: readonly Strategy[] = [
  ...(Object.keys(behaviours) as (keyof typeof behaviours)[]),
  ...sideways,
];

function behaviourOf(strategy: Strategy): readonly Behaviour[] {
  return strategy in behaviours ? [behaviours[strategy as keyof typeof behaviours]] : [];
}

/** What a traitor's network needs beside the network. */
export interface TraitorParts {
  readonly strategies: readonly Strategy[];
  readonly conspiracy: Conspiracy;
  readonly random: SeededRandom;
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

/** Wraps the network of a node so that what leaves it follows its strategies. */
export function createByzantineNetwork(parts: TraitorParts): WrapNetwork {
  const { conspiracy, random, schedule } = parts;
  const chosen = new Set(parts.strategies);
  const chain = parts.strategies.flatMap(behaviourOf);
  const refused = refusedProtocols(chosen);

  return (network: Network, signer: Signer): Network => {
    const traitor = { conspiracy, signer, random };
    /** In bursts, so that some of it meets the limits of what a peer may ask of a node. */
    const accuse = (to: Network, peer: PeerId): void => {
      if (!random.chance(0.1)) return;
      for (let count = 1 + random.integer(20); count > 0; count--) {
        const evidence = falseEvidence(conspiracy, random);
        if (evidence !== null) to.send(peer, EVIDENCE_PROTOCOL, evidence);
      }
    };
    const act = async (peer: PeerId, bytes: Uint8Array): Promise<void> => {
      const message = read(bytes);
      if (message === null) return;
      remember(conspiracy, message);
      let outgoing: readonly Outgoing[] = [{ peer, bytes, message, delayMs: 0 }];
      for (const behave of chain) {
        const next: Outgoing[] = [];
        for (const out of outgoing) {
          if (out.message === null) next.push(out);
          else next.push(...(await behave({ ...out, message: out.message }, traitor)));
        }
        outgoing = next;
      }
      if (chosen.has("false-evidence")) accuse(network, peer);
      for (const out of outgoing) {
        const send = () => network.send(out.peer, CONSENSUS_PROTOCOL, out.bytes);
        if (out.delayMs === 0) send();
        else schedule(out.delayMs, send);
      }
    };
    return {
      self: network.self,
      peers: () => network.peers(),
      send(peer, protocol, message) {
        const isFalse = chosen.has("false-status") && conspiracy.deceived.has(peer);
        if (protocol === CONSENSUS_PROTOCOL) void act(peer, message);
        else if (chosen.has("silent")) return;
        else if (protocol !== HEAD_PROTOCOL || !isFalse) network.send(peer, protocol, message);
        else network.send(peer, protocol, raiseStatus(message));
      },
      request: (...args) => network.request(...args),
      onMessage(protocol, options, receive) {
        network.onMessage(protocol, options, (from, bytes) => {
          if (protocol === CONSENSUS_PROTOCOL) {
            const message = read(bytes);
            if (message !== null) remember(conspiracy, message);
          }
          // A censor never learns of what it does not want to propose.
          if (protocol === TRANSACTIONS_PROTOCOL && chosen.has("censor")) return;
          const isCensored = chosen.has("censor-some") && conspiracy.deceived.has(from.id);
          if (protocol === TRANSACTIONS_PROTOCOL && isCensored) return;
          receive(from, bytes);
        });
      },
      onRequest(protocol, options, respond) {
        if (refused.has(protocol)) return;
        network.onRequest(protocol, options, async (from, request) => {
          const reply = await respond(from, request);
          if (!conspiracy.deceived.has(from.id)) return reply;
          if (chosen.has("false-status") && protocol === STATUS_PROTOCOL) return raiseStatus(reply);
          const isFalse = chosen.has("false-blocks") && protocol === BLOCKS_PROTOCOL;
          return isFalse ? falsifyBlocks(reply, random) : reply;
        });
      },
      onPeerChange: (listener) => network.onPeerChange(listener),
      // Cutting the honest is no attack on safety, and bans end by themselves.
      disconnect: () => {},
    };
  };
}

function read(bytes: Uint8Array): Message | null {
  const decoded = decodeMessage(bytes);
  return decoded.ok ? decoded.value : null;
}

/** What a traitor does not even serve. */
function refusedProtocols(chosen: ReadonlySet<Strategy>): ReadonlySet<string> {
  if (chosen.has("no-answers")) {
    return new Set([FETCH_PROTOCOL, PROPOSAL_PROTOCOL, BLOCKS_PROTOCOL, STATUS_PROTOCOL]);
  }
  const keepsBodies = chosen.has("withhold") || chosen.has("withhold-bodies");
  return new Set(keepsBodies ? [FETCH_PROTOCOL] : []);
}
