import { height, type ValidatorIndex, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { persistVote, releaseVotes } from "../../src/emit.ts";
import { onMessage } from "../../src/intake.ts";
import type { Message } from "../../src/messages.ts";
import type { ReplicaState, Step } from "../../src/state.ts";
import { enterViewRule, onWish, wishRule } from "../../src/synchroniser.ts";
import { enterView } from "../../src/view-change.ts";
import { filled } from "../vectors/examples.ts";
import { freshState } from "./fresh-state.ts";

/** Messages kept, of any kind. */
function kept({ current, next }: ReplicaState): number {
  const nested = [...current.prepares.values(), ...current.commits.values()];
  return (
    nested.reduce((sum, votes) => sum + votes.size, 0) +
    current.viewChanges.size +
    current.pastCommits.size +
    [...current.denials.values(), ...next.denials.values()].flat().length +
    [...current.claims.values(), ...next.claims.values()].flat().length +
    current.wishes.size +
    current.firstProposals.size +
    current.accepted.size +
    current.candidates.size +
    next.prePrepares.length +
    [...next.prepares.values(), ...next.commits.values()].flat().length +
    next.viewChanges.size +
    next.wishes.size +
    next.candidates.size
  );
}

function flood(state: ReplicaState, atHeight: number, atView: number, sender: ValidatorIndex) {
  const place = { height: height(atHeight), view: view(atView), sender };
  const signature = new Uint8Array(64);
  const digest = filled((atView * 7 + atHeight) % 251);
  const messages: readonly Message[] = [
    { type: "prepare", ...place, digest, signature },
    { type: "commit", ...place, digest, signature },
    { type: "wish", ...place, signature },
    {
      type: "view-change",
      ...place,
      preparedView: null,
      preparedDigest: null,
      prepared: null,
      signature,
    },
    {
      type: "pre-prepare",
      ...place,
      parentDigest: state.head.digest,
      digest,
      signature,
      transactions: [],
      justification: null,
      proposal: {
        digest,
        parentDigest: state.head.digest,
        height: place.height,
        proposer: sender,
        timestampMs: 1,
        validatorsHash: digest,
        nextValidatorsHash: digest,
        transactionCount: 0,
        sizeBytes: 0,
        payload: new Uint8Array(),
      },
    },
  ];
  const step: Step = { state, nowMs: 1, effects: [] };
  for (const message of messages) onMessage(step, message, 1);
}

describe("bounded buffers", () => {
  test("known bug 25: forged views and heights, however many, do not grow what is kept", () => {
    const state = freshState();
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const sender of [1, 2, 3].map(validatorIndex)) {
        for (const atHeight of [0, 1, 2, 3, 1000]) {
          for (let atView = 0; atView < 300; atView++) flood(state, atHeight, atView, sender);
          flood(state, atHeight, 2 ** 31, sender);
        }
      }
      sizes.push(kept(state));
    }
    // Per peer: PREPARE and COMMIT in three views, wish and view change of both heights, votes of h + 1
    // in eleven views, a denial of each height and eleven claims.
    expect(sizes[0]).toBeLessThanOrEqual(4 * (14 + 4 * 11));
    expect(sizes).toEqual([sizes[0], sizes[0], sizes[0]]);
    expect(state.current.convicted.size).toBeLessThan(100);
  });

  test("views that pass leave a bounded number of their votes behind", () => {
    const state = freshState();
    const step: Step = { state, nowMs: 1, effects: [] };
    for (let at = 1; at <= 200; at++) {
      enterView(step, view(at));
      for (const sender of [1, 2, 3].map(validatorIndex)) flood(state, 1, at, sender);
    }
    expect(kept(state)).toBeLessThanOrEqual(4 * 40);
    expect(state.current.timed.size + state.current.graced.size).toBeLessThanOrEqual(400);
  });

  test("known bug 56: a sender that is no validator is not kept", () => {
    const state = freshState();
    flood(state, 1, 0, validatorIndex(4));
    flood(state, 2, 0, validatorIndex(65_535));
    expect(kept(state)).toBe(0);
  });
});

describe("single rules", () => {
  test("a vote that became durable after its view was left is never sent", () => {
    const state = freshState();
    const step: Step = { state, nowMs: 1, effects: [] };
    const place = { height: height(1), view: view(0), digest: filled(3) };
    persistVote(
      step,
      { type: "prepare-voted", ...place },
      { type: "prepare", ...place, sender: validatorIndex(0) },
    );
    enterView(step, view(1));
    releaseVotes(step, state.nextLsn);
    const sent = step.effects.flatMap((effect) =>
      effect.type === "broadcast" ? [effect.message.type] : [],
    );
    expect(sent).toEqual(["view-change"]);
  });

  test("f wishes move nobody's wish; f + 1 raise it, and only q enter the view", () => {
    const state = freshState();
    const step: Step = { state, nowMs: 1, effects: [] };
    const wish = (sender: number) =>
      onWish(step, {
        type: "wish",
        height: height(1),
        view: view(5),
        sender: validatorIndex(sender),
        signature: new Uint8Array(64),
      });
    wish(1);
    expect(wishRule(step)).toBe(false);
    wish(2);
    expect(enterViewRule(step)).toBe(false);
    expect(wishRule(step)).toBe(true);
    expect(state.current.ownWish).toBe(5);
    expect(enterViewRule(step)).toBe(true);
    expect(state.current.view).toBe(5);
  });
});
