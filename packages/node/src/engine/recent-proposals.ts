import type { Proposal } from "@credlink/consensus-pbft";
import {
  type Digest,
  decode,
  encode,
  equalBytes,
  type Logger,
  type Network,
  type PeerId,
  tryDecode,
} from "@credlink/primitives";
import { byteKey } from "./digest-key.ts";
import { EngineError } from "./errors.ts";
import type { PeerBudget } from "./peer-budget.ts";
import { openProposal } from "./proposal-payload.ts";
import {
  MAX_CONSENSUS_BYTES,
  PROPOSAL_PROTOCOL,
  proposalReplyCodec,
  proposalRequestCodec,
} from "./protocols.ts";

/** Proposals seen lately, so that a later primary who missed one can propose it again. */
export interface RecentProposals {
  remember(proposal: Proposal): void;
  /** Asks peers in order; null when none of them has it. */
  fetch(digest: Digest, peers: readonly PeerId[], timeoutMs: number): Promise<Proposal | null>;
  serve(): void;
  /** Proposals kept. */
  readonly size: number;
}

/** Two heights, a few views each. */
const MAX_KEPT = 16;
const MAX_REQUEST_BYTES = 64;

/** Makes the memory of one node's proposals. */
export function createRecentProposals(
  network: Network,
  logger: Logger,
  budget: PeerBudget,
): RecentProposals {
  const kept = new Map<string, Proposal>();

  const ask = async (peer: PeerId, digest: Digest, timeoutMs: number): Promise<Proposal | null> => {
    try {
      const request = encode(proposalRequestCodec, { digest });
      const options = { timeoutMs, maxReplyBytes: MAX_CONSENSUS_BYTES };
      const reply = await network.request(peer, PROPOSAL_PROTOCOL, request, options);
      const decoded = tryDecode(proposalReplyCodec, reply, { maxBytes: MAX_CONSENSUS_BYTES });
      const proposal = decoded.ok ? decoded.value.proposal : null;
      if (proposal === null || !equalBytes(proposal.digest, digest)) return null;
      return openProposal(proposal).ok ? proposal : null;
    } catch (error) {
      logger.debug("proposal not fetched", { peer, error });
      return null;
    }
  };

  return {
    get size() {
      return kept.size;
    },
    remember(proposal) {
      const key = byteKey(proposal.digest);
      if (kept.has(key)) return;
      kept.set(key, proposal);
      if (kept.size <= MAX_KEPT) return;
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    },
    async fetch(digest, peers, timeoutMs) {
      const known = kept.get(byteKey(digest));
      if (known !== undefined) return known;
      for (const peer of peers) {
        const proposal = await ask(peer, digest, timeoutMs);
        if (proposal !== null) return proposal;
      }
      return null;
    },
    serve() {
      const limits = { maxBytes: MAX_REQUEST_BYTES };
      network.onRequest(PROPOSAL_PROTOCOL, limits, async (from, request) => {
        if (!budget.spend(from.id, "requests") || !budget.spend(from.id, "reply-bytes", 0)) {
          throw new EngineError("NODE_PEER_OVER_BUDGET", "a proposal");
        }
        const { digest } = decode(proposalRequestCodec, request, limits);
        const proposal = kept.get(byteKey(digest)) ?? null;
        const reply = encode(proposalReplyCodec, { proposal });
        budget.spend(from.id, "reply-bytes", reply.length);
        return reply;
      });
    },
  };
}
