import { AppError, defineErrors } from "@credlink/primitives";

/** Why a peer was refused before any other protocol opened. */
export const admissionErrors = defineErrors({
  NODE_ADMISSION_UNKNOWN_ROOT: {
    meaning:
      "The peer's certificate chain does not lead to a root that this chain's genesis names.",
    remedy: "Give the node a certificate signed by an organisation of this consortium.",
  },
  NODE_ADMISSION_EXPIRED: {
    meaning: "A certificate in the peer's chain has ended.",
    remedy: "Renew the certificate and restart the peer; compare the clocks of both machines.",
  },
  NODE_ADMISSION_NOT_YET_VALID: {
    meaning: "A certificate in the peer's chain is not valid yet.",
    remedy: "Wait for its start, or compare the clocks of both machines.",
  },
  NODE_ADMISSION_REVOKED: {
    meaning: "The peer's certificate is on a revocation list, or its member is revoked on chain.",
    remedy: "Ask the organisation's authority for a new certificate and key.",
  },
  NODE_ADMISSION_ROLE_MISSING: {
    meaning: "The peer's certificate names no role (OU) that credlink knows.",
    remedy: "Have the certificate issued with OU=validator, observer or regulator-node.",
  },
  NODE_ADMISSION_ROLE_REFUSED: {
    meaning: "The peer's certificate names a user's role; only nodes are admitted as peers.",
    remedy: "Users reach the chain through a node's RPC port; nodes need a node certificate.",
  },
  NODE_ADMISSION_KEY_USAGE: {
    meaning: "The peer's certificate is not meant for signing, or an issuer is no authority.",
    remedy: "Have the certificate issued with the key usage digitalSignature by an authority.",
  },
  NODE_ADMISSION_VALIDITY_TOO_LONG: {
    meaning: "The peer's certificate is valid for more than three years (1,096 days).",
    remedy: "Have the certificate issued for at most three years, and renewed before its end.",
  },
  NODE_ADMISSION_CERTIFICATE_INVALID: {
    meaning: "A signature in the peer's certificate chain is wrong, or a certificate is malformed.",
    remedy: "Compare the peer's certificate file with what its authority issued.",
  },
  NODE_ADMISSION_REVOCATION_LIST_STALE: {
    meaning: "The revocation list configured for the peer's issuer is past its next update.",
    remedy: "Fetch the authority's current list into p2p.revocationLists.",
  },
  NODE_ADMISSION_WRONG_CHAIN: {
    meaning: "The peer speaks for another chain: its chain id or genesis digest differs from ours.",
    remedy: "Compare the genesis files of both nodes; they must be the same bytes.",
  },
  NODE_ADMISSION_WRONG_PEER: {
    meaning: "The peer id in the handshake, or on chain for this key, is not the connection's own.",
    remedy: "Someone relays a handshake, or a node's peer key changed: check both key files.",
  },
  NODE_ADMISSION_REPLAYED_NONCE: {
    meaning: "The peer used a nonce that this node has seen before, or echoed ours.",
    remedy: "A recorded handshake was played back; find out who does it.",
  },
  NODE_ADMISSION_BAD_SIGNATURE: {
    meaning: "The peer's signature does not bind its certificate's key to this connection.",
    remedy: "The peer's key does not fit its certificate, or someone relays its handshake.",
  },
  NODE_ADMISSION_RELAYED: {
    meaning: "The peer signed for another session than this one: somebody stands between us.",
    remedy:
      "Find the machine at the dialled address; it holds a stolen peer key. Replace the peer keys of both nodes.",
  },
  NODE_ADMISSION_SUPERSEDED: {
    meaning:
      "A connection was closed for a newer one: the member had too many open, or its peer id came with another certificate.",
    remedy: "Run each node's certificate and peer key on one machine; after a renewal, nothing.",
  },
  NODE_ADMISSION_NOT_REGISTERED: {
    meaning: "The peer's member is not active in the registry of the committed state.",
    remedy: "Enrol the node's certificate (members.enroll), or let an admin reactivate it.",
  },
  NODE_ADMISSION_TIMEOUT: {
    meaning: "The handshake was not finished in time.",
    remedy: "Check the network between the nodes; a peer that does it often is banned for a while.",
  },
  NODE_ADMISSION_MALFORMED: {
    meaning: "The peer sent bytes that are no message of the handshake, or ended it early.",
    remedy: "Run the same protocol version on both nodes.",
  },
  NODE_ADMISSION_BANNED: {
    meaning: "The peer or its network address failed too often and is banned for a while.",
    remedy: "Cure what the earlier refusals name, then wait for the ban's end.",
  },
  NODE_ADMISSION_ABORTED: {
    meaning: "The peer ended the handshake without saying why.",
    remedy: "Read the peer's log: it may have stopped, or be no credlink node.",
  },
  NODE_ADMISSION_CHANNEL_BROKEN: {
    meaning:
      "Bytes of the gm channel do not decrypt, are no point of the curve, or are too long or short.",
    remedy:
      "Compare the chain ids of both nodes, which the channel binds; else somebody alters bytes on the way.",
  },
  NODE_ADMISSION_CHANNEL_EXHAUSTED: {
    meaning: "A channel carried as many messages as its nonces count: 2^53 - 1.",
    remedy: "Nothing: the connection ended, and the next one begins with fresh keys.",
  },
  NODE_ADMISSION_WRONG_TRANSPORT: {
    meaning: "The peer's chain encrypts its connections with another suite than ours.",
    remedy:
      "Compare the genesis files of both nodes; `transport` stands in them, for the whole chain.",
  },
  NODE_ADMISSION_UNKNOWN_CODE: {
    meaning: "The peer refused us with a code that this version does not know.",
    remedy: "Read the peer's log; update the older of the two nodes.",
  },
});

