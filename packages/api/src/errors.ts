import { defineErrors } from "@credlink/primitives";

/** What the gateway refuses before, or instead of, what a method does. */
export const apiErrors = defineErrors({
  API_REQUEST_MALFORMED: {
    meaning: "The body is no JSON, or no JSON-RPC 2.0 request with an object of parameters.",
    remedy: "Send what docs/protocol/rpc.md says; an SDK does it by itself.",
  },
  API_BODY_TOO_LARGE: {
    meaning: "The request's body is larger than the gateway takes.",
    remedy: "Send fewer calls or transactions at once, or raise rpc.maxBodyBytes.",
  },
  API_BATCH_TOO_LARGE: {
    meaning: "A batch holds more calls than the gateway takes, or none.",
    remedy: "Split it; rpc.maxBatch is the limit.",
  },
  API_METHOD_UNKNOWN: {
    meaning: "There is no such method.",
    remedy: "GET /rpc/discover lists all methods of this node.",
  },
  API_PARAMS_INVALID: {
    meaning: "The parameters are not of the method's schema.",
    remedy: "The message names the field; GET /rpc/discover holds the schemas.",
  },
  API_SESSION_REQUIRED: {
    meaning: "The call needs a session, and no token was sent: only members read and write.",
    remedy: "Log in (session.challenge, session.login) and send `Authorization: Bearer <token>`.",
  },
  API_SESSION_ENDED: {
    meaning: "The session's token is unknown here or has ended.",
    remedy: "Log in again.",
  },
  API_CHALLENGE_UNKNOWN: {
    meaning: "The challenge was not issued to this address by this node, was used, or has ended.",
    remedy: "Ask for a new challenge and answer it within a minute.",
  },
  API_SIGNATURE_INVALID: {
    meaning: "The login's signature does not verify under the member's key of the committed state.",
    remedy: "Sign with the member's current key; check that the genesis digest is this chain's.",
  },
  API_MEMBER_UNKNOWN: {
    meaning: "The registry of the committed state has no such member.",
    remedy: "Have the member enrolled first, or wait until this node has caught up.",
  },
  API_MEMBER_INACTIVE: {
    meaning:
      "The member is not active yet, suspended, has left, was revoked, or is outside its validity.",
    remedy: "Ask an admin of the member's organisation.",
  },
  API_ROLE_FORBIDDEN: {
    meaning: "The method is for members of another role, or of the node's own organisation.",
    remedy: "docs/operations.md says who may read what of a node; ask a member of that role.",
  },
  API_RATE_LIMITED: {
    meaning: "The member or the network address made more calls than it may.",
    remedy: "Wait retryAfterMs; spread the load, or raise the limits of the rpc section.",
  },
  API_BUSY: {
    meaning: "As many calls wait for transactions as the gateway lets wait.",
    remedy: "Wait retryAfterMs, or ask with transaction.get instead.",
  },
  API_NOT_FOUND: {
    meaning: "There is no such block on this node, or it does not keep that history any more.",
    remedy: "Ask for a height up to the head, or another node; this one may still be catching up.",
  },
  API_RECEIPT_NONE: {
    meaning: "This node neither holds the transaction nor has it in a block: nothing to sign for.",
    remedy: "Ask the node that took it, or transaction.get for whether it expired.",
  },
  API_WALK_TOO_LARGE: {
    meaning: "The page lies further on in the walk than the gateway walks in one call.",
    remedy: "Begin nearer, ask for less depth, or page through credential.children.",
  },
  API_ADDRESS_INVALID: {
    meaning: "The text is no address: its checksum or its prefix is wrong.",
    remedy: "Copy the address again; it begins with cl1.",
  },
  API_INTERNAL: {
    meaning: "The node failed to answer; the cause stands in its log.",
    remedy: "Read the log at the time of the call.",
  },
});

/** Every code of this table. */
export type ApiErrorCode = keyof typeof apiErrors;
