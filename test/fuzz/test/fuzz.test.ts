import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@credlink/primitives";
import { beforeAll, describe, expect, test } from "vitest";
import { createTargets, judgeCase, makeCase } from "../campaign.ts";
import { readTree, writeTree } from "../der-tree.ts";
import { parseFuzzOptions, UsageError } from "../options.ts";
import { loadCase, saveFinding } from "../run.ts";
import type { Target } from "../target.ts";

let targets: readonly Target[];

beforeAll(async () => {
  targets = await createTargets();
});

describe("S-9.5-1, S-8.4-11: hostile identity", () => {
  test("300 executions find nothing, and reach what accepts as well as what refuses", async () => {
    const results = new Set<string>();
    const findings: string[] = [];
    for (let index = 0; index < 300; index++) {
      const input = await makeCase(targets, 20_261_127, index);
      const { result, finding } = await judgeCase(targets, input);
      results.add(`${input.target} ${result === "accepted" ? "accepted" : "refused"}`);
      if (finding !== undefined) findings.push(`${input.target} ${index}: ${finding}`);
    }
    expect(findings).toEqual([]);
    const each = targets.flatMap(({ name }) => [`${name} accepted`, `${name} refused`]);
    expect([...results].sort()).toEqual(each.sort());
  });

  test("equal seeds make equal inputs, other seeds others", async () => {
    const bytes = async (seed: number, index: number) =>
      (await makeCase(targets, seed, index)).parts.map(toHex).join(" ");
    const again = await createTargets();
    for (const index of [0, 1, 2, 3, 500, 999_999]) {
      const { parts } = await makeCase(again, 3, index);
      expect(await bytes(3, index)).toBe(parts.map(toHex).join(" "));
      expect(await bytes(4, index)).not.toBe(await bytes(3, index));
    }
  });
});

test("what was found is kept and judged again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  const input = await makeCase(targets, 5, 8);
  const file = saveFinding(folder, 5, { ...input, index: 8, finding: "for this test" });
  expect(loadCase(file)).toEqual({
    target: input.target,
    parts: input.parts.map((part) => Uint8Array.from(part)),
  });
  expect(await judgeCase(targets, loadCase(file))).toEqual(await judgeCase(targets, input));
  rmSync(folder, { recursive: true });
});

test("a target that throws is a finding, and so is a code that nobody declared", async () => {
  const bad: Target = {
    name: "bad",
    weight: 1,
    make: async () => [],
    judge: async () => {
      throw new Error("crash");
    },
  };
  const outcome = await judgeCase([bad], { target: "bad", parts: [] });
  expect([outcome.result, outcome.finding?.split("\n")[0]]).toEqual(["throw", "Error: crash"]);
});

test("a tree that is read and written is the same, and wrong lengths are written as asked", () => {
  const bytes = Uint8Array.of(0x30, 5, 0x02, 1, 7, 0x05, 0);
  const tree = readTree(bytes);
  expect(tree === undefined ? undefined : writeTree(tree)).toEqual(bytes);
  if (tree !== undefined) tree.lengthOctets = [0x80];
  expect(tree === undefined ? undefined : writeTree(tree).subarray(0, 2)).toEqual(
    Uint8Array.of(0x30, 0x80),
  );
  expect(readTree(bytes.subarray(1))).toBeUndefined();
});

test("options are read, and odd ones refused", () => {
  expect(parseFuzzOptions(["identity", "--executions", "5", "--seed", "9", "--json"])).toEqual({
    ...{ seed: 9, from: 0, executions: 5, seconds: undefined },
    ...{ findings: "fuzz-findings", replay: undefined, json: true },
  });
  for (const args of [[], ["other"], ["identity", "--seed", "x"], ["identity", "--odd"]]) {
    expect(() => parseFuzzOptions(args)).toThrow(UsageError);
  }
});
