import { systemRandom } from "@credlink/crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DialTargets, MAX_SUGGESTED_ADDRESSES } from "../../src/p2p/dial-targets.ts";
import { Dialer } from "../../src/p2p/dialer.ts";
import { systemClock } from "../../src/system-clock.ts";

const place = (index: number): string => `/ip4/192.0.2.${index}/tcp/9645`;
const full = (peer: string, index: number): string => `${place(index)}/p2p/${peer}`;

let dialer: Dialer;
let targets: DialTargets;
let dialled: Map<string, readonly string[]>;

beforeEach(() => {
  dialled = new Map();
  dialer = new Dialer({
    self: "self",
    clock: systemClock,
    random: systemRandom,
    schedule: { firstDelayMs: 1, maxDelayMs: 1, politeDelayMs: 0 },
    isConnected: () => false,
    dial: async (peer, addresses) => {
      dialled.set(peer, addresses);
    },
  });
  targets = new DialTargets(dialer, new Map([["configured", [full("configured", 1)]]]));
  targets.start();
});
afterEach(() => dialer.stop());

/** Where a peer is dialled at the next tick. */
async function placesOf(peer: string): Promise<readonly string[]> {
  dialled.delete(peer);
  await expect.poll(() => dialled.get(peer), { interval: 10 }).toBeDefined();
  return dialled.get(peer) ?? [];
}

test("whom the operator configured stays at its addresses, whatever others say or forget", async () => {
  targets.suggest("configured", [place(9)]);
  targets.met("configured", [place(8)], true);
  targets.forget("configured");
  targets.forgetValidators(() => false);
  expect(await placesOf("configured")).toEqual([full("configured", 1)]);
});

test("of a peer that others told of, the true address is tried beside a liar's", async () => {
  targets.suggest("node", [place(66)]);
  targets.suggest("node", [place(2)]);
  expect(await placesOf("node")).toEqual([full("node", 2), full("node", 66)]);
  targets.suggest("node", [place(66)]);
  expect(await placesOf("node")).toEqual([full("node", 66), full("node", 2)]);
});

test("at most so many addresses of one peer are kept, the latest", async () => {
  for (let index = 0; index <= MAX_SUGGESTED_ADDRESSES; index++) {
    targets.suggest("node", [place(index)]);
  }
  const kept = await placesOf("node");
  expect(kept).toHaveLength(MAX_SUGGESTED_ADDRESSES);
  expect(kept.at(0)).toBe(full("node", MAX_SUGGESTED_ADDRESSES));
  expect(kept).not.toContain(full("node", 0));
});

test("what a peer says of itself in its handshake replaces what others told", async () => {
  targets.suggest("node", [place(66)]);
  targets.met("node", [place(3)], false);
  expect(await placesOf("node")).toEqual([full("node", 3)]);
  targets.forget("node");
  expect(dialer.isTarget("node")).toBe(false);
});

test("a validator is learned by its own addresses, and forgotten when it is none any more", async () => {
  targets.met("observer", [place(4)], false);
  expect(dialer.isTarget("observer")).toBe(false);
  targets.suggest("validator", [place(66)]);
  targets.met("validator", [place(5)], true);
  targets.suggest("validator", [place(67)]);
  targets.forget("validator");
  expect(await placesOf("validator")).toEqual([full("validator", 5)]);
  targets.forgetValidators((peer) => peer === "validator");
  expect(targets.isLearned("validator")).toBe(true);
  targets.forgetValidators(() => false);
  expect(dialer.isTarget("validator")).toBe(false);
});
