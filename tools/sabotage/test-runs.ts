import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** A broken rule may also hang its test: that counts as noticed. */
const TIMEOUT_MS = 120_000;

/** What vitest says about one file. */
interface FileResult {
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  readonly message: string;
}

/** Runs tests of one file in a copy of the workspace. */
export interface TestRuns {
  /**
   * Whether all tests whose names contain one of `names` pass, by that name.
   *
   * @throws Error when the file does not load or no test has such a name: that shows nothing.
   */
  passing(file: string, names: readonly string[]): Promise<ReadonlyMap<string, boolean>>;
}

/** Makes the runs of one copy; libraries come from `root`. */
export function createTestRuns(root: string, copy: string): TestRuns {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const output = join(copy, "results.json");

  const run = (file: string, names: readonly string[]): Promise<FileResult | null> => {
    rmSync(output, { force: true });
    const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    const report = ["--reporter=json", `--outputFile=${output}`];
    const args = ["--conditions=source", vitest, "run", file, "-t", pattern, ...report];
    return new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: copy, timeout: TIMEOUT_MS }, () => {
        if (!existsSync(output)) return resolve(null);
        const { testResults } = JSON.parse(readFileSync(output, "utf8"));
        resolve(testResults[0] ?? { assertionResults: [], message: "no such file" });
      });
    });
  };

  const passing: TestRuns["passing"] = async (file, names) => {
    const result = await run(file, names);
    const passed = new Map<string, boolean>();
    for (const name of names) {
      if (result === null) {
        // One of them hangs; the others are asked one by one.
        const isAlone = names.length === 1;
        passed.set(name, isAlone ? false : ((await passing(file, [name])).get(name) ?? false));
        continue;
      }
      const ran = result.assertionResults.filter(
        ({ fullName, status }) => fullName.includes(name) && /passed|failed/.test(status),
      );
      if (ran.length === 0) throw new Error(`${file} ran no "${name}": ${result.message}`);
      passed.set(
        name,
        ran.every(({ status }) => status === "passed"),
      );
    }
    return passed;
  };

  return { passing };
}
