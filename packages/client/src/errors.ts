import { AppError, defineErrors } from "@credlink/primitives";

/** What the SDK refuses to believe, or could not do. */
export const clientErrors = defineErrors({
  CLIENT_UNREACHABLE: {
    meaning: "The node's gateway did not answer: no connection, or it was cut.",
    remedy: "Check the address and that the node runs (`credlink network status`); try another.",
  },
  CLIENT_TIMEOUT: {
    meaning: "The gateway did not answer within the time allowed for the call.",
    remedy: "Look at the node's load and log; allow more time, or ask another node.",
  },
  CLIENT_RESPONSE_MALFORMED: {
    meaning: "The answer is not JSON-RPC 2.0, or its result is not of the method's schema.",
    remedy: "Check that the address is a credlink gateway of the same protocol version.",
  },
  CLIENT_PARAMS_INVALID: {
    meaning: "The arguments of a call are not of the method's schema; nothing was sent.",
    remedy: "Correct the arguments; the schemas stand in docs/protocol/rpc.md.",
  },
  CLIENT_KEY_MISSING: {
    meaning: "The call needs a member's session, and no key was given.",
    remedy: "Give the member's key (CLI: --key with --password-file, or --network).",
  },
  CLIENT_GENESIS_MISMATCH: {
    meaning: "The gateway's genesis is not the trusted one: another chain, or a lie.",
    remedy: "Compare the genesis digest with the consortium's; connect to a node of that chain.",
  },
  CLIENT_HEADER_ALTERED: {
    meaning: "A header's bytes do not give the digest, height or chain that was asked for.",
    remedy: "Do not trust this gateway; ask another node and tell the operator.",
  },
  CLIENT_HEAD_UNPROVEN: {
    meaning: "The answer stands on the genesis block alone, which no validator signed yet.",
    remedy: "Ask again once block 1 exists: its parent hash proves the genesis block.",
  },
  CLIENT_CERTIFICATE_INVALID: {
    meaning: "A block's commit certificate lacks a quorum of valid signatures of its validators.",
    remedy: "Do not trust this gateway; ask another node and tell the operator.",
  },
  CLIENT_VALIDATORS_UNKNOWN: {
    meaning: "No certified chain of headers leads from the trusted validators to those named.",
    remedy: "Ask another node; if all say so, obtain the genesis of the chain again.",
  },
  CLIENT_NOT_A_VALIDATOR: {
    meaning: "The node named was no validator at the height named.",
    remedy: "Check the name; `credlink validators list` tells who is one now.",
  },
  CLIENT_PROOF_INVALID: {
    meaning: "A Merkle proof does not lead from the value to the certified header's root.",
    remedy: "Do not trust this gateway; ask another node and tell the operator.",
  },
  CLIENT_RECORD_ALTERED: {
    meaning: "A transaction, receipt or block is not the one asked for, though it is well-formed.",
    remedy: "Do not trust this gateway; ask another node and tell the operator.",
  },
  CLIENT_CREDENTIAL_UNKNOWN: {
    meaning: "A credential is proven absent from the state: nobody put it on this chain.",
    remedy: "Check the id; a node that is behind may not have it yet (`network status`).",
  },
  CLIENT_CREDENTIAL_TYPE: {
    meaning: "A credential is of another type than the call is about.",
    remedy: "Check the id; `credlink credential get` shows the type.",
  },
  CLIENT_SCHEMA_UNKNOWN: {
    meaning: "A schema version is proven absent from the registry of the chain.",
    remedy: "Check the name; `credlink schema list` shows every version.",
  },
  CLIENT_CONTRACT_UNKNOWN: {
    meaning: "A contract, or that version of it, is proven absent from the registry.",
    remedy: "Check name and version; `credlink contract list` shows what is installed.",
  },
  CLIENT_CONTRACT_DIFFERS: {
    meaning: "A contract's code or manifest on chain is not the one that was to be compared.",
    remedy: "Do not approve it: ask whoever installed it for the package that it came from.",
  },
  CLIENT_CONTRACT_TURN: {
    meaning: "A version was to be started beside another one, or upgraded where none is started.",
    remedy: "Start where none is started, else upgrade; `credlink contract versions` shows which.",
  },
  CLIENT_GRAPH_TOO_LARGE: {
    meaning: "A credential rests on more others than one trace or package takes.",
    remedy: "Go by pages (`credential trace --limit`), or begin further up.",
  },
  CLIENT_PACKAGE_MALFORMED: {
    meaning:
      "A line of an evidence package is not of its form or order, or the package is too large.",
    remedy: "The file was altered, cut off or is of another version: obtain it again.",
  },
  CLIENT_PACKAGE_INCOMPLETE: {
    meaning:
      "An evidence package lacks something that it must prove, or holds what belongs to nothing.",
    remedy: "Have it exported again from a node that has caught up.",
  },
  CLIENT_PACKAGE_DIGEST: {
    meaning: "An evidence package's last line does not have the digest of the lines before it.",
    remedy: "The file was altered or cut off: obtain it again and compare digests.",
  },
  CLIENT_SIGNATURE_INVALID: {
    meaning: "A signature does not verify under the key that counted for its signer then.",
    remedy: "Do not believe the document; obtain it from another node.",
  },
  CLIENT_DISCLOSURE_INVALID: {
    meaning: "A disclosed field is not what the credential on chain commits to.",
    remedy: "The field was altered or is another credential's: ask the discloser again.",
  },
  CLIENT_VC_MALFORMED: {
    meaning: "A document is not a W3C verifiable credential of the form that this chain exports.",
    remedy: "Compare it with docs/protocol/verifiable-credential.md, or obtain it again.",
  },
  CLIENT_VC_MISMATCH: {
    meaning:
      "A verifiable credential says something else than the record and fields that it proves.",
    remedy: "Do not believe the document; the message names the property.",
  },
  CLIENT_VC_INACTIVE: {
    meaning: "The credential, or its issuer, was not active at the height that is proven.",
    remedy: "Ask its issuer for the successor; `credlink credential get` shows the status now.",
  },
  CLIENT_VC_EXPIRED: {
    meaning: "The time of verification lies outside the credential's validity.",
    remedy: "Ask its issuer for a newer one, or verify as of another time (--at).",
  },
  CLIENT_EVIDENCE_INVALID: {
    meaning:
      "What was shown is not of its kind: its form or a check digit is wrong, or it expired.",
    remedy:
      "Compare it with the document and type it again; a passport by its machine-readable line.",
  },
  CLIENT_STALE: {
    meaning: "The gateway's certified head is below the height that was demanded.",
    remedy: "Wait until the node has caught up, or ask another node.",
  },
  CLIENT_TRANSACTION_INVALID: {
    meaning: "A transaction cannot be built: a field is out of bounds, or a signer stands twice.",
    remedy: "Correct the field named; bounds stand in docs/protocol/ledger.md.",
  },
  CLIENT_TRANSACTION_EXPIRED: {
    meaning:
      "The transaction's expiry height passed without it being in a block: it never will be.",
    remedy: "Build it again with a new nonce and expiry, and submit it.",
  },
  CLIENT_TRANSACTION_PENDING: {
    meaning: "The transaction was accepted, but did not commit within the time allowed.",
    remedy: "Ask for it again by its id; do not build a second one unless this one expired.",
  },
  CLIENT_TRANSACTION_FAILED: {
    meaning: "The transaction stands in a block, but its execution was refused; nothing changed.",
    remedy: "Its status says why: a code of docs/errors.md, or one of the contract's own.",
  },
  CLIENT_RECEIPT_MALFORMED: {
    meaning: "The bytes are no signed receipt of a version that is known.",
    remedy: "Give the file that --receipt or `receipt sign` wrote, unchanged.",
  },
  CLIENT_RECEIPT_OTHER_CHAIN: {
    meaning: "The receipt is of another chain than the genesis.",
    remedy: "Verify it with the genesis of its own chain.",
  },
  CLIENT_RECEIPT_SIGNATURE: {
    meaning: "The receipt's signature does not hold: it was altered, or made for something else.",
    remedy: "Do not rely on it; ask for another one.",
  },
  CLIENT_RECEIPT_SIGNER: {
    meaning:
      "The signer's certificate is not one that the chain's roots vouched for at the time stated.",
    remedy: "The message names what fails; a node needs a node's role. Ask for another receipt.",
  },
  CLIENT_RECEIPT_CONTENT: {
    meaning: "The receipt holds, but is not of what it is shown with.",
    remedy:
      "Find the transaction, request or file that it is of; a gateway that does so is not to be trusted.",
  },
});

