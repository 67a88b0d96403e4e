import { describe, expect, it } from "vitest";
import { loadRules, parseRules, sarifOf, scanContract } from "../../src/index.ts";
import { loadSamples } from "../support/samples.ts";

const ruleSet = loadRules();
const samples = loadSamples();

interface Log {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string;
        readonly rules: readonly { readonly id: string }[];
      };
    };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region?: { readonly startLine?: number; readonly byteOffset?: number };
        };
      }[];
    }[];
  }[];
}

/** What SARIF 2.1.0 requires of each object (§3.13, §3.14, §3.18, §3.19, §3.27, §3.28, §3.29). */
describe("a report as SARIF 2.1.0", () => {
  it.each(["stale-read", "float-use", "large-memory"])(
    "of %s has what the standard requires",
    (id) => {
      for (const { target } of samples.filter((each) => each.ruleId === id && each.isBug)) {
        const report = scanContract(target, ruleSet);
        const log = JSON.parse(JSON.stringify(sarifOf(report, ruleSet))) as Log;
        expect(log.version).toBe("2.1.0");
        const [run] = log.runs;
        expect(run?.tool.driver.name).toBe("credlink contract scan");
        expect(run?.results.length).toBe(report.findings.length);
        for (const result of run?.results ?? []) {
          expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
          expect(["error", "warning", "note"]).toContain(result.level);
          expect(result.message.text.length).toBeGreaterThan(10);
          const [location] = result.locations;
          expect(location?.physicalLocation.artifactLocation.uri).toMatch(/\.(?:ts|wasm|json)$/);
          const { region } = location?.physicalLocation ?? {};
          if (region?.startLine !== undefined) expect(region.startLine).toBeGreaterThan(0);
        }
      }
    },
  );
});

describe("rule files", () => {
  it.each([
    ["no JSON", "{"],
    [
      "an unknown pattern",
      '[{"id":"x","severity":"high","title":"a title","description":"what it is about here","remedy":"do it so","references":[],"flow":[{"kind":"magic"}]}]',
    ],
    [
      "a severity that is none",
      '[{"id":"x","severity":"grave","title":"a title","description":"what it is about here","remedy":"do it so","references":[]}]',
    ],
  ])("with %s are refused", (_, text) => {
    expect(() => parseRules(text, "x.json")).toThrowError(/x\.json/);
  });

  it("name the weakness that each rule is about", () => {
    for (const { id, references } of ruleSet.rules)
      expect(references.length, id).toBeGreaterThan(0);
  });
});
