import { basename } from "node:path";
import type { BrokenRule } from "./rule.ts";

/** Numbers of bugs of other chains that a test's name speaks of. */
function bugsOf(name: string): readonly number[] {
  const [, first, second] = /known bugs? (\d+)(?: and (\d+))?/.exec(name) ?? [];
  return [first, second].flatMap((number) => (number === undefined ? [] : [Number(number)]));
}

/** Known bug -> the rules whose breaking a test named after it notices, in the order of rules. */
export function rulesByBug(rules: readonly BrokenRule[]): ReadonlyMap<number, readonly string[]> {
  const byBug = new Map<number, string[]>();
  for (const { id, tests } of rules) {
    for (const bug of new Set(tests.flatMap(({ name }) => bugsOf(name)))) {
      byBug.set(bug, [...(byBug.get(bug) ?? []), id]);
    }
  }
  return new Map([...byBug].sort(([a], [b]) => a - b));
}

function row({ id, rule, broken, tests }: BrokenRule): string {
  const noticed = tests.map(({ file, name }) => {
    return `${basename(file, ".test.ts")}: ${name.replace(/:$/, "")}`;
  });
  return `| \`${id}\` | ${rule} | ${broken} | ${noticed.join("; ")} |`;
}

/** docs/consensus-rules.md. */
export function rulesPage(rules: readonly BrokenRule[]): string {
  const lines = [
    "# Rules, and the tests that notice when one is broken",
    "",
    "`pnpm sabotage` applies each change to a copy of the packages, runs the named tests with and",
    "without it, and fails if a test does not notice. The exact changes stand in",
    "[tools/sabotage/rules](../tools/sabotage/rules). This page is written from them by",
    "`pnpm docs:reference`; a test holds both equal. Figures: [consensus-assurance.md](consensus-assurance.md).",
    "",
    "| name | rule | broken for the test | noticed by |",
    "|---|---|---|---|",
    ...rules.map(row),
    "",
    "## By bugs of other chains",
    "",
    "The numbers are those of [consensus-assurance.md](consensus-assurance.md); the rules are the ones whose breaking a",
    "test named after the bug notices.",
    "",
    "| # | rules |",
    "|---|---|",
    ...[...rulesByBug(rules)].map(
      ([bug, ids]) => `| ${bug} | ${ids.map((id) => `\`${id}\``).join(", ")} |`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}
