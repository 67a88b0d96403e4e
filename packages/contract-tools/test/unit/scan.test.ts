import { describe, expect, it } from "vitest";
import { loadRules, scanContract } from "../../src/index.ts";
import { loadSamples } from "../support/samples.ts";

const ruleSet = loadRules();
const samples = loadSamples();

describe("S-9.9-5a: security rules and patterns of problem contracts", () => {
  it("there are at least 25 rules", () => {
    expect(ruleSet.rules.length).toBeGreaterThanOrEqual(25);
  });

  it.each(ruleSet.rules.map(({ id }) => id))("%s has three bugs and three look-alikes", (id) => {
    const own = samples.filter(({ ruleId }) => ruleId === id);
    expect(own.filter(({ isBug }) => isBug).length).toBeGreaterThanOrEqual(3);
    expect(own.filter(({ isBug }) => !isBug).length).toBeGreaterThanOrEqual(3);
  });

  it.each(
    samples.map(
      (each) => [`${each.ruleId}, ${each.isBug ? "bug" : "clean"}: ${each.title}`, each] as const,
    ),
  )("%s", (_, { ruleId, isBug, target }) => {
    const { findings } = scanContract(target, ruleSet);
    const found = findings.filter((finding) => finding.ruleId === ruleId);
    expect(found.length > 0, JSON.stringify(found)).toBe(isBug);
  });
});
