import { encode, type Result, refuse, sharedReading, tryDecode } from "@credlink/primitives";
import { MESSAGE_TAGS, messageCodec, PROPOSAL_OVERHEAD_BYTES } from "./codecs.ts";
import type { Message } from "./messages.ts";
import { quorum } from "./quorum.ts";
import { MAX_VALIDATORS } from "./validator-set.ts";

/** What bounds the size of a message, beside its type. */
export interface MessageLimits {
  /** Number of validators of the height; default: the most that a list may have. */
  readonly validatorCount?: number;
  /** Largest block, bytes; default 4 MiB. */
  readonly maxBlockBytes?: number;
}

/** Largest PREPARE, COMMIT and WISH, bytes. */
export const MAX_VOTE_BYTES = 512;
const DEFAULT_MAX_BLOCK_BYTES = 4 * 1024 * 1024;
/** An indexed signature takes at most 70 bytes: 66 for 64 bytes, 3 for the index, 1 for the pair. */
const INDEXED_SIGNATURE_BYTES = 70;
/** A view change's signed part takes at most 160 bytes inside a justification. */
const VIEW_CHANGE_VOTE_BYTES = 160;

/** Largest encoding of a message of this type, in bytes. */
export function maxMessageBytes(type: Message["type"], limits: MessageLimits = {}): number {
  const count = limits.validatorCount ?? MAX_VALIDATORS;
  const certificate = 256 + quorum(count) * INDEXED_SIGNATURE_BYTES;
  const block = (limits.maxBlockBytes ?? DEFAULT_MAX_BLOCK_BYTES) + PROPOSAL_OVERHEAD_BYTES;
  switch (type) {
    case "prepare":
    case "commit":
    case "wish":
      return MAX_VOTE_BYTES;
    case "view-change":
      return certificate;
    case "pre-prepare":
      return block + certificate + count * VIEW_CHANGE_VOTE_BYTES;
    case "decided":
      return block + certificate;
  }
}

/** The canonical bytes of a message. */
export function encodeMessage(message: Message): Uint8Array {
  return encode(messageCodec, message);
}

const TYPES = new Map<number, Message["type"]>();
for (const type of Object.keys(MESSAGE_TAGS) as Message["type"][]) {
  TYPES.set(MESSAGE_TAGS[type], type);
}

/**
 * The type that the first two bytes claim: an array of at most 15 places, then the tag. Read
 * before anything is decoded, so that each type's size limit comes first.
 */
function claimedType(input: Uint8Array): Message["type"] | undefined {
  const [head, tag] = input;
  if (head === undefined || tag === undefined || head >> 4 !== 0x9) return undefined;
  return TYPES.get(tag);
}

type DecodedMessage = Result<
  Message,
  "CONSENSUS_MESSAGE_TOO_LARGE" | "CONSENSUS_MESSAGE_MALFORMED"
>;

/** Decodes a message from a peer; size first, then shape. Signatures are not checked here. */
export function decodeMessage(input: Uint8Array, limits?: MessageLimits): DecodedMessage {
  return limits === undefined ? decodeByDefaults(input) : decodeWithin(input, limits);
}

const decodeByDefaults = sharedReading((input: Uint8Array) => decodeWithin(input, {}));

function decodeWithin(input: Uint8Array, limits: MessageLimits): DecodedMessage {
  const type = claimedType(input);
  if (type === undefined) return refuse("CONSENSUS_MESSAGE_MALFORMED", "no known type");
  const maxBytes = maxMessageBytes(type, limits);
  if (input.length > maxBytes) {
    return refuse("CONSENSUS_MESSAGE_TOO_LARGE", `${type} of ${input.length} bytes`);
  }
  const decoded = tryDecode(messageCodec, input, { maxBytes });
  return decoded.ok ? decoded : refuse("CONSENSUS_MESSAGE_MALFORMED", decoded.detail);
}
