import {
  type FeedArgs,
  feedArgsCodec,
  MAX_OBSERVATION_BYTES,
  MAX_PUBLISHERS,
  type Observation,
  type OracleFeed,
  oracleFeedCodec,
  publishArgsCodec,
  readFeedArgsCodec,
  readFeedCodec,
  setFeedArgsCodec,
  setMemberStatusArgsCodec,
} from "@credlink/ledger";
import { type Address, address, decode, encode, utf8 } from "@credlink/primitives";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { feedNamesCodec, noArgsCodec, publishedCodec } from "../../src/index.ts";
import {
  assemble,
  call,
  contractOf,
  get,
  I32,
  i32,
  i64,
  manifestOf,
  set,
} from "../support/assembler.ts";
import { TestChain, transactionOf } from "../support/chain.ts";
import { type Consortium, createConsortium } from "../support/consortium.ts";

const HOUR_MS = 3_600_000;

/** Hands its arguments to `oracles.read` and returns the answer. */
function readerContract() {
  const code = assemble({
    imports: ["input_size", "input_read", "contract_call", "buffer_read", "return_value"],
    functions: [
      {
        name: "main",
        locals: [[1, I32]],
        code: [
          [i32(0), call(1)],
          [i32(1_024), i32(7), i32(1_031), i32(4), i32(0), call(0), i64(-1), call(2), set(0)],
          [i32(2_048), call(3), i32(2_048), get(0), call(4)],
        ],
      },
    ],
    data: [[1_024, utf8("oraclesread")]],
    version: "reader@1.0.0",
  });
  const method = { name: "main", readOnly: false, roles: ["institution"] as const };
  return contractOf(code, manifestOf([method], { name: "reader", calls: ["oracles"] }));
}

let consortium: Consortium;
let chain: TestChain;
let feed: OracleFeed;
beforeAll(async () => {
  consortium = await createConsortium({ contracts: [readerContract()] });
});
beforeEach(() => {
  chain = new TestChain(consortium.genesis);
  feed = {
    feed: "tax.rates",
    publishers: [consortium.institution.address, consortium.regulator.address],
    maxValueBytes: 8,
    validityMs: HOUR_MS,
  };
});

const admins = (count = 3) => consortium.admins.slice(0, count).map(({ address }) => address);
const oracles = async (method: string, args: Uint8Array, signers: readonly Address[]) =>
  (await chain.run({ contract: "oracles", method, args, signers })).status;
const setFeed = (changes: Partial<OracleFeed> = {}, signers = admins()) =>
  oracles("setFeed", encode(setFeedArgsCodec, { feed: { ...feed, ...changes } }), signers);
const publish = (
  value: string,
  { ageMs = 0, by = consortium.institution.address, name = "tax.rates" } = {},
) => {
  const observedAtMs = chain.timeMs + 1_000 - ageMs;
  const args = encode(publishArgsCodec, { feed: name, observedAtMs, value: utf8(value) });
  return oracles("publish", args, [by]);
};

/** What a contract gets that asks, in a transaction of its own. */
async function read(
  maxAgeMs: number,
  { publisher = consortium.institution.address, name = "tax.rates" } = {},
): Promise<Observation | null> {
  const args = encode(readFeedArgsCodec, { feed: name, publisher, maxAgeMs });
  const signers = [consortium.institution.address];
  const receipt = await chain.run({
    ...{ contract: "reader", version: "1.0.0", method: "main" },
    ...{ args, signers },
  });
  expect(receipt.status).toBe("SUCCESS");
  return decode(readFeedCodec, receipt.returnValue);
}

