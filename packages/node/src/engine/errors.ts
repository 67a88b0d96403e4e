import { AppError, defineErrors } from "@credlink/primitives";

/** Codes of the engine: mempool, consensus driver, block pipeline, sync and vote log. */
export const engineErrors = defineErrors({
  NODE_MEMPOOL_FULL: {
    meaning: "The mempool holds as many transactions or bytes as it may.",
    remedy:
      "Submit again after retryAfterMs, or raise engine.mempoolTransactions and engine.mempoolBytes.",
  },
  NODE_MEMPOOL_KNOWN: {
    meaning: "The same signed transaction is in the mempool already.",
    remedy: "Nothing to do: wait for its receipt.",
  },
  NODE_MEMPOOL_SENDER_LIMIT: {
    meaning: "The sender has as many transactions waiting as one sender may.",
    remedy: "Submit again after retryAfterMs, or raise engine.mempoolPerSender.",
  },
  NODE_INTAKE_BUSY: {
    meaning: "More transactions wait for verification than the node takes at once.",
    remedy: "Submit again after retryAfterMs, or spread the load over more nodes.",
  },
  NODE_ENGINE_STOPPED: {
    meaning: "The engine is stopping or was stopped.",
    remedy: "Submit to another node, or start this one again.",
  },
  NODE_VOTE_LOG_FAILED: {
    meaning: "Writing or syncing the vote log failed; a failed sync is never tried again.",
    remedy: "Check the disk, then start the node: it finds out what was durable.",
  },
  NODE_VOTE_LOG_UNTRUSTED: {
    meaning:
      "The vote log is damaged, missing or older than the chain: the validator follows, not votes.",
    remedy:
      "Let it run: it asks for its recovery on chain. Never put back an older copy of the log.",
  },
  NODE_KEY_SHARED: {
    meaning:
      "Another process signs with this validator's key at the same time: this one votes no more.",
    remedy:
      "Stop one of the two for good, then start the other again. If you run only one, the key is stolen: revoke it.",
  },
  NODE_PEER_KEY_SHARED: {
    meaning: "Two processes speak with one validator's key at the same time; both abstain.",
    remedy: "Tell the validator's operator; its votes are missing until one of the two is stopped.",
  },
  NODE_STORE_FAILED: {
    meaning: "The store could not write a block or its bodies.",
    remedy: "Check disk space and health, then start the node again.",
  },
  NODE_SIGNER_FAILED: {
    meaning: "The node's key did not sign a consensus message.",
    remedy: "Check the key's custody, then start the node again.",
  },
  NODE_EXECUTION_DIVERGED: {
    meaning: "A quorum decided a block that this node's own execution refuses.",
    remedy: "Stop; compare version, state root and hardware with other nodes before restarting.",
  },
  NODE_BLOCK_MALFORMED: {
    meaning: "A proposal's payload is not the block that its facts speak of.",
    remedy: "Look at its proposer: an honest node never sends this.",
  },
  NODE_SYNC_INVALID_BLOCK: {
    meaning: "A peer sent a block that does not link, or whose certificate does not verify.",
    remedy: "The peer is cut for a while; look at it when this goes on.",
  },
  NODE_SYNC_INVALID_STATUS: {
    meaning: "A peer claimed a head without a certificate that verifies.",
    remedy: "The peer is cut for a while; look at it when this goes on.",
  },
  NODE_PEER_OVER_BUDGET: {
    meaning: "A peer asked for more, or more often, than one peer may; it got no answer.",
    remedy: "An honest node stays far below: look at the peer when this goes on.",
  },
  NODE_CLOCK_OFF: {
    meaning: "The wall clocks of the validators are more than 100 ms from ours.",
    remedy: "Synchronise the machine's clock (NTP); further off, our proposals and votes are lost.",
  },
  NODE_PEER_FLOOD: {
    meaning: "A peer went on sending far beyond everything that one peer may cost.",
    remedy: "The peer is cut for a while; look at it when this goes on.",
  },
  NODE_PEER_INVALID_MESSAGES: {
    meaning: "A peer sent more invalid messages or signatures than its budget allows.",
    remedy: "The peer is cut for a while; look at it when this goes on.",
  },
});

export type EngineErrorCode = keyof typeof engineErrors;

/** A failed operation of the engine. */
export class EngineError extends AppError<{ readonly code: EngineErrorCode }> {
  constructor(code: EngineErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
