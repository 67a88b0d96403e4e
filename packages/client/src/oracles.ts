import {
  feedKey,
  feedNamesCodec,
  feedNamesKey,
  observationKey,
} from "@credlink/contracts-vm/formats";
import {
  BUILT_IN_VERSION,
  feedArgsCodec,
  MEMBERS_CONTRACT,
  memberCodec,
  memberKey,
  type Observation,
  ORACLES_CONTRACT,
  type OracleFeed,
  observationCodec,
  oracleFeedCodec,
  type PublishArgs,
  publishArgsCodec,
  setFeedArgsCodec,
} from "@credlink/ledger";
import { type Address, encode } from "@credlink/primitives";
import type { Client } from "./client.ts";
import { decodeClaim, type VerifiedHeader } from "./header-claims.ts";
import type { CommittedTransaction } from "./records.ts";
import type { Identity } from "./session.ts";
import type { Call } from "./transactions.ts";

const CALL_GAS = 2_000_000;

function oraclesCall(method: string, args: Uint8Array, coSigners: readonly Identity[] = []): Call {
  const place = { contract: ORACLES_CONTRACT, version: BUILT_IN_VERSION };
  return { ...place, method, args, coSigners, gasLimit: CALL_GAS };
}

/** Names of all feeds of outside data, proven. */
export async function listFeeds(client: Client): Promise<readonly string[]> {
  const { value } = await client.getState(ORACLES_CONTRACT, feedNamesKey());
  return value === null ? [] : decodeClaim(feedNamesCodec, value, "names of feeds");
}

/**
 * Registers a feed, in the place of what stood under its name. Sender and co-signers must be admins
 * of more than half of the organisations.
 */
export function setFeed(
  client: Client,
  feed: OracleFeed,
  coSigners: readonly Identity[],
): Promise<CommittedTransaction> {
  return client.execute(oraclesCall("setFeed", encode(setFeedArgsCodec, { feed }), coSigners));
}

/** Removes a feed, by the same majority: what was published under it is no longer read. */
export function removeFeed(
  client: Client,
  feed: string,
  coSigners: readonly Identity[],
): Promise<CommittedTransaction> {
  return client.execute(oraclesCall("removeFeed", encode(feedArgsCodec, { feed }), coSigners));
}

/** Says what was seen outside, as one of the feed's publishers. */
export function publishObservation(
  client: Client,
  observation: PublishArgs,
): Promise<CommittedTransaction> {
  return client.execute(oraclesCall("publish", encode(publishArgsCodec, observation)));
}

/** A publisher of a feed and what it said last. */
export interface PublisherWord {
  readonly publisher: Address;
  /** Null: it never said anything. */
  readonly last: Observation | null;
  /**
   * Whether a contract that asks at the head is given it: the publisher is an active member, and the
   * observation is not older than the feed permits.
   */
  readonly isRead: boolean;
}

/** A feed with its publishers' last words, under one certified head. */
export interface ProvenFeed {
  readonly feed: OracleFeed;
  readonly publishers: readonly PublisherWord[];
  readonly header: VerifiedHeader;
}

/** A feed, proven; null when it is proven that there is none of that name. */
export async function getFeed(client: Client, name: string): Promise<ProvenFeed | null> {
  const first = await client.getState(ORACLES_CONTRACT, feedKey(name));
  if (first.value === null) return null;
  const { publishers } = decodeClaim(oracleFeedCodec, first.value, "feed");
  const { values, header } = await client.getStates([
    { contract: ORACLES_CONTRACT, key: feedKey(name) },
    ...publishers.flatMap((publisher) => [
      { contract: ORACLES_CONTRACT, key: observationKey(name, publisher) },
      { contract: MEMBERS_CONTRACT, key: memberKey(publisher) },
    ]),
  ]);
  const [value = null, ...rest] = values.map((each) => each.value);
  if (value === null) return null;
  const feed = decodeClaim(oracleFeedCodec, value, "feed");
  const words = publishers.map((publisher, place): PublisherWord => {
    const said = rest[2 * place] ?? null;
    const member = rest[2 * place + 1] ?? null;
    const last = said === null ? null : decodeClaim(observationCodec, said, "observation");
    const isActive =
      member !== null && decodeClaim(memberCodec, member, "member").status === "active";
    const ageMs = header.header.timestampMs - (last?.observedAtMs ?? 0);
    return { publisher, last, isRead: isActive && last !== null && ageMs <= feed.validityMs };
  });
  return { feed, publishers: words, header };
}