describe("S-9.9-2: data from outside", () => {
  it("enters by a signed transaction of a publisher that a majority named, and contracts read it", async () => {
    expect(await setFeed()).toBe("SUCCESS");
    expect(await publish("13%")).toBe("SUCCESS");
    const recordedAtMs = chain.timeMs;
    expect(await read(HOUR_MS)).toEqual({
      value: utf8("13%"),
      observedAtMs: recordedAtMs,
      recordedAtMs,
    });
    expect(await publish("9%", { by: consortium.regulator.address })).toBe("SUCCESS");
    const second = await read(HOUR_MS, { publisher: consortium.regulator.address });
    expect(second?.value).toEqual(utf8("9%"));
    expect((await read(HOUR_MS))?.value).toEqual(utf8("13%"));
  });

  it("is an ordinary null where it is absent, stale, or from somebody else", async () => {
    expect(await read(HOUR_MS)).toBe(null);
    await setFeed();
    expect(await read(HOUR_MS)).toBe(null);
    await publish("13%");
    const observedAtMs = chain.timeMs;
    expect(await read(HOUR_MS, { name: "tax" })).toBe(null);
    expect(await read(HOUR_MS, { publisher: consortium.enterprise.address })).toBe(null);
    // The reader's own bound, at its edge: each read is in a block one second later.
    chain.timeMs = observedAtMs + 4_000;
    expect(await read(5_000)).not.toBe(null);
    expect(await read(5_000)).toBe(null);
    // The feed's validity, whatever the reader asks for.
    chain.timeMs = observedAtMs + HOUR_MS - 1_000;
    expect(await read(2 * HOUR_MS)).not.toBe(null);
    expect(await read(2 * HOUR_MS)).toBe(null);
  });

  it("is silent without disturbing anybody: other calls in the block go on as ever", async () => {
    await setFeed();
    const args = encode(readFeedArgsCodec, {
      feed: "tax.rates",
      publisher: consortium.institution.address,
      maxAgeMs: HOUR_MS,
    });
    const silent = transactionOf({
      ...{ contract: "reader", version: "1.0.0", method: "main", args },
      signers: [consortium.institution.address],
    });
    const other = transactionOf({
      contract: "oracles",
      method: "setFeed",
      args: encode(setFeedArgsCodec, { feed: { ...feed, feed: "other" } }),
      signers: admins(),
    });
    const { receipts } = await chain.block(silent, other, silent);
    expect(receipts.map(({ status }) => status)).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
    expect(receipts[2]?.gasUsed).toBe(receipts[0]?.gasUsed);
  });

  it("never goes back in time, and comes neither from the future nor from long ago", async () => {
    await setFeed();
    expect(await publish("a", { ageMs: -1 })).toBe("ORACLES_TIME_INVALID");
    expect(await publish("a", { ageMs: HOUR_MS + 1 })).toBe("ORACLES_TIME_INVALID");
    expect(await publish("a", { ageMs: HOUR_MS })).toBe("SUCCESS");
    expect(await publish("b", { ageMs: 0 })).toBe("SUCCESS");
    expect(await publish("c", { ageMs: 1_000 })).toBe("ORACLES_NOT_NEWER");
    expect(await publish("c", { ageMs: 999 })).toBe("SUCCESS");
    expect((await read(HOUR_MS))?.value).toEqual(utf8("c"));
  });

  it("is refused from members without the office, in any size but the feed's", async () => {
    expect(await publish("a")).toBe("ORACLES_FEED_UNKNOWN");
    await setFeed();
    expect(await publish("a", { by: consortium.enterprise.address })).toBe(
      "ORACLES_NOT_A_PUBLISHER",
    );
    expect(await publish("123456789")).toBe("ORACLES_VALUE_TOO_LARGE");
    expect(await publish("12345678")).toBe("SUCCESS");
    const [node] = consortium.validators;
    expect(await publish("a", { by: node?.address ?? address(new Uint8Array(32)) })).toBe(
      "VM_ACCESS_DENIED",
    );
  });

  it("counts no longer once its publisher is suspended, unnamed, or the feed removed", async () => {
    await setFeed();
    const { address: publisher } = consortium.regulator;
    await publish("a", { by: publisher });
    const status = async (to: "suspended" | "active") => {
      const args = encode(setMemberStatusArgsCodec, { address: publisher, status: to });
      const signers = consortium.admins.slice(3).map(({ address }) => address);
      const receipt = await chain.run({ contract: "members", method: "setStatus", args, signers });
      expect(receipt.status).toBe("SUCCESS");
    };
    expect(await read(HOUR_MS, { publisher })).not.toBe(null);
    await status("suspended");
    expect(await read(HOUR_MS, { publisher })).toBe(null);
    await status("active");
    expect(await read(HOUR_MS, { publisher })).not.toBe(null);
    await setFeed({ publishers: [consortium.institution.address] });
    expect(await read(HOUR_MS, { publisher })).toBe(null);
    await setFeed();
    expect(await read(HOUR_MS, { publisher })).not.toBe(null);
    const args = encode<FeedArgs>(feedArgsCodec, { feed: "tax.rates" });
    expect(await oracles("removeFeed", args, admins(2))).toBe("GOVERNANCE_VOTES_MISSING");
    expect(await oracles("removeFeed", args, admins())).toBe("SUCCESS");
    expect(await oracles("removeFeed", args, admins())).toBe("ORACLES_FEED_UNKNOWN");
    expect(await read(HOUR_MS, { publisher })).toBe(null);
  });

  it("is announced by events, and feeds are listed", async () => {
    const signers = [consortium.institution.address];
    await setFeed();
    const observedAtMs = chain.timeMs;
    const args = encode(publishArgsCodec, {
      ...{ feed: "tax.rates", observedAtMs, value: utf8("v") },
    });
    const { events } = await chain.run({ contract: "oracles", method: "publish", args, signers });
    expect(events).toHaveLength(1);
    expect(decode(publishedCodec, events[0]?.data ?? new Uint8Array(0))).toEqual({
      feed: "tax.rates",
      publisher: consortium.institution.address,
      observedAtMs,
    });
    const base = { contract: "oracles", signers };
    const listed = await chain.query({
      ...base,
      method: "feeds",
      args: encode(noArgsCodec, {}),
    });
    expect(decode(feedNamesCodec, listed.returnValue)).toEqual(["tax.rates"]);
    const one = await chain.query({
      ...base,
      method: "feed",
      args: encode(feedArgsCodec, { feed: "tax.rates" }),
    });
    expect(decode(oracleFeedCodec, one.returnValue)).toEqual(feed);
  });
});