export type ClientErrorCode = keyof typeof clientErrors;

/** An operation of the SDK that failed, or an answer that it refuses to believe. */
export class ClientError extends AppError<{
  readonly code: ClientErrorCode;
  /** The contract's or the VM's own code, when a committed transaction failed. */
  readonly status?: string;
  /** Line of an evidence package, from 1. */
  readonly line?: number;
  /** Hexadecimal id of the transaction concerned. */
  readonly transactionId?: string;
}> {
  get remedy(): string {
    return clientErrors[this.details.code].remedy;
  }
}

/** What the gateway refused: its own code and remedy, as the node documents them. */
export class GatewayError extends AppError<{
  readonly code: string;
  readonly remedy: string;
  readonly retryAfterMs?: number;
  readonly httpStatus: number;
}> {
  get remedy(): string {
    return this.details.remedy;
  }
}

/** A `ClientError` in one call. */
export function clientError(
  code: ClientErrorCode,
  message: string,
  options: {
    readonly cause?: unknown;
    readonly status?: string;
    readonly transactionId?: string;
  } = {},
): ClientError {
  const details = {
    code,
    ...(options.status === undefined ? {} : { status: options.status }),
    ...(options.transactionId === undefined ? {} : { transactionId: options.transactionId }),
  };
  return new ClientError(
    details,
    message,
    options.cause === undefined ? {} : { cause: options.cause },
  );
}
