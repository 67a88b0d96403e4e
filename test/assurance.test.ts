import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { rulesByBug, rulesPage } from "../tools/sabotage/page.ts";
import { breakRule } from "../tools/sabotage/rule.ts";
import { brokenRules } from "../tools/sabotage/rules.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const assurance = read("docs/consensus-assurance.md");

describe("docs/consensus-rules.md is what the code is", () => {
  it("says what tools/sabotage says; `pnpm docs:reference` writes it", () => {
    expect(read("docs/consensus-rules.md")).toBe(rulesPage(brokenRules));
  });

  it("has each name once", () => {
    const ids = brokenRules.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it.each(brokenRules.map((rule) => [rule.id, rule] as const))(
    "%s can be broken, and names tests that exist",
    (id, rule) => {
      const source = read(rule.file);
      // Failing here? The code moved: correct `find` in tools/sabotage/rules/.
      expect(breakRule(source, rule)).not.toBe(source);
      expect(rule.tests.length).toBeGreaterThan(0);
      for (const { file, name } of rule.tests) {
        // A number may come from a template.
        const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
        const pattern = escaped.replace(/\d+/g, (digits) => `(?:${digits}|\\$\\{\\w+\\})`);
        expect(read(file), `${id}: ${file}`).toMatch(new RegExp(pattern));
      }
    },
  );
});

describe("docs/consensus-assurance.md is what the code is", () => {
  it("every bug of the list has a row, and a test named after it notices a broken rule", () => {
    const rows = [...assurance.matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm)];
    const numbers = rows.map(([, number]) => Number(number));
    // The list that the numbers come from has no 51.
    const wanted = Array.from({ length: 67 }, (_, at) => at + 1).filter((at) => at !== 51);
    expect(numbers).toEqual(wanted);
    const guarded = rulesByBug(brokenRules);
    for (const [, number, guard] of rows) {
      if (guard?.startsWith("cannot happen")) continue;
      const rules = guarded.get(Number(number)) ?? [];
      expect(rules, `a rule with a test named "known bug ${number}: …"`).not.toEqual([]);
    }
  });
});
