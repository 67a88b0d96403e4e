import { type Digest, height, type View, validatorIndex, view } from "@credlink/primitives";
import { describe, expect, test } from "vitest";
import { onCommitted } from "../../src/deciding.ts";
import {
  keepClaim,
  keepDenial,
  MAX_CLAIMS,
  MAX_DENIALS,
  MAX_EARLY_VOTES,
} from "../../src/evidence.ts";
import { handleReplays, onMessage } from "../../src/intake.ts";
import type { Message, PreparedCertificate, ViewChange } from "../../src/messages.ts";
import { defaultTiming } from "../../src/replica.ts";
import type { ReplicaState, Step } from "../../src/state.ts";
import { enterView } from "../../src/view-change.ts";
import { filled } from "../vectors/examples.ts";
import { freshState } from "./fresh-state.ts";

const sender = validatorIndex(1);
const signature = new Uint8Array(64);

function preparedIn(at: number, inView: number): PreparedCertificate {
  const signatures = [0, 1, 2].map((index) => ({ index: validatorIndex(index), signature }));
  return { height: height(at), view: view(inView), digest: filled(inView), signatures };
}

function entry(at: number, ofView: number, preparedView: number | null): ViewChange {
  const prepared = preparedView === null ? null : preparedIn(at, preparedView);
  const claim: readonly [View | null, Digest | null] =
    prepared === null ? [null, null] : [prepared.view, prepared.digest];
  return {
    ...{ type: "view-change", height: height(at), view: view(ofView), sender, signature },
    ...{ preparedView: claim[0], preparedDigest: claim[1], prepared },
  };
}

function commit(at: number, inView: number): Message {
  const place = { height: height(at), view: view(inView), digest: filled(3) };
  return { type: "commit", ...place, sender, signature };
}

/** A vote of the next height for a block of these bytes. */
function vote(type: "prepare" | "commit", inView: number, fill: number): Message {
  return { type, height: height(2), view: view(inView), digest: filled(fill), sender, signature };
}

/** Takes the state to the next height, and what came early for it with it. */
function stepTo(state: ReplicaState): void {
  const step: Step = { state, nowMs: 1, effects: [] };
  onCommitted(step, {
    type: "committed",
    height: height(1),
    digest: filled(1),
    timestampMs: 1,
    successor: { validatorsAfterNext: state.current.nextValidators, timing: defaultTiming },
  });
  handleReplays(step);
}

/** What is convicted when these messages come one after the other. */
function hear(state: ReplicaState, ...messages: readonly Message[]): readonly string[] {
  const step: Step = { state, nowMs: 1, effects: [] };
  for (const message of messages) onMessage(step, message, 1);
  return step.effects.flatMap((effect) =>
    effect.type === "evidence"
      ? [`${effect.first.type} ${effect.first.view}, ${effect.second.type} ${effect.second.view}`]
      : [],
  );
}

function enterViews(state: ReplicaState, from: number, to: number): void {
  const step: Step = { state, nowMs: 1, effects: [] };
  for (let at = from; at <= to; at++) enterView(step, view(at));
}

describe("amnesia over many views", () => {
  test("a COMMIT that left the window is still held against a later denial", () => {
    const state = freshState();
    expect(hear(state, commit(1, 0))).toEqual([]);
    enterViews(state, 1, 30);
    expect(state.current.commits.size).toBe(0);
    expect(hear(state, entry(1, 31, null))).toEqual(["commit 0, view-change 31"]);
  });

  test("of the COMMITs that left it the highest is: what denies a lower one alone is not found", () => {
    const state = freshState();
    hear(state, commit(1, 0), commit(1, 2));
    enterViews(state, 1, 30);
    expect(hear(state, entry(1, 31, 1))).toEqual(["commit 2, view-change 31"]);
    const other = freshState();
    hear(other, commit(1, 0), commit(1, 2));
    enterViews(other, 1, 30);
    expect(hear(other, entry(1, 2, null))).toEqual([]);
  });

  test("a COMMIT beyond the window, behind or ahead, is held against what was denied, and not kept", () => {
    const state = freshState();
    enterViews(state, 1, 30);
    hear(state, entry(1, 40, null), entry(1, 41, 40));
    expect(hear(state, commit(1, 35))).toEqual(["commit 35, view-change 40"]);
    expect(state.current.commits.size).toBe(0);
    const late = freshState();
    enterViews(late, 1, 30);
    hear(late, entry(1, 2, null), entry(1, 31, 29));
    expect(hear(late, commit(1, 1))).toEqual(["commit 1, view-change 2"]);
  });

  test("of the next height: in either order, and over the step to it", () => {
    const denied = entry(2, 2, null);
    const later = entry(2, 3, 1);
    expect(hear(freshState(), denied, later, commit(2, 1))).toEqual(["commit 1, view-change 2"]);
    expect(hear(freshState(), commit(2, 1), later, denied)).toEqual(["commit 1, view-change 2"]);
  });
});

