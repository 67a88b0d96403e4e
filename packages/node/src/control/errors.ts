import { AppError, defineErrors } from "@credlink/primitives";

/** Why a node was not changed, or does not take work. */
export const controlErrors = defineErrors({
  NODE_CONTROL_MALFORMED: {
    meaning: "The request is no canonical control request of this version.",
    remedy: "Use `credlink node …` of the node's version; see docs/protocol/node-control.md.",
  },
  NODE_CONTROL_WRONG_NODE: {
    meaning: "The request names another chain or another node than the one that received it.",
    remedy: "Ask `node.info` of this node and sign for its peer id.",
  },
  NODE_CONTROL_WRONG_SIGNER: {
    meaning: "The request names another administrator than the member of the session.",
    remedy: "Sign and send with the same member's key.",
  },
  NODE_CONTROL_SIGNATURE_INVALID: {
    meaning: "The request's signature does not verify under the administrator's key in force.",
    remedy: "Sign with the member's current key, over the request's own bytes.",
  },
  NODE_CONTROL_FORBIDDEN: {
    meaning: "Only admins of the node's own organisation change it; what was read is for others.",
    remedy: "Ask an admin of the node's organisation; docs/operations.md has the table of rights.",
  },
  NODE_CONTROL_EXPIRED: {
    meaning: "The request's time is over, not yet begun, or longer than five minutes.",
    remedy: "Make a new request; compare the clocks of both machines.",
  },
  NODE_CONTROL_REPLAYED: {
    meaning: "The node has carried out or judged a request with this nonce already.",
    remedy: "Look into the audit log for what became of it; make a new request.",
  },
  NODE_CONTROL_BUSY: {
    meaning: "As many requests wait to be carried out as may, or as many nonces are remembered.",
    remedy: "Wait until the requests before are done.",
  },
  NODE_CONTROL_MODE: {
    meaning: "The request does not fit the mode the node is in: a node in standby only starts.",
    remedy: "Look at `credlink node status`; start the node first, or resume it.",
  },
  NODE_AUDIT_FAILED: {
    meaning: "The audit log cannot be written or read, so nothing was changed.",
    remedy: "Check space and rights of the node's `control` folder and the disk behind it.",
  },
  NODE_AUDIT_ALTERED: {
    meaning: "A line of the audit log is not what the node wrote; the file is left as it is.",
    remedy: "Find out who wrote into it: `credlink node audit --dir DIR` names the place.",
  },
  NODE_DRAINING: {
    meaning: "The node finishes what it accepted and takes no new transactions or sessions.",
    remedy: "Send to another node; an admin ends it with `credlink node resume`.",
  },
  NODE_STANDBY: {
    meaning: "The node was stopped by an admin: it takes no part in the chain and no work.",
    remedy: "Send to another node; an admin starts it with `credlink node start`.",
  },
  NODE_SETTING_CONSENSUS: {
    meaning: "The setting is the chain's, not the node's: all nodes must agree on it.",
    remedy:
      "Change it on chain, by a proposal of the `governance` contract that organisations vote on.",
  },
  NODE_SETTING_RESTART: {
    meaning: "The setting takes effect at the node's start only.",
    remedy: "Change the configuration file and start the node again.",
  },
  NODE_SETTING_FIXED: {
    meaning: "The setting was given by an environment variable or a flag, which stand above it.",
    remedy: "Take it out of the node's environment or command line and start the node again.",
  },
});

export type ControlErrorCode = keyof typeof controlErrors;

/** A request that was not carried out, or an audit log that failed. */
export class NodeControlError extends AppError<{ readonly code: ControlErrorCode }> {
  constructor(code: ControlErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
