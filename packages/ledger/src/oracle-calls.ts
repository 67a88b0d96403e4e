import {
  type Address,
  addressCodec,
  bytesUpTo,
  type Codec,
  list,
  nullable,
  struct,
  text,
  u32,
  u53,
} from "@credlink/primitives";

/** Most publishers of one feed, and most bytes of one observation. */
export const MAX_PUBLISHERS = 16;
export const MAX_OBSERVATION_BYTES = 4 * 1024;

/** A source of outside data that governance admitted: who may say what, and for how long it counts. */
export interface OracleFeed {
  /** `[a-z][a-z0-9.-]{0,63}`. */
  readonly feed: string;
  /** Members whose signed transactions carry its observations; each has its own. */
  readonly publishers: readonly Address[];
  readonly maxValueBytes: number;
  /** How old an observation may be, by the block's time, when it is published and when it is read. */
  readonly validityMs: number;
}
export const oracleFeedCodec: Codec<OracleFeed> = struct({
  feed: text(64),
  publishers: list(addressCodec, MAX_PUBLISHERS),
  maxValueBytes: u32,
  validityMs: u53,
});

/** `oracles.setFeed`: by a majority; in place of what stood under the name. Event `feed`. */
export interface SetFeedArgs {
  readonly feed: OracleFeed;
}
export const setFeedArgsCodec: Codec<SetFeedArgs> = struct({ feed: oracleFeedCodec });

/** `oracles.removeFeed`, by a majority, and `oracles.feed`. */
export interface FeedArgs {
  readonly feed: string;
}
export const feedArgsCodec: Codec<FeedArgs> = struct({ feed: text(64) });

/** `oracles.publish`, by one of the feed's publishers. */
export interface PublishArgs {
  readonly feed: string;
  /** When the publisher saw it: later than its last one, not after the block's time. */
  readonly observedAtMs: number;
  readonly value: Uint8Array;
}
export const publishArgsCodec: Codec<PublishArgs> = struct({
  feed: text(64),
  observedAtMs: u53,
  value: bytesUpTo(MAX_OBSERVATION_BYTES),
});

/** `oracles.read`, read-only: one publisher's last observation, or null. */
export interface ReadFeedArgs {
  readonly feed: string;
  readonly publisher: Address;
  /** The oldest that the reader takes, by the block's time. */
  readonly maxAgeMs: number;
}
export const readFeedArgsCodec: Codec<ReadFeedArgs> = struct({
  feed: text(64),
  publisher: addressCodec,
  maxAgeMs: u53,
});

/** What a publisher said last. */
export interface Observation {
  readonly value: Uint8Array;
  readonly observedAtMs: number;
  /** Time of the block that holds it. */
  readonly recordedAtMs: number;
}
export const observationCodec: Codec<Observation> = struct({
  value: bytesUpTo(MAX_OBSERVATION_BYTES),
  observedAtMs: u53,
  recordedAtMs: u53,
});
/** What `oracles.read` returns: null where nothing is there, or nothing fresh enough. */
export const readFeedCodec: Codec<Observation | null> = nullable(observationCodec);
