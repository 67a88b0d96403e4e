import { describe, expect, it } from "vitest";
import {
  nextIndex,
  parseScenarioId,
  partitions,
  runScenario,
  scenarioAt,
  scenarioId,
  type TwinsShape,
  viewChoices,
} from "../../src/index.ts";
import { readTwinsCommand } from "../../src/twins/command-line.ts";

const four: TwinsShape = { validators: 4, twins: 1, blocks: 2, views: 3, restart: null };

describe("the scenarios of Twins", () => {
  it("counts partitions and view choices as the literature does", () => {
    // Bell(5) and its parts; 4 primaries by 16 or 41 partitions; 7 by 256.
    expect(partitions(5, 5)).toHaveLength(52);
    expect(partitions(5, 2)).toHaveLength(16);
    expect(partitions(5, 3)).toHaveLength(41);
    expect(viewChoices(four)).toHaveLength(64);
    expect(viewChoices({ ...four, blocks: 3 })).toHaveLength(164);
    expect(viewChoices({ ...four, validators: 7, twins: 2 })).toHaveLength(1792);
    const distinct = new Set(partitions(5, 3).map((one) => one.join("")));
    expect(distinct.size).toBe(41);
  });

  it("enumerates every scenario once, in the order of its index", () => {
    const all = Array.from({ length: 64 }, (_, index) => scenarioAt(index, 4, 3).join(""));
    expect(new Set(all).size).toBe(64);
    expect(all[27]).toBe("123");
    expect(nextIndex(27, 4, 3, 3)).toBe(28);
    expect(nextIndex(27, 4, 3, 2)).toBe(28);
    expect(nextIndex(17, 4, 3, 2)).toBe(20);
    expect(nextIndex(17, 4, 3, 1)).toBe(32);
    expect(nextIndex(17, 4, 3, 0)).toBe(32);
  });

  it("steps over a scenario only when it is the run before", () => {
    const choices = viewChoices(four);
    for (let index = 0; index < choices.length ** 3; ) {
      const { depth, ...first } = runScenario(four, choices, scenarioAt(index, 64, 3));
      const next = nextIndex(index, 64, 3, depth);
      const last = runScenario(four, choices, scenarioAt(next - 1, 64, 3));
      expect(last, `${index} and ${next - 1}`).toEqual({ depth, ...first });
      index = next + 1_009;
    }
  });

  it("names a scenario so that it can be run again", () => {
    const restart = { view: 2, image: 1 };
    for (const shape of [four, { ...four, restart }]) {
      const id = scenarioId(shape, [1, 2, 3]);
      expect(parseScenarioId(id)).toEqual({ shape, scenario: [1, 2, 3] });
    }
    for (const id of ["", "4.1.2", "4.1.2:64", "3.1.2:1", "4.1.4:1", "4.1.2.1.2:1-1-1", "x"]) {
      expect(() => parseScenarioId(id), id).toThrow(RangeError);
    }
  });
});

describe("the command line of pnpm twins", () => {
  it("covers 262,144 scenarios exhaustively, and 26,896 of two views in three blocks", () => {
    const scenarios = (...argv: string[]): number => {
      const command = readTwinsCommand(argv);
      if (command.type !== "run") throw new Error(command.type);
      return command.batches.reduce((sum, { count }) => sum + count, 0);
    };
    expect(scenarios("--exhaustive")).toBe(262_144);
    expect(scenarios("--exhaustive", "--partitions", "3", "--rounds", "2")).toBe(26_896);
    expect(scenarios("--exhaustive", "--restart")).toBe(6 * 32 ** 3);
    expect(scenarios()).toBe(20_000);
    expect(scenarios("--random", "7")).toBe(7);
    expect(scenarios("--random", "1000000", "--rounds", "5")).toBe(1_000_000);
  });

  it("refuses what means nothing", () => {
    for (const argv of [
      ["--validators", "3"],
      ["--validators", "8"],
      ["--twins", "0"],
      ["--rounds", "9"],
      ["--partitions", "4"],
      ["--random", "0"],
      ["--exhaustive", "--random", "5"],
      ["--exhaustive", "--validators", "7", "--twins", "7", "--rounds", "8"],
      ["--replay", "nothing"],
      ["--restart", "--twins", "2"],
    ]) {
      expect(() => readTwinsCommand(argv), argv.join(" ")).toThrow(RangeError);
    }
    expect(() => readTwinsCommand(["--what"])).toThrow(TypeError);
  });
});
