import type { Effect, Message, ViewChange } from "@credlink/consensus-pbft";
import { validatorIndex } from "@credlink/primitives";
import { SIMULATION_START_MS } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { EvidenceChecker } from "../../src/evidence-checker.ts";
import { TimelinessChecker } from "../../src/timeliness-checker.ts";
import { at, block, brokenBy, createBench, stepOf } from "./helpers.ts";

const bench = createBench();
const { vote, proposal, replica } = bench;

function createEvidenceChecker(): EvidenceChecker {
  return new EvidenceChecker({
    chain: bench.chain,
    validators: bench.known,
    verify: bench.profile.verifyOne,
    isTraitor: (nodeId) => nodeId === "node-3",
  });
}

async function pair(sender: number, views: readonly [number, number] = [0, 0]) {
  return [
    await vote("prepare", 1, views[0], block(1), sender),
    await vote("prepare", 1, views[1], block(2), sender),
  ] as const;
}

describe("negative control I11: evidence", () => {
  it("soundness: a pair against an honest node, or one that does not exclude, is refused", async () => {
    const judge = async (sender: number, views: readonly [number, number]) => {
      const [first, second] = await pair(sender, views);
      const effects: Effect[] = [{ type: "evidence", first, second }];
      const step = { input: null, effects, nowMs: 0, replica: replica() };
      return brokenBy(() => createEvidenceChecker().check("node-0", step));
    };
    expect(await judge(3, [0, 0])).toBe(null);
    expect(await judge(1, [0, 0])).toBe("I11");
    expect(await judge(3, [0, 1])).toBe("I11");
  });

  it("soundness: a pair that the traitor never signed is refused", async () => {
    const [first, second] = await pair(3);
    const forged = { ...second, digest: block(7) };
    const effects: Effect[] = [{ type: "evidence", first, second: forged }];
    const step = { input: null, effects, nowMs: 0, replica: replica() };
    expect(brokenBy(() => createEvidenceChecker().check("node-0", step))).toBe("I11");
  });

  it("completeness: a node that hears both and stays silent is found; the real replica is not", async () => {
    const [first, second] = await pair(3);
    const silent = createEvidenceChecker();
    const own = replica();
    expect(brokenBy(() => silent.check("node-0", stepOf(own, first)))).toBe(null);
    expect(brokenBy(() => silent.check("node-0", stepOf(own, second)))).toBe("I11");
    const honest = createEvidenceChecker();
    const real = replica();
    for (const message of [first, second]) {
      const effects = real.step({ type: "message", message }, SIMULATION_START_MS);
      const step = stepOf(real, message, effects);
      expect(brokenBy(() => honest.check("node-0", step))).toBe(null);
    }
    expect(honest.given).toBe(1);
  });
});

describe("negative control I11: amnesia", () => {
  const h1 = at(1, 0);
  const entry = (inView: number, sender = 3) =>
    bench.sign<ViewChange>({
      ...{ type: "view-change", height: h1.height, view: at(1, inView).view },
      ...{ preparedView: null, preparedDigest: null, prepared: null },
      sender: validatorIndex(sender),
    });

  async function heard(...messages: readonly Message[]) {
    const [silent, honest] = [createEvidenceChecker(), createEvidenceChecker()];
    const [mute, real] = [replica(), replica()];
    const verdicts = messages.map((message) => {
      const found = brokenBy(() => silent.check("node-0", stepOf(mute, message)));
      const effects = real.step({ type: "message", message }, SIMULATION_START_MS);
      const own = brokenBy(() => honest.check("node-0", stepOf(real, message, effects)));
      return [found, own];
    });
    return { verdicts, given: honest.given };
  }

  it("a node that hears a COMMIT and its denial in any order, and stays silent, is found", async () => {
    const commit = await vote("commit", 1, 1, block(1), 3);
    const [denial, later] = [await entry(2), await entry(3)];
    for (const order of [
      [commit, denial],
      [denial, commit],
      [denial, later, commit],
      [commit, later, denial],
    ]) {
      const { verdicts, given } = await heard(...order);
      expect(verdicts.map(([found]) => found)).toContain("I11");
      expect(verdicts.map(([, own]) => own)).toEqual(order.map(() => null));
      expect(given).toBe(1);
    }
  });

  it("an entry of the COMMIT's own view or below it denies nothing, nor does an honest node's", async () => {
    const commit = await vote("commit", 1, 2, block(1), 3);
    const { verdicts } = await heard(await entry(1), await entry(2), commit);
    expect(verdicts.flat()).toEqual([null, null, null, null, null, null]);
    const other = await vote("commit", 1, 0, block(1), 2);
    const { verdicts: silent } = await heard(other, await entry(1, 2));
    expect(silent.map(([found]) => found)).toEqual([null, null]);
  });
});

describe("negative control I15: timestamps of fresh blocks", () => {
  const voted: Effect = {
    type: "persist",
    lsn: 1,
    records: [{ type: "prepare-voted", ...at(1, 0), digest: block(1) }],
  };
  const judge = async (offMs: number, isOfferedAgainInTime = false, precisionMs = 500) => {
    const checker = new TimelinessChecker();
    const boundsAt = (height: number) =>
      height === 1 ? { precisionMs, messageDelayMs: 500 } : null;
    const own = replica();
    const nowMs = SIMULATION_START_MS;
    const message = await proposal(1, 0, block(1), nowMs + offMs);
    return brokenBy(() => {
      checker.check("node-0", stepOf(own, message, [], nowMs), boundsAt);
      const again = stepOf(own, message, [], nowMs + offMs);
      if (isOfferedAgainInTime) checker.check("node-0", again, boundsAt);
      checker.check("node-0", { input: null, effects: [voted], nowMs, replica: own }, boundsAt);
      expect(checker.judged).toBe(1);
    });
  };

  it("a PREPARE for a block beyond precision and delay is found, at the edge and either way", async () => {
    expect(await judge(1_000)).toBe(null);
    expect(await judge(1_001)).toBe("I15");
    expect(await judge(-1_001)).toBe("I15");
  });

  it("the bounds are those that the chain has set for the height", async () => {
    expect(await judge(1_001, false, 501)).toBe(null);
    expect(await judge(900, false, 300)).toBe("I15");
  });

  it("a block that was offered again in time may be voted for", async () => {
    expect(await judge(1_001, true)).toBe(null);
  });
});