export type AdmissionErrorCode = keyof typeof admissionErrors;

/** What the transport between admitted nodes reports. */
export const networkErrors = defineErrors({
  NODE_NETWORK_NOT_CONNECTED: {
    meaning: "There is no admitted connection to the peer.",
    remedy: "Wait for the reconnect, or ask another peer.",
  },
  NODE_NETWORK_TIMEOUT: {
    meaning: "The peer did not answer a request in time.",
    remedy: "Ask another peer.",
  },
  NODE_NETWORK_REFUSED: {
    meaning: "The peer closed the stream without an answer.",
    remedy: "Ask another peer; the peer's log says why.",
  },
  NODE_NETWORK_FRAME_TOO_LARGE: {
    meaning: "A frame is longer than its protocol allows; nothing of it was allocated.",
    remedy: "Run the same protocol version on both nodes.",
  },
  NODE_NETWORK_PEER_KEY_INVALID: {
    meaning: "The file with the node's libp2p key cannot be read as an Ed25519 key.",
    remedy: "Restore the file from a backup; a new key needs a change of the validator on chain.",
  },
  NODE_NETWORK_CONNECTION_LIMIT: {
    meaning: "The connection was closed because p2p.maxConnections was reached or lowered.",
    remedy: "Raise p2p.maxConnections (`credlink node config set`), or remove nodes.",
  },
  NODE_PEER_PROTOCOL_FORBIDDEN: {
    meaning:
      "A peer opened a protocol that its certificate's role may not open, and was not heard.",
    remedy: "Find out what runs there: an honest node of that role never does it.",
  },
  NODE_NETWORK_LISTEN_FAILED: {
    meaning: "The node cannot listen on the address of p2p.listen.",
    remedy: "Choose a free port and an address of this machine.",
  },
});

export type NetworkErrorCode = keyof typeof networkErrors;

/** A handshake that ended in a refusal, ours (`by: "us"`) or the peer's. */
export class AdmissionError extends AppError<{
  readonly code: AdmissionErrorCode;
  readonly by: "us" | "peer";
}> {
  /** The refusal of a peer by the code that it gave. */
  static fromPeer(code: string, message: string): AdmissionError {
    const isKnown = (text: string): text is AdmissionErrorCode =>
      Object.hasOwn(admissionErrors, text);
    const known = isKnown(code) ? code : "NODE_ADMISSION_UNKNOWN_CODE";
    return new AdmissionError({ code: known, by: "peer" }, message);
  }
}

/** A message or request that could not be carried. */
export class NetworkError extends AppError<{ readonly code: NetworkErrorCode }> {
  constructor(code: NetworkErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super({ code }, message, options);
  }
}
