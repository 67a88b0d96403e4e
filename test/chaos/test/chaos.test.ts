import { digest, height, validatorIndex, view } from "@credlink/primitives";
import { createSeededRandom } from "@credlink/testkit";
import { describe, expect, it } from "vitest";
import { ChainRecord, type SeenBlock } from "../chain-record.ts";
import { judgeLogs } from "../logs.ts";
import { judgeMemory, residentMebibytes, slopePerMinute } from "../memory.ts";
import { parseChaosOptions, UsageError } from "../options.ts";
import { drawFaults, type Fault, faultKinds } from "../schedule.ts";
import { type Statement, StatementRecord } from "../statements.ts";

function draw(seed: number, count: number): readonly Fault[] {
  const schedule = drawFaults(createSeededRandom(seed), {
    nodes: ["a", "b", "c", "d", "e", "f", "g"],
    faultBound: 2,
    kinds: faultKinds,
    diskNode: "g",
  });
  return Array.from({ length: count }, () => schedule.next().value);
}

describe("the schedule of faults", () => {
  it("is decided by its seed alone", () => {
    expect(draw(7, 200)).toEqual(draw(7, 200));
    expect(draw(7, 20)).not.toEqual(draw(8, 20));
  });

  it("has every kind, one victim, f and all of them, and every shape of partition", () => {
    const faults = draw(1, 2_000);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
    const killed = faults.flatMap((fault) => (fault.kind === "kill" ? [fault.nodes.length] : []));
    expect(new Set(killed)).toEqual(new Set([1, 2, 3, 7]));
    const shapes = faults.flatMap((fault) => (fault.kind === "partition" ? [fault.shape] : []));
    expect(new Set(shapes).size).toBe(5);
    for (const fault of faults) {
      if (fault.kind === "clock") expect(fault.nodes.length).toBeLessThanOrEqual(2);
      if (fault.kind === "disk") expect(fault.nodes).toEqual(["g"]);
      if (fault.kind === "partition") expect(fault.ways.length).toBeGreaterThan(0);
    }
  });
});

const block = (height: number, change: Partial<SeenBlock> = {}): SeenBlock => ({
  height,
  digest: `block ${height}`,
  parent: `block ${height - 1}`,
  stateRoot: `state ${height}`,
  proposer: 0,
  timestampMs: height,
  transactions: [`transaction ${height}`],
  ...change,
});

describe("the record of what nodes hold", () => {
  it("finds nothing where all nodes hold the same", () => {
    const record = new ChainRecord();
    for (const node of ["a", "b"]) for (const height of [1, 2, 3]) record.see(node, block(height));
    record.seeHead("c", { height: 3, headDigest: "block 3", stateRoot: "state 3" });
    expect(record.violations).toEqual([]);
    expect(record.height).toBe(3);
    expect(record.places.get("transaction 2")).toBe(2);
  });

  it.each<[string, Partial<SeenBlock>, string]>([
    ["another block", { digest: "other" }, "agreement"],
    ["another state root", { stateRoot: "other" }, "agreement"],
  ])("finds %s at one height", (_, change, rule) => {
    const record = new ChainRecord();
    record.see("a", block(1));
    record.see("b", block(1, change));
    expect(record.violations.map((each) => each.rule)).toEqual([rule]);
  });

  it("finds a head that is not the block of its height, also after a restart", () => {
    const record = new ChainRecord();
    record.see("a", block(1));
    record.seeHead("a", { height: 1, headDigest: "other", stateRoot: "state 1" });
    expect(record.violations.map((each) => each.rule)).toEqual(["agreement"]);
  });

  it("finds a block that does not stand on the one below, and a transaction in two places", () => {
    const record = new ChainRecord();
    record.see("a", block(1));
    record.see("a", block(2, { parent: "other", transactions: ["transaction 1"] }));
    expect(record.violations.map((each) => each.rule)).toEqual(["chain", "duplicate"]);
  });
});

