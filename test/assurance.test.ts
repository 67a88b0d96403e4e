import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { breakRule } from "../tools/sabotage/rule.ts";
import { brokenRules } from "../tools/sabotage/rules.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const assurance = read("docs/consensus-assurance.md");

/** Sources of every test, for names that documents quote. */
const testSources = ["packages", "test"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
      .map((path) => read(join(folder, path))),
  )
  .join("\n");

describe("docs/consensus-assurance.md is what the code is", () => {
  it.each(brokenRules.map((rule) => [rule.id, rule] as const))(
    "%s can be broken, and names tests that exist",
    (id, rule) => {
      const source = read(rule.file);
      // Failing here? The code moved: correct `find` in tools/sabotage/rules/.
      expect(breakRule(source, rule)).not.toBe(source);
      expect(rule.tests.length).toBeGreaterThan(0);
      for (const { file, name } of rule.tests) {
        // A name that is made of a template begins with its fixed part.
        const fixed = name.replace(/one of \d+.*/, "one of");
        expect(read(file), `${id}: ${file}`).toContain(fixed);
      }
      expect(assurance).toContain(`| \`${id}\` |`);
    },
  );

  it("every bug of the list has a row, and every test that a row names exists", () => {
    const rows = [...assurance.matchAll(/^\| (\d+) \| .* \| (.*) \|$/gm)];
    const numbers = rows.map(([, number]) => Number(number));
    // The list that the numbers come from has no 51.
    const wanted = Array.from({ length: 67 }, (_, at) => at + 1).filter((at) => at !== 51);
    expect(numbers).toEqual(wanted);
    for (const [, number, guard] of rows) {
      if (guard?.startsWith("cannot happen")) continue;
      const isNamed = new RegExp(`known bugs? (?:\\d+ and )?${number}\\b`).test(testSources);
      expect(isNamed, `a test named "known bug ${number}: …"`).toBe(true);
    }
  });
});
