import {
  type FeedArgs,
  feedArgsCodec,
  isNodeRole,
  MAX_OBSERVATION_BYTES,
  memberRoles,
  type OracleFeed,
  oracleFeedCodec,
  type PublishArgs,
  publishArgsCodec,
  type ReadFeedArgs,
  readFeedArgsCodec,
  readFeedCodec,
  type SetFeedArgs,
  setFeedArgsCodec,
} from "@credlink/ledger";
import {
  type Address,
  addressCodec,
  type Codec,
  encode,
  equalBytes,
  list,
  struct,
  text,
  toHex,
  u53,
  utf8,
} from "@credlink/primitives";
import {
  type BuiltInCall,
  type BuiltInContract,
  changing,
  reading,
  refuseCall,
} from "./built-in.ts";
import { governed } from "./governed.ts";
import { noArgsCodec } from "./members.ts";
import { MAX_FEEDS, rows } from "./rows.ts";

const FEED_NAME = /^[a-z][a-z0-9.-]{0,63}$/;
/** Longest validity of an observation. */
const MAX_VALIDITY_MS = 366 * 24 * 3600 * 1000;

/** Topics of the contract's events: data `oracleFeedCodec`, the feed's name, `publishedCodec`. */
export const FEED_TOPIC = "feed";
export const FEED_REMOVED_TOPIC = "removed";
export const PUBLISHED_TOPIC = "published";

/** That a publisher said something; what, stands in its transaction and in the state. */
export interface Published {
  readonly feed: string;
  readonly publisher: Address;
  readonly observedAtMs: number;
}
export const publishedCodec: Codec<Published> = struct({
  feed: text(64),
  publisher: addressCodec,
  observedAtMs: u53,
});

/** What `oracles.feeds` returns. */
export const feedNamesCodec: Codec<readonly string[]> = list(text(64), MAX_FEEDS);

/**
 * The door for data from outside: it enters by signed transactions of members that governance
 * named, and by nothing else. Nobody waits for it: who reads gets what is there, or null.
 */
export const oraclesContract: BuiltInContract = new Map([
  ["setFeed", governed("ordinary", setFeedArgsCodec, setFeed)],
  ["removeFeed", governed("ordinary", feedArgsCodec, removeFeed)],
  [
    "publish",
    changing(
      memberRoles.filter((role) => !isNodeRole(role)),
      publishArgsCodec,
      publish,
    ),
  ],
  ["read", reading(readFeedArgsCodec, read)],
  ["feed", reading(feedArgsCodec, ({ feed }, call) => encode(oracleFeedCodec, find(feed, call)))],
  [
    "feeds",
    reading(noArgsCodec, (_, call) =>
      encode(feedNamesCodec, call.state.read(rows.feedNames) ?? []),
    ),
  ],
]);

function find(feed: string, call: BuiltInCall): OracleFeed {
  return call.state.read(rows.feed(feed)) ?? refuseCall("ORACLES_FEED_UNKNOWN", feed);
}

function setFeed({ feed }: SetFeedArgs, call: BuiltInCall): undefined {
  const problem = feedProblem(feed);
  if (problem !== null) refuseCall("ORACLES_FEED_INVALID", problem);
  const names = call.state.read(rows.feedNames) ?? [];
  if (!names.includes(feed.feed)) {
    if (names.length >= MAX_FEEDS) refuseCall("ORACLES_TOO_MANY");
    call.state.write(rows.feedNames, [...names, feed.feed]);
  }
  call.state.write(rows.feed(feed.feed), feed);
  call.emit(FEED_TOPIC, encode(oracleFeedCodec, feed));
}

/** Which part of a feed is outside its bounds, or null. */
function feedProblem({ feed, publishers, maxValueBytes, validityMs }: OracleFeed): string | null {
  if (!FEED_NAME.test(feed)) return "name";
  const different = new Set(publishers.map(toHex));
  if (publishers.length === 0 || different.size < publishers.length) return "publishers";
  if (maxValueBytes < 1 || maxValueBytes > MAX_OBSERVATION_BYTES) return "maxValueBytes";
  if (validityMs < 1 || validityMs > MAX_VALIDITY_MS) return "validityMs";
  return null;
}

/** What was published under the feed stays in the state, and is no longer read. */
function removeFeed({ feed }: FeedArgs, call: BuiltInCall): undefined {
  const { contract, key } = rows.feed(find(feed, call).feed);
  const names = call.state.read(rows.feedNames) ?? [];
  call.state.write(
    rows.feedNames,
    names.filter((name) => name !== feed),
  );
  call.state.delete(contract, key);
  call.emit(FEED_REMOVED_TOPIC, utf8(feed));
}

function isPublisher({ publishers }: OracleFeed, publisher: Address): boolean {
  return publishers.some((one) => equalBytes(one, publisher));
}

function publish({ feed, observedAtMs, value }: PublishArgs, call: BuiltInCall): undefined {
  const known = find(feed, call);
  const publisher = call.caller.address;
  if (!isPublisher(known, publisher)) refuseCall("ORACLES_NOT_A_PUBLISHER");
  if (value.length > known.maxValueBytes) refuseCall("ORACLES_VALUE_TOO_LARGE");
  const ageMs = call.block.timestampMs - observedAtMs;
  if (ageMs < 0 || ageMs > known.validityMs) refuseCall("ORACLES_TIME_INVALID", `${ageMs} ms old`);
  const row = rows.observation(feed, publisher);
  const last = call.state.read(row);
  // Its own older word, sent again or late, never takes the place of a newer one.
  if (last !== null && last.observedAtMs >= observedAtMs) refuseCall("ORACLES_NOT_NEWER");
  call.state.write(row, { value, observedAtMs, recordedAtMs: call.block.timestampMs });
  call.emit(PUBLISHED_TOPIC, encode(publishedCodec, { feed, publisher, observedAtMs }));
}

/** Null is an ordinary answer: no such feed, no word, none fresh enough, or no longer trusted. */
function read({ feed, publisher, maxAgeMs }: ReadFeedArgs, call: BuiltInCall): Uint8Array {
  const known = call.state.read(rows.feed(feed));
  const isNamed = known !== null && isPublisher(known, publisher);
  const isActive = isNamed && call.state.read(rows.member(publisher))?.status === "active";
  const last = isActive ? call.state.read(rows.observation(feed, publisher)) : null;
  const mostMs = Math.min(maxAgeMs, known?.validityMs ?? 0);
  const isFresh = last !== null && call.block.timestampMs - last.observedAtMs <= mostMs;
  return encode(readFeedCodec, isFresh ? last : null);
}