describe("oracles.setFeed", () => {
  it("needs a majority of organisations", async () => {
    expect(await setFeed({}, admins(2))).toBe("GOVERNANCE_VOTES_MISSING");
  });

  const some = (count: number) =>
    Array.from({ length: count }, (_, index) => address(new Uint8Array(32).fill(index)));
  const cases: readonly (readonly [string, Partial<OracleFeed>])[] = [
    ["SUCCESS", { feed: `a${"-".repeat(63)}` }],
    ["ORACLES_FEED_INVALID", { feed: "" }],
    ["ORACLES_FEED_INVALID", { feed: "Tax" }],
    ["SUCCESS", { publishers: some(MAX_PUBLISHERS) }],
    ["ORACLES_FEED_INVALID", { publishers: [] }],
    ["ORACLES_FEED_INVALID", { publishers: [...some(1), ...some(1)] }],
    ["SUCCESS", { maxValueBytes: MAX_OBSERVATION_BYTES }],
    ["ORACLES_FEED_INVALID", { maxValueBytes: MAX_OBSERVATION_BYTES + 1 }],
    ["ORACLES_FEED_INVALID", { maxValueBytes: 0 }],
    ["SUCCESS", { validityMs: 366 * 24 * HOUR_MS }],
    ["ORACLES_FEED_INVALID", { validityMs: 366 * 24 * HOUR_MS + 1 }],
    ["ORACLES_FEED_INVALID", { validityMs: 0 }],
  ];
  it.each(cases)("%s for %o", async (status, changes) => {
    expect(await setFeed(changes)).toBe(status);
  });

  it("takes 256 feeds and no more", async () => {
    const feeds = Array.from({ length: 257 }, (_, index) =>
      transactionOf({
        contract: "oracles",
        method: "setFeed",
        args: encode(setFeedArgsCodec, { feed: { ...feed, feed: `feed-${index}` } }),
        signers: admins(),
      }),
    );
    const { receipts } = await chain.block(...feeds);
    expect(receipts[255]?.status).toBe("SUCCESS");
    expect(receipts[256]?.status).toBe("ORACLES_TOO_MANY");
    // One that is there may still be set again.
    expect(await setFeed({ feed: "feed-7" })).toBe("SUCCESS");
  });
});
