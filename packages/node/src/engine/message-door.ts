import {
  decodeMessage,
  type Message,
  type ReplicaStatus,
  signatureClaims,
  type ValidatorSet,
} from "@credlink/consensus-pbft";
import {
  type AdmittedPeer,
  type Clock,
  type Digest,
  equalBytes,
  type Height,
  type PeerId,
  sharedReading,
  height as toHeight,
} from "@credlink/primitives";
import { createLagWatch } from "./lag-watch.ts";
import type { EngineInstruments } from "./metrics.ts";
import type { PeerBudget } from "./peer-budget.ts";
import { openProposal } from "./proposal-payload.ts";
import type { ConsensusSignatures, SignatureRequest } from "./signature-memory.ts";

/** Why a message never reached the replica. */
type DropReason =
  | "provisional"
  | "stopped"
  | "malformed"
  | "over_budget"
  | "not_validator"
  | "not_sender"
  | "convicted"
  | "late"
  | "ahead"
  | "false_facts"
  | "bad_signature"
  | "verifier";

/** What the door of consensus messages works with. */
export interface DoorComponents {
  readonly chainId: string;
  readonly genesisDigest: Digest;
  readonly signatures: ConsensusSignatures;
  readonly budget: PeerBudget;
  readonly instruments: EngineInstruments;
  /** The replica's status; null before it runs. */
  readonly status: () => ReplicaStatus | null;
  /** V(height), or null when it is not known. */
  readonly validatorsAt: (height: Height) => ValidatorSet | null;
  /** Whether a signer is proven guilty in a view of a height. */
  readonly isConvicted: (height: Height, sender: number, view: number) => boolean;
  /** Monotonic milliseconds since the replica left the height before the one it decides. */
  readonly sinceAdvanceMs: () => number;
  /**
   * After a height is decided its last votes still arrive; only from this age on does an old vote
   * mean that its sender is behind, milliseconds (`RetransmissionTimes`).
   */
  readonly lateMs: number;
  /** A verified message for the replica. */
  readonly deliver: (from: PeerId, message: Message) => void;
  /** A validator speaks of a height beyond our window: we may be behind. */
  readonly onAhead: (peer: AdmittedPeer) => void;
  readonly clock: Clock;
  /** The others decide this height, and we do not. */
  readonly onLag: (height: number) => void;
}

/** The height that a message is about. */
export function heightOf(message: Message): Height {
  return message.type === "decided" ? message.certificate.height : message.height;
}

/**
 * Judges incoming consensus messages in the order of cost: size, decoding, membership, window,
 * facts, signatures. What is dropped is counted.
 */
export function createMessageDoor(
  parts: DoorComponents,
): (from: AdmittedPeer, bytes: Uint8Array) => void {
  const drop = (reason: DropReason): void =>
    parts.instruments.messagesDropped.add(1, { protocol: "consensus", reason });

  const lag = createLagWatch({ ...parts, require: parts.onLag });

  const judgePlace = (from: AdmittedPeer, message: Message): ValidatorSet | DropReason => {
    const status = parts.status();
    if (status === null) return "stopped";
    const height = heightOf(message);
    const isAhead = height > status.height + 1;
    const set = isAhead ? null : parts.validatorsAt(height);
    if (set === null) {
      const known = parts.validatorsAt(toHeight(status.height));
      const isMember = known?.validators.some(({ peerId }) => peerId === from.id) ?? false;
      if (isMember && isAhead) {
        parts.onAhead(from);
        lag.note(from.id, message);
      }
      return isAhead ? "ahead" : "late";
    }
    if (message.type === "decided") return set;
    const sender = set.validators[message.sender];
    if (sender === undefined) return "not_validator";
    if (sender.peerId !== from.id) return "not_sender";
    if (parts.isConvicted(height, message.sender, message.view)) return "convicted";
    const isVote = message.type === "prepare" || message.type === "commit";
    const isJustLate = height + 1 === status.height && parts.sinceAdvanceMs() < parts.lateMs;
    return height < status.height && isVote && isJustLate ? "late" : set;
  };

  const verify = async (from: AdmittedPeer, message: Message, set: ValidatorSet): Promise<void> => {
    const requests = requestsOf(message, set, parts);
    // A vote that is dropped here comes again with its sender's next retransmission.
    if (!parts.budget.spend(from.id, "signatures", requests?.length)) return drop("over_budget");
    try {
      if (requests === null || !(await parts.signatures.verifyAll(requests, "consensus"))) {
        parts.budget.blame(from.id);
        return drop("bad_signature");
      }
    } catch {
      return drop("verifier");
    }
    parts.instruments.messagesReceived.add(1, { type: message.type });
    parts.deliver(from.id, message);
    lag.note(from.id, message);
  };

  return (from, bytes) => {
    if (from.provisional) return drop("provisional");
    if (!parts.budget.spend(from.id, "consensus")) return drop("over_budget");
    const decoded = decodeMessage(bytes);
    if (!decoded.ok) {
      parts.budget.blame(from.id);
      return drop("malformed");
    }
    const message = decoded.value;
    const place = judgePlace(from, message);
    if (typeof place === "string") return drop(place);
    if (!hasTrueFacts(message)) {
      parts.budget.blame(from.id);
      return drop("false_facts");
    }
    void verify(from, message, place);
  };
}

/** Whether the proposal inside, if any, is what its payload says, and what the message signs. */
function hasTrueFacts(message: Message): boolean {
  if (message.type !== "pre-prepare" && message.type !== "decided") return true;
  return message.proposal === null || openProposal(message.proposal).ok;
}

interface Chain {
  readonly chainId: string;
  readonly genesisDigest: Digest;
}

/** What was asked last about one message: the validators' hash binds signers and their keys. */
interface Asked {
  genesisDigest: Digest | null;
  validatorsHash: Digest | null;
  requests: readonly SignatureRequest[] | null;
}

const askedOf = sharedReading(
  (_message: Message): Asked => ({ genesisDigest: null, validatorsHash: null, requests: null }),
);

/** Every signature inside a message with its signer's key; null when an index has no signer. */
export function requestsOf(
  message: Message,
  set: ValidatorSet,
  chain: Chain,
): readonly SignatureRequest[] | null {
  const asked = askedOf(message);
  const { genesisDigest } = chain;
  const isSame =
    asked.validatorsHash !== null &&
    asked.genesisDigest === genesisDigest &&
    equalBytes(asked.validatorsHash, set.hash);
  if (!isSame) {
    asked.requests = readRequests(message, set, chain);
    asked.genesisDigest = genesisDigest;
    asked.validatorsHash = set.hash;
  }
  return asked.requests;
}

function readRequests(
  message: Message,
  set: ValidatorSet,
  chain: Chain,
): readonly SignatureRequest[] | null {
  const context = {
    chainId: chain.chainId,
    genesisDigest: chain.genesisDigest,
    validatorsHash: set.hash,
  };
  const requests: SignatureRequest[] = [];
  for (const { index, message: payload, signature } of signatureClaims(message, context)) {
    const signer = set.validators[index];
    if (signer === undefined) return null;
    requests.push({ publicKey: signer.publicKey, message: payload, signature });
  }
  return requests;
}