describe("two votes of the next height and of one view", () => {
  test("convict although the same signer voted in a higher view between them", () => {
    for (const type of ["prepare", "commit"] as const) {
      const messages = [vote(type, 1, 3), vote(type, 4, 3), vote(type, 1, 5)];
      expect(hear(freshState(), ...messages)).toEqual([`${type} 1, ${type} 1`]);
    }
  });

  test("for the same block, signed again, convict nobody", () => {
    for (const type of ["prepare", "commit"] as const) {
      const messages = [vote(type, 1, 3), vote(type, 4, 3), vote(type, 1, 3)];
      expect(hear(freshState(), ...messages)).toEqual([]);
    }
  });

  test("are remembered of the highest eleven views of a signer, the first of each", () => {
    const state = freshState();
    for (let at = 0; at <= MAX_EARLY_VOTES; at++) hear(state, vote("prepare", at, 3));
    expect(hear(state, vote("prepare", 0, 5))).toEqual([]);
    expect(hear(state, vote("prepare", 1, 5))).toEqual(["prepare 1, prepare 1"]);
    const kept = state.next.prepares.get(sender) ?? [];
    expect(kept.map((each) => each.view)).toEqual(
      Array.from({ length: MAX_EARLY_VOTES }, (_, k) => k + 1),
    );
  });

  test("are told apart over the step to it: what came early and what comes once it is the current one", () => {
    const state = freshState();
    hear(state, vote("prepare", 0, 3), vote("prepare", 1, 3));
    stepTo(state);
    expect(hear(state, vote("prepare", 0, 5))).toEqual(["prepare 0, prepare 0"]);
  });
});

describe("two VIEW-CHANGEs of one view", () => {
  test("convict although the same signer sent one of a higher view between them", () => {
    for (const at of [1, 2]) {
      const messages = [entry(at, 1, null), entry(at, 3, 2), entry(at, 1, 0)];
      const found = hear(freshState(), ...messages);
      expect(found, `height ${at}`).toContain("view-change 1, view-change 1");
    }
  });

  test("of the next height: what came early is held against what comes once it is the current one", () => {
    const state = freshState();
    hear(state, entry(2, 1, null), entry(2, 3, 2));
    stepTo(state);
    expect(hear(state, entry(2, 1, 0))).toContain("view-change 1, view-change 1");
  });

  test("with the same claim, signed again, convict nobody", () => {
    const other = { ...entry(1, 1, 0), signature: new Uint8Array(64).fill(1) };
    expect(hear(freshState(), entry(1, 1, 0), entry(1, 3, 2), other)).toEqual([]);
  });

  test("are remembered of the highest eleven views of a signer, the first of each", () => {
    const claims = new Map();
    for (let at = 1; at <= MAX_CLAIMS; at++)
      expect(keepClaim(claims, entry(1, at, null))).toBe(null);
    expect(keepClaim(claims, entry(1, 1, 0))).toMatchObject({ view: 1, preparedView: null });
    expect(keepClaim(claims, entry(1, 1, null))).toBe(null);
    expect(keepClaim(claims, entry(1, MAX_CLAIMS + 1, null))).toBe(null);
    // That of view 1 made room, and one that is lower than all eleven is not kept.
    expect(keepClaim(claims, entry(1, 1, 0))).toBe(null);
    expect(keepClaim(claims, entry(1, 1, null))).toBe(null);
    expect(keepClaim(claims, entry(1, 2, 1))).toMatchObject({ view: 2, preparedView: null });
    const kept: readonly ViewChange[] = claims.get(sender) ?? [];
    expect(kept.map((each) => each.view)).toEqual(
      Array.from({ length: MAX_CLAIMS }, (_, k) => k + 2),
    );
    expect(kept.every(({ prepared }) => prepared === null)).toBe(true);
  });
});

describe("what is kept for it", () => {
  const kept = (denials: ReadonlyMap<unknown, readonly ViewChange[]>): readonly string[] =>
    [...denials.values()].flat().map((each) => `${each.preparedView}..${each.view}`);

  test("an entry that denies nothing, or no more than a kept one, takes no room", () => {
    const denials = new Map();
    keepDenial(denials, entry(1, 1, 0));
    expect(kept(denials)).toEqual([]);
    keepDenial(denials, entry(1, 5, 1));
    keepDenial(denials, entry(1, 4, 2));
    expect(kept(denials)).toEqual(["1..5"]);
    keepDenial(denials, entry(1, 9, null));
    expect(kept(denials)).toEqual(["null..9"]);
    keepDenial(denials, entry(1, 12, 3));
    expect(kept(denials)).toEqual(["null..9", "3..12"]);
    expect([...denials.values()].flat().every(({ prepared }) => prepared === null)).toBe(true);
  });

  test("of one signer there are at most as many as views whose COMMITs are kept; the lowest go", () => {
    const denials = new Map();
    for (let at = 0; at < MAX_DENIALS; at++) keepDenial(denials, entry(1, at + 10, at));
    expect(kept(denials)).toHaveLength(MAX_DENIALS);
    keepDenial(denials, entry(1, MAX_DENIALS + 10, MAX_DENIALS));
    expect(kept(denials)).toHaveLength(MAX_DENIALS);
    expect(kept(denials)[0]).toBe("1..11");
    expect(kept(denials).at(-1)).toBe(`${MAX_DENIALS}..${MAX_DENIALS + 10}`);
  });
});
