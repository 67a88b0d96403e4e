import { describe, expect, it } from "vitest";
import { readCommand, replayLine } from "../../src/command-line.ts";

describe("arguments of pnpm sim", () => {
  it("has defaults for everything", () => {
    const command = readCommand([]);
    expect(command).toMatchObject({ type: "run", from: 1, count: 100, slices: null, json: false });
    expect(command).toMatchObject({
      untilFailure: false,
      options: { profile: "protocol", validators: null, heights: null },
    });
  });

  it("reads a bulk run", () => {
    const text =
      "--seeds 3000 --from 7 --validators 4 --heights 50 --workers 2 --slices out --json";
    expect(readCommand(text.split(" "))).toEqual({
      type: "run",
      from: 7,
      count: 3000,
      untilFailure: false,
      workers: 2,
      slices: "out",
      json: true,
      options: { profile: "protocol", validators: 4, heights: 50 },
    });
  });

  it("goes on without end until a failure, unless a count bounds it", () => {
    expect(readCommand(["--until-failure"])).toMatchObject({ count: Number.POSITIVE_INFINITY });
    expect(readCommand(["--until-failure", "--seeds", "9"])).toMatchObject({ count: 9 });
  });

  it.each([
    ["--seeds", "0"],
    ["--seeds", "1.5"],
    ["--from", "-1"],
    ["--validators", "0"],
    ["--heights", "10"],
    ["--workers", "0"],
    ["--workers", "many"],
    ["--profile", "fast"],
    ["--replay", "x"],
    ["--nothing", "1"],
  ])("refuses %s %s", (flag, value) => {
    expect(() => readCommand([`${flag}=${value}`])).toThrow();
  });

  it("takes the least that is allowed", () => {
    const command = readCommand(["--heights", "11", "--validators", "1", "--seeds", "1"]);
    expect(command).toMatchObject({ count: 1, options: { heights: 11, validators: 1 } });
  });

  it("prints a replay line that reads back as the same run", () => {
    const options = { profile: "full", validators: 7, heights: 50 } as const;
    const words = replayLine(12, options).split(" ").slice(2);
    expect(readCommand(words)).toEqual({ type: "replay", seed: 12, options });
  });
});