describe("the record of what validators said", () => {
  const vote = (change: Partial<Extract<Statement, { type: "prepare" }>> = {}): Statement => ({
    type: "prepare",
    height: height(4),
    view: view(0),
    digest: digest(new Uint8Array(32)),
    sender: validatorIndex(3),
    signature: new Uint8Array(64),
    ...change,
  });

  it("knows the heights of each validator, and finds nothing where words agree", () => {
    const record = new StatementRecord();
    record.see("a", vote());
    record.see("b", vote({ signature: new Uint8Array(64).fill(1) }));
    record.see("b", vote({ view: view(1), digest: digest(new Uint8Array(32).fill(1)) }));
    expect(record.violations).toEqual([]);
    expect(record.heights.get(3)).toEqual(new Set([4]));
  });

  it("finds a validator that told two nodes two things of one height and view", () => {
    const record = new StatementRecord();
    record.see("a", vote());
    record.see("b", vote({ digest: digest(new Uint8Array(32).fill(1)) }));
    expect(record.violations.map((each) => each.rule)).toEqual(["equivocation"]);
  });

  it("holds it against nobody who was told to, and against all others", () => {
    for (const [liars, found] of [
      [[3], 0],
      [[2], 1],
    ] as const) {
      const record = new StatementRecord(liars);
      record.see("a", vote());
      record.see("b", vote({ digest: digest(new Uint8Array(32).fill(1)) }));
      expect(record.violations).toHaveLength(found);
    }
  });
});

describe("memory", () => {
  it("tells the slope of a line, and that of this process", () => {
    const line = [0, 1, 2, 3].map((minute) => ({ atMs: minute * 60_000, mebibytes: 5 * minute }));
    expect(slopePerMinute(line)).toBeCloseTo(5);
    expect(slopePerMinute(line.slice(0, 1))).toBe(0);
    expect(residentMebibytes(2 ** 30)).toBeNull();
  });

  it("is judged by its height and its slope", () => {
    expect(judgeMemory("a", { maxMebibytes: 300, slopeMebibytesPerMinute: 3 })).toEqual([]);
    expect(judgeMemory("a", { maxMebibytes: 300, slopeMebibytesPerMinute: null })).toEqual([]);
    expect(judgeMemory("a", { maxMebibytes: 5_000, slopeMebibytesPerMinute: 90 })).toHaveLength(2);
  });
});

describe("logs", () => {
  it("may warn, and may say that a disk is full; an error or a crash is found", () => {
    const fine = [
      '{"level":"warn","message":"peer left"}',
      '{"level":"error","code":"NODE_STORE_FAILED","message":"engine stopped by a fault"}',
      '{"level":"error","code":"NODE_VOTE_LOG_FAILED","message":"engine stopped by a fault"}',
      "",
    ].join("\n");
    expect(judgeLogs("a", fine)).toEqual([]);
    const bad = [
      '{"level":"error","code":"NODE_EXECUTION_DIVERGED","message":"replica halted"}',
      "TypeError: undefined is not a function",
    ].join("\n");
    expect(judgeLogs("a", bad).map(({ detail }) => detail)).toEqual([
      "a, 1 times: NODE_EXECUTION_DIVERGED replica halted",
      "a, 1 times: TypeError: undefined is not a function",
    ]);
  });
});

describe("options", () => {
  it("have defaults", () => {
    expect(parseChaosOptions(["--seed", "5"])).toEqual({
      suite: "run",
      validators: 4,
      seed: 5,
      minutes: 5,
      rounds: null,
      faults: faultKinds,
      rate: 40,
      attacks: null,
      flood: 50,
      json: false,
      dir: null,
    });
    expect(parseChaosOptions(["kills"])).toMatchObject({ rounds: 200, faults: ["kill"] });
  });

  it.each([
    ["--faults", "fire"],
    ["--attacks", "words"],
    ["--validators", "3"],
    ["--minutes", "0"],
    ["nothing"],
    ["--rounds"],
  ])("refuse %s %s", (...args) => {
    expect(() => parseChaosOptions(args)).toThrow(UsageError);
  });
});
